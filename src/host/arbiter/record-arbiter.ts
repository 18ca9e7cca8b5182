/**
 * The law of arbiter.ts over any store of records that are written once: who has won, who has lost, and when a claim counts.
 * A store (`Records`) only has to publish a record under a name unless the name is taken, and to show what stands there.
 * A machine's records are named
 *
 *   owner-<g>    who owns generation g                         {"incarnation", "fingerprint"}
 *   solo-<g>     its owner's record before it has a backup     {"token", "primary", "backup": null, "primaryFingerprint"}
 *   pair-<g>     the record of the pair                        {"token", "primary", "backup", "primaryFingerprint", "backupFingerprint"}
 *
 * Fingerprints are left out where hosts have no keys, and records of earlier versions have none.
 *
 * Whatever goes wrong in the store, or takes longer than `timeoutMs`, is *unknown*. Operations run one after the other, so that
 * a store that hangs has one of them in hand and no more.
 */
import { assert } from '../../core/base/assert.ts';
import { OperatingError } from '../../core/base/error.ts';
import {
  type Arbiter,
  type ClaimOutcome,
  checkMachineName,
  isFingerprint,
  isIdentifier,
  type Owner,
  type PairRecord,
  type WriteOutcome,
} from './arbiter.ts';

/**
 * A store of small JSON records. Every method may throw: an OperatingError says that the store cannot be asked, and is shown
 * to a person; any other error only means that there is no answer. An answer is never taken back by a crash of the store, and
 * is never older than one that any client has had before it asked.
 */
