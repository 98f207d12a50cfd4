import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiFixture, apiFixture, listenPlain } from './api-fixture.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Json = { [key: string]: any };

let fixture: ApiFixture;
let base: string;

beforeEach(async () => {
  fixture = await apiFixture();
  base = await listenPlain(fixture);
});

afterEach(() => fixture.stop());

const JSON_TYPE = { 'Content-Type': 'application/json' };
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ code: number; body: Json; headers: Headers }> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await fetch(`${base}${path}`, {
    method,
    headers: { ...(text === undefined ? {} : JSON_TYPE), ...headers },
    ...(text === undefined ? {} : { body: text as string }),
  });
  const raw = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json') ?? false;
  const parsed = isJson && raw !== '' ? JSON.parse(raw) : { text: raw };
  return { code: answer.status, body: parsed, headers: answer.headers };
}

function configMap(name: string, data: Record<string, string> = {}, more: Json = {}): Json {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...more }, data };
}

function failure(code: number, reason: string, message: string, details?: Json): Json {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  };
}

describe('create', () => {
  test('answers 201 with the stamped object', async () => {
    const { code, body } = await call('POST', CONFIG_MAPS, configMap('a', { x: 'y' }));
    expect(code).toBe(201);
    expect(body).toMatchObject({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'default', resourceVersion: expect.any(String) },
      data: { x: 'y' },
    });
    expect(body['metadata'].uid).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a name that exists is 409 AlreadyExists', async () => {
    await call('POST', CONFIG_MAPS, configMap('a'));
    const { code, body } = await call('POST', CONFIG_MAPS, configMap('a'));
    expect(code).toBe(409);
    expect(body).toEqual(
      failure(409, 'AlreadyExists', 'configmaps "a" already exists', {
        name: 'a',
        kind: 'configmaps',
      }),
    );
  });

  test('a YAML body is taken', async () => {
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-yaml}\ndata: {a: b}\n';
    const { code, body } = await call('POST', CONFIG_MAPS, yaml, {
      'Content-Type': 'application/yaml',
    });
    expect([code, body['data']]).toEqual([201, { a: 'b' }]);
  });

  test('an unknown media type is 415', async () => {
    const { code, body } = await call('POST', CONFIG_MAPS, 'x', { 'Content-Type': 'text/plain' });
    expect(code).toBe(415);
    expect(body).toEqual(
      failure(
        415,
        'UnsupportedMediaType',
        'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
      ),
    );
  });

  test('a body past 3 MiB is 413', async () => {
    const big = configMap('big', { x: 'y'.repeat(3 * 1024 * 1024) });
    const { code, body } = await call('POST', CONFIG_MAPS, big);
    expect([code, body['reason'], body['message']]).toEqual([
      413,
      'RequestEntityTooLarge',
      'Request entity too large: limit is 3145728',
    ]);
  });

  test('another namespace than that of the request is refused', async () => {
    const object = configMap('a', {}, { namespace: 'other' });
    const { code, body } = await call('POST', CONFIG_MAPS, object);
    expect([code, body['message']]).toEqual([
      400,
      'the namespace of the provided object does not match the namespace sent on the request',
    ]);
  });

  test('a missing namespace is 404', async () => {
    const { code, body } = await call('POST', '/api/v1/namespaces/nope/configmaps', configMap('a'));
    expect([code, body['message']]).toEqual([404, 'namespaces "nope" not found']);
  });

  test('generateName gets a suffix', async () => {
    const object = { ...configMap(''), metadata: { generateName: 'a-' } };
    const { body } = await call('POST', CONFIG_MAPS, object);
    expect(body['metadata'].name).toMatch(/^a-[a-z0-9]{5}$/);
  });

  test('a dry run answers and stores nothing', async () => {
    const { code } = await call('POST', `${CONFIG_MAPS}?dryRun=All`, configMap('a'));
    expect(code).toBe(201);
    expect((await call('GET', `${CONFIG_MAPS}/a`)).code).toBe(404);
  });

  test('options that do not exist are 422', async () => {
    const dry = await call('POST', `${CONFIG_MAPS}?dryRun=Some`, configMap('a'));
    expect([dry.code, dry.body['message']]).toEqual([
      422,
      'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: []string{"Some"}: supported values: "All"',
    ]);
    const field = await call('POST', `${CONFIG_MAPS}?fieldValidation=Maybe`, configMap('a'));
    expect([field.code, field.body['reason']]).toEqual([422, 'Invalid']);
  });

  test('over all namespaces it is 405', async () => {
    const { code, body } = await call('POST', '/api/v1/configmaps', configMap('a'));
    expect([code, body['reason']]).toEqual([405, 'MethodNotAllowed']);
  });
});

