/**
 * The directory arbiter: a directory that both hosts reach, such as an NFS export of a third machine. One file a record:
 *
 *   <directory>/<vm>/owner-<g>    who owns generation g
 *   <directory>/<vm>/solo-<g>     its owner's record before it has a backup
 *   <directory>/<vm>/pair-<g>     the record of the pair
 *
 * A record is published whole, at once, once (PROTOCOL.md, 5): a temporary file is written and synced, then `link` gives
 * it its name, which fails if the name is taken (atomic on NFS too, as `O_EXCL` is not on every version); then the
 * directory is synced; then the record is read back, and only what was read counts. An answer of `link` alone is not
 * believed: over NFS it may be lost or repeated. Before any answer, *lost* included, the directory is synced, so no
 * answer is ever taken back by a power failure.
 *
 * Nothing creates the machine's directory but `create`: a claim in a place where it is missing is *unknown*.
 *
 * A hanging NFS server hangs the system call for as long as it likes. Each operation is therefore *unknown* after
 * `timeoutMs`, though it may still land; and operations run one after the other, so that at most one thread hangs.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { assert } from '../../core/base/assert.ts';
import { OperatingError } from '../../core/base/error.ts';
import { errorCode } from '../net/address.ts';
import {
  type Arbiter,
  type ClaimOutcome,
  checkMachineName,
  isIdentifier,
  type Owner,
  type PairRecord,
  type WriteOutcome,
} from './arbiter.ts';

export type ArbiterErrorCode = 'arbiter-missing' | 'arbiter-not-writable' | 'arbiter-local';

export type DirectoryArbiterOptions = {
  /** Must exist. */
  readonly directory: string;
  /** After this long an operation is `unknown`. */
  readonly timeoutMs?: number;
};

/** A record's file is small; anything longer is not ours. */
const MAX_RECORD_BYTES = 4096;
const OWNER_FILE = /^owner-(\d{1,15})$/;

/**
 * Opens the arbiter in `directory` and tries that it can be written.
 * Throws OperatingError `arbiter-missing` or `arbiter-not-writable`.
 */
export async function openDirectoryArbiter(options: DirectoryArbiterOptions): Promise<Arbiter> {
  const directory = resolve(options.directory);
  await checkDirectory(directory);
  return new DirectoryArbiter(directory, options.timeoutMs ?? 5000);
}

class DirectoryArbiter implements Arbiter {
  readonly description: string;
  readonly #directory: string;
  readonly #timeoutMs: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(directory: string, timeoutMs: number) {
    this.#directory = directory;
    this.#timeoutMs = timeoutMs;
    this.description = `the arbiter directory ${directory}`;
  }

  create(vm: string, incarnation: string): Promise<ClaimOutcome> {
    assert(isIdentifier(incarnation), 'an incarnation is 32 hexadecimal digits');
    const place = this.#placeOf(vm);
    return this.#oneByOne('unknown', async () => {
      await makeDirectory(this.#directory, place);
      return settleOwner(place, 0, incarnation);
    });
  }

  claim(vm: string, generation: number, incarnation: string, token: string): Promise<ClaimOutcome> {
    checkGeneration(generation);
    assert(isIdentifier(incarnation) && isIdentifier(token), 'incarnations and tokens are 32 hexadecimal digits');
    const place = this.#placeOf(vm);
    return this.#oneByOne('unknown', async () => {
      const records = [await readPairFile(place, 'pair', generation), await readPairFile(place, 'solo', generation)];
      const shown = records.find((record) => record?.token === token);
      if (shown === undefined) return 'unknown';
      if (shown.primary !== incarnation && shown.backup !== incarnation) return 'lost';
      return settleOwner(place, generation + 1, incarnation);
    });
  }

  coldClaim(vm: string, incarnation: string): Promise<{ outcome: ClaimOutcome; owner?: Owner }> {
    assert(isIdentifier(incarnation), 'an incarnation is 32 hexadecimal digits');
    const place = this.#placeOf(vm);
    return this.#oneByOne<{ outcome: ClaimOutcome; owner?: Owner }>({ outcome: 'unknown' }, async () => {
      const before = await newestOwner(place);
      if (before === undefined) return { outcome: 'unknown' };
      if (before.incarnation === incarnation) return { outcome: 'won', owner: before };
      const outcome = await settleOwner(place, before.generation + 1, incarnation);
      const owner = await newestOwner(place);
      return owner === undefined ? { outcome: 'unknown' } : { outcome, owner };
    });
  }

  writePair(vm: string, generation: number, record: PairRecord): Promise<WriteOutcome> {
    checkGeneration(generation);
    assert(isPairRecord(record), 'incarnations and tokens are 32 hexadecimal digits');
    const place = this.#placeOf(vm);
    return this.#oneByOne<WriteOutcome>('unknown', async () => {
      const owner = await newestOwner(place);
      if (owner === undefined || owner.generation < generation) return 'unknown';
      if (owner.generation > generation || owner.incarnation !== record.primary) return 'refused';
      const kind = record.backup === null ? 'solo' : 'pair';
      const { token, primary, backup } = record;
      await publish(place, `${kind}-${generation}`, { token, primary, backup });
      const shown = await readPairFile(place, kind, generation);
      if (shown === undefined) return 'unknown';
      return shown.token === token && shown.primary === primary && shown.backup === backup ? 'written' : 'refused';
    });
  }

  readPair(vm: string, generation: number): Promise<PairRecord | undefined> {
    checkGeneration(generation);
    const place = this.#placeOf(vm);
    return this.#oneByOne<PairRecord | undefined>(
      undefined,
      async () => (await readPairFile(place, 'pair', generation)) ?? (await readPairFile(place, 'solo', generation)),
    );
  }

  owner(vm: string): Promise<Owner | undefined> {
    const place = this.#placeOf(vm);
    return this.#oneByOne<Owner | undefined>(undefined, () => newestOwner(place));
  }

  async close(): Promise<void> {}

  #placeOf(vm: string): string {
    checkMachineName(vm);
    return join(this.#directory, vm);
  }

  /** Runs `work` after what was asked before; whatever goes wrong or takes too long in it is `unknown`. */
  #oneByOne<Answer>(unknown: Answer, work: () => Promise<Answer>): Promise<Answer> {
    const answer = this.#last.then(work).catch(() => unknown);
    this.#last = answer;
    return withTimeout(answer, unknown, this.#timeoutMs);
  }
}

