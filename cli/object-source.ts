import type { JsonObject } from '../shared/meta/kube-object.ts';
import type { Table } from './object-output.ts';
import type { DiscoveredResource } from './resource-path.ts';

/** Which objects of a kind are meant. */
export interface Selection {
  /** Undefined: of every one. */
  namespace: string | undefined;
  /** One object; undefined: all of them. */
  name?: string | undefined;
  /** `app=web,tier!=cache`. */
  labels?: string | undefined;
}

/** Who is asked for objects: the master, or this device itself. Every question throws CommandFailure. */
export interface ObjectSource {
  /** The kind that a user means by `word`: `po`, `pod`, `pods`. */
  kindOf(word: string): Promise<DiscoveredResource>;
  /** The same, or the kinds of a category: `all`. */
  kindsOf(word: string): Promise<DiscoveredResource[]>;
  /** One object where a name is given, else a list, in full. */
  read(resource: DiscoveredResource, selection: Selection): Promise<JsonObject>;
  /** The same as a table. */
  table(resource: DiscoveredResource, selection: Selection): Promise<Table>;
  /** Events of core/v1 about an object; undefined where they are not known. */
  eventsAbout(resource: DiscoveredResource, object: JsonObject): Promise<JsonObject[] | undefined>;
  /** The pods on a node; undefined where they are not known. */
  podsOn(node: string): Promise<Table | undefined>;
}

/** Several objects, each with its apiVersion and kind, as kubectl prints them. */
export function listOf(items: readonly JsonObject[]): JsonObject {
  return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items: [...items] };
}