describe('get', () => {
  test('a missing object is 404', async () => {
    const { code, body } = await call('GET', '/apis/apps/v1/namespaces/default/deployments/x');
    expect(code).toBe(404);
    expect(body).toEqual(
      failure(404, 'NotFound', 'deployments.apps "x" not found', {
        name: 'x',
        group: 'apps',
        kind: 'deployments',
      }),
    );
  });

  test('pretty indents', async () => {
    await call('POST', CONFIG_MAPS, configMap('a'));
    const answer = await fetch(`${base}${CONFIG_MAPS}/a?pretty=true`);
    expect(await answer.text()).toContain('\n  "kind": "ConfigMap"');
  });

  test('as a Table it is one row', async () => {
    await call('POST', CONFIG_MAPS, configMap('a'));
    const { body } = await call('GET', `${CONFIG_MAPS}/a`, undefined, {
      Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
    });
    expect(body).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
    expect(body['columnDefinitions'][0]).toMatchObject({ name: 'Name', format: 'name' });
    expect(body['rows']).toHaveLength(1);
    expect(body['rows'][0].cells[0]).toBe('a');
    expect(body['rows'][0].object).toMatchObject({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { name: 'a' },
    });
  });

  test('as PartialObjectMetadata it is the metadata alone', async () => {
    await call('POST', CONFIG_MAPS, configMap('a', { x: 'y' }));
    const { body } = await call('GET', `${CONFIG_MAPS}/a`, undefined, {
      Accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
    });
    expect(Object.keys(body).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
  });

  test('a form that is not served is 406', async () => {
    const { code, body } = await call('GET', CONFIG_MAPS, undefined, { Accept: 'text/html' });
    expect([code, body['reason']]).toEqual([406, 'NotAcceptable']);
  });
});

describe('list', () => {
  async function createMany(count: number) {
    for (let index = 0; index < count; index += 1) {
      const labels = { parity: index % 2 === 0 ? 'even' : 'odd' };
      await call('POST', CONFIG_MAPS, configMap(`c${index}`, {}, { labels }));
    }
  }
  const names = (body: Json): string[] => body['items'].map((item: Json) => item['metadata'].name);

  test('leaves the kind to the list; a single object and an event name theirs', async () => {
    await call('POST', CONFIG_MAPS, configMap('a'));
    const { body } = await call('GET', CONFIG_MAPS);
    expect(body['items'].map((item: Json) => Object.keys(item))).toEqual([['metadata']]);
    expect((await call('GET', `${CONFIG_MAPS}/a`)).body['kind']).toBe('ConfigMap');
    const { body: again } = await call('GET', CONFIG_MAPS);
    expect(again['items'][0].metadata.name).toBe('a');
  });

  test('shows every object with the revision of the list', async () => {
    await createMany(3);
    const { code, body } = await call('GET', CONFIG_MAPS);
    expect([code, body['kind'], body['apiVersion']]).toEqual([200, 'ConfigMapList', 'v1']);
    expect(names(body)).toEqual(['c0', 'c1', 'c2']);
    expect(Number(body['metadata'].resourceVersion)).toBeGreaterThan(0);
  });

  test('an empty list has an empty array', async () => {
    const { body } = await call('GET', '/api/v1/nodes');
    expect(body['items']).toEqual([]);
  });

  test('selectors choose', async () => {
    await createMany(4);
    expect(names((await call('GET', `${CONFIG_MAPS}?labelSelector=parity%3Dodd`)).body)).toEqual([
      'c1',
      'c3',
    ]);
    const byName = await call('GET', `${CONFIG_MAPS}?fieldSelector=metadata.name%3Dc2`);
    expect(names(byName.body)).toEqual(['c2']);
  });

  test('selectors that cannot be used are 400', async () => {
    const label = await call('GET', `${CONFIG_MAPS}?labelSelector=a%3D%3D%3D`);
    expect([label.code, label.body['reason']]).toEqual([400, 'BadRequest']);
    const field = await call('GET', `${CONFIG_MAPS}?fieldSelector=data.x%3Dy`);
    expect([field.code, field.body['message']]).toEqual([
      400,
      '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ]);
  });

  test('pages show one revision, whatever happens between them', async () => {
    await createMany(5);
    const first = (await call('GET', `${CONFIG_MAPS}?limit=2`)).body;
    expect(names(first)).toEqual(['c0', 'c1']);
    expect(first['metadata'].remainingItemCount).toBe(3);
    await call('DELETE', `${CONFIG_MAPS}/c2`);
    await call('POST', CONFIG_MAPS, configMap('c21'));
    await call('PUT', `${CONFIG_MAPS}/c3`, configMap('c3', { changed: 'later' }));
    const token = encodeURIComponent(first['metadata'].continue);
    const second = (await call('GET', `${CONFIG_MAPS}?limit=2&continue=${token}`)).body;
    expect(names(second)).toEqual(['c2', 'c3']);
    expect(second['items'][1].data ?? {}).toEqual({});
    expect(second['metadata'].resourceVersion).toBe(first['metadata'].resourceVersion);
    const next = encodeURIComponent(second['metadata'].continue);
    const third = (await call('GET', `${CONFIG_MAPS}?limit=2&continue=${next}`)).body;
    expect(names(third)).toEqual(['c4']);
    expect(third['metadata'].continue).toBeUndefined();
    expect(names((await call('GET', CONFIG_MAPS)).body)).toEqual(['c0', 'c1', 'c21', 'c3', 'c4']);
  });

  test('pages with a selector have no count of what remains', async () => {
    await createMany(5);
    const { body } = await call('GET', `${CONFIG_MAPS}?limit=2&labelSelector=parity%3Deven`);
    expect(names(body)).toEqual(['c0', 'c2']);
    expect(body['metadata'].continue).toBeDefined();
    expect(body['metadata'].remainingItemCount).toBeUndefined();
  });

  test('an exact match shows the list as it was', async () => {
    await createMany(2);
    const then = (await call('GET', CONFIG_MAPS)).body['metadata'].resourceVersion;
    await createMany(3);
    const query = `resourceVersion=${then}&resourceVersionMatch=Exact`;
    expect(names((await call('GET', `${CONFIG_MAPS}?${query}`)).body)).toEqual(['c0', 'c1']);
  });

  test.each([
    [
      'resourceVersionMatch=Exact',
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    ],
    [
      'resourceVersionMatch=Exact&resourceVersion=0',
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
    [
      'resourceVersionMatch=Near&resourceVersion=1',
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Near": supported values: "Exact", "NotOlderThan", ""',
    ],
    [
      'sendInitialEvents=true',
      422,
      'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
    ],
    [
      'continue=x&resourceVersion=5',
      400,
      'specifying resource version is not allowed when using continue',
    ],
    ['continue=%25%25', 400, 'continue key is not valid: it is not a token of this server'],
    [
      'resourceVersion=abc',
      422,
      'configmaps "" is invalid: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
    ],
    ['limit=many', 400, 'strconv.ParseInt: parsing "many": invalid syntax'],
  ])('%s is %i', async (query, code, message) => {
    const answer = await call('GET', `${CONFIG_MAPS}?${query}`);
    expect([answer.code, answer.body['message']]).toEqual([code, message]);
  });

  test('a revision of the future is 504', async () => {
    const { code, body } = await call('GET', `${CONFIG_MAPS}?resourceVersion=900000000000000`);
    expect([code, body['reason']]).toEqual([504, 'Timeout']);
    expect(body['details'].causes[0].reason).toBe('ResourceVersionTooLarge');
  });

  test('a continue token that the history no longer reaches is 410', async () => {
    const start = Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"default/a\\u0000"}');
    for (let index = 0; index < 1010; index += 1) {
      await call('PUT', `/api/v1/namespaces/default/events/e`, {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'e' },
        involvedObject: { namespace: 'default' },
        count: index + 1,
      });
    }
    const token = start.toString('base64url');
    const path = `/api/v1/namespaces/default/events?continue=${token}`;
    const { code, body } = await call('GET', path);
    expect([code, body['reason']]).toEqual([410, 'Expired']);
    expect(body['message']).toContain('The provided continue parameter is too old');
    const again = encodeURIComponent(body['metadata'].continue);
    const rest = await call('GET', `/api/v1/namespaces/default/events?continue=${again}`);
    expect([rest.code, names(rest.body)]).toEqual([200, ['e']]);
  });

  test('a long list is compressed for who accepts it', async () => {
    for (let index = 0; index < 20; index += 1) {
      await call('POST', CONFIG_MAPS, configMap(`big${index}`, { x: 'y'.repeat(20_000) }));
    }
    const answer = await fetch(`${base}${CONFIG_MAPS}`, { headers: { 'Accept-Encoding': 'gzip' } });
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(names((await answer.json()) as Json)).toHaveLength(20);
    const plain = await fetch(`${base}${CONFIG_MAPS}`, {
      headers: { 'Accept-Encoding': 'identity' },
    });
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(names((await plain.json()) as Json)).toHaveLength(20);
  });

  test('as a Table or as metadata it is a list of those', async () => {
    await createMany(2);
    const table = await call('GET', `${CONFIG_MAPS}?includeObject=None`, undefined, {
      Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    });
    expect(table.body['rows'].map((row: Json) => row['cells'][0])).toEqual(['c0', 'c1']);
    expect(table.body['rows'][0].object).toBeUndefined();
    const partial = await call('GET', CONFIG_MAPS, undefined, {
      Accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
    });
    expect(partial.body['kind']).toBe('PartialObjectMetadataList');
    expect(names(partial.body)).toEqual(['c0', 'c1']);
  });
});

describe('update', () => {
  test('replaces the object; a stale version is 409', async () => {
    const created = (await call('POST', CONFIG_MAPS, configMap('a', { x: '1' }))).body;
    const updated = await call('PUT', `${CONFIG_MAPS}/a`, { ...created, data: { x: '2' } });
    expect([updated.code, updated.body['data']]).toEqual([200, { x: '2' }]);
    const stale = await call('PUT', `${CONFIG_MAPS}/a`, { ...created, data: { x: '3' } });
    expect(stale.body).toEqual(
      failure(
        409,
        'Conflict',
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
        { name: 'a', kind: 'configmaps' },
      ),
    );
  });

  test('that does not fit is shown as the object it led to, unless it is a strategic one', async () => {
    await call('POST', CONFIG_MAPS, configMap('a', { x: '1' }));
    const messageOf = async (type: string, patch: unknown) => {
      const answer = await call('PATCH', `${CONFIG_MAPS}/a`, patch, { 'Content-Type': type });
      expect(answer.code).toBe(422);
      return String(answer.body['message']);
    };
    const merged = await messageOf('application/merge-patch+json', { data: { x: 1 } });
    expect(merged).toContain(String.raw`\"kind\":\"ConfigMap\"`);
    const replaced = await messageOf('application/json-patch+json', [
      { op: 'replace', path: '/data/x', value: 1 },
    ]);
    expect(replaced).toContain(String.raw`\"kind\":\"ConfigMap\"`);
    const strategic = await messageOf('application/strategic-merge-patch+json', {
      data: { x: 1 },
    });
    expect(strategic).not.toContain('ConfigMap\\"');
  });

  test('that is nested too deeply is 400', async () => {
    await call('POST', CONFIG_MAPS, configMap('a', {}));
    const deep = `{"data":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`;
    const { code } = await call('PATCH', `${CONFIG_MAPS}/a`, deep, {
      'Content-Type': 'application/merge-patch+json',
    });
    expect([code, fixture.logs]).toEqual([400, []]);
  });

  test('of a missing object is 404', async () => {
    const { code, body } = await call('PUT', `${CONFIG_MAPS}/a`, configMap('a'));
    expect([code, body['message']]).toEqual([404, 'configmaps "a" not found']);
  });

  test('of a missing lease creates it; without a version a lease is not replaced', async () => {
    const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases/l';
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l' } };
    expect((await call('PUT', path, lease)).code).toBe(201);
    const again = await call('PUT', path, lease);
    expect([again.code, again.body['message']]).toEqual([
      422,
      'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update',
    ]);
  });

  test('of an object that was made anew meanwhile is 409', async () => {
    await call('POST', CONFIG_MAPS, configMap('a'));
    const object = configMap('a', {}, { uid: 'another' });
    const { code, body } = await call('PUT', `${CONFIG_MAPS}/a`, object);
    expect([code, body['reason']]).toEqual([409, 'Conflict']);
    expect(body['message']).toContain('Precondition failed: UID in precondition: another');
  });

  test('without a name is 400', async () => {
    const { code, body } = await call('PUT', `${CONFIG_MAPS}/a`, configMap(''));
    expect([code, body['message']]).toEqual([
      400,
      'the name of the object (a based on URL) was undeterminable: name must be provided',
    ]);
  });

  test('under another name is 400', async () => {
    await call('POST', CONFIG_MAPS, configMap('a'));
    const { code, body } = await call('PUT', `${CONFIG_MAPS}/a`, configMap('b'));
    expect([code, body['message']]).toEqual([
      400,
      'the name of the object (b) does not match the name on the URL (a)',
    ]);
  });
});

describe('what a write may not name', () => {
  const MERGE = { 'Content-Type': 'application/merge-patch+json' };

  test.each([
    [
      { metadata: { name: 'b' } },
      400,
      'the name of the object (b) does not match the name on the URL (a)',
    ],
    [
      { metadata: { namespace: 'b' } },
      400,
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
  ])('a patch to %o is refused', async (patch, expected, message) => {
    await call('POST', CONFIG_MAPS, configMap('a'));
    const { code, body } = await call('PATCH', `${CONFIG_MAPS}/a`, patch, MERGE);
    expect([code, body['message']]).toEqual([expected, message]);
  });

  test('a patch cannot make an object one of another kind', async () => {
    await call('POST', CONFIG_MAPS, configMap('a'));
    const { code, body } = await call('PATCH', `${CONFIG_MAPS}/a`, { kind: 'Foo' }, MERGE);
    expect(code).toBe(422);
    expect(body['message']).toMatch(/no kind "Foo" is registered for version "v1" in scheme/);
    const same = await call('PATCH', `${CONFIG_MAPS}/a`, { kind: null }, MERGE);
    expect([same.code, same.body['kind']]).toEqual([200, 'ConfigMap']);
  });

  test('only server-side apply is forced', async () => {
    const { code, body } = await call('PATCH', `${CONFIG_MAPS}/a?force=true`, {}, MERGE);
    expect([code, body['message']]).toEqual([
      422,
      'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    ]);
  });

  test('server-side apply is not known, forced or not', async () => {
    const apply = { 'Content-Type': 'application/apply-patch+yaml' };
    const { code, body } = await call('PATCH', `${CONFIG_MAPS}/a?force=true`, {}, apply);
    expect([code, body['message']]).toEqual([
      415,
      expect.stringMatching(/^server-side apply is not supported/),
    ]);
  });

  test('a version that is no number is a plain 500', async () => {
    await call('POST', CONFIG_MAPS, configMap('a'));
    const object = configMap('a', {}, { resourceVersion: 'abc' });
    const { code, body } = await call('PUT', `${CONFIG_MAPS}/a`, object);
    expect([code, body['message']]).toEqual([
      500,
      'strconv.ParseUint: parsing "abc": invalid syntax',
    ]);
    expect(body).not.toHaveProperty('reason');
  });

  test('an object that is gone is not written under its uid', async () => {
    const { code, body } = await call('PUT', `${CONFIG_MAPS}/a`, configMap('a', {}, { uid: 'x' }));
    expect([code, body['message']]).toEqual([
      409,
      'Operation cannot be fulfilled on configmaps "a": StorageError: invalid object, Code: 4, Key: /registry/configmaps/default/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: x, UID in object meta: ',
    ]);
  });

  test('an owner that is named twice is kept once, with a warning', async () => {
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' };
    const { code, body, headers } = await call(
      'POST',
      CONFIG_MAPS,
      configMap('a', {}, { ownerReferences: [owner, owner] }),
    );
    expect([code, body['metadata'].ownerReferences]).toEqual([201, [owner]]);
    expect(headers.get('warning')).toContain('duplicate UID(s) observed: u');
  });

  test('a missing name is not in the details of the refusal', async () => {
    const { body } = await call('POST', CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap' });
    expect(body['details']).not.toHaveProperty('name');
  });
});

describe('warnings', () => {
  test('of a template are told whenever the spec changes', async () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'A', value: '2' },
    ];
    const containers = [{ name: 'c', image: 'x', env }];
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers } };
    const spec = { selector: { matchLabels: { a: 'b' } }, template };
    const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec };
    const path = '/apis/apps/v1/namespaces/default/deployments';
    const hides = '299 - "spec.template.spec.containers[0].env[1]: hides previous definition';
    const warningOf = async (method: string, at: string, body: Json, headers = {}) =>
      (await call(method, at, body, headers)).headers.get('warning') ?? '';
    expect(await warningOf('POST', path, object)).toContain(hides);
    expect(await warningOf('PUT', `${path}/d`, object)).toBe('');
    expect(
      await warningOf('PUT', `${path}/d`, { ...object, spec: { ...spec, replicas: 2 } }),
    ).toContain(hides);
    const merge = { 'Content-Type': 'application/merge-patch+json' };
    const labels = { metadata: { labels: { x: 'y' } } };
    expect(await warningOf('PATCH', `${path}/d`, labels, merge)).toBe('');
    expect(await warningOf('PATCH', `${path}/d`, { spec: { paused: true } }, merge)).toContain(
      hides,
    );
  });

  test('a field twice in a merge patch is one', async () => {
    await call('POST', CONFIG_MAPS, configMap('a'));
    const text = '{"data":{"a":"1"},"data":{"b":"2"}}';
    const type = { 'Content-Type': 'application/merge-patch+json' };
    const { headers } = await call('PATCH', `${CONFIG_MAPS}/a`, text, type);
    expect(headers.get('warning')).toBe('299 - "duplicate field \\"data\\""');
    const strict = await call('PATCH', `${CONFIG_MAPS}/a?fieldValidation=Strict`, text, type);
    expect(strict.code).toBe(422);
  });

  test('each unknown field is one, once, in any script', async () => {
    const object = { ...configMap('a'), 'größe "x"': 1, dta: {} };
    const { code, headers } = await call('POST', CONFIG_MAPS, object);
    expect(code).toBe(201);
    const warning = Buffer.from(headers.get('warning') ?? '', 'latin1').toString('utf8');
    expect(warning).toContain('299 - "unknown field \\"dta\\""');
    expect(warning).toContain('größe');
  });

  test('thousands of them are cut', async () => {
    const fields = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`f${index}`, 1]));
    const { code, headers } = await call('POST', CONFIG_MAPS, { ...configMap('a'), ...fields });
    expect(code).toBe(201);
    expect((headers.get('warning') ?? '').length).toBeLessThan(8192);
  });

  test('with Strict they are an error', async () => {
    const object = { ...configMap('a'), dta: {} };
    const { code, body } = await call('POST', `${CONFIG_MAPS}?fieldValidation=Strict`, object);
    expect([code, body['message']]).toEqual([
      400,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dta"',
    ]);
  });
});

