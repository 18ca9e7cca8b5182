/**
 * The notes by which owners renew their leases (PROTOCOL.md, 27; src/core/replication/lease.ts): one for each machine, beside the
 * leases of hosts. The store's own count of time has no part in who may do what: a note stays for some times to live, and goes
 * when nobody can count on it any more.
 */
import type { Store } from './store.ts';

const KEPT_TTLS = 4;

/** Throws OperatingError `store-away`; the note may be written then, or not. */
export async function writeRenewal(store: Store, machine: string, note: string, ttlMs: number): Promise<void> {
  await store.putLease(keyOf(machine), note, KEPT_TTLS * ttlMs);
}

/** Throws OperatingError `store-away`. */
export async function readRenewal(store: Store, machine: string): Promise<string | undefined> {
  const key = keyOf(machine);
  return (await store.leases(key)).find((lease) => lease.key === key)?.value;
}

function keyOf(machine: string): string {
  return `renewals/${machine}`;
}
