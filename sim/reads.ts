/**
 * Reads that a backup does by itself in a simulated cluster (`reads: backup`; PROTOCOL.md, 23): from the shared disk, of which it
 * owns no generation, or from its own image. While a fault strikes a process its reads are slow, fail, or bring something else.
 * Whatever else keeps a backup from finding the owner's bytes breaks a promise.
 */
import type { ReplicaAction } from '../src/core/replication/replica.ts';
import type { Cluster } from './cluster.ts';
import type { SimProcess } from './process.ts';
import { Random } from './random.ts';

type Trouble = { readonly slowMs: number } | { readonly spoils: 'nothing comes' | 'other bytes' };

export class SimReads {
  readonly #cluster: Cluster;
  readonly #troubles = new Map<SimProcess, Trouble>();
  /** Reads that a fault has spoilt. */
  readonly #spoilt = new Map<SimProcess, Set<number>>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** From now on this is wrong with the reads of `process`; undefined: nothing. */
  trouble(process: SimProcess, trouble: Trouble | undefined): void {
    if (trouble === undefined) this.#troubles.delete(process);
    else this.#troubles.set(process, trouble);
  }

  /** A read comes back from the disk. */
  answer(process: SimProcess, { device, request }: ReplicaAction & { type: 'disk-read' }, data: Uint8Array): void {
    const trouble = this.#troubles.get(process);
    const { id } = request;
    const bring = (found: { data?: Uint8Array }): void =>
      process.event({ type: 'disk-read-answer', device, id, ...found });
    if (trouble === undefined) return bring({ data });
    if ('slowMs' in trouble) return this.#cluster.schedule.after(trouble.slowMs, () => bring({ data }));
    const spoilt = this.#spoilt.get(process) ?? new Set();
    this.#spoilt.set(process, spoilt.add(id));
    if (trouble.spoils === 'nothing comes') return bring({});
    const other = Uint8Array.from(data);
    other[0]! ^= 1;
    bring({ data: other });
  }

  /** The machine of `process` has refused what it was given for this read. */
  refused(process: SimProcess, id: number): void {
    if (this.#spoilt.get(process)?.has(id) === true) return;
    this.#complain(process, `read ${id} does not find what the owner's did`);
  }

  /** `process` is over because it could get what it needs nowhere: no fault lasts for so long. */
  gaveUp(process: SimProcess): void {
    this.#complain(process, 'its reads are given up');
  }

  #complain(process: SimProcess, what: string): void {
    // Without it another has gone on, and written: it will lose its claim, and halt.
    const { generation, incarnation } = this.#cluster.arbiter.newest;
    if (generation > process.generation && incarnation !== process.incarnation) return;
    this.#cluster.journal.strayRead(`${process.name}, a backup: ${what}`);
  }
}

/** What goes wrong with such reads. */
export const readFaults: Record<string, (random: Random) => Trouble> = {
  'slow reads of a backup': (random) => ({ slowMs: random.pick([5, 40, 150, 400]) }),
  'failing reads of a backup': (random) => ({ spoils: random.pick(['nothing comes', 'other bytes'] as const) }),
};

/** Strikes some processes in turn; a stream of its own, so that nothing else changes. */
export function strikeReads(cluster: Cluster, seed: number, fromMs: number, toMs: number): void {
  const random = new Random(seed + 98 * 2 ** 32);
  const { schedule, journal, reads } = cluster;
  for (let left = random.below(4); left > 0; left--) {
    const kind = random.pick(Object.keys(readFaults));
    const lastsMs = random.pick([30, 150, 500]);
    schedule.after(random.between(fromMs, toMs), () => {
      const victim = cluster.processes.findLast(({ alive, phase }) => alive && phase === 'paired');
      if (victim === undefined) return;
      journal.fault(kind);
      journal.tell(victim.name, `has ${kind}`);
      reads!.trouble(victim, readFaults[kind]!(random));
      schedule.after(lastsMs, () => reads!.trouble(victim, undefined));
    });
  }
}