describe('patch', () => {
  test('a merge patch changes one field', async () => {
    await call('POST', CONFIG_MAPS, configMap('a', { x: '1', y: '2' }));
    const { code, body } = await call(
      'PATCH',
      `${CONFIG_MAPS}/a`,
      { data: { x: null, z: '3' } },
      { 'Content-Type': 'application/merge-patch+json' },
    );
    expect([code, body['data']]).toEqual([200, { y: '2', z: '3' }]);
  });

  test('of a missing object is 404', async () => {
    const { code } = await call(
      'PATCH',
      `${CONFIG_MAPS}/a`,
      { data: {} },
      { 'Content-Type': 'application/merge-patch+json' },
    );
    expect(code).toBe(404);
  });

  test.each(['application/json', 'application/apply-patch+yaml'])('%s is 415', async (type) => {
    await call('POST', CONFIG_MAPS, configMap('a'));
    const answer = await call('PATCH', `${CONFIG_MAPS}/a`, {}, { 'Content-Type': type });
    expect([answer.code, answer.body['reason']]).toEqual([415, 'UnsupportedMediaType']);
    expect(answer.body['message']).toContain('application/strategic-merge-patch+json');
  });

  test('concurrent patches all take effect', async () => {
    await call('POST', CONFIG_MAPS, configMap('a'));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        call(
          'PATCH',
          `${CONFIG_MAPS}/a`,
          { data: { [`k${index}`]: 'v' } },
          { 'Content-Type': 'application/merge-patch+json' },
        ),
      ),
    );
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([200]));
    const { body } = await call('GET', `${CONFIG_MAPS}/a`);
    expect(Object.keys(body['data'])).toHaveLength(20);
  });
});

