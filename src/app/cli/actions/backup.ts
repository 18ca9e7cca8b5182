import { OperatingError } from '../../../core/base/error.ts';
import type { BackupRequest } from '../requests.ts';

/** Not there yet: takes the checked request and returns the exit status. */
export function backup(_request: BackupRequest): Promise<number> {
  throw new OperatingError('not-there-yet', '"understudy backup" is not there yet');
}
