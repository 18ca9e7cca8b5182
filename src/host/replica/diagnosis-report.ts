/**
 * The directory of a diagnosis (diagnosis.ts):
 *
 *     generation-3-position-123456-primary/
 *       report.txt                  for people: what differs, as far as it is known
 *       log.txt                     the log since the last equal hash, a line an entry
 *       log.bin                     the same as messages (core/replication/message-codec.ts), 32 bits of length before each
 *       primary.state backup.state  registers and devices (core/vm/saved-machine.ts)
 *       pages/PAGE-primary.bin      4 KiB each: the pages that differ; also PAGE-backup.bin
 *
 * It holds the guest's memory, so nobody else may read it. Old ones make room for new ones.
 */
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MalformedError } from '../../core/base/byte-reader.ts';
import { OperatingError } from '../../core/base/error.ts';
import { RAM_BASE } from '../../core/machine/memory-map.ts';
import type { LogEntry } from '../../core/replay/log-entry.ts';
import { showMark } from '../../core/replay/output-mark.ts';
import type { Checkpoint } from '../../core/replication/diagnosis.ts';
import type { Diverged, LogBatch } from '../../core/replication/message.ts';
import { encodeMessage } from '../../core/replication/message-codec.ts';
import { entriesOf, sinceLastHash } from '../../core/replication/recent-log.ts';
import { PAGE_BYTES } from '../../core/replication/transfer.ts';
import { bytesAt, compareStates, firstDifference } from '../../core/vm/compare-states.ts';
import { openPiece, visitPages } from '../../core/vm/page-pieces.ts';
import type { Comparison, LastEqual } from '../runner/diagnosis-part.ts';

/** What one side knows; the backup does not know the primary's state, nor a primary without an answer the backup's. */
export interface DiagnosisFacts {
  readonly vm: string;
  /** Whose directory it is. */
  readonly side: 'primary' | 'backup';
  readonly diverged: Diverged;
  readonly lastEqual: LastEqual | undefined;
  /** The last batches that were sent or received. */
  readonly log: readonly LogBatch[];
  /** Where the difference was seen. */
  readonly backup?: Checkpoint;
  /** The primary's answer to it. */
  readonly comparison?: Comparison;
  readonly differing?: readonly number[];
  /** What the backup has in the first of these pages. */
  readonly backupPiece?: Uint8Array<ArrayBuffer> | undefined;
}

const KEPT_DIAGNOSES = 10;
const SHOWN_FIELDS = 100;
const SHOWN_PAGES = 100;
const OWNER_ONLY = 0o600;

/** Writes it, or writes it again with more; gives its path. Throws what the file system says. */
export async function writeDiagnosis(directory: string, facts: DiagnosisFacts): Promise<string> {
  const { generation, position } = facts.diverged;
  const path = join(directory, `generation-${generation}-position-${position}-${facts.side}`);
  await mkdir(join(path, 'pages'), { recursive: true, mode: 0o700 });
  const write = (name: string, data: string | Uint8Array): Promise<void> =>
    writeFile(join(path, name), data, { mode: OWNER_ONLY });
  const entries = recentEntries(facts);
  await write('log.txt', entries.map((entry) => `${describeEntry(entry)}\n`).join(''));
  await write('log.bin', Buffer.concat(facts.log.map(framed)));
  if (facts.backup !== undefined) await write('backup.state', facts.backup.state);
  if (facts.comparison !== undefined) await write('primary.state', facts.comparison.before.state);
  const pages = { primary: pagesOf(facts.comparison?.piece, facts), backup: pagesOf(facts.backupPiece, facts) };
  for (const [side, contents] of Object.entries(pages)) {
    for (const [page, bytes] of contents) await write(join('pages', `${page}-${side}.bin`), bytes);
  }
  await write('report.txt', `${report(facts, entries, pages).join('\n')}\n`);
  await makeRoom(directory);
  return path;
}

async function makeRoom(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.startsWith('generation-'));
  const dated = await Promise.all(
    names.map(async (name) => ({ name, atMs: (await stat(join(directory, name))).mtimeMs })),
  );
  dated.sort((a, b) => b.atMs - a.atMs);
  for (const { name } of dated.slice(KEPT_DIAGNOSES)) await rm(join(directory, name), { recursive: true });
}

