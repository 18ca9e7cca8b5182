import { OperatingError } from '../../../core/base/error.ts';
import type { ImageBuildRequest } from '../requests.ts';

/** Not there yet: takes the checked request and returns the exit status. */
export function imageBuild(_request: ImageBuildRequest): Promise<number> {
  throw new OperatingError('not-there-yet', '"understudy image build" is not there yet');
}
