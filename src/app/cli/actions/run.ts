import { OperatingError } from '../../../core/base/error.ts';
import type { RunRequest } from '../requests.ts';

/** Not there yet: takes the checked request and returns the exit status. */
export function run(_request: RunRequest): Promise<number> {
  throw new OperatingError('not-there-yet', '"understudy run" is not there yet');
}
