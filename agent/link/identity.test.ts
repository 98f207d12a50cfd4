import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { agentIdFrom } from './agent-id.ts';
import { Identity } from './identity.ts';

test.each([
  '{',
  '[]',
  '{}',
  JSON.stringify({
    ...{ nodeName: 'a', clusterId: 'c', certificate: 'torn', ca: 'torn', masterSigningKey: '' },
    ...{ broker: '', server: 'https://10.0.0.1:6443', lifetimeSeconds: 60 },
  }),
])('a damaged enrolment is refused with its path and what to do: %s', async (text) => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-identity-'));
  try {
    await new Identity(folder).open();
    writeFileSync(join(folder, 'enrolment.json'), text);
    await expect(new Identity(folder).open()).rejects.toThrow(
      `${folder}/enrolment.json is damaged: put it back from a backup, or remove it and join the cluster with a new token`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.each(['', '\n', 'abc\n', 'x'.repeat(12), '../0123456789'])(
  'an id file that holds %j is no id',
  async (text) => {
    const folder = mkdtempSync(join(tmpdir(), 'skerry-identity-'));
    try {
      writeFileSync(join(folder, 'id'), text);
      expect(() => agentIdFrom(text, 'id')).toThrow('id is damaged');
      await expect(new Identity(folder).open()).rejects.toThrow(`${folder}/id is damaged`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

test.each(['signing.key', 'sealing.key', 'tls.key'])(
  'a damaged %s is refused with its path and what to do',
  async (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'skerry-identity-'));
    try {
      await new Identity(folder).open();
      const other = name === 'tls.key' ? 'signing.key' : 'tls.key';
      const ofAnotherType = readFileSync(join(folder, other), 'utf8');
      for (const content of ['', 'torn', ofAnotherType]) {
        writeFileSync(join(folder, name), content);
        await expect(new Identity(folder).open()).rejects.toThrow(
          new RegExp(
            `^${folder}/${name} is damaged, .*: put it back from a backup, or remove ${folder} `,
          ),
        );
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

test('a folder in the place of a file is named', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-identity-'));
  try {
    mkdirSync(join(folder, 'signing.key'));
    await expect(new Identity(folder).open()).rejects.toThrow(
      `${folder}/signing.key is a folder and must be a file: `,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.each(['id', 'signing.key', 'sealing.key', 'tls.key'])(
  'a device that has joined and lost its %s is refused, and makes no other',
  async (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'skerry-identity-'));
    try {
      await new Identity(folder).open();
      writeFileSync(join(folder, 'enrolment.json'), '{}');
      rmSync(join(folder, name));
      await expect(new Identity(folder).open()).rejects.toThrow(
        `${folder}/${name} is missing although this device has joined a cluster: put it back from a backup, or remove ${folder} and join with a new token`,
      );
      expect(existsSync(join(folder, name))).toBe(false);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

test('a lost id beside a saved state is refused: its containers carry the id', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-identity-'));
  try {
    mkdirSync(join(folder, 'state'));
    writeFileSync(join(folder, 'state/state.log'), 'something');
    await expect(new Identity(folder).open()).rejects.toThrow(`${folder}/id is missing`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
