import {
  ALWAYS_PRINTED,
  NAMED_TYPES,
  POINTER_SCALARS,
  VALUE_QUANTITIES,
  VALUE_STRUCTS,
} from './go-shapes.ts';
import type { Gvk } from './gvk.ts';
import generated from './kubernetes-schema.json' with { type: 'json' };

/**
 * The types of the served kinds, read from kubernetes-schema.json. That file maps a type name (`apps.v1.DeploymentSpec`) to
 * its fields, each one string: `TYPE`, then `!` when OpenAPI requires the field, then `@N`, its protobuf number.
 * TYPE is a scalar, another type name, `[]TYPE` or `map:TYPE`. A key that begins with `~` is a struct that Go embeds: a message
 * in protobuf, no level of its own in JSON; the types of such messages begin with `~`, too.
 */
export type Scalar =
  | 'string'
  | 'int32'
  | 'int64'
  | 'double'
  | 'bool'
  | 'bytes'
  | 'time'
  | 'microTime'
  | 'duration'
  | 'quantity'
  | 'intOrString'
  | 'any';

export type Shape =
  | { kind: 'scalar'; scalar: Scalar }
  | { kind: 'list'; item: Shape }
  | { kind: 'map'; value: Shape }
  | { kind: 'struct'; type: string };

export interface Field {
  name: string;
  shape: Shape;
  required: boolean;
  /** Absent on the wire means absent in JSON; a zero on the wire is a value. */
  keepsZero: boolean;
  /** What a decoded object has where the field was left out: a zero, or an empty struct. */
  filledWith: 'nothing' | 'zero' | 'struct';
  /** As Go's messages name the type of a scalar, of a list's elements, or of a named map. */
  goName: string | undefined;
}

export interface TypeSchema {
  name: string;
  /** The Go struct: the last part of the name. */
  goName: string;
  fields: ReadonlyMap<string, Field>;
  /** Fields that are filled in when left out. */
  filled: readonly Field[];
  /** By protobuf number; embedded structs carry `embedded`. */
  byNumber: ReadonlyMap<number, Field & { embedded: boolean }>;
}

const TYPES = generated as unknown as Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A memo of constants: types are compiled when they are first met. */
const compiled = new Map<string, TypeSchema>();

/** The type of a kind's objects; undefined when the schema does not know the kind. */
export function typeOfKind({ group, version, kind }: Gvk): string | undefined {
  const prefix = group === '' ? 'core' : (group.split('.')[0] ?? '');
  const name = `${prefix}.${version}.${kind}`;
  if (Object.hasOwn(TYPES, name)) return isKind(name) ? name : undefined;
  const meta = `meta.v1.${kind}`;
  return group === '' && version === 'v1' && Object.hasOwn(TYPES, meta) && isKind(meta)
    ? meta
    : undefined;
}

/** Throws on a name that is not in the schema. */
export function typeSchema(name: string): TypeSchema {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const type = compile(name);
  compiled.set(name, type);
  return type;
}

/** Every type name, embedded ones left out. */
export function typeNames(): string[] {
  return Object.keys(TYPES).filter((name) => !name.startsWith('~'));
}

function isKind(name: string): boolean {
  const fields = TYPES[name];
  return fields?.['apiVersion'] !== undefined && fields['kind'] !== undefined;
}

function compile(name: string): TypeSchema {
  const specs = TYPES[name];
  if (specs === undefined) throw new Error(`the schema has no type ${name}`);
  const owner = name.replace(/^~/, '');
  const fields = new Map<string, Field>();
  const byNumber = new Map<number, Field & { embedded: boolean }>();
  for (const [key, spec] of Object.entries(specs)) {
    const [, type = '', mark, number] = /^(.*?)(!?)(?:@(\d+))?$/.exec(spec) ?? [];
    const embedded = key.startsWith('~');
    const field = compileField(owner, key, parseShape(type), mark === '!');
    if (!embedded) fields.set(key, field);
    if (number !== undefined) byNumber.set(Number(number), { ...field, embedded });
  }
  const filled = [...fields.values()].filter((field) => field.filledWith !== 'nothing');
  return { name, goName: owner.slice(owner.lastIndexOf('.') + 1), fields, filled, byNumber };
}

function compileField(owner: string, name: string, shape: Shape, required: boolean): Field {
  const isPointer = POINTER_SCALARS[owner]?.includes(name) ?? false;
  const named = NAMED_TYPES[owner]?.[name];
  return {
    name,
    shape,
    required,
    keepsZero: required || isPointer || (ALWAYS_PRINTED[owner]?.includes(name) ?? false),
    filledWith: fillOf(owner, name, shape, required && !isPointer),
    goName: named === undefined || named.includes('.') ? named : `v1.${named}`,
  };
}

function fillOf(
  owner: string,
  name: string,
  shape: Shape,
  requiredValue: boolean,
): Field['filledWith'] {
  if (shape.kind === 'struct') {
    return VALUE_STRUCTS[owner]?.includes(name) ? 'struct' : 'nothing';
  }
  if (shape.kind === 'map') return 'nothing';
  if (ALWAYS_PRINTED[owner]?.includes(name) || VALUE_QUANTITIES[owner]?.includes(name)) {
    return 'zero';
  }
  if (!requiredValue) return 'nothing';
  const isTime = shape.kind === 'scalar' && /^(time|microTime|any)$/.test(shape.scalar);
  return isTime ? 'nothing' : 'zero';
}

function parseShape(type: string): Shape {
  if (type.startsWith('[]')) return { kind: 'list', item: parseShape(type.slice(2)) };
  if (type.startsWith('map:')) return { kind: 'map', value: parseShape(type.slice(4)) };
  if (type.includes('.')) return { kind: 'struct', type };
  return { kind: 'scalar', scalar: type as Scalar };
}
