/** The replication benchmark as a part of bench/RESULTS.md: its journal is bench/results/replication.jsonl. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { checkBenchTools } from '../speed/host-tools.ts';
import { collectFacts } from '../support/facts.ts';
import { runReplication } from './campaign.ts';
import { type GapRow, gapRow, killsOf, showGaps } from './gaps.ts';
import { type ReplicationJournal, readReplicationJournal, writeReplicationJournal } from './journal.ts';
import { drawReplication } from './plot.ts';
import { PUBLISHED_NOTE } from './published.ts';
import { showAddedLatency, showBeside, showDelays, showLogs, showRates, showTransfers, sorted } from './show.ts';

const RESULTS = join(import.meta.dirname, '../results');
const JOURNAL = join(RESULTS, 'replication.jsonl');
const PLOT = join(import.meta.dirname, '../plots/replication.svg');
const TITLE = '## Fault tolerance: what it costs and what it gives';

export interface ReplicationWishes {
  readonly image: BuiltImage;
  readonly quick: boolean;
  /** Goes on with the journal that is there, as quick as it was begun. */
  readonly resume: boolean;
  readonly onProgress: (line: string) => void;
}

/** Leaves the journal. Throws when there is nothing to resume, or a program is missing. */
export async function measureReplication({ image, quick, resume, onProgress }: ReplicationWishes): Promise<void> {
  await checkBenchTools([], true);
  let journal: ReplicationJournal | undefined;
  if (resume) {
    const found = await readReplicationJournal(JOURNAL);
    if (found === undefined) throw new Error(`there is nothing to resume: ${JOURNAL} is missing`);
    journal = { head: found.head, entries: found.entries.filter(({ type }) => type !== 'failure') };
    onProgress(`replication: ${journal.entries.length} measurements are done already`);
  }
  journal ??= { head: { type: 'replication', facts: await collectFacts(), quick }, entries: [] };
  await writeReplicationJournal(JOURNAL, journal);
  await runReplication(journal, { image, file: JOURNAL, onProgress });
}

const kills = async (journal: string) => killsOf(await readFile(join(RESULTS, journal), 'utf8').catch(() => ''));

/** Whose figures they are, as far as the repository knows: the campaigns' journals say nothing of the machine. */
async function committed(journal: string): Promise<string> {
  const words = ['log', '-1', '--format=commit %h of %cs', '--', join(RESULTS, journal)];
  const { stdout } = await promisify(execFile)('git', words, { cwd: RESULTS }).catch(() => ({ stdout: '' }));
  return `${journal}: ${stdout.trim() || 'in no commit'}`;
}

/** Of the campaigns' journals, and of this benchmark's own losses of a primary. */
async function gapRows({ entries }: ReplicationJournal): Promise<GapRow[]> {
  const [pair, hosts] = [await kills('failover.jsonl'), await kills('hosts.jsonl')];
  const own = sorted(entries).transfers.filter(({ victim }) => victim === 'primary');
  const ownRow = (work: 'idle' | 'redis', who: string): GapRow => {
    const rounds = own.filter((entry) => entry.work === work);
    return { who, gapsMs: rounds.map(({ gapMs }) => gapMs), usualMs: rounds.map(({ usualMs }) => usualMs) };
  };
  return [
    gapRow('four redis clients, a pair on one host', pair, 'redisGapMs', 'redisBeforeMs'),
    gapRow('a stream with a line every 100 ms, at the same time', pair, 'streamGapMs', 'streamBeforeMs'),
    gapRow('a redis client beside others, hosts in namespaces', hosts, 'gapMs', 'usualMs'),
    ownRow('redis', 'a redis client beside others, daemons on one host'),
    ownRow('idle', 'a redis client alone, daemons on one host'),
  ];
}