export interface Records {
  /** Where it is, in words, without secrets. */
  readonly description: string;
  /** Makes the place for the machine's records, if it is not there. Nothing else does. */
  makePlace(vm: string): Promise<void>;
  /**
   * Publishes `content` under `name` unless the name is taken, whole and at once, and tells what stands there now.
   * Where the record `beside` is missing nothing is published: this may be another store than the one it was read from.
   */
  publish(vm: string, name: string, content: object, beside: string | undefined): Promise<unknown>;
  /** What stands under `name`; undefined where it is missing, empty or no JSON. */
  read(vm: string, name: string): Promise<unknown>;
  /** Names of the machine's records that begin with `prefix`. */
  names(vm: string, prefix: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

export type ColdClaim = { outcome: ClaimOutcome; owner?: Owner };

export const DEFAULT_TIMEOUT_MS = 5000;

const OWNER_NAME = /^owner-(\d{1,15})$/;

export class RecordArbiter implements Arbiter {
  readonly description: string;
  readonly #records: Records;
  readonly #timeoutMs: number;
  #trouble: OperatingError | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(records: Records, timeoutMs: number) {
    this.#records = records;
    this.#timeoutMs = timeoutMs;
    this.description = records.description;
  }

  get trouble(): OperatingError | undefined {
    return this.#trouble;
  }

  async create(vm: string, incarnation: string, fingerprint?: string): Promise<ClaimOutcome> {
    checkMachineName(vm);
    checkClaimant(incarnation, fingerprint);
    return this.#oneByOne<ClaimOutcome>('unknown', async () => {
      await this.#records.makePlace(vm);
      return this.#settleOwner(vm, ownerOf(0, incarnation, fingerprint), undefined);
    });
  }

  async claim(
    vm: string,
    generation: number,
    incarnation: string,
    token: string,
    fingerprint?: string,
  ): Promise<ClaimOutcome> {
    checkMachineName(vm);
    checkGeneration(generation);
    checkClaimant(incarnation, fingerprint);
    assert(isIdentifier(token), 'a token is 32 hexadecimal digits');
    return this.#oneByOne<ClaimOutcome>('unknown', async () => {
      for (const kind of ['pair', 'solo'] as const) {
        const record = await this.#readPair(vm, kind, generation);
        if (record?.token !== token) continue;
        if (record.primary !== incarnation && record.backup !== incarnation) return 'lost';
        return this.#settleOwner(vm, ownerOf(generation + 1, incarnation, fingerprint), `${kind}-${generation}`);
      }
      return 'unknown';
    });
  }

  async coldClaim(vm: string, incarnation: string, fingerprint?: string, newest?: number): Promise<ColdClaim> {
    checkMachineName(vm);
    checkClaimant(incarnation, fingerprint);
    return this.#oneByOne<ColdClaim>({ outcome: 'unknown' }, async () => {
      const before = await this.#newestOwner(vm);
      if (before === undefined) return { outcome: 'unknown' };
      if (before.incarnation === incarnation) return { outcome: 'won', owner: before };
      const { generation } = before;
      if (newest !== undefined && generation !== newest) return { outcome: 'lost', owner: before };
      const claimant = ownerOf(generation + 1, incarnation, fingerprint);
      const outcome = await this.#settleOwner(vm, claimant, `owner-${generation}`);
      const owner = await this.#newestOwner(vm);
      return owner === undefined ? { outcome: 'unknown' } : { outcome, owner };
    });
  }

  async writePair(vm: string, generation: number, record: PairRecord): Promise<WriteOutcome> {
    checkMachineName(vm);
    checkGeneration(generation);
    const content = pairRecord(record, record.backup === null ? 'solo' : 'pair');
    assert(content !== undefined, 'incarnations and tokens are 32 hexadecimal digits, fingerprints 64');
    return this.#oneByOne<WriteOutcome>('unknown', async () => {
      const owner = await this.#newestOwner(vm);
      if (owner === undefined || owner.generation < generation) return 'unknown';
      if (owner.generation > generation || owner.incarnation !== record.primary) return 'refused';
      const kind = record.backup === null ? 'solo' : 'pair';
      const standing = await this.#records.publish(vm, `${kind}-${generation}`, content, `owner-${generation}`);
      const shown = pairRecord(standing, kind);
      if (shown === undefined) return 'unknown';
      return PAIR_FIELDS.every((field) => shown[field] === content[field]) ? 'written' : 'refused';
    });
  }

  async readPair(vm: string, generation: number): Promise<PairRecord | undefined> {
    checkMachineName(vm);
    checkGeneration(generation);
    return this.#oneByOne<PairRecord | undefined>(
      undefined,
      async () => (await this.#readPair(vm, 'pair', generation)) ?? (await this.#readPair(vm, 'solo', generation)),
    );
  }

  async owner(vm: string): Promise<Owner | undefined> {
    checkMachineName(vm);
    return this.#oneByOne<Owner | undefined>(undefined, () => this.#newestOwner(vm));
  }

  close(): Promise<void> {
    return this.#records.close();
  }

  /** The test-and-set: publishes the owner of a generation unless there is one, and tells whether it is this one. */
  async #settleOwner(vm: string, claimant: Owner, beside: string | undefined): Promise<ClaimOutcome> {
    const { generation, ...content } = claimant;
    const standing = ownerIn(await this.#records.publish(vm, `owner-${generation}`, content, beside), generation);
    if (standing === undefined) return 'unknown';
    return standing.incarnation === claimant.incarnation ? 'won' : 'lost';
  }

  async #newestOwner(vm: string): Promise<Owner | undefined> {
    const names = await this.#records.names(vm, 'owner-');
    const generation = Math.max(-1, ...names.map((name) => Number(OWNER_NAME.exec(name)?.[1] ?? -1)));
    if (generation < 0) return undefined;
    return ownerIn(await this.#records.read(vm, `owner-${generation}`), generation);
  }

  async #readPair(vm: string, kind: 'solo' | 'pair', generation: number): Promise<PairRecord | undefined> {
    return pairRecord(await this.#records.read(vm, `${kind}-${generation}`), kind);
  }

  /** Runs `work` after what was asked before; whatever goes wrong or takes too long in it is `unknown`. */
  async #oneByOne<Answer>(unknown: Answer, work: () => Promise<Answer>): Promise<Answer> {
    let late = false;
    const answer = this.#last.then(work).then(
      (known) => {
        this.#trouble = undefined;
        return known;
      },
      (error: unknown) => {
        if (!late) this.#trouble = error instanceof OperatingError ? error : undefined;
        return unknown;
      },
    );
    this.#last = answer;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<Answer>((done) => {
      timer = setTimeout(() => {
        late = true;
        this.#trouble = silentStore(this.description, this.#timeoutMs);
        done(unknown);
      }, this.#timeoutMs);
    });
    try {
      return await Promise.race([answer, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What a person is told of a store that takes a request and does not answer. */
export function silentStore(description: string, timeoutMs: number): OperatingError {
  return new OperatingError(
    'arbiter-silent',
    `${description} has not answered for ${timeoutMs / 1000} s`,
    'Look whether it runs, whether its disk keeps up, and whether the network to it is whole.',
  );
}

/** The record in the text of one, or undefined where that is empty, torn or too long to be ours. */
export function parseRecord(text: string): unknown {
  if (text.length > MAX_RECORD_LENGTH) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const MAX_RECORD_LENGTH = 4096;

function ownerOf(generation: number, incarnation: string, fingerprint: string | undefined): Owner {
  return fingerprint === undefined ? { generation, incarnation } : { generation, incarnation, fingerprint };
}

function ownerIn(content: unknown, generation: number): Owner | undefined {
  if (typeof content !== 'object' || content === null) return undefined;
  const { incarnation, fingerprint } = content as Record<string, unknown>;
  if (!isIdentifier(incarnation) || !isFingerprintOrNone(fingerprint)) return undefined;
  return ownerOf(generation, incarnation, fingerprint);
}

const PAIR_FIELDS = ['token', 'primary', 'backup', 'primaryFingerprint', 'backupFingerprint'] as const;

/** The record in `content`, without what else may be there. */
function pairRecord(content: unknown, kind: 'solo' | 'pair'): PairRecord | undefined {
  if (typeof content !== 'object' || content === null) return undefined;
  const { token, primary, backup, primaryFingerprint, backupFingerprint } = content as Record<string, unknown>;
  if (!isIdentifier(token) || !isIdentifier(primary)) return undefined;
  if (kind === 'solo' ? backup !== null : !isIdentifier(backup)) return undefined;
  if (!isFingerprintOrNone(primaryFingerprint) || !isFingerprintOrNone(backupFingerprint)) return undefined;
  return {
    token,
    primary,
    backup: backup as string | null,
    ...(primaryFingerprint !== undefined && { primaryFingerprint }),
    ...(backupFingerprint !== undefined && { backupFingerprint }),
  };
}

function isFingerprintOrNone(value: unknown): value is string | undefined {
  return value === undefined || isFingerprint(value);
}

function checkClaimant(incarnation: string, fingerprint: string | undefined): void {
  assert(isIdentifier(incarnation), 'an incarnation is 32 hexadecimal digits');
  assert(isFingerprintOrNone(fingerprint), 'a fingerprint is 64 hexadecimal digits');
}

function checkGeneration(generation: number): void {
  assert(Number.isSafeInteger(generation) && generation >= 0, 'a generation is a whole number from 0 up');
}
