import { runCommand } from '../../host/command.ts';
import { linkPrefix } from '../veth.ts';

/**
 * The cluster DNS address on the loopback link, so that it is this node's own: pods and host reach it like any other address of the
 * node. A label with the agent's id tells it from the addresses of other agents, so nothing need be remembered.
 */
export class DnsAddress {
  readonly #label: string;

  constructor(agentId: string) {
    this.#label = `lo:${linkPrefix(agentId)}dns`;
  }

  /**
   * Afterwards `wanted`, and no other address of ours, is there; none if undefined. One that somebody else has put there is left to
   * them, and serves as well. Throws CommandError.
   */
  async ensure(wanted: string | undefined): Promise<void> {
    const present = await this.#present();
    for (const { address, isOurs } of present) {
      if (isOurs && address !== wanted) await this.#remove(address);
    }
    if (wanted === undefined || present.some(({ address }) => address === wanted)) return;
    await runCommand('ip', [
      ...['addr', 'add', `${wanted}/32`, 'dev', 'lo'],
      // Host scope: never the source of a packet that did not choose it.
      ...['scope', 'host', 'label', this.#label],
    ]);
  }

  async #remove(address: string): Promise<void> {
    await runCommand('ip', ['addr', 'del', `${address}/32`, 'dev', 'lo']);
  }

  async #present(): Promise<{ address: string; isOurs: boolean }[]> {
    const { stdout } = await runCommand('ip', ['-o', '-4', 'addr', 'show', 'dev', 'lo']);
    return stdout.split('\n').flatMap((line) => {
      const address = / inet ([\d.]+)\//.exec(line)?.[1];
      return address === undefined ? [] : [{ address, isOurs: line.includes(` ${this.#label}\\`) }];
    });
  }
}