const GAPS = `How long a client waits when the primary's process is killed: detection, claim, go-live, and the way back to the client. Percentiles are nearest ranks of the rounds in which all was as it must be;
with fewer than a hundred of them p99 is the longest. A stream with a line every 100 ms is never silent for less. The first two rows are of \`test/e2e/campaign.ts\`, the third of \`test/e2e/hosts-campaign.ts\`; the
rest comes from the losses below.`;

const TRANSFERS = `Three daemons (\`understudy host\`) on this machine, a disk server, a hub and a directory as arbiter; in turn the backup's and the primary's process are killed, and the machine's owner makes itself
a new backup. The guest's own stop is what a thread of the highest priority in the guest, which wakes up each millisecond, is late by on the guest's clock; it holds whatever else keeps the guest off its core, on which the copier
and the new backup work at that time too. The client sends one INCR after the other, 5 ms apart. Medians, least and most in brackets. Wanted: a stop of 100 ms at most under redis load, redundancy within 10 s.`;

const LOGS = `What the primary sends to the backup. An entry counts with its own bytes; "sent" has heartbeats and framing too, "sent back" is what acknowledgements are. Without what TCP, TLS and Ethernet add.
What the guest reads from its disk is in the log ("disk answers") unless the backup reads by itself (docs/disks.md), and so is each frame that arrives.`;

const LATENCY = `The Output Rule: an answer leaves when the backup has acknowledged the log up to it. Both guests are up at the same time and are asked in turn by redis-benchmark, through the same hub and passt; the pair's replicas
are two processes of this machine, so what is added is also that primary and backup share its cores. "Added" is the median of the rounds' differences.`;

const DELAYS = `The same with a relay between the replicas that holds each byte back, because not every kernel has netem, and whose round trip is measured with single bytes beforehand. A request waits for at least one round trip; with
20 clients the guest goes on meanwhile.`;

/** Markdown; draws the plot anew. */
export async function replicationSection(): Promise<string> {
  const journal = await readReplicationJournal(JOURNAL);
  if (journal === undefined || journal.entries.length === 0) return `${TITLE}\n\nNot measured.\n`;
  const found = sorted(journal.entries);
  await mkdir(join(PLOT, '..'), { recursive: true });
  await writeFile(PLOT, await drawReplication(found));
  const gaps = await gapRows(journal);
  return `${[
    TITLE,
    '![Log by kind of entry, latency with a slower link, and waits during a state transfer](plots/replication.svg)',
    showBeside(found, gaps.find(({ gapsMs }) => gapsMs.length > 0)?.gapsMs ?? []),
    PUBLISHED_NOTE,
    '### Gap at a failover',
    GAPS,
    showGaps(gaps),
    (await Promise.all(['failover.jsonl', 'hosts.jsonl'].map(committed))).join('; '),
    '### State transfer',
    TRANSFERS,
    showTransfers(found),
    '### The log',
    LOGS,
    showLogs(found),
    '### Latency',
    LATENCY,
    showAddedLatency(found),
    DELAYS,
    showDelays(found),
    '### Requests a second',
    'In turn, as above. What a guest that computes loses is in the section on the cost of recording and of a pair.',
    showRates(found),
    showProvenance(journal),
  ].join('\n\n')}\n`;
}

function showProvenance({ head, entries }: ReplicationJournal): string {
  const { facts, quick } = head;
  const loads = entries.map(({ load }) => load);
  const failures = entries.filter((entry) => entry.type === 'failure');
  const wrong = failures.map(({ of, at, why }) => `- ${at}, ${of}: ${why.split('\n')[0]}`);
  return [
    ...(wrong.length === 0 ? [] : [`**Failed, and tried once more:**\n\n${wrong.join('\n')}\n`]),
    `\`npm run bench -- --only replication${quick ? ' --quick' : ''}\``,
    `${facts.date} UTC; commit ${facts.commit}; ${facts.processor}, ${facts.cores} cores, ${facts.memoryGib} GiB, Linux ${facts.hostKernel}; Node ${facts.node};`,
    `load of the last minute before each measurement ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}, the benchmark’s own work included`,
  ].join('  \n');
}
