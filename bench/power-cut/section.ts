/**
 * The campaigns of power cuts (test/e2e/power-cut-campaign.ts) as a part of bench/RESULTS.md, from their journals. Of a round that was
 * run again its last line counts, and what was wrong before is told.
 */
import { join } from 'node:path';
import { type PowerCutLine, readPowerCuts } from '../../test/e2e/power-cut-campaign.ts';
import { table } from '../support/numbers.ts';

const JOURNALS = { shared: 'power-cut.jsonl', mirrored: 'power-cut-mirrored.jsonl' } as const;

const INTRODUCTION = `A pair under a redis load that syncs each write; SIGKILL of every process at a random moment, and the loss of every write of the host that was not
flushed: images, records and the arbiter's directory lie behind nbdkit's write-back cache, which dies with the rest. After that \`e2fsck\` must be content, the newest generation must
start from its disk, and every acknowledged write must be there. With a mirrored disk each host's image is behind a cache of its own, in some rounds the cut meets an image
that is catching up, and in the end the images must be equal byte for byte.`;

const HEAD = ['disk', 'as it must be, of rounds', 'acknowledged writes', 'lost'];

const isGood = ({ problems }: PowerCutLine): boolean => problems.length === 0;

const complaint = ({ seed, problems }: PowerCutLine): string => `- seed ${seed}: ${problems[0]!.split('\n')[0]}`;

/** A row for the table, and what else is to be said. */
export function summaryOf(disk: string, lines: readonly PowerCutLine[]): { row: string[]; told: string[] } {
  const last = [...new Map(lines.map((line) => [line.seed, line])).values()];
  const sum = (key: 'acknowledgedWrites' | 'lostWrites'): string =>
    String(last.reduce((all, line) => all + (key in line ? (line as Record<typeof key, number>)[key] : 0), 0));
  const row = [disk, `${last.filter(isGood).length} of ${last.length}`, sum('acknowledgedWrites'), sum('lostWrites')];
  const failed = last.filter((line) => !isGood(line));
  const repeated = lines.filter((line) => !isGood(line) && !last.includes(line));
  const list = (title: string, all: readonly PowerCutLine[]): string[] =>
    all.length === 0 ? [] : [`${disk}, ${title}:\n\n${all.map(complaint).join('\n')}`];
  return { row, told: [...list('not as it must be', failed), ...list('failed, and run again since', repeated)] };
}

export async function powerCutSection(): Promise<string> {
  const parts = Object.entries(JOURNALS).flatMap(([disk, file]) => {
    const lines = readPowerCuts(join(import.meta.dirname, '../results', file));
    return lines.length === 0 ? [] : [summaryOf(disk, lines)];
  });
  const title = '## Power cuts of everything';
  if (parts.length === 0) return `${title}\n\nNot measured.\n`;
  const command =
    '`node test/e2e/power-cut-campaign.ts --rounds 20 --seed 1`, and with `--disk mirrored`. A disk that answers flushes without doing them fails (`test/e2e/power-cut.test.ts`).';
  const all = [
    title,
    INTRODUCTION,
    table([HEAD, ...parts.map(({ row }) => row)]),
    ...parts.flatMap(({ told }) => told),
  ];
  return `${[...all, command].join('\n\n')}\n`;
}
