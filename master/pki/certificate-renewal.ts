import type { Logger } from '../../shared/logger.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import type { CertificateAuthority } from './certificate-authority.ts';
import type { ServingNames } from './serving-names.ts';

const LOOK_EVERY_MS = 24 * 60 * 60 * 1000;

/** Looks once a day whether the master's own certificates near their end, for a master that runs for years, and whose addresses change. */
export class CertificateRenewal {
  readonly #parts: {
    authority: CertificateAuthority;
    names: () => ServingNames;
    clock: Clock;
    log: Logger;
    /** The authority has new ones. */
    onRenewed: () => Promise<void>;
  };
  #cancel = () => {};
  #looking: Promise<void> = Promise.resolve();

  constructor(parts: {
    authority: CertificateAuthority;
    names: () => ServingNames;
    clock: Clock;
    log: Logger;
    onRenewed: () => Promise<void>;
  }) {
    this.#parts = parts;
  }

  start(): void {
    this.#cancel = this.#parts.clock.after(LOOK_EVERY_MS, () => {
      this.#looking = this.#look();
      this.start();
    });
  }

  /** Waits for what is being written. */
  async stop(): Promise<void> {
    this.#cancel();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { authority, names, log, onRenewed } = this.#parts;
    try {
      if (!(await authority.renew(names()))) return;
      await onRenewed();
      log.info('the certificates of the master were renewed');
    } catch (error) {
      log.error('the certificates of the master could not be renewed; tomorrow is another try', {
        error: String(error),
      });
    }
  }
}
