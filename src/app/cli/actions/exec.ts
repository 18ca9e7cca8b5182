import { OperatingError } from '../../../core/base/error.ts';
import type { ExecRequest } from '../requests.ts';

/** Not there yet: takes the checked request and returns the exit status. */
export function exec(_request: ExecRequest): Promise<number> {
  throw new OperatingError('not-there-yet', '"understudy exec" is not there yet');
}
