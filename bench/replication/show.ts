/** The replication benchmark's figures as tables. */
import { percentile } from '../hosts/section.ts';
import { median, spread, table } from '../support/numbers.ts';
import type {
  DelayEntry,
  LogEntryFigures,
  RatesEntry,
  ReplicationEntry,
  TestResult,
  TransferEntry,
  TransferWork,
} from './journal.ts';
import { mbits, totalOf, type VolumeByKind } from './log-volume.ts';
import { PUBLISHED } from './published.ts';
import { COMPILE_READS, IDLE } from './stages.ts';

/** The measurements by kind. */
export interface Found {
  readonly rates: readonly RatesEntry[];
  readonly logs: readonly LogEntryFigures[];
  readonly delays: readonly DelayEntry[];
  readonly transfers: readonly TransferEntry[];
}

export function sorted(entries: readonly ReplicationEntry[]): Found {
  return {
    rates: entries.filter((entry) => entry.type === 'rates'),
    logs: entries.filter((entry) => entry.type === 'log'),
    delays: entries.filter((entry) => entry.type === 'delay'),
    transfers: entries.filter((entry) => entry.type === 'transfer'),
  };
}

type Figure = 'requestsPerSecond' | 'p50Ms' | 'p99Ms';

const valuesOf = (runs: readonly { readonly tests: readonly TestResult[] }[], name: string, figure: Figure): number[] =>
  runs.flatMap(({ tests }) => tests.filter((test) => test.name === name).map((test) => test[figure]));

const namesOf = (runs: readonly { readonly tests: readonly TestResult[] }[]): string[] => [
  ...new Set(runs.flatMap(({ tests }) => tests.map(({ name }) => name))),
];

const orNothing = (values: readonly number[], digits: number): string =>
  values.length === 0 ? '' : spread(values, digits);

/** Of the rounds that have both: the pair's figure and the plain run's. */
export function inBoth(rates: readonly RatesEntry[], name: string, figure: Figure): readonly [number, number][] {
  return rates
    .filter(({ way }) => way === 'pair')
    .flatMap((pair): [number, number][] => {
      const plain = rates.find(({ way, round }) => way === 'plain' && round === pair.round);
      const [ours] = valuesOf([pair], name, figure);
      const [alone] = plain === undefined ? [] : valuesOf([plain], name, figure);
      return ours === undefined || alone === undefined ? [] : [[ours, alone]];
    });
}

export const ratios = (rates: readonly RatesEntry[], name: string): number[] =>
  inBoth(rates, name, 'requestsPerSecond').map(([pair, plain]) => pair / plain);

export function showRates({ rates }: Found): string {
  const ways = (['plain', 'pair'] as const).map((way) => rates.filter((entry) => entry.way === way));
  return table([
    ['requests a second', 'rounds', 'plain', 'pair', 'ratio'],
    ...namesOf(rates).map((name) => [
      name,
      String(ratios(rates, name).length),
      ...ways.map((runs) => orNothing(valuesOf(runs, name, 'requestsPerSecond'), 0)),
      orNothing(ratios(rates, name), 2),
    ]),
  ]);
}

/** One request at a time: what each of its answers costs more on a pair. */
export function showAddedLatency({ rates }: Found): string {
  const names = namesOf(rates).filter((name) => /-c 1 -P 1$/.test(name));
  const figures = [
    ['p50Ms', 'p50'],
    ['p99Ms', 'p99'],
  ] as const;
  const rows = names.flatMap((name) =>
    figures.map(([figure, label]) => {
      const both = inBoth(rates, name, figure);
      const added = both.map(([pair, plain]) => pair - plain);
      const columns = [both.map(([, plain]) => plain), both.map(([pair]) => pair), added];
      return [`${name}, ${label}`, String(both.length), ...columns.map((values) => orNothing(values, 2))];
    }),
  );
  return table([['latency of one request at a time, ms', 'rounds', 'plain', 'pair', 'added'], ...rows]);
}

export function showDelays({ delays, rates }: Found): string {
  const plain = rates.filter(({ way }) => way === 'plain');
  const delaysMs = [...new Set(delays.map(({ delayMs }) => delayMs))].sort((a, b) => a - b);
  const rows = delaysMs.flatMap((delayMs) => {
    const runs = delays.filter((entry) => entry.delayMs === delayMs);
    const trip = median(runs.map(({ roundTripMs }) => roundTripMs));
    return namesOf(runs).map((name) => {
      const p50 = valuesOf(runs, name, 'p50Ms');
      const alone = valuesOf(plain, name, 'p50Ms');
      return [
        `${trip.toFixed(2)} (${delayMs} each way)`,
        name,
        String(runs.length),
        orNothing(p50, 2),
        orNothing(valuesOf(runs, name, 'p99Ms'), 2),
        alone.length === 0 ? '' : (median(p50) - median(alone)).toFixed(2),
        orNothing(valuesOf(runs, name, 'requestsPerSecond'), 0),
      ];
    });
  });
  const head = [
    'round trip of the link, ms',
    'test',
    'rounds',
    'p50, ms',
    'p99, ms',
    'more than plain, p50',
    'requests a second',
  ];
  return table([head, ...rows]);
}

/** Kinds of entries under the names of the table's columns. */
const COLUMNS: readonly (readonly [string, (kind: string) => boolean])[] = [
  ['frames in', (kind) => kind === 'net-rx'],
  ['marks of outputs', (kind) => kind.startsWith('mark of ')],
  ['clock', (kind) => kind === 'clock' || kind === 'wall-clock'],
  ['disk answers', (kind) => kind === 'block-done'],
  ['hashes', (kind) => kind === 'hash'],
];

