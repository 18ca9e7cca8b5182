/**
 * The fence: which generation may write the disk (PROTOCOL.md, 2 and 22). A new primary *admits* its generation before its
 * first read or write; once that is answered, no request of a lower generation will ever land, however long it was under way
 * in a network or in a queue here.
 *
 * Under one lock an admission of g
 *   1. is refused if a higher generation was admitted, or g by another incarnation;
 *   2. asks the arbiter, unless g was admitted before by this very incarnation: its record must name this incarnation as
 *      the owner of g, and g must be the newest generation;
 *      and where that record names the owner's host by its certificate, the client must have shown that one (29);
 *   3. revokes what was admitted before, with a lower generation or in the same session: its requests that have not
 *      begun are refused from now on, and those that have begun are waited for;
 *   4. writes the admitted generation and its owner to stable storage;
 *   5. is answered.
 * A failure after 3 leaves the lower generations revoked, which is right: the arbiter says that they are over.
 */
import { constants } from 'node:fs';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatingError } from '../../core/base/error.ts';
import { type Arbiter, isFingerprint, isIdentifier, type Owner } from '../arbiter/arbiter.ts';
import { errorCode } from '../net/address.ts';

export type FenceErrorCode = 'fence-state-missing' | 'fence-state-broken';

/** As the arbiter's record has it; without a fingerprint it names no host, and the incarnation decides. */
export type Admitted = Owner;

export type AdmissionOutcome = { readonly admitted: true; readonly admission: Admission } | Refusal;

/** `forGood`: asking again cannot help; otherwise it may. */
type Refusal = { readonly admitted: false; readonly forGood: boolean; readonly why: string };

/** One connection's right to the disk, until it is revoked. */
export class Admission {
  readonly generation: number;
  readonly session: string | undefined;
  #revoked = false;
  #running = 0;
  #idle: (() => void)[] = [];

  constructor(generation: number, session: string | undefined) {
    this.generation = generation;
    this.session = session;
  }

  get revoked(): boolean {
    return this.#revoked;
  }

