/** One resource record of the cluster's zones; names without the trailing dot. `ttl` is seconds. */
export type ZoneRecord =
  | { name: string; type: 'A' | 'AAAA' | 'CNAME' | 'PTR' | 'NS' | 'TXT'; ttl: number; data: string }
  | { name: string; type: 'SRV'; ttl: number; data: SrvData }
  | { name: string; type: 'SOA'; ttl: number; data: SoaData };

export interface SrvData {
  priority: number;
  weight: number;
  port: number;
  target: string;
}

/** RFC 1035 §3.3.13; `minimum` is how long a resolver may remember that a name is not there, seconds. */
export interface SoaData {
  mname: string;
  rname: string;
  serial: number;
  refresh: number;
  retry: number;
  expire: number;
  minimum: number;
}

/** What the records of one service say at one name below it. */
export interface NameData {
  A?: string[];
  AAAA?: string[];
  SRV?: SrvData[];
  CNAME?: string;
}
