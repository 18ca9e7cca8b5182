/** What a person does with machines on hosts (host/daemon/operator.ts), and how it looks in the terminal. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { healthOf } from '../../../host/daemon/health.ts';
import {
  type ClusterView,
  Operator,
  type Placed,
  replicasOf,
  type StartChoices,
} from '../../../host/daemon/operator.ts';
import { loadDescription } from '../../../host/description/load.ts';
import { Credentials } from '../../../host/tls/credentials.ts';
import { exitStatus, usageError } from '../failure.ts';
import type { ContactRequest, ProtectRequest } from '../requests.ts';
import { statusTables } from './status-tables.ts';

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

export async function start(contact: ContactRequest, machine: string, how: StartChoices): Promise<number> {
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
  print(json ? JSON.stringify(plainView(view), undefined, 2) : statusTables(view));
  return exitStatus.success;
}

function plainView(view: ClusterView): object {
  return {
    machines: view.machines.map((machine) => ({
      name: machine.name,
      wanted: machine.wanted,
      hosts: machine.hosts,
      ...healthOf(view, machine),
      replicas: replicasOf(view, machine.name),
    })),
    hosts: view.hosts.map((host) => ({
      ...host.record,
      ...(host.report === undefined ? { reachable: false, why: host.why } : { reachable: true, ...host.report }),
    })),
  };
}
