import type { JsonObject, JsonValue } from '../meta/kube-object.ts';
import { parseJsonText } from '../schema/go-json-text.ts';
import { FrameError } from './frame.ts';

/** A body as JSON in UTF-8. */
export function encodeBody(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** The JSON object that a body holds. Throws FrameError (malformed). */
export function decodeBody(body: Uint8Array): JsonObject {
  let value: unknown;
  try {
    value = parseJsonText(new TextDecoder().decode(body));
  } catch {
    throw new FrameError('malformed', 'the body is not JSON, or nested too deeply');
  }
  return objectIn(value, 'body');
}

export function objectIn(value: unknown, name: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FrameError('malformed', `${name} is no object`);
  }
  return value as JsonObject;
}

export function arrayIn(value: unknown, name: string): JsonValue[] {
  if (!Array.isArray(value)) throw new FrameError('malformed', `${name} is no list`);
  return value;
}

export function stringIn(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new FrameError('malformed', `${name} is no string`);
  return value;
}

export function naturalIn(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new FrameError('malformed', `${name} is no natural number`);
  }
  return value;
}

export function stringsIn(value: unknown, name: string): string[] {
  return arrayIn(value, name).map((item) => stringIn(item, name));
}
