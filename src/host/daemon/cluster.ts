/** What all hosts know together, in the store beside the arbiter: hosts under leases, and the machines that are wanted. */
import { OperatingError } from '../../core/base/error.ts';
import { readRenewal } from '../store/renewals.ts';
import type { Store } from '../store/store.ts';
import { type HostRecord, hostRecordSchema, type MachineRecord, machineRecordSchema } from './messages.ts';

export const LEASE_MS = 8000;
export const RENEW_EVERY_MS = 2000;

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Every method throws OperatingError `store-away` when the store cannot be asked. */
export class Cluster {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async renew(host: HostRecord): Promise<void> {
    await this.#store.putLease(`hosts/${host.name}`, JSON.stringify(host), LEASE_MS);
  }

  async leave(name: string): Promise<void> {
    await this.#store.dropLease(`hosts/${name}`);
  }

  async hosts(): Promise<HostRecord[]> {
    const leases = await this.#store.leases('hosts/');
    return leases.flatMap(({ value }) => hostRecordSchema.safeParse(jsonOf(value)).data ?? []);
  }

  /** What the owner of a machine has written at its last renewal (PROTOCOL.md, 27); undefined if it is gone, or long ago. */
  async renewal(machine: string): Promise<string | undefined> {
    return readRenewal(this.#store, machine);
  }

  async machines(): Promise<MachineRecord[]> {
    const documents = await this.#store.list('machines/');
    return documents.flatMap(({ value }) => machineRecordSchema.safeParse(jsonOf(value)).data ?? []);
  }

  /** Throws OperatingError `no-such-machine`. */
  async machine(name: string): Promise<MachineRecord> {
    return (await this.#find(name)).record;
  }

  async #find(name: string): Promise<{ record: MachineRecord; version: string }> {
    const document = await this.#store.get(`machines/${name}`);
    const record = machineRecordSchema.safeParse(jsonOf(document?.value ?? '')).data;
    if (document !== undefined && record !== undefined) return { record, version: document.version };
    throw new OperatingError(
      'no-such-machine',
      `no machine of the name ${name} is wanted here`,
      '"understudy status" lists the machines; "understudy protect" adds one.',
    );
  }

  /** Throws OperatingError `machine-exists`. */
  async add(record: MachineRecord): Promise<void> {
    if ((await this.#store.compareAndSet(`machines/${record.name}`, JSON.stringify(record), null)) !== undefined)
      return;
    throw new OperatingError(
      'machine-exists',
      `there is a machine of the name ${record.name} already`,
      'Start it with "understudy start", or give the new one another name.',
    );
  }

  /** Throws OperatingError `no-such-machine`, or `store-busy` where others change it all the time. */
  async want(name: string, wanted: MachineRecord['wanted'] | 'gone'): Promise<void> {
    for (let tries = 0; tries < 10; tries++) {
      const { record, version } = await this.#find(name);
      const value = wanted === 'gone' ? null : JSON.stringify({ ...record, wanted });
      if ((await this.#store.compareAndSet(`machines/${name}`, value, version)) !== undefined) return;
    }
    throw new OperatingError('store-busy', `the wanted state of ${name} is being changed by others`, 'Try it again.');
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
