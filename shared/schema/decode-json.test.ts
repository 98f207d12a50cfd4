import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../meta/kube-object.ts';
import { decodeDeleteOptions, decodeJson, decodeObject, decodeYaml } from './decode-json.ts';

const DEPLOYMENT = { group: 'apps', version: 'v1', kind: 'Deployment' };
const CONFIG_MAP = { group: '', version: 'v1', kind: 'ConfigMap' };
const POD = { group: '', version: 'v1', kind: 'Pod' };
const SECRET = { group: '', version: 'v1', kind: 'Secret' };
const EVENT = { group: '', version: 'v1', kind: 'Event' };

const CANNOT = 'Deployment in version "v1" cannot be handled as a Deployment: ';

function deployment(spec: JsonValue): string {
  return JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', spec });
}

describe('a valid body', () => {
  test('nulls and empty values come out as Go prints them', () => {
    const { object, warnings } = decodeJson(
      DEPLOYMENT,
      JSON.stringify({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', creationTimestamp: null, labels: {}, annotations: null },
        spec: {
          replicas: 0,
          minReadySeconds: 0,
          paused: false,
          selector: { matchLabels: { app: 'web' } },
          strategy: {},
          template: {
            metadata: { creationTimestamp: null, labels: { app: 'web' } },
            spec: { containers: [{ name: 'a', args: [], image: '', resources: {} }] },
          },
        },
        status: {},
      }),
      'Strict',
    );
    expect(warnings).toEqual([]);
    expect(object).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', uid: '', resourceVersion: '', creationTimestamp: '' },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'web' } },
        strategy: {},
        template: {
          metadata: { creationTimestamp: null, labels: { app: 'web' } },
          spec: { containers: [{ name: 'a', resources: {} }] },
        },
      },
      status: {},
    });
  });

  test('structs and required scalars that were left out are filled in', () => {
    expect(decodeJson(POD, '{"spec":{"containers":[{}]}}', 'Strict').object).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: '', uid: '', resourceVersion: '', creationTimestamp: '' },
      spec: { containers: [{ name: '', resources: {} }] },
      status: {},
    });
  });

  test('an endpoint that is said to be not ready stays so, and one of which nothing is said is complete', () => {
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      addressType: 'IPv4',
      endpoints: [
        { addresses: ['10.0.0.1'], conditions: { ready: false, serving: false } },
        { addresses: ['10.0.0.2'] },
      ],
      ports: [{ name: '', port: 80 }],
    };
    const kind = { group: 'discovery.k8s.io', version: 'v1', kind: 'EndpointSlice' };
    const { object } = decodeJson(kind, JSON.stringify(slice), 'Strict');
    expect(object).toMatchObject({
      endpoints: [
        { addresses: ['10.0.0.1'], conditions: { ready: false, serving: false } },
        { addresses: ['10.0.0.2'], conditions: {} },
      ],
      ports: [{ name: '', port: 80 }],
    });
  });

  test('quantities, times and base64 become canonical', () => {
    const { object } = decodeJson(
      POD,
      JSON.stringify({
        metadata: { deletionTimestamp: '2026-01-02T05:04:05.75+02:00' },
        spec: {
          containers: [
            {
              name: 'a',
              resources: { requests: { cpu: 0.5, memory: '1024Mi' }, limits: { cpu: '1' } },
            },
          ],
        },
      }),
      'Strict',
    );
    expect(object).toMatchObject({
      metadata: { deletionTimestamp: '2026-01-02T03:04:05Z' },
      spec: {
        containers: [
          { resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '1' } } },
        ],
      },
    });
    const event = decodeJson(EVENT, '{"eventTime":"2026-01-02T03:04:05.123456Z"}', 'Strict').object;
    expect(event).toMatchObject({
      eventTime: '2026-01-02T03:04:05.123456Z',
      reportingComponent: '',
    });
    const secret = decodeJson(SECRET, '{"data":{"a":"YQ=\\n=","b":null}}', 'Strict').object;
    expect(secret).toMatchObject({ data: { a: 'YQ==', b: '' } });
  });

  test('kind and apiVersion may be left out', () => {
    expect(decodeJson(CONFIG_MAP, '{"data":{"a":"b"}}', 'Strict').object).toMatchObject({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      data: { a: 'b' },
    });
  });

  test('a key named __proto__ is data', () => {
    const { object } = decodeJson(CONFIG_MAP, '{"data":{"__proto__":"x"}}', 'Strict');
    expect(JSON.stringify(object)).toContain('"__proto__":"x"');
  });

  test('YAML reads as the same object', () => {
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  port: "80"\n';
    expect(decodeYaml(CONFIG_MAP, yaml, 'Strict').object).toMatchObject({
      metadata: { name: 'a' },
      data: { port: '80' },
    });
  });
});

