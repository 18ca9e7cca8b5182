/** Whose bytes a log is: by the kind of its entries. */
import { ByteWriter } from '../../src/core/base/byte-writer.ts';
import { decodeEntries, encodeEntry, type LogEntry } from '../../src/core/replay/log-entry.ts';

export interface Volume {
  readonly entries: number;
  readonly bytes: number;
}

/** By kind; those of inputs by the input's, such as 'net-rx'. */
export type VolumeByKind = Readonly<Record<string, Volume>>;

/** A batch of entries; `base` is the position that its first one is told from. */
export interface Batch {
  readonly base: bigint;
  readonly bytes: Uint8Array;
}

/** What an output is, too, because frames and disk requests are marked for different reasons. */
function kindOf(entry: LogEntry): string {
  if (entry.kind === 'input') return entry.input.kind;
  return entry.kind === 'output-mark' ? `mark of ${entry.mark.output}` : entry.kind;
}

/** Throws MalformedError on bytes that are no entries. */
export function volumeByKind(batches: readonly Batch[]): VolumeByKind {
  const volumes: Record<string, { entries: number; bytes: number }> = {};
  for (const { base, bytes } of batches) {
    let before = base;
    for (const entry of decodeEntries(bytes, base)) {
      const writer = new ByteWriter(64);
      encodeEntry(writer, entry, before);
      before = entry.position;
      const kind = kindOf(entry);
      volumes[kind] ??= { entries: 0, bytes: 0 };
      volumes[kind].entries++;
      volumes[kind].bytes += writer.length;
    }
  }
  return volumes;
}

export function totalOf(volumes: VolumeByKind): Volume {
  const all = Object.values(volumes);
  const sum = (of: (volume: Volume) => number): number => all.reduce((total, volume) => total + of(volume), 0);
  return { entries: sum(({ entries }) => entries), bytes: sum(({ bytes }) => bytes) };
}

/** Megabits a second, of 10^6 bits. */
export const mbits = (bytes: number, seconds: number): number => (bytes * 8) / 1e6 / seconds;
