/** Copies of disk images. Node's copyFile fills holes; cp keeps them, and shares blocks where the file system can. */
import { execFile } from 'node:child_process';
import { copyFile, open, rm } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Copies `from` to `to`, which must not exist. Without GNU cp a plain copy will do. Rejects as `open` and `copyFile` do. */
export async function copySparse(from: string, to: string): Promise<void> {
  await (await open(to, 'wx')).close();
  try {
    await promisify(execFile)('cp', ['--sparse=always', '--reflink=auto', from, to]).catch(() => copyFile(from, to));
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
}
