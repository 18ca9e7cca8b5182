/** `understudy status` for people: the machines, why they are not redundant, and the hosts. */
import { type Health, healthOf } from '../../../host/daemon/health.ts';
import type { MachineRecord, ReplicaStatusReport } from '../../../host/daemon/messages.ts';
import { type ClusterView, primaryOf, replicasOf } from '../../../host/daemon/operator.ts';
import { formatSize } from '../../../host/description/values.ts';

export function statusTables(view: ClusterView): string {
  const machines = view.machines.map((machine) => machineRow(view, machine));
  const troubles = view.machines.flatMap((machine) => troubleLines(machine, healthOf(view, machine)));
  const hosts = view.hosts.map(({ record, report }) => [
    record.name,
    record.address,
    formatSize(report?.freeBytes ?? record.freeBytes),
    formatSize(record.memoryBytes),
    report === undefined ? 'unreachable' : String(report.replicas.length),
  ]);
  return [
    ...table(['MACHINE', 'GENERATION', 'PRIMARY', 'BACKUP', 'PHASE', 'LAG'], machines),
    '',
    ...(troubles.length > 0 ? [...troubles, ''] : []),
    ...table(['HOST', 'ADDRESS', 'FREE', 'OFFERED', 'REPLICAS'], hosts),
  ].join('\n');
}

function machineRow(view: ClusterView, { name, wanted }: MachineRecord): string[] {
  const primary = primaryOf(view, name);
  const backup = replicasOf(view, name).find(({ replica }) => replica.status?.role === 'backup');
  const status = primary?.replica.status;
  const lag = status?.phase === 'paired' ? `${Math.round(status.lagMs)} ms` : '-';
  const generation = String(status?.generation ?? '-');
  return [name, generation, primary?.host ?? '-', backup?.host ?? '-', phaseOf(view, name, wanted, status), lag];
}

/** `copying 40%`; without a primary, what is left of the machine. */
function phaseOf(
  view: ClusterView,
  name: string,
  wanted: MachineRecord['wanted'],
  status: ReplicaStatusReport | undefined,
): string {
  if (status === undefined) {
    const left = replicasOf(view, name).length > 0;
    return left ? 'no primary' : wanted === 'stopped' ? 'stopped' : 'LOST';
  }
  const { phase, copy } = status;
  if (copy === undefined || copy.totalBytes === 0) return phase;
  return `${phase} ${Math.floor((100 * copy.doneBytes) / copy.totalBytes)}%`;
}

function troubleLines({ name }: MachineRecord, { redundant, reasons }: Health): string[] {
  if (reasons.length === 0) return [];
  const lines = reasons.flatMap(({ message, advice }) => [
    `  ${message}`,
    ...(advice === undefined ? [] : [`    ${advice}`]),
  ]);
  return [redundant ? `${name} is redundant, but:` : `${name} is not redundant:`, ...lines];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
