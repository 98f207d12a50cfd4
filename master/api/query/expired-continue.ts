import { ApiError } from '../../../shared/errors.ts';
import { type Continue, encodeContinue } from './continue-token.ts';

/** 410 for a page of a list that can no longer be shown as it was; carries a token for the rest of the list as it is now. */
export class ExpiredContinue extends ApiError {
  readonly continueToken: string;

  constructor(rest: Continue) {
    super(
      'Expired',
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    );
    this.continueToken = encodeContinue(rest);
  }
}
