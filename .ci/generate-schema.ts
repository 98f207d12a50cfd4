/**
 * Writes shared/schema/kubernetes-schema.json (what decoding needs: fields, types, protobuf numbers) and
 * shared/schema/kubernetes-descriptions.json (texts, for OpenAPI alone) from the models of @kubernetes/client-node 1.3.0
 * (Kubernetes v1.33.0, a development dependency) and shared/schema/kubernetes-protobuf-fields.json. The forms of both are
 * described in shared/schema/schema.ts. Run by hand after .ci/schema-models.ts changes: `npx tsx .ci/generate-schema.ts`.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { KIND_MODELS, SCHEMA_ONLY_MODELS } from './schema-models.ts';

const MODELS = new URL('../node_modules/@kubernetes/client-node/dist/gen/models/', import.meta.url);
const SCHEMA = new URL('../shared/schema/', import.meta.url);

type ProtobufField = [number: number, name: string, type: string, repeated?: boolean, message?: string];
interface Attribute {
  baseName: string;
  type: string;
  format: string;
}

/** Texts of our own for fields that every kind has and of which the models say nothing. */
const COMMON_FIELDS: Record<string, string> = {
  metadata: "The object's name, namespace, labels, annotations and what else every object carries.",
  spec: 'What is wanted of the object.',
  status: 'What was last observed of the object. Filled in by the system.',
  template: 'The pods that are made.',
  selector: 'Which objects belong to this one, by their labels.',
  strategy: 'How pods are replaced when the template changes.',
  resources: 'The amounts of CPU, memory and other resources that are asked for and allowed.',
  securityContext: 'Users, privileges and other settings of security.',
  lifecycle: 'What is run after the start and before the end.',
  livenessProbe: 'The check after whose failures the container is restarted.',
  readinessProbe: 'The check that decides whether the container gets traffic.',
  startupProbe: 'The check that has to succeed before the others begin.',
  affinity: 'Which nodes and which neighbours are preferred or required.',
  dnsConfig: "Additions to the pod's DNS settings.",
};

const messages = JSON.parse(
  readFileSync(new URL('kubernetes-protobuf-fields.json', SCHEMA), 'utf8'),
) as Record<string, { fields: ProtobufField[] }>;

const types = new Map<string, Record<string, string>>();
const descriptions = new Map<string, Record<string, string>>();
const queue = [...KIND_MODELS, ...SCHEMA_ONLY_MODELS].flatMap((model) =>
  existsSync(new URL(`${model}List.js`, MODELS)) ? [model, `${model}List`] : [model],
);
const done = new Set<string>();
for (let model = queue.shift(); model !== undefined; model = queue.shift()) {
  if (done.has(model)) continue;
  done.add(model);
  addModel(model);
}
fillDescriptions();
writeSchema();
writeDescriptions();
process.stdout.write(`${types.size} types\n`);

function addModel(model: string): void {
  const name = typeName(model);
  const message = messages[messageName(name)];
  const source = readFileSync(new URL(`${model}.js`, MODELS), 'utf8');
  const map = /attributeTypeMap = (\[[\s\S]*?\n\]);/.exec(source)?.[1];
  if (map === undefined) throw new Error(`${model} has no attributeTypeMap`);
  const { texts, required } = readDeclarations(model);
  const fields: Record<string, string> = {};
  for (const attribute of JSON.parse(map) as Attribute[]) {
    const { baseName } = attribute;
    const protobuf = message?.fields.find((field) => sameName(field[1], baseName));
    const type = fieldType(attribute, protobuf);
    fields[baseName] = `${type}${required.has(baseName) ? '!' : ''}${protobuf ? `@${protobuf[0]}` : ''}`;
  }
  types.set(name, fields);
  descriptions.set(name, texts);
  for (const [number, field, , , inlined] of message?.fields ?? []) {
    if (Object.keys(fields).some((known) => sameName(field, known))) continue;
    if (inlined === undefined) continue;
    fields[`~${field}`] = `${inlineType(inlined, fields)}@${number}`;
  }
}

/** A struct that Go embeds: a message of its own in protobuf, its fields beside the others in JSON. */
function inlineType(message: string, outer: Record<string, string>): string {
  const name = shortName(message);
  const fields: Record<string, string> = {};
  for (const [number, field, , , inlined] of messages[message]?.fields ?? []) {
    const outerName = Object.keys(outer).find((known) => sameName(field, known));
    if (outerName !== undefined) {
      fields[outerName] = `${outer[outerName]?.replace(/@\d+$/, '')}@${number}`;
    } else if (inlined !== undefined) {
      fields[`~${field}`] = `${inlineType(inlined, outer)}@${number}`;
    } else throw new Error(`${message}.${field} is not a field in JSON`);
  }
  const known = types.get(`~${name}`);
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(fields)) {
    throw new Error(`${name} is inlined in two ways`);
  }
  types.set(`~${name}`, fields);
  return `~${name}`;
}

function sameName(protobufName: string, jsonName: string): boolean {
  return protobufName.toLowerCase() === jsonName.toLowerCase();
}

