import { expect, test } from 'vitest';
import { declareCommand } from './command.ts';
import { COMMANDS } from './commands.ts';

test('the help of a command is made of what it declares', () => {
  const { usage } = declareCommand({
    synopsis: ['feed CAT', 'feed --all'],
    about: 'Feeds cats.',
    options: {
      all: { type: 'boolean', short: 'a', description: 'every one' },
      food: { type: 'string', value: 'NAME', description: 'what they get' },
    },
    examples: [
      ['skerry feed tom', 'now'],
      ['skerry feed --all --food fish', 'on Fridays'],
    ],
    run: async () => 0,
  });
  expect(usage).toBe(`usage: skerry feed CAT
       skerry feed --all

Feeds cats.

  -a, --all        every one
      --food NAME  what they get

examples:
  skerry feed tom                 # now
  skerry feed --all --food fish   # on Fridays

exit codes: 0 done, 1 failed, 2 wrong call
`);
});

test.each(Object.entries(COMMANDS))('%s explains itself', async (name, { summary, load }) => {
  const { usage, declaration } = await load();
  expect(summary).toMatch(/./);
  expect(usage).toContain(`usage: skerry ${name}`);
  expect(declaration?.examples.length).toBeGreaterThan(0);
  for (const option of Object.keys(declaration?.options ?? {}))
    expect(usage).toContain(`--${option}`);
});
