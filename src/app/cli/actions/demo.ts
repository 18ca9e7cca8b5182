import { OperatingError } from '../../../core/base/error.ts';
import type { DemoRequest } from '../requests.ts';

/** Not there yet: takes the checked request and returns the exit status. */
export function demo(_request: DemoRequest): Promise<number> {
  throw new OperatingError('not-there-yet', '"understudy demo" is not there yet');
}
