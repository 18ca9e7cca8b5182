/**
 * Carries an owner's renewals to the arbiter's store (PROTOCOL.md, 27), and always brings an answer. It has connections of its own: a
 * store that hangs must not hold up a claim.
 */
import { OperatingError } from '../../core/base/error.ts';
import type { LeaseOptions, LeaseReply, LeaseRequest } from '../../core/replication/lease.ts';
import type { Loss, Sight } from '../../core/replication/loss-watch.ts';
import type { Arbiter } from '../arbiter/arbiter.ts';
import { openArbiter } from '../arbiter/open.ts';
import type { Description } from '../description/description.ts';
import { openStore } from '../store/open.ts';
import { readRenewal, writeRenewal } from '../store/renewals.ts';
import type { Store } from '../store/store.ts';

/** What two hosts' clocks may differ by in a time to live: far more than clocks that are kept by NTP ever do. */
const MARGIN = 0.1;
/** A question without an answer for this part of the time to live is asked again. */
const PATIENCE = 0.2;

/** Undefined for a machine that nobody starts again by itself. */
export function leaseOptions({ onTotalLoss, timeouts }: Description): LeaseOptions | undefined {
  const { leaseMs } = timeouts;
  return onTotalLoss === 'restart' ? { ttlMs: leaseMs, marginMs: leaseMs * MARGIN } : undefined;
}

interface LeaseSetup {
  readonly description: Description;
  readonly role:
    | { readonly kind: 'backup' }
    | { readonly kind: 'primary'; readonly create: boolean; readonly loss?: Loss | undefined };
  readonly leaseKeeper?: LeaseKeeper | undefined;
}

/** Throws OperatingError `no-lease`: by hand nobody stands by to start the machine again, and nobody would look at its lease. */
export function checkLeaseKeeper({ description, leaseKeeper }: Omit<LeaseSetup, 'role'>): void {
  if (leaseOptions(description) === undefined || leaseKeeper !== undefined) return;
  throw new OperatingError(
    'no-lease',
    `${description.name} is to be started again by itself (onTotalLoss: restart), which only hosts can do`,
    'Use "understudy host" and "understudy protect" (docs/hosts.md), or leave onTotalLoss out of the description.',
  );
}

/**
 * What a cold start may end, and knows of the renewals before; undefined: it is none, or the machine has no lease. Throws
 * OperatingError `not-lost` where its owner has renewed after all.
 */
export async function findLoss({ description, role, leaseKeeper }: LeaseSetup): Promise<Loss | undefined> {
  if (role.kind === 'backup' || role.create || leaseKeeper === undefined) return undefined;
  const now = await leaseKeeper.sight();
  const { loss } = role;
  // A person's word is enough, if nothing else can be known.
  if (loss === undefined || now === undefined) return loss ?? now;
  if (now.generation === loss.generation && (now.note === undefined || now.note === loss.note)) return loss;
  throw new OperatingError('not-lost', `${description.name} is not lost: it has an owner after all`);
}

export class LeaseKeeper {
  readonly #vm: string;
  readonly #ttlMs: number;
  readonly #store: Store;
  readonly #arbiter: Arbiter;
  readonly #onNotice: (line: string) => void;
  #silent = false;

  private constructor(vm: string, ttlMs: number, store: Store, arbiter: Arbiter, onNotice: (line: string) => void) {
    this.#onNotice = onNotice;
    this.#vm = vm;
    this.#ttlMs = ttlMs;
    this.#store = store;
    this.#arbiter = arbiter;
  }

  /** Throws OperatingError, as `openStore` and `openArbiter` do. */
  static async open(
    vm: string,
    { ttlMs }: LeaseOptions,
    address: string,
    { allowLocal, onNotice = () => {} }: { allowLocal: boolean; onNotice?: (line: string) => void },
  ): Promise<LeaseKeeper> {
    const timeoutMs = ttlMs * PATIENCE;
    const store = await openStore(address, timeoutMs);
    return new LeaseKeeper(vm, ttlMs, store, await openArbiter(address, { allowLocal, timeoutMs }), onNotice);
  }

  async ask(request: LeaseRequest): Promise<LeaseReply> {
    if (request.op === 'look') {
      const seen = await this.#inTime(async () => ({ note: await readRenewal(this.#store, this.#vm) }));
      return seen === undefined ? { op: 'look', outcome: 'unknown' } : { op: 'look', outcome: 'seen', note: seen.note };
    }
    const { note, incarnation, sentMs } = request;
    const outcome = await this.#inTime(async () => {
      await writeRenewal(this.#store, this.#vm, note, this.#ttlMs);
      // Only then: whoever claims reads the note after its claim.
      const owner = await this.#arbiter.owner(this.#vm);
      if (owner === undefined) return 'unknown';
      return owner.incarnation === incarnation ? 'held' : 'lost';
    });
    this.#tell(outcome ?? 'unknown');
    return { op: 'renew', outcome: outcome ?? 'unknown', sentMs };
  }

  /** The protocol asks on for ever; a person should know that it does, but not each time. */
  #tell(outcome: 'held' | 'lost' | 'unknown'): void {
    const silent = outcome === 'unknown';
    if (silent && !this.#silent) {
      const until = `until it answers outputs wait, from ${this.#ttlMs / 1000} s after the last renewal on`;
      this.#onNotice(`the lease is not renewed: ${this.#store.description} or the arbiter does not answer; ${until}`);
    } else if (!silent && this.#silent) this.#onNotice('the lease is renewed again');
    this.#silent = silent;
  }

  /** The newest generation, its owner and its note; undefined where that cannot be told now. */
  sight(): Promise<Sight | undefined> {
    return this.#inTime(async () => {
      const owner = await this.#arbiter.owner(this.#vm);
      if (owner === undefined) return undefined;
      const { generation, incarnation } = owner;
      return { generation, owner: incarnation, note: await readRenewal(this.#store, this.#vm) };
    });
  }

  async #inTime<Answer>(work: () => Promise<Answer>): Promise<Answer | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.#ttlMs * PATIENCE);
    });
    try {
      return await Promise.race([work(), late]);
    } catch (error) {
      if (error instanceof OperatingError) return undefined; // the store is away
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    await this.#store.close();
    await this.#arbiter.close();
  }
}
