/** The plot of a soak: resident memory of each process, requests a second, and how far the backup is behind, over time. */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { SoakJournal } from './journal.ts';

interface Row {
  readonly minutes: number;
  readonly value: number | undefined;
  readonly of: string;
}

function panel(title: string, unit: string, rows: readonly Row[], height: number): object {
  return {
    title: { text: title, fontSize: 12, anchor: 'start' },
    width: 640,
    height,
    data: { values: rows.filter(({ value }) => value !== undefined) },
    mark: { type: 'line', strokeWidth: 1.5 },
    encoding: {
      x: { field: 'minutes', type: 'quantitative', title: 'minutes under load' },
      y: { field: 'value', type: 'quantitative', title: unit, scale: { zero: true } },
      color: { field: 'of', type: 'nominal', legend: { title: null }, sort: null },
    },
  };
}

/** SVG text. */
export async function drawSoak({ samples }: SoakJournal): Promise<string> {
  const minutes = (seconds: number): number => seconds / 60;
  const memory = samples.flatMap(({ seconds, memory }) =>
    Object.entries(memory)
      .filter(([of]) => of !== 'client')
      .map(([of, { residentMib }]) => ({ minutes: minutes(seconds), value: residentMib, of })),
  );
  const requests = samples.map(({ seconds, requestsPerSecond }) => ({
    minutes: minutes(seconds),
    value: requestsPerSecond,
    of: 'requests',
  }));
  const lag = samples.map(({ seconds, lagMs }) => ({ minutes: minutes(seconds), value: lagMs, of: 'lag' }));
  const spec = {
    background: 'white',
    title: { text: 'Understudy: a pair under redis load', anchor: 'start' },
    vconcat: [
      panel('resident memory', 'MiB', memory, 260),
      panel('redis', 'requests a second', requests, 110),
      panel('the backup behind the primary', 'ms', lag, 110),
    ],
    resolve: { scale: { color: 'independent' } },
    config: { font: 'sans-serif', view: { stroke: '#ccc' } },
  };
  const view = new View(parse(compile(spec as unknown as TopLevelSpec).spec), { renderer: 'none' });
  return await view.toSVG();
}