describe('delete', () => {
  test('answers with the uid of what is gone', async () => {
    const { uid } = (await call('POST', CONFIG_MAPS, configMap('a'))).body['metadata'];
    const { code, body } = await call('DELETE', `${CONFIG_MAPS}/a`);
    expect(code).toBe(200);
    expect(body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'a', kind: 'configmaps', uid },
    });
    expect((await call('DELETE', `${CONFIG_MAPS}/a`)).code).toBe(404);
  });

  test('answers with the object that its finalizer keeps', async () => {
    await call('POST', CONFIG_MAPS, configMap('a', {}, { finalizers: ['example.com/keep'] }));
    const kept = await call('DELETE', `${CONFIG_MAPS}/a`, {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy: 'Foreground',
    });
    expect(kept.code).toBe(200);
    expect(kept.body['metadata'].deletionTimestamp).toBeDefined();
    const freed = await call(
      'PATCH',
      `${CONFIG_MAPS}/a`,
      { metadata: { finalizers: null } },
      { 'Content-Type': 'application/merge-patch+json' },
    );
    expect(freed.code).toBe(200);
    expect((await call('GET', `${CONFIG_MAPS}/a`)).code).toBe(404);
  });

  test('preconditions are kept', async () => {
    await call('POST', CONFIG_MAPS, configMap('a'));
    const { code, body } = await call('DELETE', `${CONFIG_MAPS}/a`, {
      preconditions: { uid: 'another' },
    });
    expect([code, body['reason']]).toEqual([409, 'Conflict']);
  });

  test('a policy that does not exist is 422', async () => {
    await call('POST', CONFIG_MAPS, configMap('a'));
    const { code, body } = await call('DELETE', `${CONFIG_MAPS}/a?propagationPolicy=Sometimes`);
    expect([code, body['message']]).toEqual([
      422,
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sometimes": supported values: "Foreground", "Background", "Orphan", "nil"',
    ]);
  });

  test('of a collection takes what the selector names', async () => {
    for (const name of ['a', 'b', 'c']) {
      await call(
        'POST',
        CONFIG_MAPS,
        configMap(name, {}, name === 'b' ? {} : { labels: { go: '1' } }),
      );
    }
    const { code, body } = await call('DELETE', `${CONFIG_MAPS}?labelSelector=go`);
    expect([code, body['kind'], body['items'].length]).toEqual([200, 'ConfigMapList', 2]);
    const left = (await call('GET', CONFIG_MAPS)).body;
    expect(left['items'].map((item: Json) => item['metadata'].name)).toEqual(['b']);
  });
});

