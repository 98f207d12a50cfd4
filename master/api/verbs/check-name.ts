import { badRequest } from '../../../shared/errors.ts';

/** The object of a PUT must name itself as the path does. Throws BadRequest. */
export function checkName(requested: string, given: string): void {
  if (given === requested) return;
  throw badRequest(
    given === ''
      ? `the name of the object (${requested} based on URL) was undeterminable: name must be provided`
      : `the name of the object (${given}) does not match the name on the URL (${requested})`,
  );
}
