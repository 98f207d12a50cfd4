import { ApiError } from '../../shared/errors.ts';
import { ReconcileLoop } from '../../shared/reconcile/reconcile-loop.ts';
import type { Underway } from '../../shared/reconcile/underway.ts';
import type { Controller, ControllerParts } from './controller.ts';

/** Runs one controller: everything that exists is due at the start, afterwards what changes. */
export class ControllerRunner {
  readonly #controller: Controller;
  readonly #parts: ControllerParts;
  readonly #loop: ReconcileLoop;
  #unwatch: (() => void)[] = [];

  constructor(controller: Controller, parts: ControllerParts) {
    this.#controller = controller;
    this.#parts = parts;
    this.#loop = new ReconcileLoop({
      name: controller.name,
      clock: parts.clock,
      concurrency: 4,
      backoffMs: { first: 50, max: 60_000 },
      reconcile: (key, signal) => controller.reconcile(key, signal),
      onError: (key, error, attempt) => {
        // A conflict means that somebody else was faster: the next try sees what they wrote.
        const expected = error instanceof ApiError && error.reason === 'Conflict';
        if (expected)
          parts.log.debug('write conflict, trying again', { controller: controller.name, key });
        else
          parts.log.warn('reconcile failed, trying again', {
            controller: controller.name,
            key,
            attempt,
            error,
          });
      },
    });
  }

  start(): void {
    const { cache } = this.#parts.registry;
    for (const { kind, keys } of this.#controller.triggers) {
      const { revision, objects } = cache.snapshot(kind);
      for (const object of objects)
        this.#enqueue(keys({ object, previous: undefined, removed: false }));
      this.#unwatch.push(
        cache.watch(kind, revision, (events) => {
          for (const { type, object, previous } of events) {
            this.#enqueue(keys({ object, previous, removed: type === 'DELETED' }));
          }
        }),
      );
    }
    this.#loop.start();
  }

  get underway(): Underway | undefined {
    return this.#loop.underway;
  }

  async stop(): Promise<void> {
    for (const end of this.#unwatch.splice(0)) end();
    await this.#loop.stop();
  }

  #enqueue(keys: readonly string[]): void {
    for (const key of keys) this.#loop.enqueue(key);
  }
}
