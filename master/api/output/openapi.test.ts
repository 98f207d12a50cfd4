import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../shared/meta/kube-object.ts';
import { CATALOG } from '../../../shared/resources/catalog.ts';
import { ProtobufReader } from '../../../shared/schema/protobuf-reader.ts';
import { OpenApiDocuments } from './openapi-documents.ts';
import { writeOpenApiDocuments } from './write-openapi-documents.ts';

const GNOSTIC = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

let directory: string;
let documents: OpenApiDocuments;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skerry-openapi-'));
  await writeOpenApiDocuments(directory);
  documents = new OpenApiDocuments(directory);
});

afterAll(() => rm(directory, { recursive: true }));

async function read(path: string, accept = 'application/json'): Promise<Buffer> {
  const response = await documents.get(path, accept);
  return gunzipSync(response?.gzipped ?? Buffer.alloc(0));
}

async function readJson(path: string): Promise<JsonObject> {
  return JSON.parse((await read(path)).toString()) as JsonObject;
}

describe('the index of version 3', () => {
  test('names a document for each group version, with the hash that its ETag has', async () => {
    const { paths } = (await readJson('/openapi/v3')) as unknown as {
      paths: Record<string, { serverRelativeURL: string }>;
    };
    expect(Object.keys(paths).sort()).toEqual([
      'api/v1',
      'apis/apps/v1',
      'apis/coordination.k8s.io/v1',
      'apis/discovery.k8s.io/v1',
    ]);
    const url = paths['apis/apps/v1']?.serverRelativeURL ?? '';
    const [path = '', hash] = url.split('?hash=');
    expect((await documents.get(path, 'application/json'))?.etag).toBe(`"${hash}"`);
  });
});

describe('every document', () => {
  const paths = ['/openapi/v2', '/openapi/v3/api/v1', '/openapi/v3/apis/apps/v1'];

  test.each(paths)('%s defines what it refers to', async (path) => {
    const document = await readJson(path);
    const text = JSON.stringify(document);
    const { components } = document as { components?: { schemas: JsonObject } };
    const defined = components?.schemas ?? (document['definitions'] as JsonObject);
    const wanted = [...text.matchAll(/"\$ref":"#\/(?:definitions|components\/schemas)\/([^"]+)"/g)];
    expect(wanted.length).toBeGreaterThan(50);
    const missing = wanted.map(([, name = '']) => name).filter((name) => !(name in defined));
    expect(missing).toEqual([]);
  });

  test.each(paths)(
    '%s lists dryRun and fieldValidation for each patch of an object',
    async (path) => {
      const document = (await readJson(path)) as unknown as {
        paths: Record<
          string,
          { patch?: { parameters: { name: string }[]; [kind: string]: unknown } }
        >;
      };
      const patches = Object.values(document.paths).flatMap(({ patch }) => patch ?? []);
      expect(patches.length).toBeGreaterThan(0);
      for (const patch of patches) {
        const names = patch.parameters.map(({ name }) => name);
        expect(names).toEqual(expect.arrayContaining(['dryRun', 'fieldValidation']));
        expect(patch['x-kubernetes-group-version-kind']).toHaveProperty('kind');
      }
    },
  );

  test('operation ids are unique in version 2', async () => {
    const text = (await read('/openapi/v2')).toString();
    const ids = [...text.matchAll(/"operationId":"([^"]+)"/g)].map(([, id]) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });
});

describe('the definition of a pod', () => {
  test('carries the keys by which lists merge', async () => {
    const { definitions } = (await readJson('/openapi/v2')) as unknown as {
      definitions: Record<string, { properties: Record<string, JsonObject>; required?: string[] }>;
    };
    const spec = definitions['io.k8s.api.core.v1.PodSpec'];
    expect(spec?.properties['containers']).toMatchObject({
      type: 'array',
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    });
    expect(spec?.required).toEqual(['containers']);
    expect(definitions['io.k8s.api.core.v1.Pod']).toMatchObject({
      'x-kubernetes-group-version-kind': [{ group: '', version: 'v1', kind: 'Pod' }],
    });
  });
});

describe('version 2 as protobuf', () => {
  test('has the media type that every kubectl can parse', async () => {
    expect(await documents.get('/openapi/v2', GNOSTIC)).toMatchObject({
      contentType: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
    });
    expect((await documents.get('/openapi/v2', 'application/json'))?.contentType).toBe(
      'application/json',
    );
  });

  test('names the same definitions and paths as the JSON', async () => {
    const json = await readJson('/openapi/v2');
    const body = await read('/openapi/v2', GNOSTIC);
    expect(namesIn(body, 9, 1)).toEqual(Object.keys(json['definitions'] as JsonObject));
    expect(namesIn(body, 8, 2)).toEqual(Object.keys(json['paths'] as JsonObject));
  });

  /** The names of the entries (name = 1) in the lists `entry` of the fields `outer`. */
  function namesIn(bytes: Uint8Array, outer: number, entry: number): string[] {
    return contents(bytes, outer)
      .flatMap((map) => contents(map, entry))
      .flatMap((item) => contents(item, 1))
      .map((name) => Buffer.from(name).toString());
  }

  function contents(bytes: Uint8Array, number: number): Uint8Array[] {
    const reader = new ProtobufReader(bytes);
    const found: Uint8Array[] = [];
    for (let tag = reader.next(); tag !== undefined; tag = reader.next()) {
      if (tag.number === number && tag.wireType === 2) found.push(reader.content());
      else reader.skip(tag.wireType);
    }
    return found;
  }
});

describe('what is not there', () => {
  test('an unknown path, and a directory that was never built', async () => {
    expect(await documents.get('/openapi/v3/apis/nope/v1', '*/*')).toBeUndefined();
    expect(await documents.get('/openapi/v3/constructor', '*/*')).toBeUndefined();
    const absent = new OpenApiDocuments(join(directory, 'absent'));
    expect(await absent.get('/openapi/v2', '*/*')).toBeUndefined();
  });

  test('no kind of the catalog is left out', async () => {
    const text = (await read('/openapi/v2')).toString();
    for (const { plural } of CATALOG) expect(text).toContain(`/${plural}/{name}"`);
  });
});
