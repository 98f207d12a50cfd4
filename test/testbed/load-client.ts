import { get } from 'node:http';

/**
 * Asks each of the URLs of its arguments, two at a time and each time over a new connection, until SIGTERM; then prints how
 * often each answer came, and every failure, as JSON.
 */
const urls = process.argv.slice(2);
const answers: Record<string, number> = {};
const failures: string[] = [];
let isOver = false;
process.on('SIGTERM', () => {
  isOver = true;
});
process.stdout.write('asking\n');

function ask(url: string): Promise<void> {
  return new Promise((resolve) => {
    const failed = (why: string) => {
      failures.push(`${new Date().toISOString()} ${url}: ${why}`);
      resolve();
    };
    const request = get(url, { agent: false, timeout: 5000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', (error) => failed(error.message));
      response.on('end', () => {
        if (response.statusCode !== 200) return failed(`status ${response.statusCode}`);
        const name = text.trim();
        answers[name] = (answers[name] ?? 0) + 1;
        resolve();
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer in 5 s')));
    request.on('error', (error) => failed(error.message));
  });
}

async function askOn(url: string): Promise<void> {
  while (!isOver) await ask(url);
}

await Promise.all(urls.flatMap((url) => [askOn(url), askOn(url)]));
process.stdout.write(`${JSON.stringify({ answers, failures })}\n`);
