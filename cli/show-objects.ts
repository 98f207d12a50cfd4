import type { JsonObject } from '../shared/meta/kube-object.ts';
import { Failures } from './failures.ts';
import { type Output, printData, printNames, printTable, type Table } from './object-output.ts';
import { listOf, type ObjectSource, type Selection } from './object-source.ts';
import { Paint } from './paint.ts';
import { type DiscoveredResource, printedKind } from './resource-path.ts';
import type { Target } from './targets.ts';

interface Question {
  resource: DiscoveredResource;
  selection: Selection;
}

/** Prints objects of one kind or several, as kubectl does: what is not there is told at the end. Throws CommandFailure. */
export async function showObjects(
  source: ObjectSource,
  targets: readonly Target[],
  scope: Omit<Selection, 'name'>,
  output: Output,
): Promise<void> {
  const questions: Question[] = [];
  for (const { kind, name } of targets) {
    const kinds = name === undefined ? await source.kindsOf(kind) : [await source.kindOf(kind)];
    questions.push(...kinds.map((resource) => ({ resource, selection: { ...scope, name } })));
  }
  const failures = new Failures();
  if (output === 'table' || output === 'wide') {
    const text = await tables(source, questions, output === 'wide', failures);
    process.stdout.write(text);
    failures.end();
    if (text === '') process.stderr.write(`No resources found${placeOf(questions)}\n`);
    return;
  }
  process.stdout.write(await data(source, questions, output, failures));
  failures.end();
}

async function tables(
  source: ObjectSource,
  questions: readonly Question[],
  wide: boolean,
  failures: Failures,
): Promise<string> {
  const byKind = new Map<string, Question & { table: Table }>();
  for (const { resource, selection } of questions) {
    const table = await failures.of(() => source.table(resource, selection));
    const kind = printedKind(resource);
    const before = byKind.get(kind);
    if (table !== undefined && before === undefined)
      byKind.set(kind, { resource, selection, table });
    else if (table !== undefined) before?.table.rows.push(...table.rows);
  }
  const isMixed = new Set(questions.map(({ resource }) => printedKind(resource))).size > 1;
  const paint = new Paint(process.stdout);
  return [...byKind]
    .map(([kind, { resource, selection, table }]) =>
      printTable(table, {
        wide,
        withNamespace: selection.namespace === undefined && resource.namespaced,
        kind: isMixed ? kind : undefined,
        paint,
      }),
    )
    .filter((text) => text !== '')
    .join('\n');
}

async function data(
  source: ObjectSource,
  questions: readonly Question[],
  output: 'json' | 'yaml' | 'name',
  failures: Failures,
): Promise<string> {
  const answers: JsonObject[] = [];
  const names: string[] = [];
  for (const { resource, selection } of questions) {
    const answer = await failures.of(() => source.read(resource, selection));
    if (answer === undefined) continue;
    answers.push(answer);
    names.push(printNames(itemsOf(answer), resource));
  }
  if (output === 'name') return names.join('');
  if (questions.length > 1) return printData(listOf(answers.flatMap(itemsOf)), output);
  return answers.map((answer) => printData(answer, output)).join('');
}

function itemsOf(answer: JsonObject): JsonObject[] {
  return answer['kind'] === 'List' ? (answer['items'] as JsonObject[]) : [answer];
}

function placeOf(questions: readonly Question[]): string {
  const inOne = questions.find(
    ({ resource, selection }) => resource.namespaced && selection.namespace !== undefined,
  );
  return inOne === undefined ? '' : ` in ${inOne.selection.namespace} namespace.`;
}
