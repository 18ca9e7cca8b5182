import { OperatingError } from '../../../core/base/error.ts';
import type { DiskRequest } from '../requests.ts';

/** Not there yet: takes the checked request and returns the exit status. */
export function disk(_request: DiskRequest): Promise<number> {
  throw new OperatingError('not-there-yet', '"understudy disk" is not there yet');
}
