import { createPublicKey, type KeyObject, sign } from 'node:crypto';

/** Tags of DER (X.690, section 8). */
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const SEQUENCE = 0x30;
const SET = 0x31;
const CONTEXT_0 = 0xa0;

/** 2.5.4.3 and 1.2.840.10045.4.3.2. */
const COMMON_NAME = Buffer.from('550403', 'hex');
const ECDSA_WITH_SHA256 = Buffer.from('2a8648ce3d040302', 'hex');

/**
 * A request for a certificate of this P-256 key (PKCS#10, RFC 2986), PEM: forty lines here, so that a device need not load an X.509
 * library. The name is a courtesy to who reads it; the master gives the name that counts.
 */
export function certificateRequest(privateKey: KeyObject, commonName: string): string {
  const name = der(
    SEQUENCE,
    der(
      SET,
      der(
        SEQUENCE,
        der(OBJECT_IDENTIFIER, COMMON_NAME),
        der(UTF8_STRING, Buffer.from(commonName, 'utf8')),
      ),
    ),
  );
  const info = der(
    SEQUENCE,
    der(INTEGER, Buffer.from([0])),
    name,
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    der(CONTEXT_0),
  );
  const request = der(
    SEQUENCE,
    info,
    der(SEQUENCE, der(OBJECT_IDENTIFIER, ECDSA_WITH_SHA256)),
    der(BIT_STRING, Buffer.from([0]), sign('sha256', info, privateKey)),
  );
  const lines = request.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), derLength(content.length), content]);
}

function derLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  if (length < 0x100) return Buffer.from([0x81, length]);
  return Buffer.from([0x82, length >> 8, length & 0xff]);
}
