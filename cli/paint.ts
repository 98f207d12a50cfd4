/** Where output goes: a terminal, or a file or pipe. */
interface Output {
  isTTY?: boolean;
}

/** Colours where they are seen: on a terminal, unless $NO_COLOR (no-color.org) or TERM=dumb says otherwise; plain text elsewhere. */
export class Paint {
  readonly #isOn: boolean;

  constructor(output: Output, environment: NodeJS.ProcessEnv = process.env) {
    const wanted = !environment['NO_COLOR'] && environment['TERM'] !== 'dumb';
    this.#isOn = output.isTTY === true && wanted;
  }

  green(text: string): string {
    return this.#in(32, text);
  }

  yellow(text: string): string {
    return this.#in(33, text);
  }

  red(text: string): string {
    return this.#in(31, text);
  }

  bold(text: string): string {
    return this.#in(1, text);
  }

  dim(text: string): string {
    return this.#in(2, text);
  }

  /** `code`: Select Graphic Rendition (ECMA-48 8.3.117). */
  #in(code: number, text: string): string {
    return this.#isOn ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}
