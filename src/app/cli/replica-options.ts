/** The options that both replica roles share, and the checks that tie them to the machine. */
import { type Command, InvalidArgumentError } from 'commander';
import { OperatingError } from '../../core/base/error.ts';
import type { EngineKind } from '../../core/engine/engine.ts';
import { parseAddress, type StreamAddress } from '../../host/net/address.ts';
import { usageError } from './failure.ts';
import { engineOption } from './option-values.ts';
import type { ReplicaRequest } from './requests.ts';

export interface ReplicaOptions {
  readonly arbiter: string;
  readonly unsafeArbiter?: boolean;
  readonly disk?: StreamAddress;
  readonly hub?: StreamAddress;
  readonly status?: StreamAddress;
  readonly engine: EngineKind;
}

/** `HOST:PORT`, `[IPV6]:PORT`, `unix:PATH` or `/PATH`. */
export function streamAddress(text: string): StreamAddress {
  try {
    return parseAddress(text);
  } catch (error) {
    if (error instanceof OperatingError) throw new InvalidArgumentError('Write HOST:PORT, [IPV6]:PORT or unix:PATH.');
    throw error;
  }
}

export function addReplicaOptions(command: Command): Command {
  return command
    .requiredOption(
      '--arbiter <address>',
      'what decides who goes on alone: a directory on storage that both hosts reach, etcd://HOST:PORT/PREFIX or postgres://USER@HOST/DATABASE (docs/arbiters.md)',
    )
    .option('--unsafe-arbiter', 'accept an arbiter on this very host (it dies with the host)')
    .option('--disk <address>', 'the disk server ("understudy disk")', streamAddress)
    .option('--hub <address>', 'the network hub ("understudy hub")', streamAddress)
    .option('--status <address>', 'report state there, a line of JSON each', streamAddress)
    .addOption(engineOption());
}

/** Reads the description and checks that what it needs is given. */
export async function replicaRequest(descriptionFile: string, options: ReplicaOptions): Promise<ReplicaRequest> {
  const { loadDescription } = await import('../../host/description/load.ts');
  const description = await loadDescription(descriptionFile, { diskIsHere: false });
  if (description.disk !== undefined && options.disk === undefined) {
    throw usageError(
      `${descriptionFile} describes a disk, and --disk is not given`,
      'Replicas never open the disk themselves: start "understudy disk" and give its address.',
    );
  }
  if (description.network !== undefined && options.hub === undefined) {
    throw usageError(
      `${descriptionFile} describes a network, and --hub is not given`,
      'Start "understudy hub" and give its address, or write "network: none".',
    );
  }
  return {
    description,
    engine: options.engine,
    arbiter: options.arbiter,
    unsafeArbiter: options.unsafeArbiter ?? false,
    diskServer: options.disk,
    hub: options.hub,
    status: options.status,
  };
}
