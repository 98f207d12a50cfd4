import { X509Certificate } from 'node:crypto';
import type { JsonObject } from '../../shared/meta/kube-object.ts';
import { objectIn, stringIn } from '../../shared/wire/body.ts';
import type { EnrolmentAnswer } from '../../shared/wire/enrolment.ts';

const YEAR_SECONDS = 365 * 24 * 60 * 60;

/** What a device was given when it joined, as it lies in DIR/agent/enrolment.json. */
export interface Enrolment extends EnrolmentAnswer {
  /** Where it enrolled: https://host:port. */
  server: string;
}

/** Reads the text of the file at `path`. Throws one sentence with what to do. */
export function readSavedEnrolment(text: string, path: string): Enrolment {
  try {
    return readEnrolment(text);
  } catch (error) {
    throw new Error(
      `${path} is damaged: put it back from a backup, or remove it and join the cluster with a new token`,
      { cause: error },
    );
  }
}

/** Reads what the master answers, to which `server` is added, or what was saved of it. Throws an error that names what is wrong. */
export function readEnrolment(json: string, server?: string): Enrolment {
  const given: JsonObject = objectIn(JSON.parse(json), 'the enrolment');
  const text = (name: keyof Enrolment) => stringIn(given[name], name);
  const pem = (name: 'certificate' | 'ca') => {
    try {
      return new X509Certificate(text(name)) && text(name);
    } catch (error) {
      throw new Error(`${name} is no certificate`, { cause: error });
    }
  };
  return {
    nodeName: text('nodeName'),
    clusterId: text('clusterId'),
    certificate: pem('certificate'),
    lifetimeSeconds: Number(given['lifetimeSeconds']) || YEAR_SECONDS,
    ca: pem('ca'),
    masterSigningKey: text('masterSigningKey'),
    broker: text('broker'),
    server: server ?? text('server'),
  };
}

/** Where the device connects: the broker that the master named, or the master's own port as the device reaches it. */
export function brokerUrl({ broker, server }: Enrolment): string {
  return broker === '' ? `mqtts://${new URL(server).host}` : broker;
}
