/** Copies of disk images. Node's copyFile fills holes; cp keeps them, and shares blocks where the file system can. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Copies `from` to `to`, which must not exist. Without GNU cp a plain copy will do. Rejects as copyFile does. */
export async function copySparse(from: string, to: string): Promise<void> {
  try {
    await promisify(execFile)('cp', ['--sparse=always', '--reflink=auto', '--no-clobber', from, to]);
  } catch {
    await copyFile(from, to, constants.COPYFILE_EXCL);
  }
}
