import { expect, test } from 'vitest';
import { bracketed, unbracketed } from './url-host.ts';

test.each([
  ['2001:db8::1', '[2001:db8::1]'],
  ['192.0.2.1', '192.0.2.1'],
  ['hub.lan', 'hub.lan'],
])('%s is %s in a URL, and itself outside', (host, inUrl) => {
  expect(bracketed(host)).toBe(inUrl);
  expect(bracketed(inUrl)).toBe(inUrl);
  expect(unbracketed(inUrl)).toBe(host);
  expect(unbracketed(host)).toBe(host);
  expect(unbracketed(new URL(`https://${inUrl}:6443`).hostname)).toBe(host);
});
