import { type FieldError, fieldInvalid, fieldInvalidEach } from '../meta/field-error.ts';
import { checkIp } from '../meta/names.ts';

const UNREACHABLE: readonly [RegExp, string][] = [
  [/^(?:0\.0\.0\.0|::)$/, ''],
  [/^(?:127\.|::1$)/, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  [/^(?:169\.254\.|fe[89ab])/i, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  [
    /^(?:224\.0\.0\.|ff02:)/i,
    'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
  ],
];

/** An address that others can reach: core validation, ValidateEndpointIP. */
export function validateReachableIp(ip: string, path: string): FieldError[] {
  const wrong = checkIp(ip);
  if (wrong.length > 0) return fieldInvalidEach(path, ip, wrong);
  return UNREACHABLE.filter(([pattern]) => pattern.test(ip)).map(([, rule]) =>
    fieldInvalid(path, ip, rule || `may not be unspecified (${ip})`),
  );
}
