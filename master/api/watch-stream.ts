import type { ServerResponse } from 'node:http';

/** A reader that leaves more than this unread is cut off; it lists and watches anew when it comes back. */
const UNREAD_LIMIT_BYTES = 4 * 1024 * 1024;

/** How much of the backlog is written in one turn of the event loop. */
const TURN_BYTES = 256 * 1024;

/**
 * The lines of one watch, in order: first a backlog that is made only as fast as the client reads, then what is sent while the
 * watch is open. Invariant: a line is written whole and once, or the connection is cut.
 */
export class WatchStream {
  private readonly res: ServerResponse;
  /** What was sent before the start: it belongs to the backlog, and its size says nothing of the reader. */
  private early: Buffer[] | undefined = [];
  private backlog: Iterator<Buffer> | undefined;
  private readonly waiting: Buffer[] = [];
  private waitingBytes = 0;
  private isBlocked = false;
  private isOver = false;

  constructor(res: ServerResponse) {
    this.res = res;
  }

  /** Sends the response's head and begins with the backlog. `onClose` is called once, whoever ends the watch. */
  start(backlog: Iterable<Buffer>, onClose: () => void): void {
    this.res.once('close', () => {
      this.isOver = true;
      this.waiting.length = 0;
      this.backlog = undefined;
      onClose();
    });
    this.res.on('drain', () => this.resume());
    this.res.writeHead(200, {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-cache, private',
    });
    this.res.flushHeaders();
    this.backlog = inOrder(backlog, this.early ?? []);
    this.early = undefined;
    this.pump();
  }

  send(line: Buffer): void {
    if (this.isOver) return;
    if (this.early !== undefined) {
      this.early.push(line);
      return;
    }
    if (!this.isBlocked && this.backlog === undefined) {
      this.isBlocked = !this.res.write(line);
      return;
    }
    this.waiting.push(line);
    this.waitingBytes += line.byteLength;
    if (this.waitingBytes > UNREAD_LIMIT_BYTES) this.res.destroy();
  }

  /** Ends the response after what was sent so far. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const line of this.waiting) this.res.write(line);
    this.res.end();
  }

  private resume(): void {
    this.isBlocked = false;
    this.pump();
  }

  private pump(): void {
    let written = 0;
    while (!this.isBlocked && !this.isOver) {
      const line = this.next();
      if (line === undefined) return;
      this.isBlocked = !this.res.write(line);
      written += line.byteLength;
      if (written >= TURN_BYTES && !this.isBlocked) {
        this.isBlocked = true;
        setImmediate(() => this.resume());
      }
    }
  }

  private next(): Buffer | undefined {
    const next = this.backlog?.next();
    if (next !== undefined && next.done !== true) return next.value;
    this.backlog = undefined;
    const line = this.waiting.shift();
    if (line !== undefined) this.waitingBytes -= line.byteLength;
    return line;
  }
}

function* inOrder(...parts: Iterable<Buffer>[]): Generator<Buffer, undefined> {
  for (const part of parts) yield* part;
}
