/**
 * The arbiter: the one place outside both hosts that decides who goes on (PROTOCOL.md, 1 to 7). It keeps two kinds of
 * records of a machine, each written once and never changed or removed:
 *
 *   owner of g    the incarnation that alone owns generation g. That of 0 is made by `create`; that of g+1 is made by winning
 *                 `claim(g)`, a permanent test-and-set that thereby ends g.
 *   pair of g     the replicas that make up generation g, with a random token. There may be two of them: the *solo* record
 *                 (no backup), which the owner writes when its generation begins, and the record with a backup, which it
 *                 writes when it takes one. A generation has at most one backup; a second one needs a new generation.
 *
 * **When a claim counts.** A claim of g carries a token, and it counts only on an arbiter that shows a record of the pair of
 * g with that very token. A record that is missing, empty, unreadable or another's means *unknown*: this may be an empty
 * directory under a file system that is not mounted, where both hosts would win. So:
 *   - The owner of g writes its solo record before its first output in g, and a pair's record before the backup may
 *     acknowledge anything; each gets a fresh token. It claims with the token of the last record it wrote.
 *   - The backup reads the pair's record back by its own path, and may acknowledge, and later claim, only with that token.
 *   - A claim by an incarnation that the record with the token does not name is *lost*: a stranger never wins.
 *
 * **Outcomes.** *won* and *lost* are final, and the same claim by the same incarnation gives the same answer for ever,
 * so a lost reply is asked for again. *unknown* may become either: the claim may have landed. Ask again; never guess.
 *
 * record-arbiter.ts is this law over any store of records that are written once; the stores are directory.ts, etcd.ts and
 * postgres.ts, and open.ts picks one by its address. arbiter-suite.ts is the conformance suite that all of them run.
 */
import { OperatingError } from '../../core/base/error.ts';

export type ArbiterErrorCode =
  | 'bad-machine-name'
  | 'bad-arbiter-address'
  | 'arbiter-missing'
  | 'arbiter-not-writable'
  | 'arbiter-local'
  | 'arbiter-away'
  | 'arbiter-silent'
  | 'arbiter-refuses'
  | 'arbiter-not-durable';

export type ClaimOutcome = 'won' | 'lost' | 'unknown';

/** Who makes up a generation. All identifiers are 32 lower-case hexadecimal digits (128 random bits). */
export type PairRecord = {
  readonly token: string;
  /** Incarnation of the generation's owner. */
  readonly primary: string;
  /** Incarnation of its backup; null in the owner's solo record. */
  readonly backup: string | null;
  /**
   * The SHA-256 of their hosts' certificates: 64 lower-case hexadecimal digits (PROTOCOL.md, 29). Absent without keys, and in
   * records of earlier versions.
   */
  readonly primaryFingerprint?: string;
  readonly backupFingerprint?: string;
};

/** written: it stands there, durably. refused: it never will. unknown: it may stand there; ask again. */
export type WriteOutcome = 'written' | 'refused' | 'unknown';

export type Owner = {
  readonly generation: number;
  readonly incarnation: string;
  /** Of the certificate of the owner's host; absent without keys, and in records of earlier versions. */
  readonly fingerprint?: string;
};

/**
 * No method throws because of the arbiter's state or the network: that is `unknown`. They throw OperatingError
 * `bad-machine-name`, and AssertionError for identifiers that are no 32 hexadecimal digits (a programmer's mistake).
 *
 * `fingerprint` is of the asking host's certificate, undefined without keys. It is written into the owner's record when the claim
 * is won; it has no part in who wins.
 */
export interface Arbiter {
  /** Where it is, in words, for messages to people. */
  readonly description: string;

  /** Why the last question had no answer: the store could not be asked. Undefined where it answered, if only "no record". */
  readonly trouble: OperatingError | undefined;

  /** First boot: makes the machine known and claims generation 0. `lost`: the machine exists already. */
  create(vm: string, incarnation: string, fingerprint?: string): Promise<ClaimOutcome>;

  /** Ends generation `generation`; its one winner owns the next. See the head of this file. */
  claim(
    vm: string,
    generation: number,
    incarnation: string,
    token: string,
    fingerprint?: string,
  ): Promise<ClaimOutcome>;

  /**
   * Cold start, on a person's word that the machine runs nowhere: ends the newest generation without a token.
   * `owner` is the one after it, who is this incarnation if the outcome is `won`. `newest`: the generation that may be ended; if there
   * is a later one the claim is lost.
   */
  coldClaim(
    vm: string,
    incarnation: string,
    fingerprint?: string,
    newest?: number,
  ): Promise<{ outcome: ClaimOutcome; owner?: Owner }>;

  /**
   * Writes the pair's record of `generation`, or its solo record. Refused where `record.primary` does not own the generation,
   * where the generation has ended, and where another record of the same kind stands. The same record again is `written`.
   */
  writePair(vm: string, generation: number, record: PairRecord): Promise<WriteOutcome>;

  /** The pair's record of `generation`, else its solo record, else undefined (missing and unreadable are the same here). */
  readPair(vm: string, generation: number): Promise<PairRecord | undefined>;

  /** The newest generation and its owner; undefined where that cannot be told. Never older than a claim answered before. */
  owner(vm: string): Promise<Owner | undefined>;

  close(): Promise<void>;
}

export const MACHINE_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** A machine's name is a file name, an export name and a label: letters, digits, dots, dashes. */
export function checkMachineName(vm: string): void {
  if (MACHINE_NAME.test(vm)) return;
  throw new OperatingError(
    'bad-machine-name',
    `'${vm}' cannot be the name of a machine`,
    'Use 1 to 63 lower-case letters, digits, dots, dashes and underscores, beginning with a letter or a digit.',
  );
}

const IDENTIFIER = /^[0-9a-f]{32}$/;

/** Whether `text` is an incarnation or a token: 32 lower-case hexadecimal digits. */
export function isIdentifier(text: unknown): text is string {
  return typeof text === 'string' && IDENTIFIER.test(text);
}

const FINGERPRINT = /^[0-9a-f]{64}$/;

/** Whether `text` is the SHA-256 of a certificate: 64 lower-case hexadecimal digits. */
export function isFingerprint(text: unknown): text is string {
  return typeof text === 'string' && FINGERPRINT.test(text);
}
