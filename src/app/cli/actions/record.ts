import { OperatingError } from '../../../core/base/error.ts';
import type { RecordRequest } from '../requests.ts';

/** Not there yet: takes the checked request and returns the exit status. */
export function record(_request: RecordRequest): Promise<number> {
  throw new OperatingError('not-there-yet', '"understudy record" is not there yet');
}
