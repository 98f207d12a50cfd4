import { expect, test } from 'vitest';
import { connectionFailure } from './connection-error.ts';

test.each([
  ['connect ENETUNREACH 192.0.2.1:6443 - Local (0.0.0.0:0)', 'connect ENETUNREACH 192.0.2.1:6443'],
  ['connect EHOSTUNREACH fd00::1:6443 - Local (:::0)', 'connect EHOSTUNREACH fd00::1:6443'],
  ['connect EINVAL 192.0.2.1:1 - Local (192.0.2.7:40000)', 'connect EINVAL 192.0.2.1:1'],
  ['connect ECONNREFUSED 127.0.0.1:1', 'connect ECONNREFUSED 127.0.0.1:1'],
])('of %s the end of this machine is not told', (message, told) => {
  expect(connectionFailure(new Error(message))).toBe(told);
});

test('what is no error is told as it is', () => {
  expect(connectionFailure('gone')).toBe('gone');
});
