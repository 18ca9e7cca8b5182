/**
 * The directory arbiter: a directory that both hosts reach, such as an NFS export of a third machine. One file a record,
 * `<directory>/<vm>/<name>` (record-arbiter.ts has the names).
 *
 * A record is published whole, at once, once (PROTOCOL.md, 5): a temporary file is written and synced, then `link` gives
 * it its name, which fails if the name is taken (atomic on NFS too, as `O_EXCL` is not on every version); then the
 * directory is synced; then the record is read back, and only what was read counts. An answer of `link` alone is not
 * believed: over NFS it may be lost or repeated. Before any answer, *lost* included, the directory is synced, so no
 * answer is ever taken back by a power failure.
 *
 * Nothing creates the machine's directory but `makePlace`: a claim in a place where it is missing is *unknown*.
 *
 * A hanging NFS server hangs the system call for as long as it likes: the answer is then *unknown* after `timeoutMs`, though the
 * operation may still land.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { OperatingError } from '../../core/base/error.ts';
import { errorCode } from '../net/address.ts';
import type { Arbiter } from './arbiter.ts';
import { DEFAULT_TIMEOUT_MS, parseRecord, RecordArbiter, type Records } from './record-arbiter.ts';

export type DirectoryArbiterOptions = {
  /** Must exist. */
  readonly directory: string;
  /** After this long an operation is `unknown`. */
  readonly timeoutMs?: number;
};

/**
 * Opens the arbiter in `directory` and tries that it can be written.
 * Throws OperatingError `arbiter-missing` or `arbiter-not-writable`.
 */
export async function openDirectoryArbiter(options: DirectoryArbiterOptions): Promise<Arbiter> {
  const directory = resolve(options.directory);
  await checkDirectory(directory);
  return new RecordArbiter(new DirectoryRecords(directory), options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
}

class DirectoryRecords implements Records {
  readonly description: string;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.description = `the arbiter directory ${directory}`;
  }

  makePlace(vm: string): Promise<void> {
    return this.#telling(async () => {
      await mkdir(join(this.#directory, vm)).catch((error: unknown) => {
        if (errorCode(error) !== 'EEXIST') throw error;
      });
      await syncDirectory(this.#directory);
    });
  }

  publish(vm: string, name: string, content: object, beside: string | undefined): Promise<unknown> {
    const place = join(this.#directory, vm);
    return this.#telling(async () => {
      if (beside !== undefined && (await readRecord(place, beside)) === undefined) return undefined;
      await publish(place, name, content);
      return readRecord(place, name);
    });
  }

  read(vm: string, name: string): Promise<unknown> {
    return this.#telling(() => readRecord(join(this.#directory, vm), name));
  }

  names(vm: string, prefix: string): Promise<readonly string[]> {
    const place = join(this.#directory, vm);
    return this.#telling(async () => {
      await syncDirectory(place); // opening it makes an NFS client look at the server again
      return (await readdir(place)).filter((name) => name.startsWith(prefix));
    });
  }

  async close(): Promise<void> {}

  /** A place that is missing shows no record, which is no trouble of the file system; all else is. */
  async #telling<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    try {
      return await work();
    } catch (error) {
      const code = errorCode(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') throw error;
      throw new OperatingError(
        'arbiter-away',
        `${this.description} cannot be used: ${code === '' ? String(error) : code}`,
        'Look at the mount and its server, and at the rights to the directory.',
        { cause: error },
      );
    }
  }
}

/** The parsed content of a record, or undefined where it is missing, empty or no JSON. Throws other errors of reading. */
async function readRecord(place: string, name: string): Promise<unknown> {
  try {
    return parseRecord(await readFile(join(place, name), { encoding: 'utf8' }));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Gives `content` the name `name`, whole and durable, unless the name is taken. Throws where durability is in doubt. */
async function publish(place: string, name: string, content: object): Promise<void> {
  const temporary = join(place, `.new-${name}-${randomBytes(8).toString('hex')}`);
  try {
    const file = await open(temporary, 'wx', 0o644);
    await finishing(file, async () => {
      await file.writeFile(`${JSON.stringify(content)}\n`);
      await file.sync();
    });
    // Its answer decides nothing: what is read back does.
    await link(temporary, join(place, name)).catch(() => {});
  } finally {
    await unlink(temporary).catch(() => {});
  }
  await syncDirectory(place);
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  await finishing(directory, () => directory.sync());
}

async function finishing(file: FileHandle, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    await file.close();
  }
}

async function checkDirectory(directory: string): Promise<void> {
  const isDirectory = await stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isDirectory) {
    throw new OperatingError(
      'arbiter-missing',
      `there is no directory ${directory} for the arbiter`,
      'Make it, on storage that both hosts reach, or mount the storage that holds it.',
    );
  }
  try {
    const name = join(directory, `.try-${randomBytes(8).toString('hex')}`);
    await (await open(name, 'wx')).close();
    await unlink(name);
  } catch (error) {
    throw new OperatingError(
      'arbiter-not-writable',
      `the arbiter directory ${directory} cannot be written: ${errorCode(error)}`,
      'Give this user the right to create files in it.',
      { cause: error },
    );
  }
}
