/**
 * A disk that answers flushes without doing them, for tests: loaded before an understudy process (`node --import`), it takes fdatasync
 * of images away from the disk server, and from replicas with an image of their own. They flush images by nothing else. The product
 * has no such switch.
 */
import { readlinkSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

if (process.argv.some((word) => ['disk', 'primary', 'backup'].includes(word))) {
  const handle = await open('/dev/null');
  const prototype = Object.getPrototypeOf(handle) as { datasync: (this: FileHandle) => Promise<void> };
  const { datasync } = prototype;
  prototype.datasync = async function (this: FileHandle) {
    if (!readlinkSync(`/proc/self/fd/${this.fd}`).endsWith('.img')) await datasync.call(this);
  };
  await handle.close();
}
