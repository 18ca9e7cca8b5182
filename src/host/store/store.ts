/**
 * The hosts' common notice board: who is there, and what is wanted. It decides nothing about a machine's owner (that is the
 * arbiter's, src/host/arbiter/), so its leases may raise suspicion and guide the placing of replicas, and no more (PROTOCOL.md, 8).
 *
 *   a lease      a note of one writer that goes when it has not been written again for its time to live: a host with its free
 *                memory. The last writing counts.
 *   a document   a text that stays, changed by compare-and-set: the wanted state of a machine.
 *
 * Both live under keys such as `hosts/a` or `machines/web`, each kind for itself. The store lies where the arbiter does:
 * directory-store.ts in the common directory, etcd-store.ts in etcd. store-suite.ts is the suite that all of them run.
 */
import { assert } from '../../core/base/assert.ts';

export type Lease = { readonly key: string; readonly value: string };

export type Document = {
  readonly key: string;
  readonly value: string;
  /** Changes with every change of the document; means something only to the store that gave it. */
  readonly version: string;
};

export type StoreErrorCode = 'store-away' | 'no-store';

/** Every method throws OperatingError `store-away` where the store cannot be asked; what was to be written may then be written or not. */
export interface Store {
  /** Where it is, in words, for messages to people. */
  readonly description: string;

  /** Writes the lease, which goes `ttlMs` (a second at least; whole seconds at some stores, then rounded up) after this. */
  putLease(key: string, value: string, ttlMs: number): Promise<void>;

  /** Removes a lease before its time. */
  dropLease(key: string): Promise<void>;

  /** The leases that hold, in the order of their keys. */
  leases(prefix: string): Promise<readonly Lease[]>;

  get(key: string): Promise<Document | undefined>;

  /**
   * Changes the document (`value` null: removes it) if it is at the version `expected` (null: there is none). Tells the version
   * now; undefined if the document is at another one, and is not what it was to become either: so it can be repeated.
   */
  compareAndSet(key: string, value: string | null, expected: string | null): Promise<{ version: string } | undefined>;

  /** The documents, in the order of their keys. */
  list(prefix: string): Promise<readonly Document[]>;

  close(): Promise<void>;
}

export const MAX_VALUE_BYTES = 65_536;

/** What a removed document's version is called. */
export const NO_VERSION = '';

const KEY = /^[a-z0-9][a-z0-9._-]*(\/[a-z0-9][a-z0-9._-]*)*$/;

/** Keys and values are ours, so that a bad one is a programmer's mistake. */
export function checkKey(key: string): void {
  assert(key.length <= 200 && KEY.test(key), 'a key is parts of a-z, 0-9, dots and dashes, with slashes between them');
}

export function checkValue(value: string): void {
  assert(Buffer.byteLength(value) <= MAX_VALUE_BYTES, 'a value is 64 KiB at most');
}

export function byKey(one: { readonly key: string }, two: { readonly key: string }): number {
  return one.key < two.key ? -1 : one.key > two.key ? 1 : 0;
}