async function withTimeout<Answer>(answer: Promise<Answer>, unknown: Answer, timeoutMs: number): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Answer>((done) => {
    timer = setTimeout(() => done(unknown), timeoutMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The test-and-set: publishes the owner of `generation` unless there is one, and tells whether it is `incarnation`. */
async function settleOwner(place: string, generation: number, incarnation: string): Promise<ClaimOutcome> {
  await publish(place, `owner-${generation}`, { incarnation });
  const owner = await readOwner(place, generation);
  if (owner === undefined) return 'unknown';
  return owner.incarnation === incarnation ? 'won' : 'lost';
}

async function newestOwner(place: string): Promise<Owner | undefined> {
  await syncDirectory(place); // opening it makes an NFS client look at the server again
  const generations = (await readdir(place)).map((name) => Number(OWNER_FILE.exec(name)?.[1] ?? -1));
  const newest = Math.max(-1, ...generations);
  return newest < 0 ? undefined : readOwner(place, newest);
}

async function readOwner(place: string, generation: number): Promise<Owner | undefined> {
  const content = await readRecord(place, `owner-${generation}`);
  const incarnation = (content as { incarnation?: unknown } | undefined)?.incarnation;
  return isIdentifier(incarnation) ? { generation, incarnation } : undefined;
}

async function readPairFile(place: string, kind: 'solo' | 'pair', generation: number): Promise<PairRecord | undefined> {
  const content = await readRecord(place, `${kind}-${generation}`);
  if (!isPairRecord(content) || (content.backup === null) !== (kind === 'solo')) return undefined;
  return { token: content.token, primary: content.primary, backup: content.backup };
}

function isPairRecord(content: unknown): content is PairRecord {
  if (typeof content !== 'object' || content === null) return false;
  const { token, primary, backup } = content as Record<string, unknown>;
  return isIdentifier(token) && isIdentifier(primary) && (backup === null || isIdentifier(backup));
}

/** The parsed content of a record, or undefined where it is missing, empty or no JSON. */
async function readRecord(place: string, name: string): Promise<unknown> {
  try {
    const text = await readFile(join(place, name), { encoding: 'utf8' });
    return text.length > MAX_RECORD_BYTES ? undefined : JSON.parse(text);
  } catch {
    return undefined;
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

async function makeDirectory(parent: string, place: string): Promise<void> {
  await mkdir(place).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error;
  });
  await syncDirectory(parent);
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

function checkGeneration(generation: number): void {
  assert(Number.isSafeInteger(generation) && generation >= 0, 'a generation is a whole number from 0 up');
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
