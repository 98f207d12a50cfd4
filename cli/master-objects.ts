import type { JsonObject } from '../shared/meta/kube-object.ts';
import type { ApiClient } from './api-client.ts';
import { TABLE_TYPE, type Table } from './object-output.ts';
import { listOf, type ObjectSource, type Selection } from './object-source.ts';
import {
  type DiscoveredResource,
  discover,
  findResource,
  findResources,
  resourcePath,
} from './resource-path.ts';

/** The objects of the cluster, as its master serves them. Throws ApiFailure for what it refuses. */
export class MasterObjects implements ObjectSource {
  readonly #client: ApiClient;
  #kinds: Promise<DiscoveredResource[]> | undefined;

  constructor(client: ApiClient) {
    this.#client = client;
  }

  async kindOf(word: string): Promise<DiscoveredResource> {
    return findResource(await this.#discover(), word);
  }

  async kindsOf(word: string): Promise<DiscoveredResource[]> {
    return findResources(await this.#discover(), word);
  }

  async read(resource: DiscoveredResource, selection: Selection): Promise<JsonObject> {
    const answer = await this.#client.json('GET', pathOf(resource, selection));
    if (selection.name !== undefined) return answer;
    const { groupVersion: apiVersion, kind } = resource;
    // The API's own lists say only once what their items are.
    return listOf((answer['items'] as JsonObject[]).map((item) => ({ apiVersion, kind, ...item })));
  }

  async table(resource: DiscoveredResource, selection: Selection): Promise<Table> {
    return await this.#table(pathOf(resource, selection));
  }

  /** Nodes belong to no namespace, and their events may be in any. */
  async eventsAbout(
    { kind, namespaced }: DiscoveredResource,
    object: JsonObject,
  ): Promise<JsonObject[]> {
    const { name, namespace = '' } = object['metadata'] as { name: string; namespace?: string };
    const scope = namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : '';
    const fields = `involvedObject.kind=${kind},involvedObject.name=${name}`;
    const query = `?fieldSelector=${encodeURIComponent(fields)}`;
    const list = await this.#client.json('GET', `/api/v1${scope}/events${query}`);
    return list['items'] as JsonObject[];
  }

  async podsOn(node: string): Promise<Table> {
    const query = `?fieldSelector=${encodeURIComponent(`spec.nodeName=${node}`)}`;
    return await this.#table(`/api/v1/pods${query}`);
  }

  #discover(): Promise<DiscoveredResource[]> {
    this.#kinds ??= discover(this.#client);
    return this.#kinds;
  }

  async #table(path: string): Promise<Table> {
    return (await this.#client.json('GET', path, { accept: TABLE_TYPE })) as unknown as Table;
  }
}

function pathOf(resource: DiscoveredResource, { namespace, name, labels }: Selection): string {
  const query = labels === undefined ? '' : `?labelSelector=${encodeURIComponent(labels)}`;
  return resourcePath(resource, namespace, name) + query;
}
