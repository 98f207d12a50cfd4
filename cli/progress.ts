/** One line that is written over, on a terminal; nothing elsewhere, so that logs of scripts stay clean. */
export class Progress {
  readonly #output: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;
  #shown = '';

  constructor(output: Pick<NodeJS.WriteStream, 'write' | 'isTTY'> = process.stderr) {
    this.#output = output;
  }

  show(text: string): void {
    if (!this.#output.isTTY || text === this.#shown) return;
    this.#output.write(`\r\u001b[K${text}`);
    this.#shown = text;
  }

  clear(): void {
    if (this.#shown !== '') this.#output.write('\r\u001b[K');
    this.#shown = '';
  }
}
