import { describe, expect, it } from 'vitest';
import type { EndpointSubset, Endpoints } from '../schema/kubernetes-types.ts';
import { ENDPOINTS } from './endpoints.ts';
import { cells, created, createErrors, sent, updateErrors } from './writes-for-tests.ts';

const endpoints = (...subsets: EndpointSubset[]): Endpoints => sent<Endpoints>({ subsets });
const ready = (...ips: string[]) => ips.map((ip) => ({ ip }));

describe('endpoints', () => {
  it('speak TCP where nothing else is said', () => {
    const given = endpoints({ addresses: ready('10.0.0.1'), ports: [{ port: 80 }] });
    expect(created(ENDPOINTS, given).subsets?.[0]?.ports).toEqual([{ port: 80, protocol: 'TCP' }]);
    expect(createErrors(ENDPOINTS, given)).toEqual([]);
  });

  it.each<[EndpointSubset, string]>([
    [{}, 'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
    [
      { addresses: ready('0.0.0.0') },
      'subsets[0].addresses[0].ip: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
    ],
    [
      { addresses: ready('10.0.0.1'), ports: [{ port: 80 }, { port: 81, name: 'b' }] },
      'subsets[0].ports[0].name: Required value',
    ],
    [
      { addresses: ready('10.0.0.1'), ports: [{ port: 0 }] },
      'subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
    ],
  ])('%j are refused', (subset, expected) => {
    expect(createErrors(ENDPOINTS, endpoints(subset))).toContain(expected);
  });

  it('that were wrong before may stay so', () => {
    const wrong = created(ENDPOINTS, endpoints({}));
    expect(updateErrors(ENDPOINTS, wrong, wrong)).toEqual([]);
    expect(updateErrors(ENDPOINTS, endpoints({ ports: [] }, {}), wrong)).not.toEqual([]);
  });

  it.each<[EndpointSubset[], string]>([
    [[], '<none>'],
    [[{ addresses: ready('10.0.0.1') }], '10.0.0.1'],
    [[{ notReadyAddresses: ready('10.0.0.1'), ports: [{ port: 80 }] }], ''],
    [
      [
        {
          addresses: ready('10.0.0.1', '10.0.0.2'),
          ports: [
            { name: 'a', port: 80 },
            { name: 'b', port: 81 },
          ],
        },
      ],
      '10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 1 more...',
    ],
  ])('%j show as %s', (subsets, expected) => {
    expect(cells(ENDPOINTS, endpoints(...subsets))['Endpoints']).toBe(expected);
  });
});
