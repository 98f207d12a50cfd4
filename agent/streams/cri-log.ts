/** One line of a log in CRI format: `<RFC 3339 nano> stdout|stderr P|F <text>`. */
export interface CriLine {
  timestamp: string;
  /** P: the text goes on in the next line of the same stream. */
  isPartial: boolean;
  /** Without the line's end. */
  text: Buffer;
}

const SPACE = 0x20;
const NEWLINE = 0x0a;
const PARTIAL = 0x50;

/** Undefined for what is no line of this format. `line` has no line end. */
function parseCriLine(line: Buffer): CriLine | undefined {
  const first = line.indexOf(SPACE);
  const second = line.indexOf(SPACE, first + 1);
  if (first < 0 || second < 0) return undefined;
  const third = line.indexOf(SPACE, second + 1);
  const end = third < 0 ? line.length : third;
  if (end - second !== 2) return undefined;
  return {
    timestamp: line.toString('latin1', 0, first),
    isPartial: line[second + 1] === PARTIAL,
    text: line.subarray(Math.min(line.length, end + 1)),
  };
}

/** Whether the line that begins here is one that goes on; looks at its head only. */
export function isPartialHead(head: Buffer): boolean {
  const first = head.indexOf(SPACE);
  const second = head.indexOf(SPACE, first + 1);
  return first >= 0 && second >= 0 && head[second + 1] === PARTIAL;
}

export interface CriOutputOptions {
  timestamps: boolean;
  /** Lines before it are left out. */
  sinceMs?: number;
  limitBytes?: number;
}

/**
 * Turns log bytes as they come into what `kubectl logs` prints: partial lines joined, with timestamps or without, from a time on, up
 * to a number of bytes.
 */
export class CriOutput {
  readonly #options: CriOutputOptions;
  #rest = Buffer.alloc(0);
  #isLineStart = true;
  #leftBytes: number;

  constructor(options: CriOutputOptions) {
    this.#options = options;
    this.#leftBytes = options.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  /** Nothing more will be given out. */
  get isFull(): boolean {
    return this.#leftBytes <= 0;
  }

  push(bytes: Buffer): Buffer {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const out: Buffer[] = [];
    let start = 0;
    for (let end = all.indexOf(NEWLINE); end >= 0; end = all.indexOf(NEWLINE, start)) {
      this.#add(all.subarray(start, end), out);
      start = end + 1;
    }
    this.#rest = Buffer.from(all.subarray(start));
    return this.#limit(Buffer.concat(out));
  }

  /** Another file begins: what was not ended by a line end never will be. */
  startFile(): void {
    this.#rest = Buffer.alloc(0);
  }

  #add(raw: Buffer, out: Buffer[]): void {
    const line = parseCriLine(raw);
    if (line === undefined) return;
    const { sinceMs, timestamps } = this.#options;
    if (sinceMs !== undefined && Date.parse(line.timestamp) < sinceMs) return;
    if (timestamps && this.#isLineStart) out.push(Buffer.from(`${utc(line.timestamp)} `));
    out.push(line.text);
    if (!line.isPartial) out.push(LINE_END);
    this.#isLineStart = !line.isPartial;
  }

  #limit(output: Buffer): Buffer {
    const kept = output.length > this.#leftBytes ? output.subarray(0, this.#leftBytes) : output;
    this.#leftBytes -= kept.length;
    return kept;
  }
}

const LINE_END = Buffer.from('\n');

/** As Kubernetes prints it: nine digits, and Z for UTC. */
function utc(timestamp: string): string {
  const parts = /^(.*?)(?:\.(\d+))?(?:Z|\+00:00)$/.exec(timestamp);
  if (parts === null) return timestamp;
  const [, seconds = '', fraction = ''] = parts;
  return `${seconds}.${fraction.padEnd(9, '0').slice(0, 9)}Z`;
}