export function volumeOf(volumes: VolumeByKind, of: (kind: string) => boolean): number {
  return totalOf(Object.fromEntries(Object.entries(volumes).filter(([kind]) => of(kind)))).bytes;
}

/** Columns, and what is in none of them; bytes. */
export function columnsOf(volumes: VolumeByKind): readonly (readonly [string, number])[] {
  const rest = (kind: string): boolean => COLUMNS.every(([, of]) => !of(kind));
  return [...COLUMNS, ['other', rest] as const].map(([name, of]) => [name, volumeOf(volumes, of)] as const);
}

export function showLogs({ logs }: Found): string {
  const rows = logs.map((log) => {
    const { seconds, volumes, sentBytes, backBytes, work, done } = log;
    const rate = (bytes: number): string => mbits(bytes, seconds).toFixed(3);
    const { entries, bytes } = totalOf(volumes);
    const columns = columnsOf(volumes).map(([, part]) => rate(part));
    return [
      `${work} (${done})`,
      seconds.toFixed(0),
      rate(bytes),
      ...columns,
      (entries / seconds).toFixed(0),
      rate(sentBytes),
      rate(backBytes),
    ];
  });
  const columns = columnsOf({}).map(([name]) => name);
  return table([
    ['log, Mbit/s', 'seconds', 'all entries', ...columns, 'entries a second', 'sent', 'sent back'],
    ...rows,
  ]);
}

const TRANSFER_NAMES: Readonly<Record<TransferWork, string>> = {
  idle: 'idle, but for the client that waits',
  redis: 'under redis load',
};

export const stopsOf = (transfers: readonly TransferEntry[]): number[] => transfers.map(({ stops }) => stops.longestMs);

export function showTransfers({ transfers }: Found): string {
  const works = (['idle', 'redis'] as const).filter((work) => transfers.some((entry) => entry.work === work));
  const columns = works.map((work) => transfers.filter((entry) => entry.work === work));
  const row = (name: string, digits: number, value: (entry: TransferEntry) => number | undefined): string[] => [
    name,
    ...columns.map((entries) => {
      const values = entries.map(value).filter((each) => each !== undefined);
      return orNothing(values, digits);
    }),
  ];
  const after = (killed: TransferEntry['victim']) => (entry: TransferEntry) =>
    entry.victim === killed ? entry.redundantMs / 1000 : undefined;
  return table([
    ['a new backup for a guest of 512 MiB', ...works.map((work) => TRANSFER_NAMES[work])],
    ['transfers', ...columns.map((entries) => String(entries.length))],
    row('requests a second before it', 0, ({ requestsPerSecondBefore }) => requestsPerSecondBefore),
    row('the guest’s own longest stop meanwhile, ms', 0, ({ stops }) => stops.longestMs),
    row('its longest stop around the cut, ms', 0, ({ cutStops }) => cutStops.longestMs),
    row('all its stops of 10 ms and more meanwhile, ms', 0, ({ stops }) => stops.sumMs),
    row('its longest stop in 3 s before the loss, ms', 0, ({ usualStops }) => usualStops.longestMs),
    row('its thread ready without a core meanwhile, ms', 0, ({ waitedForCoreMs }) => waitedForCoreMs),
    row('the client’s longest wait meanwhile, ms', 0, ({ waitMs }) => waitMs),
    row('its longest wait in 3 s before the loss, ms', 0, ({ usualMs }) => usualMs),
    row('copies begun', 0, ({ copies }) => copies),
    row('copy and cut-over, s', 2, ({ redundantMs, copyingMs }) => (redundantMs - copyingMs) / 1000),
    row('redundant after the loss of the backup, s', 2, after('backup')),
    row('redundant after the loss of the primary, s', 2, after('primary')),
  ]);
}

/** Ours beside what VMware has published. */
export function showBeside(found: Found, gapsMs: readonly number[]): string {
  const { logs, rates, transfers } = found;
  const logRate = (log: LogEntryFigures): number => mbits(totalOf(log.volumes).bytes, log.seconds);
  // With reads of its own the backup spares the log what theirs has in it.
  const loaded = logs.filter(({ work }) => work !== IDLE && work !== COMPILE_READS).map(logRate);
  const idle = logs.filter(({ work }) => work === IDLE).map(logRate);
  const range = (values: readonly number[], digits: number): string =>
    values.length === 0 ? '' : `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;
  const [p50, p99] = [percentile(gapsMs, 50), percentile(gapsMs, 99)];
  const byTest = namesOf(rates)
    .map((name) => ratios(rates, name))
    .filter(({ length }) => length > 0);
  const stops = stopsOf(transfers);
  return table([
    ['', 'Understudy, here', 'VMware FT, published'],
    [
      'requests a second, pair to plain (tests’ medians)',
      range(byTest.map(median), 2),
      `${PUBLISHED.ratio} (applications)`,
    ],
    ['log, idle, Mbit/s', idle.map((rate) => rate.toFixed(3)).join(', '), PUBLISHED.idleMbits],
    ['log, loaded, Mbit/s', range(loaded, 2), PUBLISHED.loadedMbits],
    ['interruption of the guest by a new backup’s state transfer, ms', range(stops, 0), PUBLISHED.interruption],
    [
      'redundant again after the loss of a replica, s',
      range(
        transfers.map(({ redundantMs }) => redundantMs / 1000),
        1,
      ),
      '-',
    ],
    [
      `gap at a failover as a client sees it, p50 / p99, ms (n = ${gapsMs.length})`,
      p50 === undefined || p99 === undefined ? '' : `${p50.toFixed(0)} / ${p99.toFixed(0)}`,
      '-',
    ],
  ]);
}
