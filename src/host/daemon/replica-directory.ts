/**
 * The directory of one replica on its host, `<state>/replicas/<machine>`: what it was told, its lock, its control socket, its
 * log, the guest's console. The lock is what says that the replica lives: flock(2) is gone the instant its process is, and
 * outlives the daemon (PROTOCOL.md, 3).
 */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatingError } from '../../core/base/error.ts';
import { lockExclusively } from '../disk/file-lock.ts';
import { errorCode } from '../net/address.ts';
import { type Outcome, outcomeSchema, type ReplicaOrder, replicaOrderSchema } from './messages.ts';

export class ReplicaDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get control(): string {
    return join(this.path, 'control');
  }

  /** Where the machine itself is asked for snapshots (host/control). */
  get machine(): string {
    return join(this.path, 'machine');
  }

  get log(): string {
    return join(this.path, 'log');
  }

  get console(): string {
    return join(this.path, 'console.log');
  }

  /** What is known of divergences of this replica. */
  get diagnoses(): string {
    return join(this.path, 'diagnoses');
  }

  make(): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
  }

  /** Takes the lock for the life of this process. Throws OperatingError `disk-in-use` where another replica has it. */
  lock(): number {
    this.make();
    const descriptor = openSync(join(this.path, 'lock'), 'a', 0o600);
    try {
      lockExclusively(descriptor, this.path, 'state directory');
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    return descriptor;
  }

  /** Whether a replica's process holds the lock. */
  isHeld(): boolean {
    try {
      closeSync(this.lock());
      return false;
    } catch (error) {
      if (error instanceof OperatingError && error.code === 'disk-in-use') return true;
      throw error;
    }
  }

  async writeOrder(order: ReplicaOrder): Promise<void> {
    const path = join(this.path, 'order.json');
    await writeFile(`${path}.new`, JSON.stringify(order), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  /** Throws OperatingError `replica-order` where it is missing or not ours. */
  async readOrder(): Promise<ReplicaOrder> {
    const order = await readJson(join(this.path, 'order.json'));
    const parsed = replicaOrderSchema.safeParse(order);
    if (parsed.success) return parsed.data;
    throw new OperatingError(
      'replica-order',
      `${this.path} does not say what replica it is for`,
      'Only "understudy host" starts replicas there; remove the directory if nothing runs in it.',
    );
  }

  async writeEnd(outcome: Outcome): Promise<void> {
    await writeFile(join(this.path, 'end.json'), JSON.stringify(outcome), { mode: 0o600 });
  }

  /** How the last replica here ended; undefined where it did not say. */
  async readEnd(): Promise<Outcome | undefined> {
    return outcomeSchema.safeParse(await readJson(join(this.path, 'end.json'))).data;
  }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

export function replicaDirectoryOf(stateDirectory: string, machine: string): ReplicaDirectory {
  return new ReplicaDirectory(join(stateDirectory, 'replicas', machine));
}

/** The machines that have or had a replica here. */
export async function machinesIn(stateDirectory: string): Promise<string[]> {
  try {
    return await readdir(join(stateDirectory, 'replicas'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