function fieldType({ type, format }: Attribute, protobuf: ProtobufField | undefined): string {
  const list = /^Array<(.*)>$/.exec(type)?.[1];
  if (list !== undefined) return `[]${fieldType({ baseName: '', type: list, format }, protobuf)}`;
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  if (map !== undefined) {
    const entry = messages[protobuf?.[4] ?? '']?.fields.find((field) => field[1] === 'value');
    return `map:${fieldType({ baseName: '', type: map, format }, entry)}`;
  }
  const message = protobuf?.[4] ?? '';
  if (type === 'string') {
    if (message.endsWith('.Quantity')) return 'quantity';
    if (message.endsWith('meta.v1.Duration')) return 'duration';
    return format === 'byte' ? 'bytes' : 'string';
  }
  if (type === 'number') return format === '' ? 'int32' : format;
  if (type === 'boolean') return 'bool';
  if (type === 'Date') return 'time';
  if (type === 'V1MicroTime') return 'microTime';
  if (type === 'IntOrString') return 'intOrString';
  if (type === 'any') return 'any';
  queue.push(type);
  return typeName(type);
}

/** `V1DeploymentSpec` is `apps.v1.DeploymentSpec`; where two groups have one name, the model says which. */
function typeName(model: string): string {
  const [, prefix = '', version = '', name = ''] = /^([A-Z][a-z]+)??(V\d\w*?)([A-Z].*)$/.exec(model) ?? [];
  const candidates = Object.keys(messages)
    .filter((message) => message.endsWith(`.${version.toLowerCase()}.${name}`))
    .map(shortName)
    .filter((short) => prefix === '' || short.startsWith(`${prefix.toLowerCase()}.`));
  const chosen = candidates.find((short) => short.startsWith('meta.')) ?? candidates[0];
  if (chosen === undefined) throw new Error(`no group is known for ${model}`);
  if (candidates.length > 1) process.stdout.write(`${model}: ${chosen} of ${candidates.join(', ')}\n`);
  return chosen;
}

function shortName(message: string): string {
  return message.split('.').slice(-3).join('.');
}

function messageName(short: string): string {
  return short.startsWith('meta.') ? `k8s.io.apimachinery.pkg.apis.${short}` : `k8s.io.api.${short}`;
}

function readDeclarations(model: string): { texts: Record<string, string>; required: Set<string> } {
  const source = readFileSync(new URL(`${model}.d.ts`, MODELS), 'utf8');
  const texts: Record<string, string> = {};
  const required = new Set<string>();
  const about = /\/\*\*\n\* ([\s\S]*?)\n\*\/\nexport declare class/.exec(source)?.[1];
  if (about !== undefined) texts[''] = plainText(about);
  const body = source.slice(source.indexOf('export declare class'), source.indexOf('static readonly discriminator'));
  for (const [, text, name = '', optional] of body.matchAll(
    /(?: {4}\/\*\*\n {4}\* ((?:(?!\*\/)[\s\S])*?)\n {4}\*\/\n)? {4}'([^']+)'(\??): /g,
  )) {
    if (text !== undefined) texts[name] = plainText(text);
    if (optional === '') required.add(name);
  }
  return { texts, required };
}

/** The generator of the models escaped quotes and the end of comments. */
function plainText(text: string): string {
  return text.replaceAll(/\\(['"])/g, '$1').replaceAll('*_/', '*/').replaceAll('&lt;', '<').replaceAll('&gt;', '>');
}

/** The models say nothing of fields that refer to a type; what the type says of itself stands in. */
function fillDescriptions(): void {
  for (const [name, fields] of types) {
    const texts = descriptions.get(name);
    if (texts === undefined) continue;
    for (const [field, spec] of Object.entries(fields)) {
      if (field.startsWith('~') || texts[field] !== undefined) continue;
      const about = descriptions.get(spec.replace(/^\[\]|^map:/, '').replace(/!?(@\d+)?$/, ''))?.[''];
      texts[field] = COMMON_FIELDS[field] ?? about ?? (/microTime|time/.test(spec) ? 'A time, as RFC 3339 writes it.' : '');
    }
  }
}

function writeSchema(): void {
  const lines = [...types.keys()].sort().map((name) => `${JSON.stringify(name)}:${JSON.stringify(types.get(name))}`);
  writeFileSync(new URL('kubernetes-schema.json', SCHEMA), `{\n${lines.join(',\n')}\n}\n`);
}

function writeDescriptions(): void {
  const texts: string[] = [];
  const indexes = new Map<string, number>();
  const indexOf = (text: string): number => {
    const index = indexes.get(text) ?? texts.push(text) - 1;
    indexes.set(text, index);
    return index;
  };
  const lines = [...descriptions.keys()].sort().map((name) => {
    const entries = Object.entries(descriptions.get(name) ?? {}).map(([field, text]) => [field, indexOf(text)]);
    return `${JSON.stringify(name)}:${JSON.stringify(Object.fromEntries(entries))}`;
  });
  const list = texts.map((text) => JSON.stringify(text)).join(',\n');
  writeFileSync(
    new URL('kubernetes-descriptions.json', SCHEMA),
    `{"types":{\n${lines.join(',\n')}\n},\n"texts":[\n${list}\n]}\n`,
  );
}
