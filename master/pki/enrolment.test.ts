import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ApiError } from '../../shared/errors.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { CATALOG } from '../../shared/resources/catalog.ts';
import { NAMESPACES } from '../../shared/resources/namespace.ts';
import { NODES } from '../../shared/resources/node.ts';
import { SECRETS } from '../../shared/resources/secret.ts';
import { silentLogger } from '../../shared/silent-logger.ts';
import { SKERRY_VERSION } from '../../shared/version.ts';
import type { EnrolmentRequest } from '../../shared/wire/enrolment.ts';
import { builtCertificateChild } from '../../test/builders/certificate-child.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { Registry } from '../store/registry.ts';
import { CertificateAuthority } from './certificate-authority.ts';
import { CertificateChild } from './certificate-child.ts';
import { Enrolment } from './enrolment.ts';
import { rawPublicKey } from './key-pairs.ts';
import { NodeKeys, tlsKeySha256 } from './node-keys.ts';
import { JoinTokens } from './tokens.ts';

const clock: Clock = { nowMs: Date.now, monotonicMs: () => 0, after: () => () => {} };

describe('enrolment', () => {
  const root = mkdtempSync(join(tmpdir(), 'skerry-enrolment-'));
  let registry: Registry;
  let authority: CertificateAuthority;
  let tokens: JoinTokens;
  let enrolment: Enrolment;

  beforeAll(async () => {
    let uid = 0;
    const store = new MemoryStore();
    await store.open();
    registry = new Registry({ store, clock, kinds: CATALOG, newUid: () => `u${++uid}` });
    await registry.open();
    await registry.create(NAMESPACES, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'kube-system', uid: '', resourceVersion: '', creationTimestamp: '' },
      spec: {},
      status: {},
    });
    authority = new CertificateAuthority({
      folder: join(root, 'pki'),
      child: new CertificateChild(builtCertificateChild()),
      clock,
    });
    await authority.open({ dnsNames: ['localhost'], addresses: [] });
    const { caSha256 } = authority;
    tokens = new JoinTokens({ registry, secrets: SECRETS, clock, caSha256 });
    enrolment = enrolmentWith((name, csr) => authority.issueNode(name, csr));
  });
  afterAll(() => rmSync(root, { recursive: true }));

  function enrolmentWith(issueNode: CertificateAuthority['issueNode']): Enrolment {
    const { ca, clusterId, signingPublicKey } = authority;
    return new Enrolment({
      registry,
      nodes: NODES,
      tokens,
      authority: { ca, clusterId, signingPublicKey, issueNode, hasSigned: () => false },
      broker: () => 'mqtts://192.0.2.1:6443',
      logger: silentLogger,
    });
  }

  function requestOf(nodeName: string): EnrolmentRequest {
    const key = join(root, 'device.key');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const csr = execFileSync('openssl', ['req', '-new', '-key', key, '-subj', '/CN=anyone']);
    return {
      nodeName,
      csr: csr.toString(),
      signingKey: rawPublicKey(generateKeyPairSync('ed25519').privateKey),
      sealingKey: rawPublicKey(generateKeyPairSync('x25519').privateKey),
    };
  }

  test('a device with a token gets a certificate, and its keys stand on its Node', async () => {
    const request = requestOf('pi-1.lan');
    const answer = await enrolment.enrol(await tokens.create(), request);
    expect(new X509Certificate(answer.certificate).subject).toBe(
      'O=system:nodes\nCN=system:node:pi-1.lan',
    );
    expect(
      new X509Certificate(answer.certificate).verify(new X509Certificate(answer.ca).publicKey),
    ).toBe(true);
    expect(answer).toMatchObject({
      nodeName: 'pi-1.lan',
      clusterId: authority.clusterId,
      masterSigningKey: authority.signingPublicKey,
      broker: 'mqtts://192.0.2.1:6443',
    });
    const keys = new NodeKeys({ registry, nodes: NODES });
    expect(keys.signingKey('pi-1.lan')).toBe(request.signingKey);
    expect(keys.sealingKey('pi-1.lan')).toBe(request.sealingKey);
    expect(keys.signingKey('pi-2')).toBeUndefined();
  });

  test('a name that another device holds is refused and the use of the token given back', async () => {
    const mine = requestOf('pi-3');
    await enrolment.enrol(await tokens.create(), mine);
    const token = await tokens.create();
    await expect(enrolment.enrol(token, requestOf('pi-3'))).rejects.toMatchObject({
      reason: 'Conflict',
      message: expect.stringContaining('held by another device'),
    });
    // The same device may come again, with a new TLS key.
    const again = { ...requestOf('pi-3'), signingKey: mine.signingKey };
    expect((await enrolment.enrol(token, again)).nodeName).toBe('pi-3');
    const other = { ...requestOf('pi-3'), signingKey: mine.signingKey };
    await expect(enrolment.enrol(token, other)).rejects.toThrow('used up');
  });

  test('a request whose answer was lost is answered again, and no other one', async () => {
    const token = await tokens.create();
    const request = requestOf('pi-7');
    await enrolment.enrol(token, request);
    const again = await enrolment.enrol(token, request);
    expect(new X509Certificate(again.certificate).subject).toContain('CN=system:node:pi-7');
    for (const part of ['csr', 'signingKey', 'sealingKey'] as const) {
      const other = { ...request, [part]: requestOf('pi-7')[part] };
      await expect(enrolment.enrol(token, other)).rejects.toThrow('used up');
    }
    const renamed = { ...request, nodeName: 'pi-8' };
    await expect(enrolment.enrol(token, renamed)).rejects.toThrow('used up');
  });

  test('a device whose Node was deleted needs another use of a token, whatever it sends', async () => {
    const token = await tokens.create({ uses: 2 });
    const request = requestOf('pi-30');
    const remove = () => registry.delete(NODES, { namespace: '', name: 'pi-30' });
    const join = () => enrolment.enrol(token, request);
    await join();
    await join();
    await remove();
    await join();
    await join();
    await remove();
    await expect(join()).rejects.toThrow('used up');
    expect(registry.find(NODES, { namespace: '', name: 'pi-30' })).toBeUndefined();
  });

  test('a Node that is deleted while its device asks again stays deleted', async () => {
    const token = await tokens.create();
    const request = requestOf('pi-31');
    const key = { namespace: '', name: 'pi-31' };
    const overtaken = enrolmentWith(async (name, csr) => {
      const certificate = await authority.issueNode(name, csr);
      await registry.delete(NODES, key);
      return certificate;
    });
    await enrolment.enrol(token, request);
    const removed = 'was removed: join again with a token';
    await expect(overtaken.enrol(token, request)).rejects.toThrow(removed);
    expect(registry.find(NODES, key)).toBeUndefined();
    await enrolment.enrol(await tokens.create(), request);
    await expect(overtaken.renew('pi-31', request)).rejects.toThrow(removed);
    expect(registry.find(NODES, key)).toBeUndefined();
  });

  test('a device whose use was taken before the master ended joins with it', async () => {
    const token = await tokens.create();
    const request = requestOf('pi-32');
    const ended = enrolmentWith(() => new Promise(() => {}));
    void ended.enrol(token, request);
    await vi.waitFor(() => expect(usesOf(token)).toBe('0'));
    await enrolment.enrol(token, request);
    await registry.delete(NODES, { namespace: '', name: 'pi-32' });
    await expect(enrolment.enrol(token, request)).rejects.toThrow('used up');
  });

  test('one request that comes twice at once has one outcome, and one use', async () => {
    const token = await tokens.create();
    const request = requestOf('pi-33');
    let failures = 1;
    const failing = enrolmentWith(async (name, csr) => {
      if (failures-- > 0) throw new Error('no memory');
      return authority.issueNode(name, csr);
    });
    const twice = () =>
      Promise.allSettled([failing.enrol(token, request), failing.enrol(token, request)]);
    expect((await twice()).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(usesOf(token)).toBe('1');
    expect((await twice()).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(usesOf(token)).toBe('0');
  });

  function usesOf(token: string): string {
    const name = `bootstrap-token-${token.split('.')[0]}`;
    const { data } = registry.get(SECRETS, { namespace: 'kube-system', name });
    return atob(data?.['skerry-uses'] ?? '');
  }

  test('a token that adopts gives a name to another device, and the former one has no part in it any more', async () => {
    const former = requestOf('pi-9');
    const before = await enrolment.enrol(await tokens.create(), former);
    const keys = new NodeKeys({ registry, nodes: NODES });
    expect(keys.holds('pi-9', tlsKeySha256(before.certificate))).toBe(true);
    const token = await tokens.create({ nodeName: 'pi-9', adopts: true });
    const after = await enrolment.enrol(token, requestOf('pi-9'));
    expect(keys.holds('pi-9', tlsKeySha256(after.certificate))).toBe(true);
    expect(keys.holds('pi-9', tlsKeySha256(before.certificate))).toBe(false);
    await expect(enrolment.renew('pi-9', former)).rejects.toMatchObject({ reason: 'Conflict' });
    await expect(enrolment.enrol(token, requestOf('pi-9'))).rejects.toThrow('used up');
  });

  test('a device of a release too far away is told so', async () => {
    const request = { ...requestOf('pi-10'), release: '9.0.0' };
    const token = await tokens.create();
    await expect(enrolment.enrol(token, request)).rejects.toThrow('upgrade the master first');
    await enrolment.enrol(token, { ...request, release: SKERRY_VERSION });
  });

  test('of two devices that want one name at once, one gets it', async () => {
    const token = await tokens.create({ uses: 2 });
    const outcomes = await Promise.allSettled([
      enrolment.enrol(token, requestOf('pi-4')),
      enrolment.enrol(token, requestOf('pi-4')),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('a name, key or request that is not one is a bad request', async () => {
    const token = await tokens.create();
    const good = requestOf('pi-5');
    for (const bad of [
      { nodeName: 'Pi_5' },
      { nodeName: 'a'.repeat(254) },
      { signingKey: 'AAAA' },
      { sealingKey: 'x' },
      { csr: '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----' },
    ]) {
      await expect(enrolment.enrol(token, { ...good, ...bad })).rejects.toMatchObject({
        reason: 'BadRequest',
      });
    }
    await enrolment.enrol(token, good);
  });

  test('whatever is sent, it is refused in one sentence and nothing is written', async () => {
    const good = requestOf('pi-20');
    const token = await tokens.create();
    const before = registry.cache.revision();
    const anything = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary', maxLength: 2000, size: 'max' }),
      fc.base64String(),
      fc.constant('a\n<3>b'),
    );
    const part = fc.constantFrom('nodeName', 'signingKey', 'sealingKey', 'release');
    await fc.assert(
      fc.asyncProperty(part, anything, anything, async (name, text, otherToken) => {
        const request = { ...good, [name]: text };
        const error = await enrolment.enrol(otherToken, request).catch((e: unknown) => e);
        expect(error).toBeInstanceOf(ApiError);
        expect(['BadRequest', 'Unauthorized']).toContain((error as ApiError).reason);
        expect((error as ApiError).message).toMatch(/^.{1,1500}$/u);
      }),
    );
    expect(registry.cache.revision()).toBe(before);
    await enrolment.enrol(token, good);
  });

  test('a name that is taken costs no use of the token, and no write', async () => {
    await enrolment.enrol(await tokens.create(), requestOf('pi-21'));
    const token = await tokens.create();
    const before = registry.cache.revision();
    await expect(enrolment.enrol(token, requestOf('pi-21'))).rejects.toThrow('another device');
    expect(registry.cache.revision()).toBe(before);
  });

  test('a certificate renews its own node only, while that exists and for the device that enrolled', async () => {
    const request = requestOf('pi-6');
    const first = await enrolment.enrol(await tokens.create(), request);
    const renewed = await enrolment.renew('pi-6', request);
    expect(renewed.certificate).not.toBe(first.certificate);
    await expect(enrolment.renew('pi-5', request)).rejects.toMatchObject({ reason: 'BadRequest' });
    await expect(enrolment.renew('pi-6', requestOf('pi-6'))).rejects.toMatchObject({
      reason: 'Conflict',
    });
    await registry.delete(NODES, { namespace: '', name: 'pi-6' });
    await expect(enrolment.renew('pi-6', request)).rejects.toThrow('join again with a token');
    await registry.create(NODES, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'pi-6', uid: '', resourceVersion: '', creationTimestamp: '' },
      spec: {},
      status: {},
    });
    await expect(enrolment.renew('pi-6', request)).rejects.toThrow('join again with a token');
  });
});
