/** One line that is written over, on a terminal that can; nothing elsewhere, so that logs of scripts stay clean. */
export class Progress {
  readonly #output: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;
  readonly #isOn: boolean;
  #shown = '';

  constructor(
    output: Pick<NodeJS.WriteStream, 'write' | 'isTTY'> = process.stderr,
    environment: NodeJS.ProcessEnv = process.env,
  ) {
    this.#output = output;
    this.#isOn = output.isTTY === true && environment['TERM'] !== 'dumb';
  }

  show(text: string): void {
    if (!this.#isOn || text === this.#shown) return;
    this.#output.write(`\r\u001b[K${text}`);
    this.#shown = text;
  }

  clear(): void {
    if (this.#shown !== '') this.#output.write('\r\u001b[K');
    this.#shown = '';
  }
}
