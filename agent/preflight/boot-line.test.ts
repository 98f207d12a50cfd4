import fc from 'fast-check';
import { expect, test } from 'vitest';
import { missingMemoryWords, withMemoryWords } from './boot-line.ts';

test('the words go to the end of the one line', () => {
  expect(withMemoryWords('console=tty1 root=/dev/mmcblk0p2 rootwait\n')).toBe(
    'console=tty1 root=/dev/mmcblk0p2 rootwait cgroup_enable=memory cgroup_memory=1\n',
  );
});

test('a file without a line end stays without one', () => {
  expect(withMemoryWords('quiet')).toBe('quiet cgroup_enable=memory cgroup_memory=1');
});

test('a word that is there is not added again, and its contrary goes', () => {
  expect(withMemoryWords('cgroup_enable=memory cgroup_disable=memory quiet\n')).toBe(
    'cgroup_enable=memory quiet cgroup_memory=1\n',
  );
});

const word = fc.stringMatching(/^[a-z_]{1,8}(=[a-z0-9,/]{1,8})?$/);

test('whatever the line: as many lines as before, every word kept, the words there, and a second edit changes nothing', () => {
  fc.assert(
    fc.property(fc.array(word), fc.constantFrom('', '\n', '\n\n'), (words, end) => {
      const text = words.join(' ') + end;
      const edited = withMemoryWords(text);
      expect(missingMemoryWords(edited)).toEqual([]);
      expect(withMemoryWords(edited)).toBe(edited);
      if (words.length > 0) {
        expect(edited.split('\n')).toHaveLength(text.split('\n').length);
        expect(edited.split(/\s+/).slice(0, words.length)).toEqual(words);
      }
    }),
  );
});
