import { createSocket } from 'node:dgram';

/**
 * `serve PORT NAME` answers each datagram with the name. `ask ADDRESS PORT TIMES` sends that many questions, each from a port of its own, and
 * prints who answered within a second.
 */
const [mode, ...rest] = process.argv.slice(2);
if (mode === 'serve') serve(Number(rest[0]), rest[1] ?? '');
else {
  const [address = '', port, times] = rest;
  const answers = await Promise.all(
    Array.from({ length: Number(times) }, () => ask(address, Number(port))),
  );
  process.stdout.write(`${[...new Set(answers.filter((one) => one !== ''))].sort().join('\n')}\n`);
}

function serve(port: number, name: string): void {
  const socket = createSocket('udp4');
  socket.on('message', (_question, from) => socket.send(name, from.port, from.address));
  socket.bind(port, () => process.stdout.write('serving\n'));
}

/** '' where nobody answers. */
function ask(address: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const settle = (answer: string) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(settle, 1000, '');
    socket.once('message', (answer) => settle(answer.toString('utf8')));
    socket.once('error', () => settle(''));
    socket.connect(port, address, () => socket.send('who?'));
  });
}
