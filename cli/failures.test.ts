import { expect, test } from 'vitest';
import { ApiFailure, Unreachable } from './api-client.ts';
import { CommandFailure, SeveralFailures } from './command-failure.ts';
import { Failures } from './failures.ts';

test('one failure is itself, at the end', async () => {
  const failures = new Failures();
  const refused = () => Promise.reject(new ApiFailure(404, 'NotFound', 'pods "a" not found'));
  expect(await failures.of(refused)).toBeUndefined();
  expect(await failures.of(() => 5)).toBe(5);
  expect(() => failures.end()).toThrow(
    new CommandFailure('Error from server (NotFound): pods "a" not found'),
  );
});

test('several failures are all told', async () => {
  const failures = new Failures();
  const one = new CommandFailure('one');
  const two = new CommandFailure('two');
  await failures.of(() => Promise.reject(one));
  await failures.of(() => Promise.reject(two));
  expect(() => failures.end()).toThrow(new SeveralFailures([one, two]));
});

test('where nothing failed the end is none', () => {
  expect(() => new Failures().end()).not.toThrow();
});

test('a server that is away, and a defect, end it at once', async () => {
  const failures = new Failures();
  await expect(failures.of(() => Promise.reject(new Unreachable('away')))).rejects.toThrow('away');
  await expect(failures.of(() => Promise.reject(new TypeError('x')))).rejects.toThrow(TypeError);
});
