/**
 * Snapshots of a machine that has a backup, or could have one: its primary is asked at its control socket, as a machine that
 * runs alone is. The primary's machine is copied while it runs and cut between two steps, as for a new backup; log, gate and
 * acknowledgements know nothing of it.
 *
 * A snapshot is something that the world sees, so it keeps the Output Rule in its own way: the file gets its name only when the
 * backup has executed the log to that position, or when there is no backup whose word counts. Otherwise a failover at that moment
 * could go on from another past than the file's.
 */
import { setTimeout } from 'node:timers/promises';
import { OperatingError } from '../../core/base/error.ts';
import type { ReplicaStatus } from '../../core/replication/replica.ts';
import { ControlServer } from '../control/server.ts';
import type { MachineSnapshots } from '../snapshot/machine-snapshots.ts';
import type { Ask } from '../snapshot/take.ts';

const LOOK_EVERY_MS = 20;
const PATIENCE_MS = 30_000;

export interface ReplicaSnapshotsDeps {
  readonly name: string;
  readonly runner: Ask;
  readonly snapshots: MachineSnapshots;
  /** Undefined once the replica is over. */
  readonly status: () => ReplicaStatus | undefined;
}

/** Listens at the unix socket `path` until it is closed. Throws OperatingError. */
export function serveSnapshots(path: string, deps: ReplicaSnapshotsDeps): Promise<ControlServer> {
  const { name, runner, snapshots, status } = deps;
  // The guest's speed is the protocol's to set: here a guest that writes fast is not slowed, but stands still for longer.
  const unslowed: Ask = { ask: (question) => runner.ask(question), ram: runner.ram, send: () => {} };
  return ControlServer.start(
    { path },
    {
      status: () => ({ name, position: String(status()?.position ?? 0n) }),
      snapshot: async ({ path: file, stop }, onProgress) => {
        checkPossible(name, stop, status());
        const settled = (position: bigint): Promise<void> => untilSettled(name, position, status);
        return snapshots.take(unslowed, { path: file, stop: false, onProgress, settled });
      },
    },
  );
}

function checkPossible(name: string, stop: boolean, status: ReplicaStatus | undefined): void {
  if (stop) {
    throw new OperatingError(
      'snapshot-stop',
      `${name} has a backup, which would go on`,
      'Leave --stop out. To end the machine afterwards: "understudy stop".',
    );
  }
  if (status?.role === 'primary' && (status.phase === 'paired' || status.phase === 'alone')) return;
  const is = status === undefined ? 'has ended' : `is a ${status.role}, and ${status.phase}`;
  throw new OperatingError(
    'snapshot-not-now',
    `a snapshot is taken of a primary that is paired or alone; this replica of ${name} ${is}`,
    '"understudy status" says which host has the primary, and how it is.',
  );
}

async function untilSettled(name: string, position: bigint, look: () => ReplicaStatus | undefined): Promise<void> {
  const untilMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const status = look();
    if (status === undefined || status.phase === 'halted') throw lost(name);
    if (status.phase === 'alone' || status.phase === 'copying') return;
    if (status.phase === 'paired' && (status.peerPosition ?? -1n) >= position) return;
    if (performance.now() >= untilMs) throw lost(name);
    await setTimeout(LOOK_EVERY_MS);
  }
}

function lost(name: string): OperatingError {
  return new OperatingError(
    'snapshot-unconfirmed',
    `the backup has not confirmed that ${name} ever was what the snapshot holds; the file is gone`,
    'Take another one when "understudy status" says that the machine is paired or alone.',
  );
}
