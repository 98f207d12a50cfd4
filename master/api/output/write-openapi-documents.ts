import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { CATALOG } from '../../../shared/resources/catalog.ts';
import { apiVersionOf } from '../../../shared/resources/resource-kind.ts';
import type { DiscoverableKind } from './discovery.ts';
import { encodeGnostic } from './gnostic.ts';
import { OPENAPI_INDEX, type OpenApiIndex } from './openapi-documents.ts';
import { openApiV2 } from './openapi-v2.ts';
import { openApiV3 } from './openapi-v3.ts';

/** `info.version` of the documents: the Kubernetes release whose API they describe. */
const KUBERNETES_VERSION = 'v1.33.13';

/**
 * Writes every OpenAPI document of the catalog to a directory, compressed, with an index that OpenApiDocuments reads. Part of the
 * build: the documents take a moment and megabytes to make, which a running master should not spend.
 */
export async function writeOpenApiDocuments(
  directory: string,
  catalog: readonly DiscoverableKind[] = CATALOG,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const index: OpenApiIndex = {};
  const write = async (path: string, form: 'json' | 'protobuf', body: Uint8Array) => {
    const file = `${path.slice(1).replaceAll('/', '_')}.${form === 'json' ? 'json' : 'pb'}.gz`;
    const hash = createHash('sha512').update(body).digest('hex').toUpperCase();
    await writeFile(`${directory}/${file}`, gzipSync(body, { level: 9 }));
    index[path] = { ...index[path], [form]: { file, hash } };
    return hash;
  };

  const paths: Record<string, { serverRelativeURL: string }> = {};
  for (const [groupVersion, kinds] of byGroupVersion(catalog)) {
    const document = openApiV3(kinds, KUBERNETES_VERSION);
    const url = `/openapi/v3/${groupVersion}`;
    const hash = await write(url, 'json', jsonBytes(document));
    paths[groupVersion] = { serverRelativeURL: `${url}?hash=${hash}` };
  }
  await write('/openapi/v3', 'json', jsonBytes({ paths }));
  const v2 = openApiV2(catalog, KUBERNETES_VERSION);
  await write('/openapi/v2', 'json', jsonBytes(v2));
  await write('/openapi/v2', 'protobuf', encodeGnostic(v2));
  await writeFile(`${directory}/${OPENAPI_INDEX}`, JSON.stringify(index));
}

/** `api/v1` or `apis/apps/v1`, with its kinds. */
function byGroupVersion(catalog: readonly DiscoverableKind[]): Map<string, DiscoverableKind[]> {
  const groups = new Map<string, DiscoverableKind[]>();
  for (const kind of catalog) {
    const key = `${kind.group === '' ? 'api' : 'apis'}/${apiVersionOf(kind)}`;
    groups.set(key, [...(groups.get(key) ?? []), kind]);
  }
  return groups;
}

function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
