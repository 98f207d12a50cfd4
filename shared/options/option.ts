/** How the value of an option is written and read. */
export interface OptionType<Value> {
  /** What stands for the value: `CIDR`; words to choose from as `one|other`. */
  placeholder: string;
  /** What is right, as it follows "expected": `a range such as 10.42.0.0/16`. */
  expected: string;
  /** Undefined for a text that is not right. */
  parse(text: string): Value | undefined;
}

/** An option of a program. Its key in a configuration file is the table's (`dataDir`); flag and variable follow from that. */
export interface OptionRow<Value = unknown> {
  type: OptionType<Value>;
  /** What it says, in a line. */
  description: string;
  /** As text; absent: the option has no value unless it is given one. */
  default?: string;
  /** Without `default`: what holds then, in words. */
  otherwise?: string;
  /** What an installed machine's configuration file sets it to, where that is not the default. */
  installed?: string;
  /** Is never shown, and taken only from a file that nobody else may read. */
  secret?: true;
}

export type OptionTable = Readonly<Record<string, OptionRow>>;

/** What reading a table gives: every key, undefined where nothing was given and there is no default. */
export type ValuesOf<Table> = {
  [Key in keyof Table]: Table[Key] extends { type: OptionType<infer Value> }
    ? Table[Key] extends { default: string }
      ? Value
      : Value | undefined
    : never;
};

/** `dataDir` is `--data-dir`. */
export function flagOf(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `dataDir` is `SKERRY_DATA_DIR`. */
export function variableOf(key: string): string {
  return `SKERRY_${flagOf(key).slice(2).replaceAll('-', '_').toUpperCase()}`;
}