describe('paths', () => {
  test.each(['/healthz', '/livez', '/readyz', '/readyz/ping'])('%s is ok', async (path) => {
    const { code, body } = await call('GET', path);
    expect([code, body]).toEqual([200, { text: 'ok' }]);
  });

  test('?verbose lists the checks', async () => {
    const { body } = await call('GET', '/readyz?verbose');
    expect(body['text']).toBe('[+]ping ok\nreadyz check passed\n');
  });

  test.each(['/version', '/version/'])('%s names the version', async (path) => {
    const { body } = await call('GET', path);
    expect(body).toMatchObject({ major: '1', minor: '33', gitVersion: 'v1.33.13+skerry.0.1.0' });
  });

  test('discovery answers in both forms', async () => {
    expect((await call('GET', '/api')).body).toMatchObject({
      kind: 'APIVersions',
      versions: ['v1'],
    });
    expect((await call('GET', '/apis')).body['kind']).toBe('APIGroupList');
    expect((await call('GET', '/apis/apps')).body['kind']).toBe('APIGroup');
    expect((await call('GET', '/api/v1')).body['kind']).toBe('APIResourceList');
    expect((await call('GET', '/apis/apps/v1')).body['groupVersion']).toBe('apps/v1');
    const aggregated = await call('GET', '/apis', undefined, {
      Accept:
        'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json',
    });
    expect(aggregated.body['apiVersion']).toBe('apidiscovery.k8s.io/v2');
    expect(aggregated.headers.get('content-type')).toContain('v=v2');
  });

  test.each([
    '/api/v1/nope',
    '/api/v1/pods/x',
    '/api/v1/namespaces/default/nodes/n',
    '/api/v1/namespaces/default/configmaps/a/status',
  ])('%s is 404', async (path) => {
    const { code, body } = await call('GET', path);
    expect([code, body]).toEqual([
      404,
      failure(404, 'NotFound', 'the server could not find the requested resource', {}),
    ]);
  });

  test.each(['/nope', '/apis/nope', '/apis/nope/v1', '/apis/apps/v2/deployments'])(
    '%s, which no group version serves, is a line of text',
    async (path) => {
      const { code, body, headers } = await call('GET', path);
      expect([code, body['text']]).toEqual([404, '404 page not found\n']);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    },
  );

  test.each(['HEAD', 'OPTIONS'])('%s is no method of the API', async (method) => {
    expect((await call(method, '/api/v1/pods')).code).toBe(405);
    expect((await call(method, '/version')).code).toBe(405);
  });

  test('a method that a path does not take is 405', async () => {
    for (const [method, path] of [
      ['POST', '/version'],
      ['GET', '/skerry/v1/enrol'],
      ['DELETE', '/api/v1/namespaces'],
      ['PUT', CONFIG_MAPS],
    ] as const) {
      const { code, body } = await call(method, path, method === 'GET' ? undefined : {});
      expect([path, code, body['message']]).toEqual([
        path,
        405,
        'the server does not allow this method on the requested resource',
      ]);
    }
  });

  test('enrolment needs a bearer token and passes on what the pki says', async () => {
    const none = await call('POST', '/skerry/v1/enrol', {});
    expect([none.code, none.body['reason']]).toEqual([401, 'Unauthorized']);
    const request = { nodeName: 'n', csr: 'x', signingKey: 'y', sealingKey: 'z' };
    const wrong = await call('POST', '/skerry/v1/enrol', request, { Authorization: 'Bearer t' });
    expect([wrong.code, wrong.body['message']]).toEqual([401, 'the join token is not known']);
    const bad = await call('POST', '/skerry/v1/enrol', {}, { Authorization: 'Bearer t' });
    expect([bad.code, bad.body['message']]).toEqual([400, 'nodeName is missing or not a string']);
  });
});

