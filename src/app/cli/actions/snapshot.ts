/** `understudy snapshot`: asks a running machine to write itself to a file, and shows how far it is. */
import { resolve } from 'node:path';
import { askMachine } from '../../../host/control/client.ts';
import { exitStatus } from '../failure.ts';
import type { SnapshotRequest } from '../requests.ts';

const MB = 1e6;
const PAGE_BYTES = 4096;

export async function snapshot({ socket, file, stop }: SnapshotRequest): Promise<number> {
  // The machine's process writes it, which may stand in another directory.
  const path = resolve(file);
  const done = await askMachine(socket, { command: 'snapshot', path, stop }, ({ round, pages }) => {
    const what = round === 1 ? 'all of its memory' : 'written meanwhile';
    process.stdout.write(`round ${round}: ${((pages * PAGE_BYTES) / MB).toFixed(1)} MB, ${what}\n`);
  });
  if (done.snapshot === undefined) return exitStatus.failure;
  const { position, bytes, tookMs, stopMs, longestPauseMs } = done.snapshot;
  process.stdout.write(
    `${file}: ${(bytes / MB).toFixed(1)} MB, the machine at step ${position}, after ${(tookMs / 1000).toFixed(1)} s\n` +
      `the machine stood still for ${stopMs.toFixed(1)} ms at the end (at most ${longestPauseMs.toFixed(1)} ms at a time before)\n`,
  );
  return exitStatus.success;
}
