import { expect, test } from 'vitest';
import { containerdAddress } from './containerd-address.ts';

test("containerd's socket is the one that its own client would take", () => {
  expect(containerdAddress({ CONTAINERD_ADDRESS: '/run/other.sock' })).toBe('/run/other.sock');
  expect(containerdAddress({ CONTAINERD_ADDRESS: '' })).toBe('/run/containerd/containerd.sock');
  expect(containerdAddress({})).toBe('/run/containerd/containerd.sock');
});