describe('unknown and duplicate fields', () => {
  const body =
    '{"spec":{"replicas":1,"replicas":2,"foo":1,"template":{"spec":{"containers":[{"name":"a","b":1}]}}}}';

  test('Strict refuses them all, with their paths', () => {
    expect(() => decodeJson(DEPLOYMENT, body, 'Strict')).toThrow(
      `${CANNOT}strict decoding error: duplicate field "spec.replicas", unknown field "spec.foo", unknown field "spec.template.spec.containers[0].b"`,
    );
  });

  test('Warn drops them and says so, Ignore drops them', () => {
    const warned = decodeJson(DEPLOYMENT, body, 'Warn');
    expect(warned.warnings).toEqual([
      'duplicate field "spec.replicas"',
      'unknown field "spec.foo"',
      'unknown field "spec.template.spec.containers[0].b"',
    ]);
    const ignored = decodeJson(DEPLOYMENT, body, 'Ignore');
    expect(ignored).toEqual({ object: warned.object, warnings: [] });
    expect(ignored.object).toMatchObject({ spec: { replicas: 2 } });
    expect(ignored.object).not.toHaveProperty('spec.foo');
  });

  test('in YAML a duplicate key is told with its line', () => {
    const yaml = 'kind: ConfigMap\napiVersion: v1\ndata:\n  a: b\n  a: c\n';
    expect(() => decodeYaml(CONFIG_MAP, yaml, 'Strict')).toThrow(
      'strict decoding error: yaml: unmarshal errors:\n  line 5: key "a" already set in map',
    );
  });
});

describe('a body that does not fit is 400 in the words of Kubernetes', () => {
  test.each<[string, string]>([
    [
      deployment({ replicas: 'x' }),
      `${CANNOT}json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      deployment({ replicas: 1.5 }),
      `${CANNOT}json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      deployment({ replicas: 3000000000 }),
      `${CANNOT}json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      deployment({ template: { spec: { containers: [{ env: [{ name: 'A', value: 1 }] }] } } }),
      `${CANNOT}json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string`,
    ],
    [
      deployment({ template: { spec: { containers: { name: 'a' } } } }),
      `${CANNOT}json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container`,
    ],
    [
      deployment({ template: { spec: { containers: ['a'] } } }),
      `${CANNOT}json: cannot unmarshal string into Go struct field PodSpec.spec.template.spec.containers of type v1.Container`,
    ],
    [
      deployment({ template: { metadata: { labels: { a: 1 } } } }),
      `${CANNOT}json: cannot unmarshal number into Go struct field ObjectMeta.spec.template.metadata.labels of type string`,
    ],
    [
      deployment({ template: { spec: { restartPolicy: true } } }),
      `${CANNOT}json: cannot unmarshal bool into Go struct field PodSpec.spec.template.spec.restartPolicy of type v1.RestartPolicy`,
    ],
    [
      deployment({
        template: { spec: { containers: [{ resources: { limits: { cpu: '1x' } } }] } },
      }),
      `${CANNOT}quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
    ],
    [
      '{"metadata":{"creationTimestamp":"yesterday"}}',
      `${CANNOT}parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"`,
    ],
    [
      '{"metadata":{"creationTimestamp":"2026-13-01T00:00:00Z"}}',
      `${CANNOT}parsing time "2026-13-01T00:00:00Z": month out of range`,
    ],
    [
      '{"apiVersion":"apps/v1beta9","kind":"Deployment"}',
      'the API version in the data (apps/v1beta9) does not match the expected API version (apps/v1)',
    ],
    [
      '{"apiVersion":"v1","kind":"Pod"}',
      'Pod in version "v1" cannot be handled as a Deployment: converting (v1.Pod) to (apps.Deployment): unknown conversion',
    ],
    [
      '{"apiVersion":"apps/v1","kind":"Nope"}',
      'Nope in version "v1" cannot be handled as a Deployment: no kind "Nope" is registered for version "apps/v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    ],
    [
      '{"a":1,}',
      "the object provided is unrecognized (must be of type Deployment): couldn't get version/kind; json parse error: invalid character '}' looking for beginning of object key string ({\"a\":1,})",
    ],
    [
      '',
      "the object provided is unrecognized (must be of type Deployment): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
    ],
    [
      '[]',
      'the object provided is unrecognized (must be of type Deployment): couldn\'t get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (5b5d)',
    ],
  ])('%s', (body, message) => {
    expect(() => decodeJson(DEPLOYMENT, body, 'Strict')).toThrow(
      expect.objectContaining({ code: 400, message }),
    );
  });

  test('bad base64 names its byte', () => {
    expect(() => decodeJson(SECRET, '{"data":{"a":"YQ=!"}}', 'Ignore')).toThrow(
      'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 2',
    );
    expect(() => decodeJson(SECRET, '{"data":{"a":"???"}}', 'Ignore')).toThrow('input byte 0');
  });
});

describe('delete options', () => {
  test('are read whatever group version names them, and may be missing', () => {
    const body = '{"kind":"DeleteOptions","apiVersion":"apps/v1","gracePeriodSeconds":0}';
    expect(decodeDeleteOptions(body)).toEqual({
      kind: 'DeleteOptions',
      apiVersion: 'apps/v1',
      gracePeriodSeconds: 0,
    });
    expect(decodeDeleteOptions('')).toEqual({});
  });
});

describe('for any JSON', () => {
  test('decoding gives an object or a 400, and decoding again changes nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(POD, CONFIG_MAP, DEPLOYMENT), (value, kind) => {
        const spec = { metadata: value, spec: value, data: value };
        const once = attempt(() => decodeObject(kind, spec as JsonValue, 'Ignore').object);
        if (once === undefined) return;
        expect(decodeObject(kind, once as unknown as JsonValue, 'Strict', []).object).toEqual(once);
      }),
    );
  });

  function attempt<T>(decode: () => T): T | undefined {
    try {
      return decode();
    } catch (error) {
      expect(error).toMatchObject({ name: 'ApiError', code: 400 });
      return undefined;
    }
  }
});
