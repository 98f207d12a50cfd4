import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeJson } from './decode-json.ts';
import { decodeProtobuf, decodeProtobufDeleteOptions } from './decode-protobuf.ts';

const DEPLOYMENT = { group: 'apps', version: 'v1', kind: 'Deployment' };
const core = (kind: string) => ({ group: '', version: 'v1', kind });

/** What kubectl 1.33.1 sent for `create deployment web --image=nginx --replicas=3 --port=80` and the like. */
const BODIES = {
  deployment:
    'azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50ErgBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEoYBCAMSDAoKCgNhcHASA3dlYhpsChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEkwSLgoFbmdpbngSBW5naW54KgAyCgoAEAAYUCIAKgBCAGoAcgCAAQCIAQCQAQCiAQAaADIAQgBKAFIAWABgAGgAggEAigEAmgEAwgEAIgIKACgAOAAaDAgAEAAYACAAKAA4ABoAIgA=',
  namespace: 'azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhkKEQoBbhIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA==',
  secret: 'azhzAAoMCgJ2MRIGU2VjcmV0Eh0KEQoBcxIAGgAiACoAMgA4AEIAEgYKAXASAXEaABoAIgA=',
  service:
    'azhzAAoNCgJ2MRIHU2VydmljZRJqCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEkMKHQoHODAtODA4MBIDVENQGFAiBwgAEJA/GgAogOsBEgoKA2FwcBIDd2ViGgAiCE5vZGVQb3J0OgBCAFIAWgBgAGgAGgIKABoAIgA=',
  configMap: 'azhzAAoPCgJ2MRIJQ29uZmlnTWFwEhsKEQoBYxIAGgAiACoAMgA4AEIAEgYKAWESAWIaACIA',
};

const bytesOf = (body: keyof typeof BODIES): Uint8Array => Buffer.from(BODIES[body], 'base64');

describe('what kubectl 1.33 sends decodes as its JSON would', () => {
  test('a deployment', () => {
    const json = {
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'nginx', image: 'nginx', ports: [{ containerPort: 80 }] }] },
        },
      },
    };
    expect(decodeProtobuf(DEPLOYMENT, bytesOf('deployment'))).toEqual(
      decodeJson(DEPLOYMENT, JSON.stringify(json), 'Strict').object,
    );
  });

  test('a service with its target port', () => {
    expect(decodeProtobuf(core('Service'), bytesOf('service'))).toMatchObject({
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: {
        ports: [{ name: '80-8080', protocol: 'TCP', port: 80, targetPort: 8080, nodePort: 30080 }],
        selector: { app: 'web' },
        type: 'NodePort',
      },
      status: { loadBalancer: {} },
    });
  });

  test('a secret, a config map, a namespace', () => {
    expect(decodeProtobuf(core('Secret'), bytesOf('secret'))).toMatchObject({
      data: { p: 'cQ==' },
    });
    expect(decodeProtobuf(core('ConfigMap'), bytesOf('configMap'))).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c', uid: '', resourceVersion: '', creationTimestamp: '' },
      data: { a: 'b' },
    });
    expect(decodeProtobuf(core('Namespace'), bytesOf('namespace'))).toMatchObject({
      metadata: { name: 'n' },
      spec: {},
      status: {},
    });
  });
});

describe('what is not such a message is 400', () => {
  test('no magic number', () => {
    expect(() => decodeProtobuf(core('Secret'), Buffer.from('{"a":1}'))).toThrow(
      'the object provided is unrecognized (must be of type Secret): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] ({"a":1})',
    );
  });

  test('another kind', () => {
    expect(() => decodeProtobuf(core('Pod'), bytesOf('secret'))).toThrow(
      'Secret in version "v1" cannot be handled as a Pod: converting (v1.Secret) to (core.Pod): unknown conversion',
    );
  });

  test('a message that is cut off anywhere, or changed anywhere, is an object or a 400', () => {
    const whole = bytesOf('deployment');
    fc.assert(
      fc.property(
        fc.nat({ max: whole.length }),
        fc.array(fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 })), {
          maxLength: 5,
        }),
        (length, changes) => {
          const bytes = Uint8Array.from(whole);
          for (const [at, byte] of changes) bytes[at] = byte;
          try {
            decodeProtobuf(DEPLOYMENT, bytes.subarray(0, length));
          } catch (error) {
            expect(error).toMatchObject({ name: 'ApiError', code: 400 });
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('a length beyond the end is unexpected EOF', () => {
    const body = Buffer.from('6b387300' + '12ff01', 'hex');
    expect(() => decodeProtobuf(core('Pod'), body)).toThrow('unexpected EOF');
  });
});

describe('delete options', () => {
  test('keep a grace period of zero', () => {
    const options = Buffer.from('0800', 'hex');
    const typeMeta = Buffer.concat([Buffer.from([0x0a, 2]), Buffer.from('v1')]);
    const body = Buffer.concat([
      Buffer.from('6b387300', 'hex'),
      Buffer.from([0x0a, typeMeta.length]),
      typeMeta,
      Buffer.from([0x12, options.length]),
      options,
    ]);
    expect(decodeProtobufDeleteOptions(body)).toEqual({ gracePeriodSeconds: 0 });
    expect(decodeProtobufDeleteOptions(new Uint8Array())).toEqual({});
  });
});
