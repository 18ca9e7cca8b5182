/** The plot of the replication benchmark: whose bytes the log is, latency with a slower link, and who waits during a state transfer. */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { median } from '../support/numbers.ts';
import { mbits } from './log-volume.ts';
import { columnsOf, type Found } from './show.ts';

const WIDTH = 560;

const title = (text: string): object => ({ text, fontSize: 12, anchor: 'start' });

function logPanel({ logs }: Found): object {
  const values = logs.flatMap(({ work, seconds, volumes }) =>
    columnsOf(volumes).map(([kind, bytes]) => ({ work: work.replaceAll('`', ''), kind, rate: mbits(bytes, seconds) })),
  );
  return {
    title: title('the log'),
    width: WIDTH,
    data: { values },
    mark: 'bar',
    encoding: {
      y: { field: 'work', type: 'nominal', title: null, sort: null },
      x: { field: 'rate', type: 'quantitative', title: 'Mbit/s' },
      color: { field: 'kind', type: 'nominal', sort: null, legend: { title: null } },
    },
  };
}

function latencyPanel({ delays, rates }: Found): object {
  const p50 = (tests: Found['rates'][number]['tests'], name: string): number[] =>
    tests.filter((test) => test.name === name).map((test) => test.p50Ms);
  const names = ['PING -c 1 -P 1', 'GET -c 1 -P 1'];
  const delaysMs = [...new Set(delays.map(({ delayMs }) => delayMs))];
  const values = names.flatMap((name) => {
    const [command] = name.split(' ');
    const plain = rates.filter(({ way }) => way === 'plain').flatMap(({ tests }) => p50(tests, name));
    return delaysMs.flatMap((delayMs) => {
      const runs = delays.filter((entry) => entry.delayMs === delayMs);
      const trip = median(runs.map(({ roundTripMs }) => roundTripMs));
      const pair = { trip, ms: median(runs.flatMap(({ tests }) => p50(tests, name))), of: `${command}, pair` };
      return plain.length === 0 ? [pair] : [pair, { trip, ms: median(plain), of: `${command}, plain` }];
    });
  });
  return {
    title: title('one request at a time, p50'),
    width: WIDTH,
    height: 160,
    data: { values },
    mark: { type: 'line', point: true, strokeWidth: 1.5 },
    encoding: {
      x: { field: 'trip', type: 'quantitative', title: 'round trip of the link between primary and backup, ms' },
      y: { field: 'ms', type: 'quantitative', title: 'ms', scale: { zero: true } },
      color: { field: 'of', type: 'nominal', sort: null, legend: { title: null } },
    },
  };
}

function transferPanel({ transfers }: Found): object {
  const values = transfers.flatMap(({ work, stops, waitMs }) => [
    { of: `guest, ${work}`, ms: stops.longestMs },
    { of: `client, ${work}`, ms: waitMs },
  ]);
  return {
    title: title('longest stop and wait during a state transfer, one mark for each'),
    width: WIDTH,
    data: { values },
    mark: { type: 'tick', thickness: 2 },
    encoding: {
      y: { field: 'of', type: 'nominal', title: null },
      x: { field: 'ms', type: 'quantitative', title: 'ms', scale: { zero: true } },
    },
  };
}

/** SVG text. A part that was not measured has no panel. */
export async function drawReplication(found: Found): Promise<string> {
  const { logs, delays, transfers } = found;
  const panels = [
    ...(logs.length === 0 ? [] : [logPanel(found)]),
    ...(delays.length === 0 ? [] : [latencyPanel(found)]),
    ...(transfers.length === 0 ? [] : [transferPanel(found)]),
  ];
  const spec = {
    background: 'white',
    title: { text: 'Understudy: what fault tolerance costs', anchor: 'start' },
    vconcat: panels,
    resolve: { scale: { color: 'independent' } },
    config: { font: 'sans-serif', view: { stroke: '#ccc' }, axisY: { labelLimit: 240 } },
  };
  const view = new View(parse(compile(spec as unknown as TopLevelSpec).spec), { renderer: 'none' });
  return await view.toSVG();
}
