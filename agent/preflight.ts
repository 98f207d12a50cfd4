import { writeFileDurably } from './host/files.ts';
import { fileExists } from './host/small-files.ts';
import { BOOT_LINE_FILES, withMemoryWords } from './preflight/boot-line.ts';
import type { PreflightAim } from './preflight/facts.ts';
import type { Finding } from './preflight/finding.ts';
import { judgeMachine } from './preflight/rules.ts';
import { readBootLine, type SurveyParts, surveyMachine } from './preflight/survey.ts';

export type { PreflightAim };

export interface PreflightReport {
  findings: Finding[];
}

/** Looks at the machine and says what of it stands in the way of what it is to become. Changes nothing. */
export async function checkMachine(
  parts: SurveyParts,
  aim: PreflightAim,
): Promise<PreflightReport> {
  return { findings: judgeMachine(await surveyMachine(parts), aim) };
}

/** What `fixMemoryController` did. */
export interface BootLineEdit {
  path: string;
  backup: string;
}

/**
 * Adds the words that turn the memory controller on to the kernel command line of a Raspberry Pi; the file as it was is kept beside it,
 * and a backup that is there already is the older one and stays. Undefined when there is no such file, or nothing to change in it.
 */
export async function fixMemoryController(
  files: readonly string[] = BOOT_LINE_FILES,
): Promise<BootLineEdit | undefined> {
  const bootLine = readBootLine(files);
  if (bootLine === undefined) return undefined;
  const { path, text } = bootLine;
  const edited = withMemoryWords(text);
  if (edited === text) return undefined;
  const backup = `${path}.before-skerry`;
  if (!fileExists(backup)) await writeFileDurably(backup, text, 0o644);
  await writeFileDurably(path, edited, 0o644);
  return { path, backup };
}
