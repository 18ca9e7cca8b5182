import { OperatingError } from '../../../core/base/error.ts';
import type { HubRequest } from '../requests.ts';

/** Not there yet: takes the checked request and returns the exit status. */
export function hub(_request: HubRequest): Promise<number> {
  throw new OperatingError('not-there-yet', '"understudy hub" is not there yet');
}
