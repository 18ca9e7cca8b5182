import { OperatingError } from '../../../core/base/error.ts';
import type { PairRequest } from '../requests.ts';

/** Not there yet: takes the checked request and returns the exit status. */
export function pair(_request: PairRequest): Promise<number> {
  throw new OperatingError('not-there-yet', '"understudy pair" is not there yet');
}
