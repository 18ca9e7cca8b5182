import { OperatingError } from '../../../core/base/error.ts';
import type { ReplayRequest } from '../requests.ts';

/** Not there yet: takes the checked request and returns the exit status. */
export function replay(_request: ReplayRequest): Promise<number> {
  throw new OperatingError('not-there-yet', '"understudy replay" is not there yet');
}
