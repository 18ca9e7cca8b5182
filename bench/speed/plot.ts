/**
 * The plot of the speed benchmark: one row for each program (and boot, redis, means), one dot for each peer, on a logarithmic axis of "times as
 * fast as the peer". Right of the line at 1 we are faster. Drawn by Vega-Lite as SVG, without a browser.
 */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import {
  bootSeconds,
  COMPARISONS,
  type Comparison,
  geometricMean,
  programRatios,
  programSeconds,
  ratioOf,
  redisRatios,
  redisSeconds,
  redisTests,
} from './comparisons.ts';
import type { Journal } from './journal.ts';
import { PROGRAMS } from './programs.ts';
import type { SubjectName } from './subjects.ts';

interface Dot {
  readonly row: string;
  readonly group: string;
  readonly peer: string;
  readonly ratio: number;
}

const MEANS = 'geometric means';

function dotsOf(journal: Journal, comparison: Comparison, peer: string): Dot[] {
  const dot = (group: string, row: string, ratio: number | undefined): Dot[] =>
    ratio === undefined ? [] : [{ group, row, peer, ratio }];
  const group = { compute: 'compute', system: 'kernel', tool: 'Debian’s programs' } as const;
  return [
    ...dot(MEANS, 'all programs', geometricMean(programRatios(journal, comparison))),
    ...dot(MEANS, 'compute programs', geometricMean(programRatios(journal, comparison, ['compute']))),
    ...dot(MEANS, 'redis', geometricMean(redisRatios(journal, comparison))),
    ...PROGRAMS.filter(({ name }) => journal.campaign.programs.includes(name)).flatMap(({ name, label, kind }) =>
      dot(group[kind], label, ratioOf(journal, comparison, programSeconds(name))?.median),
    ),
    ...dot('system', 'boot to userland', ratioOf(journal, comparison, bootSeconds)?.median),
    ...redisTests(journal).flatMap((name) =>
      dot('system', `redis ${name}`, ratioOf(journal, comparison, redisSeconds(name))?.median),
    ),
  ];
}

interface Panel {
  readonly title: string;
  readonly peers: Readonly<Partial<Record<SubjectName, string>>>;
  readonly goal: number;
}

function panels({ campaign: { versions } }: Journal): Panel[] {
  const host = `QEMU ${versions.qemu?.split(' ')[0]}`;
  const newest = `QEMU ${versions['newest qemu']?.replace(/^\d+:|\+.*$/g, '')}`;
  return [
    { title: 'run, against QEMU (TCG)', peers: { qemu: host, 'qemu-newest': newest }, goal: 1 },
    {
      title: 'record, against QEMU rr=record',
      peers: { 'qemu-rr-record': host, 'newest-rr-record': newest },
      goal: 1.5,
    },
    {
      title: 'replay, against QEMU rr=replay',
      peers: { 'qemu-rr-replay': host, 'newest-rr-replay': newest },
      goal: 2,
    },
    { title: 'run, against v86', peers: { v86: `v86 ${versions.v86?.replace(/\+.*/, '')}` }, goal: 2 },
  ];
}

const COLOURS = ['#1f77b4', '#ff7f0e', '#2ca02c'];
const AXIS = { type: 'log', domain: [0.125, 32], clamp: true, nice: false } as const;

function panelSpec(journal: Journal, { title, peers, goal }: Panel, rows: readonly string[], first: boolean): object {
  const dots = COMPARISONS.flatMap((each) => {
    const peer = peers[each.peer];
    return peer === undefined || each.peer === 'interpreter' ? [] : dotsOf(journal, each, peer);
  });
  const y = {
    field: 'row',
    type: 'nominal',
    sort: rows,
    scale: { domain: rows },
    title: null,
    axis: first ? { labelLimit: 400, grid: true, ticks: false } : { labels: false, grid: true, ticks: false },
  };
  const x = {
    field: 'ratio',
    type: 'quantitative',
    scale: AXIS,
    title: 'times as fast as the peer',
    axis: { values: [0.25, 0.5, 1, 2, 4, 8, 16], format: '~g' },
  };
  const order = [...new Set(Object.values(peers))];
  const rule = (at: number, more: object): object => ({
    data: { values: [{ at }] },
    mark: { type: 'rule', ...more },
    encoding: { x: { field: 'at', type: 'quantitative', scale: AXIS } },
  });
  return {
    title: { text: title, fontSize: 12 },
    width: 250,
    height: { step: 17 },
    layer: [
      {
        data: { values: [{ from: AXIS.domain[0], to: 1 }] },
        mark: { type: 'rect', color: '#fbe9e7' },
        encoding: { x: { field: 'from', type: 'quantitative', scale: AXIS }, x2: { field: 'to' } },
      },
      rule(1, { color: '#333', strokeWidth: 1.5 }),
      ...(goal === 1 ? [] : [rule(goal, { color: '#333', strokeDash: [4, 3] })]),
      {
        data: { values: dots },
        mark: { type: 'point', filled: true, size: 75, opacity: 0.9 },
        encoding: {
          x,
          y,
          color: {
            field: 'peer',
            type: 'nominal',
            scale: { domain: order, range: COLOURS },
            legend: { title: null, orient: 'top' },
          },
          shape: {
            condition: { test: `datum.group === '${MEANS}'`, value: 'diamond' },
            value: 'circle',
          },
          size: { condition: { test: `datum.group === '${MEANS}'`, value: 160 }, value: 70 },
        },
      },
    ],
  };
}

/** The whole plot as SVG text. */
export async function drawPlot(journal: Journal): Promise<string> {
  const all = COMPARISONS.flatMap((each) => dotsOf(journal, each, ''));
  const rows = [...new Set(all.map(({ row }) => row))];
  const shown = panels(journal).filter(({ peers }) =>
    COMPARISONS.some((each) => peers[each.peer] !== undefined && dotsOf(journal, each, '').length > 0),
  );
  const spec = {
    background: 'white',
    title: {
      text: 'Understudy: speed inside the guest, times as fast as the peer (right of the line: faster)',
      subtitle:
        'medians of the rounds; diamonds: geometric means; shaded: slower than the peer; dashed: the goal of the mean, where it is not 1',
      anchor: 'start',
    },
    hconcat: shown.map((panel, at) => panelSpec(journal, panel, rows, at === 0)),
    resolve: { scale: { color: 'independent' } },
    config: { font: 'sans-serif', view: { stroke: '#ccc' } },
  };
  const view = new View(parse(compile(spec as unknown as TopLevelSpec).spec), { renderer: 'none' });
  return await view.toSVG();
}
