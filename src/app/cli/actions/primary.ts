import { OperatingError } from '../../../core/base/error.ts';
import type { PrimaryRequest } from '../requests.ts';

/** Not there yet: takes the checked request and returns the exit status. */
export function primary(_request: PrimaryRequest): Promise<number> {
  throw new OperatingError('not-there-yet', '"understudy primary" is not there yet');
}
