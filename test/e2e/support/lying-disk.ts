/**
 * A disk server that answers flushes without doing them, for tests: loaded before an understudy process (`node --import`), it
 * takes fdatasync away from `understudy disk`, which flushes its image by nothing else. The product has no such switch.
 */
import { open } from 'node:fs/promises';

if (process.argv.includes('disk')) {
  const handle = await open('/dev/null');
  const prototype = Object.getPrototypeOf(handle) as { datasync: () => Promise<void> };
  prototype.datasync = async () => {};
  await handle.close();
}
