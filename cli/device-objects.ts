import type { JsonObject, KubeObject } from '../shared/meta/kube-object.ts';
import {
  type LabelRequirements,
  matchesLabels,
  parseLabelSelector,
  SelectorError,
} from '../shared/meta/label-selector.ts';
import { CATALOG } from '../shared/resources/catalog.ts';
import { apiVersionOf, type ResourceKind } from '../shared/resources/resource-kind.ts';
import { CommandFailure } from './command-failure.ts';
import type { Table } from './object-output.ts';
import { listOf, type ObjectSource, type Selection } from './object-source.ts';
import {
  type DiscoveredResource,
  findResource,
  findResources,
  qualifiedName,
} from './resource-path.ts';

/** Objects by the plural of their kind. */
export type KnownObjects = Readonly<Record<string, readonly KubeObject[]>>;

/** What a device knows without its master: objects, and the name that it has as a node once it has joined. */
export interface DeviceKnowledge {
  objects: KnownObjects;
  nodeName: string | undefined;
}

/** The objects that a device knows by itself, in the tables that its master would print. */
export class DeviceObjects implements ObjectSource {
  readonly #device: DeviceKnowledge;
  readonly #nowMs: number;

  constructor(device: DeviceKnowledge, nowMs: number) {
    this.#device = device;
    this.#nowMs = nowMs;
  }

  async kindOf(word: string): Promise<DiscoveredResource> {
    const resource = findResource(CATALOG.map(asDiscovered), word);
    const { objects } = this.#device;
    if (Object.hasOwn(objects, resource.name)) return resource;
    throw new CommandFailure(
      resource.kind === 'Secret'
        ? 'this device shows no secrets, it keeps those of its pods sealed: ask its master'
        : `this device knows no ${resource.name}, only ${Object.keys(objects).sort().join(', ')}: ask its master`,
    );
  }

  /** Of a category what the device knows. */
  async kindsOf(word: string): Promise<DiscoveredResource[]> {
    const kinds = findResources(CATALOG.map(asDiscovered), word);
    const known = kinds.filter(({ name }) => Object.hasOwn(this.#device.objects, name));
    return known.length > 0 ? known : [await this.kindOf(word)];
  }

  async read(resource: DiscoveredResource, selection: Selection): Promise<JsonObject> {
    const items = this.#select(resource, selection);
    const answer =
      selection.name === undefined ? listOf(items as unknown as JsonObject[]) : items[0];
    return JSON.parse(JSON.stringify(answer)) as JsonObject;
  }

  async table(resource: DiscoveredResource, selection: Selection): Promise<Table> {
    return this.#tableOf(resource.name, this.#select(resource, selection));
  }

  /** An agent hands its events on, and keeps none. */
  async eventsAbout(): Promise<undefined> {
    return undefined;
  }

  async podsOn(node: string): Promise<Table | undefined> {
    const { nodeName, objects } = this.#device;
    return node === nodeName ? this.#tableOf('pods', objects['pods'] ?? []) : undefined;
  }

  #select(resource: DiscoveredResource, { namespace, name, labels }: Selection): KubeObject[] {
    const requirements = readLabels(labels ?? '');
    const found = (this.#device.objects[resource.name] ?? []).filter(
      ({ metadata }) =>
        (!resource.namespaced || namespace === undefined || metadata.namespace === namespace) &&
        (name === undefined || metadata.name === name) &&
        matchesLabels(requirements, metadata.labels),
    );
    if (name !== undefined && found.length === 0)
      throw new CommandFailure(`${qualifiedName(resource)} "${name}" not found on this device`);
    return found;
  }

  #tableOf(plural: string, objects: readonly KubeObject[]): Table {
    const columns = CATALOG.find((row) => row.plural === plural)?.columns ?? [];
    return {
      columnDefinitions: columns.map(({ name, priority }) => ({ name, priority })),
      rows: objects.map((object) => ({
        cells: columns.map(({ cell }) => cell(object, this.#nowMs)),
        object: { metadata: object.metadata },
      })),
    };
  }
}

function asDiscovered(row: ResourceKind): DiscoveredResource {
  const { kind, plural, singular, shortNames, categories, namespaced } = row;
  return {
    groupVersion: apiVersionOf(row),
    kind,
    name: plural,
    singularName: singular,
    shortNames: [...shortNames],
    categories: [...categories],
    namespaced,
  };
}

function readLabels(text: string): LabelRequirements {
  try {
    return parseLabelSelector(text);
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    throw new CommandFailure(`--selector ${text}: ${error.message}`, 2);
  }
}
