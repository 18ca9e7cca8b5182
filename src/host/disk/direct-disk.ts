/**
 * A disk that is a file of this host, opened by the process that runs the machine: for a machine without a backup
 * (`understudy run`, `understudy record`). The lock on the file keeps everybody else out.
 */
import type { BlockRequest } from '../../core/machine/doors.ts';
import { type BlockResult, type Disk, extentOf, failed } from './disk.ts';
import { ImageFile } from './image-file.ts';
import { OverlapOrder } from './overlap-order.ts';

/**
 * Opens and locks the raw image at `path`. `onProblem` hears of requests that fail because of this host.
 * Throws OperatingError<DiskFileErrorCode | LockErrorCode>.
 */
export async function openDirectDisk(path: string, onProblem: (line: string) => void): Promise<Disk> {
  return new DirectDisk(await ImageFile.open(path, onProblem));
}

class DirectDisk implements Disk {
  readonly sizeBytes: number;
  readonly description: string;
  readonly #image: ImageFile;
  readonly #order = new OverlapOrder();
  readonly #running = new Set<Promise<BlockResult>>();
  #closed = false;

  constructor(image: ImageFile) {
    this.#image = image;
    this.sizeBytes = image.sizeBytes;
    this.description = image.path;
  }

  request(request: BlockRequest): Promise<BlockResult> {
    if (this.#closed) return Promise.resolve(failed('closed'));
    const answer = this.#order.run(extentOf(request), () => this.#image.perform(request));
    this.#running.add(answer);
    void answer.then(() => this.#running.delete(answer));
    return answer;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all(this.#running);
    await this.#image.close();
  }
}
