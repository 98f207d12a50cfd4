import { type Output, printObjects, printTable } from './object-output.ts';
import type { ObjectSource, Selection } from './object-source.ts';
import { Paint } from './paint.ts';

/** Prints objects of the kind that `word` names, as kubectl does. Throws CommandFailure. */
export async function showObjects(
  source: ObjectSource,
  word: string,
  selection: Selection,
  output: Output,
): Promise<void> {
  const { namespace } = selection;
  const resource = await source.kindOf(word);
  if (output !== 'table' && output !== 'wide') {
    process.stdout.write(printObjects(await source.read(resource, selection), output, resource));
    return;
  }
  const text = printTable(await source.table(resource, selection), {
    wide: output === 'wide',
    withNamespace: namespace === undefined && resource.namespaced,
    paint: new Paint(process.stdout),
  });
  process.stdout.write(text);
  if (text !== '') return;
  const where = resource.namespaced && namespace !== undefined ? ` in ${namespace} namespace.` : '';
  process.stderr.write(`No resources found${where}\n`);
}