function framed(batch: LogBatch): Uint8Array {
  const bytes = encodeMessage(batch);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** As far as they make sense: that they do not may be the divergence. */
function recentEntries({ log, diverged }: DiagnosisFacts): readonly LogEntry[] {
  const whole = log.findIndex((batch) => !makesSense(batch));
  return sinceLastHash(entriesOf(whole < 0 ? log : log.slice(0, whole)), diverged.position);
}

function makesSense(batch: LogBatch): boolean {
  try {
    entriesOf([batch]);
    return true;
  } catch (error) {
    if (error instanceof MalformedError) return false;
    throw error;
  }
}

function describeEntry(entry: LogEntry): string {
  return `${entry.position} ${describeRecord(entry)}`;
}

function describeRecord(entry: LogEntry): string {
  if (entry.kind === 'output-mark') return showMark(entry.mark);
  if (entry.kind === 'hash') return `hash ${hex(entry.value)}`;
  if (entry.kind === 'end') return `end: ${entry.reason}`;
  const { kind, ...fields } = entry.kind === 'read-done' ? { kind: 'block-done', ...entry.read } : entry.input;
  const words = Object.entries(fields).map(([name, value]) =>
    value instanceof Uint8Array ? `${name} of ${value.length} bytes` : `${name} ${value}`,
  );
  return `input ${kind}: ${words.join(', ')}`;
}

type Pages = ReadonlyMap<number, Uint8Array>;

/** The pages of a piece that this program made without compression; none if it makes no sense. */
function pagesOf(piece: Uint8Array | undefined, { backup }: DiagnosisFacts): Pages {
  const pages = new Map<number, Uint8Array>();
  if (piece === undefined || backup === undefined) return pages;
  try {
    const opened = openPiece(piece, backup.pageHashes.length);
    if (!opened.compressed) visitPages(opened, opened.stored, (page, bytes) => pages.set(page, bytes.slice()));
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
  }
  return pages;
}

function report(
  facts: DiagnosisFacts,
  entries: readonly LogEntry[],
  pages: { readonly primary: Pages; readonly backup: Pages },
): string[] {
  const { vm, side, diverged, backup } = facts;
  const { generation, position, log, machine } = diverged;
  return [
    `The replicas of ${vm} are not one machine any more (generation ${generation}, seen from the ${side}).`,
    '',
    `At position ${position}`,
    `  the primary's log has:  ${log}`,
    `  the backup has:         ${machine}`,
    ...(backup === undefined
      ? ['The backup has not shown its state: look for its own directory on its host.']
      : [`The backup stands at position ${backup.position}; hash of its whole state: ${hex(backup.hash)}.`]),
    ...lastEqualLines(facts, entries),
    '',
    ...stateLines(facts),
    '',
    ...pageLines(facts, pages),
    '',
    `The log since the last hash before that, ${counted(entries.length, 'entry', 'entries')}: log.txt; whole batches: log.bin.`,
  ];
}

function lastEqualLines({ lastEqual, comparison, diverged }: DiagnosisFacts, entries: readonly LogEntry[]): string[] {
  const [first] = entries;
  const logged = first?.kind === 'hash' ? { position: first.position, hash: first.value } : undefined;
  const equal = lastEqual ?? logged;
  const lines =
    equal === undefined
      ? ['No hash was compared before.']
      : [
          `The last equal hash: ${hex(equal.hash)} at position ${equal.position}, ${diverged.position - equal.position} steps before.`,
        ];
  if (comparison === undefined) return lines;
  const { before, position } = comparison;
  return [
    ...lines,
    `The primary's own hash: ${hex(before.hash)} at position ${before.position}. Its pages were read at position ${position}.`,
  ];
}

function stateLines({ side, backup, comparison }: DiagnosisFacts): string[] {
  if (side === 'backup')
    return ["Registers and devices of the backup: backup.state. The comparison is in the primary's directory."];
  if (backup === undefined || comparison === undefined) return ['Registers and devices: not compared.'];
  if (comparison.before.position !== backup.position) {
    return [
      'Registers and devices: not compared, because the primary kept its state at hashes only, and an output differed before one did.',
    ];
  }
  const differences = comparedStates(comparison.before.state, backup.state);
  if (typeof differences === 'string') return [`Registers and devices: not compared: ${differences}`];
  const shown = differences
    .slice(0, SHOWN_FIELDS)
    .map(({ field, primary, backup: other }) => `  ${field}: primary ${primary}, backup ${other}`);
  return [
    `Registers and devices: ${counted(differences.length, 'field')} with a difference.`,
    ...shown,
    ...more(differences.length, SHOWN_FIELDS),
  ];
}

function comparedStates(primary: Uint8Array, backup: Uint8Array) {
  try {
    return compareStates(primary, backup);
  } catch (error) {
    if (error instanceof OperatingError) return error.message;
    throw error;
  }
}

function pageLines({ differing, comparison }: DiagnosisFacts, pages: { primary: Pages; backup: Pages }): string[] {
  if (differing === undefined) return ['Memory: not compared.'];
  const shown = differing.slice(0, SHOWN_PAGES).map((page) => {
    const address = `0x${(RAM_BASE + page * PAGE_BYTES).toString(16)}`;
    const [primary, backup] = [pages.primary.get(page), pages.backup.get(page)];
    if (primary === undefined || backup === undefined) return `  page ${page} (${address})`;
    const later = comparison?.writtenSince.includes(page) ? ' (the primary has written it since)' : '';
    const at = firstDifference(primary, backup);
    if (at === undefined) return `  page ${page} (${address}): equal by now${later}`;
    const count = primary.reduce((sum, byte, i) => sum + (byte === backup[i] ? 0 : 1), 0);
    const where = `${counted(count, 'byte')}, first at 0x${(RAM_BASE + page * PAGE_BYTES + at).toString(16)}`;
    return `  page ${page} (${address}): ${where}${later}\n    primary ${bytesAt(primary, at)}\n    backup  ${bytesAt(backup, at)}`;
  });
  const unsure =
    comparison !== undefined && comparison.uncertain > 0
      ? [`  ${comparison.uncertain} more pages may differ: the primary has written them since its last hash.`]
      : [];
  const kept = 'Contents, as far as they were kept: pages/.';
  return [
    `Memory: ${counted(differing.length, 'page')} with a difference. ${kept}`,
    ...shown,
    ...more(differing.length, SHOWN_PAGES),
    ...unsure,
  ];
}

function more(count: number, shown: number): string[] {
  return count > shown ? [`  and ${count - shown} more`] : [];
}

const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
const hex = (value: bigint): string => value.toString(16).padStart(16, '0');
