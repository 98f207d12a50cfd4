import { get } from 'node:http';

/** Asks the URL of its argument every few milliseconds until it is answered, then prints when, in milliseconds since 1970. */
const url = process.argv[2] ?? '';
const RETRY_MS = 5;
process.stdout.write('asking\n');
ask();

function ask(): void {
  const request = get(url, { agent: false, timeout: 1000 }, (response) => {
    response.resume();
    if (response.statusCode === 200) process.stdout.write(`answered ${Date.now()}\n`);
    else again();
  });
  request.on('timeout', () => request.destroy(new Error('no answer')));
  request.on('error', again);
}

function again(): void {
  setTimeout(ask, RETRY_MS);
}
