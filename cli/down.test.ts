import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { down, unitsThatStay } from './down.ts';

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

// Anybody else is told to be root.
test.runIf(process.getuid?.() === 0)(
  'where nothing is, nothing is said to be stopped or removed',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'skerry-down-'));
    let printed = '';
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed += text;
      return true;
    });
    for (const dataDir of [folder, `${folder}/none`]) {
      for (const purge of [[], ['--purge']])
        expect(await down.run(['--data-dir', dataDir, ...purge])).toBe(0);
    }
    write.mockRestore();
    expect(printed).toBe(
      [folder, folder, `${folder}/none`, `${folder}/none`]
        .map((path) => `nothing of Skerry's is in ${path}: nothing to do\n`)
        .join(''),
    );
    rmSync(folder, { recursive: true, force: true });
  },
);
