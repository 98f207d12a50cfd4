import { describe, expect, test } from 'vitest';
import { peerAnnotation, peerAnnotations } from './peer-annotations.ts';
import type { PeerMode } from './peer-plan.ts';
import { vxlanLink, vxlanMac, vxlanNetwork } from './vxlan.ts';

describe('names and numbers of VXLAN', () => {
  test('a link fits into IFNAMSIZ and differs between agents', () => {
    expect(vxlanLink('agent-1')).toMatch(/^sv[0-9a-f]{10}$/);
    expect(vxlanLink('agent-1')).not.toBe(vxlanLink('agent-2'));
  });

  test('network and port are in range and differ between clusters', () => {
    const all = Array.from({ length: 500 }, (_, index) => vxlanNetwork(`cluster-${index}`));
    for (const { vni, port } of all) {
      expect(vni >= 1 && vni < 2 ** 24).toBe(true);
      expect(port >= 8473 && port < 8600).toBe(true);
    }
    expect(new Set(all.map(({ vni }) => vni)).size).toBe(500);
  });

  test('a hardware address is one of a single station, locally administered', () => {
    expect(vxlanMac('one', 'a')).toMatch(/^0a(:[0-9a-f]{2}){5}$/);
    expect(vxlanMac('one', 'a')).not.toBe(vxlanMac('one', 'b'));
    expect(vxlanMac('one', 'a')).not.toBe(vxlanMac('two', 'a'));
  });
});

describe('annotations of peers', () => {
  test('a key has at most 63 characters behind the slash, and stays one of its node', () => {
    expect(peerAnnotation('pi-4')).toBe('peer-pi-4');
    const long = peerAnnotation(`${'x'.repeat(100)}.a`);
    expect(long).toMatch(/^peer-[a-z0-9.-]{57}[a-z0-9]$/);
    expect(long).not.toBe(peerAnnotation(`${'x'.repeat(100)}.b`));
  });

  test('of many peers a hundred are told, those in VXLAN first', () => {
    const modes = new Map<string, PeerMode>();
    for (let index = 0; index < 300; index++)
      modes.set(`n${index}`, index < 290 ? 'host-gw' : 'vxlan');
    const told = Object.values(peerAnnotations(modes));
    expect(told).toHaveLength(100);
    expect(told.filter((mode) => mode === 'vxlan')).toHaveLength(10);
  });
});
