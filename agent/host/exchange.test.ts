import { expect, it } from 'vitest';
import { exchangeDatagrams } from './exchange.ts';

it('a peer that the kernel will not connect to is a failure', async () => {
  // Broadcast is refused without the option for it, as an address without a route is on a machine that has lost its network.
  const peer = { address: '255.255.255.255', port: 53 };
  const error = await new Promise<Error>((failed, received) => {
    exchangeDatagrams(peer, Buffer.from('question'), { failed, received });
  });
  expect(error).toMatchObject({ code: 'EACCES' });
});
