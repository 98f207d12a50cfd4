import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeAnswer } from './answers-for-tests.ts';
import { decodeMessage, decodeQuery, encodeQuery } from './packet.ts';
import { lifetimeSeconds, parseUpstream, renderUpstream } from './upstream-message.ts';

const NAME = 'example.org';
const query = encodeQuery(1, NAME, 'A', 1232);
const answers = Array.from({ length: 30 }, (_, index) => ({
  name: NAME,
  type: 'A' as const,
  ttl: 60 + index,
  data: `203.0.113.${index}`,
}));

test('a response is cut at whole records, and says so', () => {
  const message = parseUpstream(encodeAnswer(query, answers));
  const asked = decodeQuery(query);
  if (message === undefined || typeof asked === 'string') throw new Error('not read');
  const cut = decodeMessage(renderUpstream(message, asked, 200, (ttl) => ttl));
  expect(cut.flag_tc).toBe(true);
  expect(cut.answers).toHaveLength(10);
  expect(cut.additionals).toMatchObject([{ type: 'OPT' }]);
  expect(decodeMessage(renderUpstream(message, asked, 1232, () => 7)).answers?.[0]).toMatchObject({
    ttl: 7,
  });
  expect(lifetimeSeconds(message)).toBe(60);
});

test('whatever another server sends is read or refused, and what is read fits where it must', () => {
  const valid = encodeAnswer(query, answers);
  const asked = decodeQuery(query);
  if (typeof asked === 'string') throw new Error(asked);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 8 }),
      fc.nat(valid.length),
      fc.integer({ min: 512, max: 1232 }),
      (changes, length, limitBytes) => {
        const bytes = Buffer.from(valid.subarray(0, length));
        for (const [index, byte] of changes) if (index < length) bytes[index] = byte;
        const message = parseUpstream(bytes);
        if (message === undefined) return;
        expect(lifetimeSeconds(message)).toBeGreaterThanOrEqual(0);
        const rendered = renderUpstream(message, asked, limitBytes, (ttl) => ttl);
        expect(rendered.length).toBeLessThanOrEqual(limitBytes);
      },
    ),
    { numRuns: 500 },
  );
});
