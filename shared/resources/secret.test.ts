import { describe, expect, it } from 'vitest';
import type { ConfigMap, Secret } from '../schema/kubernetes-types.ts';
import { base64ByteLength, decodeBase64, encodeBase64 } from './base64.ts';
import { CONFIG_MAPS } from './config-map.ts';
import { SECRETS } from './secret.ts';
import { cells, created, createErrors, sent, updated, updateErrors } from './writes-for-tests.ts';

const secret = (fields: object): Secret => sent<Secret>(fields);
const map = (fields: object): ConfigMap => sent<ConfigMap>(fields);

describe('a secret', () => {
  it('is opaque, and its text is kept as data', () => {
    const object = secret({ data: { a: 'eA==', b: 'eA==' }, stringData: { b: 'ü' } });
    expect(created(SECRETS, object)).toMatchObject({
      type: 'Opaque',
      data: { a: 'eA==', b: 'w7w=' },
    });
    expect(created(SECRETS, object)).not.toHaveProperty('stringData');
    expect(createErrors(SECRETS, object)).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    ['a bad key', { data: { 'a b': '' } }, ['data[a b]: Invalid value: "a b": a valid config key']],
    [
      'TLS without keys',
      { type: 'kubernetes.io/tls' },
      ['data[tls.crt]: Required value', 'data[tls.key]: Required value'],
    ],
    [
      'no user',
      { type: 'kubernetes.io/basic-auth' },
      ['data[username]: Required value', 'data[password]: Required value'],
    ],
    [
      'no registry',
      { type: 'kubernetes.io/dockerconfigjson' },
      ['data[.dockerconfigjson]: Required value'],
    ],
    [
      'a registry that is no JSON',
      { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': 'x' } },
      [
        'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid character \'x\' looking for beginning of value',
      ],
    ],
    ['no key', { type: 'kubernetes.io/ssh-auth' }, ['data[ssh-privatekey]: Required value']],
    [
      'no account',
      { type: 'kubernetes.io/service-account-token' },
      ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
    ],
    [
      'too much',
      { stringData: { a: 'x'.repeat(1024 * 1024 + 1) } },
      ['data: Too long: may not be more than 1048576 bytes'],
    ],
  ])('with %s is refused', (_what, fields, messages) => {
    const errors = createErrors(SECRETS, secret(fields));
    expect(errors.map((error, index) => error.slice(0, messages[index]?.length))).toEqual(messages);
  });

  it('with a user alone, or a registry, is right', () => {
    expect(
      createErrors(
        SECRETS,
        secret({ type: 'kubernetes.io/basic-auth', stringData: { username: 'a' } }),
      ),
    ).toEqual([]);
    expect(
      createErrors(
        SECRETS,
        secret({
          type: 'kubernetes.io/dockerconfigjson',
          stringData: { '.dockerconfigjson': '{}' },
        }),
      ),
    ).toEqual([]);
  });

  it('keeps its type, which an update may leave out', () => {
    const stored = created(SECRETS, secret({ type: 'a/b' }));
    expect(updated(SECRETS, secret({}), stored).type).toBe('a/b');
    expect(updateErrors(SECRETS, secret({ type: 'c/d' }), stored)).toEqual([
      'type: Invalid value: "c/d": field is immutable',
    ]);
  });

  it('prints its type and how much it holds', () => {
    expect(cells(SECRETS, created(SECRETS, secret({ stringData: { a: '' } })))).toMatchObject({
      Type: 'Opaque',
      Data: 1,
    });
  });
});

describe('what is immutable', () => {
  const why = 'Forbidden: field is immutable when `immutable` is set';

  it('stays as it is, secret or config map', () => {
    const sealed = created(SECRETS, secret({ immutable: true, stringData: { a: 'x' } }));
    expect(
      updateErrors(SECRETS, secret({ immutable: true, stringData: { a: 'x' } }), sealed),
    ).toEqual([]);
    expect(updateErrors(SECRETS, secret({ stringData: { a: 'y' } }), sealed)).toEqual([
      `immutable: ${why}`,
      `data: ${why}`,
    ]);
    const sealedMap = created(CONFIG_MAPS, map({ immutable: true, data: { a: 'x' } }));
    expect(
      updateErrors(CONFIG_MAPS, map({ immutable: true, binaryData: { b: 'eA==' } }), sealedMap),
    ).toEqual([`data: ${why}`, `binaryData: ${why}`]);
  });
});

describe('a config map', () => {
  it('holds text and bytes, each key once', () => {
    const object = map({ data: { a: 'x' }, binaryData: { b: 'eA==' } });
    expect(createErrors(CONFIG_MAPS, object)).toEqual([]);
    expect(cells(CONFIG_MAPS, object)['Data']).toBe(2);
    expect(createErrors(CONFIG_MAPS, map({ data: { a: 'x' }, binaryData: { a: 'eA==' } }))).toEqual(
      ['data[a]: Invalid value: "a": duplicate of key present in binaryData'],
    );
  });

  it('may have keys that every JavaScript object knows', () => {
    const data = { constructor: 'x', toString: 'y' };
    expect(createErrors(CONFIG_MAPS, map({ data }))).toEqual([]);
  });

  it('holds no more than 1 MiB', () => {
    expect(createErrors(CONFIG_MAPS, map({ data: { a: 'x'.repeat(1024 * 1024) } }))).toEqual([]);
    expect(createErrors(CONFIG_MAPS, map({ data: { a: 'ü'.repeat(1024 * 1024) } }))).toEqual([
      ': Too long: may not be more than 1048576 bytes',
    ]);
  });
});

describe('base64', () => {
  it.each(['', 'a', 'ab', 'abc', 'ü€😀'])('of %j comes back and has its length', (text) => {
    const encoded = encodeBase64(text);
    expect(encoded).toBe(Buffer.from(text).toString('base64'));
    expect(decodeBase64(encoded)).toBe(text);
    expect(base64ByteLength(encoded)).toBe(Buffer.byteLength(text));
  });
});
