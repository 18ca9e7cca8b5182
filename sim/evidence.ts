/** Gathers what the checkers judge from a cluster at the end of its run. */
import type { BlockRequest, Output } from '../src/core/machine/doors.ts';
import type { Evidence, History, Promised, Standing } from './checkers.ts';
import type { Cluster } from './cluster.ts';
import type { SimProcess } from './process.ts';

/** `answeredBefore`: each client's count of answers when the last fault had ended. */
export function evidenceOf(cluster: Cluster, answeredBefore = cluster.clients.map(() => 0)): Evidence {
  const { journal, schedule } = cluster;
  return {
    endMs: schedule.nowMs,
    owned: journal.owned,
    released: journal.released,
    executed: journal.executed,
    misreads: journal.misreads,
    strayReads: journal.strayReads,
    histories: historiesOf(cluster),
    promised: promisedBy(cluster),
    standing: standingOf(cluster, answeredBefore),
  };
}

/** The history of each life is that of its last owner whose machine ran: one that died earlier never came to it all. */
function historiesOf({ processes, journal }: Cluster): History[] {
  const last = new Map<number, { readonly generation: number; readonly process: SimProcess }>();
  for (const { life, generation, incarnation, runs } of journal.owned) {
    if (!runs || generation < (last.get(life)?.generation ?? 0)) continue;
    const process = processes.find((one) => one.incarnation === incarnation);
    if (process !== undefined) last.set(life, { generation, process });
  }
  return [...last].map(([life, { process }]) => historyOf(life, process.name, process.history));
}

function historyOf(life: number, who: string, outputs: readonly Output[]): History {
  const requests = new Map<number, BlockRequest>();
  for (const output of outputs) if (output.kind === 'block') requests.set(output.request.id, output.request);
  return { life, who, output: (sequence) => outputs[sequence - 1], request: (id) => requests.get(id) };
}

function promisedBy({ clients, disks }: Cluster): Promised[] {
  const promised: Promised[] = [];
  for (const [client, { acknowledged }] of clients.entries()) {
    for (const [key, { value }] of acknowledged)
      for (const disk of disks) {
        const sector = disk.sector(key);
        const found = sector === undefined ? 0 : new DataView(sector.buffer, sector.byteOffset).getUint32(0, true);
        promised.push({ client, key, value, found, underWay: clients[client]!.underWay(key) });
      }
  }
  return promised;
}

function standingOf(cluster: Cluster, answeredBefore: readonly number[]): Standing {
  const { processes, arbiter, clients } = cluster;
  return {
    replicas: processes.map((process) => ({
      who: process.name,
      incarnation: process.incarnation,
      works: !process.killed && !process.cpuDead,
      phase: process.phase,
      generation: process.generation,
    })),
    newest: arbiter.newest,
    answered: clients.every(({ answers }, client) => answers > answeredBefore[client]!),
    // Whoever works and is not the owner could be its backup; spares come up until there is one.
    pairPossible: cluster.sparesStandBy || cluster.working.length > 1,
  };
}