  /** Runs `work` if the admission still holds, and tells `revoke` of it until it ends; else answers `refused`. */
  async run<Result>(refused: Result, work: () => Promise<Result>): Promise<Result> {
    if (this.#revoked) return refused;
    this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
      if (this.#running === 0) for (const wake of this.#idle.splice(0)) wake();
    }
  }

  /** From now on nothing begins; resolves when nothing runs. */
  async revoke(): Promise<void> {
    this.#revoked = true;
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
}

export type FenceOptions = {
  readonly vm: string;
  /** A directory for the admitted generation; it must exist and stay with the disk. */
  readonly stateDir: string;
  /** Without one, any higher generation is admitted: for tests, and where the caller has other means. */
  readonly arbiter?: Pick<Arbiter, 'owner'> | undefined;
};

export class Fence {
  readonly #options: FenceOptions;
  readonly #statePath: string;
  #admitted: Admitted | undefined;
  readonly #admissions = new Set<Admission>();
  #lock: Promise<unknown> = Promise.resolve();

  private constructor(options: FenceOptions, statePath: string, admitted: Admitted | undefined) {
    this.#options = options;
    this.#statePath = statePath;
    this.#admitted = admitted;
  }

  /** Reads what was admitted last. Throws OperatingError<FenceErrorCode>. */
  static async open(options: FenceOptions): Promise<Fence> {
    const statePath = join(options.stateDir, `${options.vm}.generation`);
    return new Fence(options, statePath, await readState(options.stateDir, statePath));
  }

  /** The generation admitted last, if any, and its owner. */
  get admitted(): Admitted | undefined {
    return this.#admitted;
  }

  /** See the head of this file; `fingerprint` is of the client's certificate, undefined without TLS. Never throws. */
  admit(
    generation: number,
    incarnation: string,
    session: string | undefined,
    fingerprint?: string,
  ): Promise<AdmissionOutcome> {
    const outcome = this.#lock.then(() => this.#admit({ generation, incarnation }, session, fingerprint));
    this.#lock = outcome;
    return outcome;
  }

  /** The connection is gone: nothing of it runs any more. */
  forget(admission: Admission): void {
    this.#admissions.delete(admission);
  }

  async #admit(
    asked: Admitted,
    session: string | undefined,
    fingerprint: string | undefined,
  ): Promise<AdmissionOutcome> {
    const last = this.#admitted;
    const known = last !== undefined && last.generation === asked.generation && last.incarnation === asked.incarnation;
    const owner = known ? last : (this.#objection(asked) ?? (await this.#askArbiter(asked)));
    if ('admitted' in owner) return owner;
    if (owner.fingerprint !== undefined && owner.fingerprint !== fingerprint) return otherHost(owner, fingerprint);

    const replaced = (admission: Admission) =>
      admission.generation < asked.generation || (session !== undefined && admission.session === session);
    await Promise.all([...this.#admissions].filter(replaced).map((admission) => admission.revoke()));
    try {
      if (!known) await writeState(this.#statePath, owner);
    } catch (error) {
      return { admitted: false, forGood: false, why: `the admitted generation cannot be kept: ${String(error)}` };
    }
    this.#admitted = owner;
    const admission = new Admission(asked.generation, session);
    this.#admissions.add(admission);
    return { admitted: true, admission };
  }

  #objection({ generation }: Admitted): Refusal | undefined {
    const last = this.#admitted;
    if (last === undefined || generation > last.generation) return undefined;
    const who = generation === last.generation ? 'to another replica' : `but ${last.generation} was admitted since`;
    return { admitted: false, forGood: true, why: `generation ${generation} belonged to the disk, ${who}` };
  }

  /** The owner's record, if it names who asks. */
  async #askArbiter(asked: Admitted): Promise<Admitted | Refusal> {
    const { generation, incarnation } = asked;
    const { arbiter, vm } = this.#options;
    if (arbiter === undefined) return asked;
    const owner = await arbiter.owner(vm);
    if (owner === undefined || owner.generation < generation) {
      const shown = owner === undefined ? 'no owner' : `generation ${owner.generation} only`;
      return {
        admitted: false,
        forGood: false,
        why: `the arbiter shows ${shown}: generation ${generation} is unknown`,
      };
    }
    if (owner.generation === generation && owner.incarnation === incarnation) return owner;
    const why =
      owner.generation > generation
        ? `generation ${generation} has ended: the arbiter shows ${owner.generation}`
        : `the arbiter names another owner of generation ${generation}`;
    return { admitted: false, forGood: true, why };
  }
}

function otherHost({ generation, fingerprint: named = '' }: Admitted, shown: string | undefined): Refusal {
  const there = shown === undefined ? 'none was shown' : `${shown.slice(0, 16)} was shown`;
  const why = `the arbiter's record of the owner of generation ${generation} has the certificate ${named.slice(0, 16)}, and ${there}`;
  return { admitted: false, forGood: true, why };
}

async function readState(directory: string, path: string): Promise<Admitted | undefined> {
  let text: string;
  try {
    await (await open(directory, constants.O_RDONLY | constants.O_DIRECTORY)).close();
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' && (await exists(directory))) return undefined;
    throw new OperatingError(
      'fence-state-missing',
      `the disk server's state in ${directory} cannot be read: ${errorCode(error)}`,
      'Make the directory, or give this user the right to it.',
      { cause: error },
    );
  }
  const state = parseState(text);
  if (state !== undefined) return state;
  throw new OperatingError(
    'fence-state-broken',
    `${path} does not hold an admitted generation`,
    'Find out what wrote there; if the machine runs nowhere, the file can be removed.',
  );
}

async function exists(directory: string): Promise<boolean> {
  return open(directory, constants.O_RDONLY | constants.O_DIRECTORY).then(
    async (handle) => {
      await handle.close();
      return true;
    },
    () => false,
  );
}

function parseState(text: string): Admitted | undefined {
  try {
    const { generation, incarnation, fingerprint } = JSON.parse(text) as Record<string, unknown>;
    if (!Number.isSafeInteger(generation) || (generation as number) < 0 || !isIdentifier(incarnation)) return undefined;
    const owner = { generation: generation as number, incarnation };
    if (fingerprint === undefined) return owner;
    return isFingerprint(fingerprint) ? { ...owner, fingerprint } : undefined;
  } catch {
    return undefined;
  }
}

/** Whole, at once, durable: a temporary file, fsync, rename, fsync of the directory. */
async function writeState(path: string, state: Admitted): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o644);
  try {
    await file.writeFile(`${JSON.stringify(state)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const directory = await open(join(path, '..'), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
