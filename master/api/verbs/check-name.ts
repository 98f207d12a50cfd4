import { badRequest } from '../../../shared/errors.ts';

/** The object of a PUT must name itself as the path does. Throws BadRequest. */
export function checkName(requested: string, given: string): void {
  if (given === requested) return;
  if (given === '') throw badRequest('name must be provided');
  throw badRequest(
    `the name of the object (${given}) does not match the name on the URL (${requested})`,
  );
}
