/** What a person does with machines on hosts (host/daemon/operator.ts), and how it looks in the terminal. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { ReplicaStatusReport } from '../../../host/daemon/messages.ts';
import { type ClusterView, Operator, type Placed, primaryOf, replicasOf } from '../../../host/daemon/operator.ts';
import { loadDescription } from '../../../host/description/load.ts';
import { formatSize } from '../../../host/description/values.ts';
import { Credentials } from '../../../host/tls/credentials.ts';
import { exitStatus, usageError } from '../failure.ts';
import type { ContactRequest, ProtectRequest } from '../requests.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function operatorOf({ address, tls }: ContactRequest): Operator {
  const credentials = tls === undefined ? undefined : Credentials.load(tls, () => {}, 'client');
  return new Operator(address, credentials, (line) => process.stderr.write(`${line}\n`));
}

export async function protect(contact: ContactRequest, request: ProtectRequest): Promise<number> {
  const { descriptionFile, hosts, disk, hub, engine } = request;
  const description = await loadDescription(descriptionFile, { filesAreHere: false, diskIsHere: false });
  const { name, memoryBytes } = description;
  const mirrored = description.disk?.mirrored === true;
  if (mirrored && disk !== undefined) {
    throw usageError(
      `${descriptionFile} describes a mirrored disk, and --disk is given`,
      'Leave --disk out: each host has an image of its own.',
    );
  }
  if (description.disk !== undefined && !mirrored && disk === undefined) {
    throw usageError(
      `${descriptionFile} describes a disk, and --disk is not given`,
      'Start "understudy disk" and give its address.',
    );
  }
  const plain = parse(await readFile(descriptionFile, 'utf8')) as Record<string, unknown>;
  const record = {
    name,
    description: { ...plain, name },
    baseDirectory: dirname(resolve(descriptionFile)),
    engine,
    ...(disk === undefined ? {} : { disk }),
    ...(hub === undefined ? {} : { hub }),
  };
  print(`${name} is redundant: ${placesOf(await operatorOf(contact).protect(record, hosts, memoryBytes))}`);
  return exitStatus.success;
}

function placesOf(placed: readonly Placed[]): string {
  return placed.map(({ host, replica }) => `${replica.status?.role ?? 'replica'} on ${host}`).join(', ');
}

export async function start(
  contact: ContactRequest,
  machine: string,
  how: { readonly afterLoss: boolean; readonly alone: boolean },
): Promise<number> {
  print(`${machine} runs: ${placesOf(await operatorOf(contact).start(machine, how))}`);
  return exitStatus.success;
}

export async function stop(contact: ContactRequest, machine: string): Promise<number> {
  await operatorOf(contact).stop(machine);
  print(`${machine} is stopped`);
  return exitStatus.success;
}

export async function failover(contact: ContactRequest, machine: string): Promise<number> {
  const { from, to, generation } = await operatorOf(contact).failover(machine);
  print(`${machine} has moved from ${from} to ${to}, in generation ${generation}`);
  return exitStatus.success;
}

export async function status(contact: ContactRequest, json: boolean): Promise<number> {
  const view = await operatorOf(contact).look();
  print(json ? JSON.stringify(plainView(view), undefined, 2) : tables(view));
  return exitStatus.success;
}

function plainView(view: ClusterView): object {
  return {
    machines: view.machines.map(({ name, wanted, hosts }) => ({
      name,
      wanted,
      hosts,
      replicas: replicasOf(view, name),
    })),
    hosts: view.hosts.map((host) => ({
      ...host.record,
      ...(host.report === undefined ? { reachable: false, why: host.why } : { reachable: true, ...host.report }),
    })),
  };
}

function tables(view: ClusterView): string {
  const machines = view.machines.map(({ name, wanted }) => {
    const primary = primaryOf(view, name);
    const backup = replicasOf(view, name).find(({ replica }) => replica.status?.role === 'backup');
    const status = primary?.replica.status;
    const phase = status?.phase ?? (wanted === 'stopped' ? 'stopped' : 'LOST');
    const progress = status === undefined ? phase : withProgress(phase, status);
    const lag = status?.phase === 'paired' ? `${Math.round(status.lagMs)} ms` : '-';
    return [name, String(status?.generation ?? '-'), primary?.host ?? '-', backup?.host ?? '-', progress, lag];
  });
  const hosts = view.hosts.map(({ record, report }) => [
    record.name,
    record.address,
    formatSize(report?.freeBytes ?? record.freeBytes),
    formatSize(record.memoryBytes),
    report === undefined ? 'unreachable' : String(report.replicas.length),
  ]);
  return [
    table(['MACHINE', 'GENERATION', 'PRIMARY', 'BACKUP', 'PHASE', 'LAG'], machines),
    '',
    table(['HOST', 'ADDRESS', 'FREE', 'OFFERED', 'REPLICAS'], hosts),
  ].join('\n');
}

/** `copying 40%`: of a copy under way, how much of its present round is done. */
function withProgress(phase: string, { transfer }: ReplicaStatusReport): string {
  if (transfer === undefined || transfer.doneBytes + transfer.leftBytes === 0) return phase;
  const { doneBytes, leftBytes } = transfer;
  return `${phase} ${Math.floor((100 * doneBytes) / (doneBytes + leftBytes))}%`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
