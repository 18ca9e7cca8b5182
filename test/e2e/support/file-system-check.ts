/**
 * Whether the guest's ext4 in a raw image is whole. What its journal mends is no problem, as at every boot; what is wrong after that
 * is one. The image itself is only read.
 */
import { execFile } from 'node:child_process';
import { copyFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** e2fsck is in a directory that not every user's PATH has. */
const SBIN = { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } };

let count = 0;

/** What e2fsck says against it; empty if nothing. */
export async function fileSystemProblems(image: string): Promise<string[]> {
  const copy = join(tmpdir(), `understudy-fsck-${process.pid}-${++count}.img`);
  try {
    await run('cp', ['--sparse=always', image, copy]).catch(() => copyFile(image, copy));
    await run('e2fsck', ['-y', '-E', 'journal_only', copy], SBIN).catch(() => {});
    await run('e2fsck', ['-f', '-n', copy], SBIN);
    return [];
  } catch (error) {
    const { stdout = '' } = error as { stdout?: string };
    return [`fsck: ${stdout.trim() || String(error)}`];
  } finally {
    await rm(copy, { force: true });
  }
}