test('whatever is sent, the answer is a Status and never a 500', async () => {
  const kinds = ['pods', 'configmaps', 'nodes', 'secrets', 'events', 'leases', 'x', ''];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE'),
      fc.array(
        fc.oneof(
          fc.constantFrom('api', 'apis', 'v1', 'namespaces', 'default', 'apps', ...kinds),
          fc.string({ maxLength: 8 }).map(encodeURIComponent),
        ),
        { maxLength: 7 },
      ),
      fc.constantFrom('', '?limit=1', '?labelSelector=%28', '?dryRun=All', '?fieldSelector=%3D'),
      fc.constantFrom(
        'application/json',
        'application/yaml',
        'application/vnd.kubernetes.protobuf',
        'application/merge-patch+json',
        'application/json-patch+json',
      ),
      fc.oneof(fc.json(), fc.string()),
      async (method, parts, query, type, text) => {
        const body = method === 'GET' ? undefined : text;
        const { code } = await call(method, `/${parts.join('/')}${query}`, body, {
          'Content-Type': type,
        });
        expect([code, fixture.logs]).toEqual([code, []]);
        expect(code).not.toBe(500);
      },
    ),
    { numRuns: 300 },
  );
});

test.each([
  ['application/json', `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`],
  ['application/json', `{"metadata":${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
  ['application/yaml', '['.repeat(20_000)],
  [
    'application/yaml',
    'a: &a [x,x]\n'.concat(
      ...Array.from(
        { length: 30 },
        (_, n) => `b${n}: &b${n} [*${n ? `b${n - 1}` : 'a'},*${n ? `b${n - 1}` : 'a'}]\n`,
      ),
    ),
  ],
  ['application/vnd.kubernetes.protobuf', 'k8s\0'.concat('\x12\x7f'.repeat(50_000))],
])('a hostile body of %s is refused without harm', async (type, body) => {
  const { code } = await call('POST', CONFIG_MAPS, body, { 'Content-Type': type });
  expect([code, fixture.logs]).toEqual([400, []]);
});

test('an unexpected error is a 500 with one line in the log, and the server goes on', async () => {
  await fixture.stop();
  fixture = await apiFixture({
    healthChecks: [
      {
        name: 'broken',
        failure: () => {
          throw new TypeError('no such thing');
        },
      },
    ],
  });
  base = await listenPlain(fixture);
  const { code, body } = await call('GET', '/readyz');
  expect([code, body['reason']]).toEqual([500, 'InternalError']);
  expect(JSON.stringify(body)).not.toContain('no such thing');
  expect(fixture.logs).toHaveLength(1);
  expect((await call('GET', '/version')).code).toBe(200);
});

test('the list of custom resource definitions is empty, and nothing else of them is there', async () => {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const { code, body } = await call('GET', path);
  expect([code, body['items']]).toEqual([200, []]);
  expect((await call('GET', `${path}/one`)).code).toBe(404);
});

test('who has no certificate gets 401, who is nobody 403', async () => {
  await fixture.stop();
  fixture = await apiFixture();
  base = await listenPlain(fixture, 'nobody');
  const none = await call('GET', '/api/v1/pods');
  expect([none.code, none.body]).toEqual([401, failure(401, 'Unauthorized', 'Unauthorized')]);
  expect((await call('GET', '/healthz')).code).toBe(200);
});
