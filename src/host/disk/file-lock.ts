/**
 * The exclusive lock on a disk image: flock(2), taken on the very file, so that it holds whatever name, link or directory
 * somebody comes by, and is gone the instant its holder is, SIGKILL included. Over NFS it holds between hosts too.
 *
 * Node cannot call flock(2). But its lock belongs to the *open file description*, which a child shares that inherits the
 * descriptor: so flock(1) of util-linux takes the lock on descriptor 3 and ends, and the lock stays with our own descriptor
 * until it is closed. Nothing has to be kept running.
 */
import { spawnSync } from 'node:child_process';
import { fstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { OperatingError } from '../../core/base/error.ts';
import { errorCode } from '../net/address.ts';

export type LockErrorCode = 'disk-in-use' | 'cannot-lock';

/** flock(1) ends with this status when somebody else has the lock. */
const CONFLICT_STATUS = 1;

/** Locks the open file until `descriptor` is closed. Throws OperatingError `disk-in-use` or `cannot-lock`. */
export function lockExclusively(descriptor: number, path: string, what: 'disk' | 'state directory' = 'disk'): void {
  const { status, error, stderr } = spawnSync('flock', ['-x', '-n', '3'], {
    stdio: ['ignore', 'ignore', 'pipe', descriptor],
    encoding: 'utf8',
  });
  if (status === 0) return;
  if (status === CONFLICT_STATUS) {
    throw new OperatingError(
      'disk-in-use',
      `the ${what} ${path} is already in use by ${holderOf(descriptor)}`,
      `Only one process may have it: stop that one, or give this machine a ${what} of its own.`,
    );
  }
  const missing = error !== undefined && errorCode(error) === 'ENOENT';
  throw new OperatingError(
    'cannot-lock',
    `the ${what} ${path} cannot be locked: ${missing ? "the program 'flock' is missing" : (error?.message ?? stderr.trim())}`,
    missing ? 'Install it: sudo apt-get install util-linux.' : `Put the ${what} on a file system that has locks.`,
  );
}

/** Who has the file open, as far as /proc tells this user. */
function holderOf(descriptor: number): string {
  const wanted = fstatSync(descriptor);
  for (const pid of numbersIn('/proc')) {
    const open = numbersIn(`/proc/${pid}/fd`).filter((number) => {
      if (pid === process.pid && number === descriptor) return false;
      try {
        const found = statSync(`/proc/${pid}/fd/${number}`);
        return found.dev === wanted.dev && found.ino === wanted.ino;
      } catch {
        return false; // closed meanwhile
      }
    });
    if (open.length > 0) return pid === process.pid ? 'this same process' : `process ${pid} (${commandOf(pid)})`;
  }
  return 'another process, of another user or on another host';
}

function numbersIn(directory: string): number[] {
  try {
    return readdirSync(directory)
      .map(Number)
      .filter((number) => Number.isInteger(number));
  } catch {
    return []; // not ours to see, or gone
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim().slice(0, 200);
  } catch {
    return 'unknown';
  }
}
