import { expect, test } from 'vitest';
import { unitsThatStay } from './down.ts';

const AGENT = 'skerry-agent.service';
const MASTER = 'skerry-master.service';

test('units that stay after a purge are told, with what to do about the next boot', () => {
  expect(unitsThatStay([AGENT, MASTER])).toBe(
    'still installed: skerry-agent.service, skerry-master.service; before the next boot: `systemctl disable skerry-agent skerry-master` keeps them off, `install.sh master` or `agent` sets them up anew, `install.sh uninstall` removes them\n',
  );
  expect(unitsThatStay([AGENT])).toContain('`systemctl disable skerry-agent` keeps it off');
});

test('of a machine without units nothing is told', () => {
  expect(unitsThatStay([])).toBe('');
});
