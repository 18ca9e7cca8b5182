/**
 * How far a copy of a running machine is, and how long it will take: from what the protocol counts (bytes of memory, and of the
 * image of a mirrored disk before it) and the times at which somebody looked.
 */
import type { TransferProgress } from '../../core/replication/transfer.ts';
import type { CopyReport } from './messages.ts';

/** The pace is that of the last so many ms; over less than the second it says nothing. */
const WINDOW_MS = 3000;
const LEAST_MS = 200;

interface Sample {
  readonly atMs: number;
  readonly doneBytes: number;
}

export class CopyMeter {
  #stage: CopyReport['stage'] | undefined;
  #samples: Sample[] = [];

  /** A look at `nowMs`; undefined without a copy under way. `image`: how far the other host's image is, with a mirrored disk. */
  observe(
    transfer: TransferProgress | undefined,
    image: { readonly doneBytes: number; readonly totalBytes: number } | undefined,
    nowMs: number,
  ): CopyReport | undefined {
    if (transfer === undefined) {
      this.#stage = undefined;
      return undefined;
    }
    const report = stageOf(transfer, image);
    if (report.stage !== this.#stage) this.#samples = [];
    this.#stage = report.stage;
    const bytesPerSecond = this.#pace({ atMs: nowMs, doneBytes: report.doneBytes });
    if (bytesPerSecond === undefined || report.stage === 'finishing') return report;
    const leftBytes = report.totalBytes - report.doneBytes;
    const restMs = bytesPerSecond > 0 ? { restMs: (1000 * leftBytes) / bytesPerSecond } : {};
    return { ...report, bytesPerSecond, ...restMs };
  }

  #pace(now: Sample): number | undefined {
    const last = this.#samples.at(-1);
    // A copy that begins anew.
    if (last !== undefined && now.doneBytes < last.doneBytes) this.#samples = [];
    this.#samples = [...this.#samples.filter(({ atMs }) => now.atMs - atMs <= WINDOW_MS), now];
    const first = this.#samples[0]!;
    const elapsedMs = now.atMs - first.atMs;
    return elapsedMs < LEAST_MS ? undefined : (1000 * (now.doneBytes - first.doneBytes)) / elapsedMs;
  }
}

function stageOf(
  { round, doneBytes, leftBytes }: TransferProgress,
  image: { readonly doneBytes: number; readonly totalBytes: number } | undefined,
): Pick<CopyReport, 'stage' | 'doneBytes' | 'totalBytes'> {
  if (round === 0)
    return image === undefined ? { stage: 'starting', doneBytes: 0, totalBytes: 0 } : { stage: 'disk', ...image };
  return { stage: leftBytes > 0 ? 'memory' : 'finishing', doneBytes, totalBytes: doneBytes + leftBytes };
}
