import { describe, expect, it } from 'vitest';
import type { EndpointSlice } from '../schema/kubernetes-types.ts';
import { ENDPOINT_SLICES } from './endpoint-slice.ts';
import { cells, created, createErrors, sent, updated, updateErrors } from './writes-for-tests.ts';

const slice = (fields: object = {}): EndpointSlice =>
  sent<EndpointSlice>({
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.42.0.2'] }],
    ports: [{ port: 80 }],
    ...fields,
  });
const stored = (fields: object = {}): EndpointSlice => created(ENDPOINT_SLICES, slice(fields));

describe('a slice', () => {
  it('is filled in as on Kubernetes', () => {
    const given = slice({
      endpoints: [{ addresses: ['10.42.0.2'], deprecatedTopology: { a: 'b' } }],
    });
    expect(created(ENDPOINT_SLICES, given)).toMatchObject({
      metadata: { generation: 1 },
      endpoints: [{ addresses: ['10.42.0.2'] }],
      ports: [{ name: '', port: 80, protocol: 'TCP' }],
    });
    expect(created(ENDPOINT_SLICES, given).endpoints[0]).not.toHaveProperty('deprecatedTopology');
    expect(created(ENDPOINT_SLICES, slice({ endpoints: undefined })).endpoints).toEqual([]);
    expect(createErrors(ENDPOINT_SLICES, given)).toEqual([]);
  });

  it.each<[object, string]>([
    [{ addressType: undefined }, 'addressType: Required value'],
    [
      { addressType: 'ip' },
      'addressType: Unsupported value: "ip": supported values: "FQDN", "IPv4", "IPv6"',
    ],
    [
      { endpoints: [{ addresses: [] }] },
      'endpoints[0].addresses: Required value: must contain at least 1 address',
    ],
    [
      { endpoints: [{ addresses: ['::2'] }] },
      'endpoints[0].addresses: Invalid value: "::2": must be an IPv4 address',
    ],
    [
      { endpoints: [{ addresses: ['10.0.0.1', 'x'] }] },
      'endpoints[0].addresses[1]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
    [
      { endpoints: [{ addresses: ['127.0.0.1'] }] },
      'endpoints[0].addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    ],
    [
      { addressType: 'FQDN', endpoints: [{ addresses: ['host'] }] },
      'endpoints[0].addresses[0]: Invalid value: "host": should be a domain with at least two segments separated by dots',
    ],
    [{ ports: [{ port: 1 }, { port: 2 }] }, 'ports[1].name: Duplicate value: ""'],
    [
      { ports: [{ protocol: 'ICMP' }] },
      'ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
    ],
    [
      { endpoints: Array.from({ length: 1001 }, () => ({ addresses: ['10.0.0.1'] })) },
      'endpoints: Too many: 1001: must have at most 1000 items',
    ],
  ])('%j is refused', (fields, expected) => {
    expect(createErrors(ENDPOINT_SLICES, slice(fields))).toContain(expected);
  });

  it('counts a change of its endpoints, and keeps its kind of address', () => {
    const same = slice({ metadata: { labels: { a: 'b' } } });
    expect(updated(ENDPOINT_SLICES, same, stored()).metadata.generation).toBe(1);
    const other = slice({ endpoints: [] });
    expect(updated(ENDPOINT_SLICES, other, stored()).metadata.generation).toBe(2);
    const turned = slice({ addressType: 'FQDN', endpoints: [] });
    expect(updateErrors(ENDPOINT_SLICES, turned, stored())).toEqual([
      'addressType: Invalid value: "FQDN": field is immutable',
    ]);
  });

  it('shows its first addresses and ports', () => {
    const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'];
    const row = cells(ENDPOINT_SLICES, stored({ endpoints: [{ addresses }], ports: undefined }));
    expect(row).toMatchObject({
      AddressType: 'IPv4',
      Ports: '<unset>',
      Endpoints: '10.0.0.1,10.0.0.2,10.0.0.3 + 2 more...',
    });
  });
});
