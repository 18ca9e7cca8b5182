/** The options that both replica roles share, and the checks that tie them to the machine. */
import { type Command, InvalidArgumentError } from 'commander';
import { OperatingError } from '../../core/base/error.ts';
import type { EngineKind } from '../../core/engine/engine.ts';
import type { Description, Uplink } from '../../host/description/description.ts';
import { isWrong, parseUplink } from '../../host/description/values.ts';
import { type DiskAddress, parseDiskAddress } from '../../host/disk/disk-address.ts';
import { parseAddress, type StreamAddress } from '../../host/net/address.ts';
import { usageError } from './failure.ts';
import { collectFingerprints, controlOption, engineOption } from './option-values.ts';
import type { ReplicaRequest } from './requests.ts';
import { addTlsOptions, securityRequest, type TlsOptions } from './tls-options.ts';

export interface ReplicaOptions extends TlsOptions {
  readonly arbiter: string;
  readonly unsafeArbiter?: boolean;
  readonly disk?: DiskAddress;
  readonly hub?: StreamAddress;
  readonly uplink?: Uplink;
  readonly status?: StreamAddress;
  readonly peerFingerprint?: readonly string[];
  readonly diagnoses?: string;
  readonly control?: string;
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

function diskAddress(text: string): DiskAddress {
  try {
    return parseDiskAddress(text);
  } catch (error) {
    if (error instanceof OperatingError) throw new InvalidArgumentError(error.advice ?? error.message);
    throw error;
  }
}

/** An end point that belongs to one host, where the description has that of all or another. */
function vxlanUplink(text: string): Uplink {
  const uplink = parseUplink(text);
  if (isWrong(uplink)) throw new InvalidArgumentError(`It ${uplink.why}.`);
  if (uplink.kind !== 'vxlan')
    throw new InvalidArgumentError('Write vxlan:VNI,remote=ADDRESS; what else there is needs the hub.');
  return uplink;
}

export function addReplicaOptions(command: Command): Command {
  const common = command
    .requiredOption(
      '--arbiter <address>',
      'what decides who goes on alone: a directory on storage that both hosts reach, etcd://HOST:PORT/PREFIX or postgres://USER@HOST/DATABASE (docs/arbiters.md)',
    )
    .option('--unsafe-arbiter', 'accept an arbiter on this very host (it dies with the host)')
    .option(
      '--disk <address>',
      'the disk server ("understudy disk"), or another NBD server by its nbd:// or nbd+unix:// URI (docs/disks.md)',
      diskAddress,
    )
    .option('--hub <address>', 'the network hub ("understudy hub")', streamAddress)
    .option(
      '--uplink <uplink>',
      "this host's VXLAN end point: vxlan:VNI,remote=ADDRESS[,local=ADDRESS][,port=PORT]",
      vxlanUplink,
    )
    .option(
      '--peer-fingerprint <sha256>',
      "only hosts with these certificates may be the other replica's (otherwise any of the authority), between commas; may be repeated",
      collectFingerprints,
    )
    .option('--status <address>', 'report state there, a line of JSON each', streamAddress)
    .option(
      '--diagnoses <directory>',
      'where it is kept in what the two machines differed, if they ever do (default: NAME-diagnoses here)',
    )
    .addOption(controlOption())
    .addOption(engineOption());
  return addTlsOptions(common);
}

/** Reads the description and checks that what it needs is given. */
export async function replicaRequest(descriptionFile: string, options: ReplicaOptions): Promise<ReplicaRequest> {
  const { loadDescription } = await import('../../host/description/load.ts');
  const description = await loadDescription(descriptionFile, { diskIsHere: false });
  const mirrored = description.disk?.mirrored === true;
  if (mirrored && options.disk !== undefined) {
    throw usageError(
      `${descriptionFile} describes a mirrored disk, and --disk is given`,
      "Leave --disk out: each host has an image of its own. A disk server's disk is described by its path alone.",
    );
  }
  if (description.disk !== undefined && !mirrored && options.disk === undefined) {
    throw usageError(
      `${descriptionFile} describes a disk, and --disk is not given`,
      'Replicas never open the disk themselves: start "understudy disk" and give its address.',
    );
  }
  const security = securityRequest(options);
  if (options.peerFingerprint !== undefined && security.tls === undefined) {
    throw usageError(
      '--peer-fingerprint is given, and there are no keys',
      'Without --tls-certificate, --tls-key and --tls-authority no host shows a certificate.',
    );
  }
  return {
    description: withUplink(description, descriptionFile, options),
    engine: options.engine,
    arbiter: options.arbiter,
    unsafeArbiter: options.unsafeArbiter ?? false,
    diskServer: options.disk,
    hub: options.hub,
    status: options.status,
    diagnoses: options.diagnoses ?? `${description.name}-diagnoses`,
    control: options.control,
    peerFingerprints: options.peerFingerprint,
    security,
  };
}

/** The description with this host's own uplink in it; what has none of its own needs the hub. */
function withUplink(description: Description, descriptionFile: string, { hub, uplink }: ReplicaOptions): Description {
  const { network } = description;
  if (hub !== undefined && uplink !== undefined) {
    throw usageError(
      'both --hub and --uplink are given',
      'A replica has one way to the network: leave one of them out.',
    );
  }
  if (network === undefined) {
    if (uplink === undefined) return description;
    throw usageError(`${descriptionFile} describes no network, and --uplink is given`, 'Describe one: "network: {}".');
  }
  const here = uplink ?? network.uplink;
  if (hub === undefined && here.kind !== 'vxlan') {
    throw usageError(
      `${descriptionFile} describes a network, and --hub is not given`,
      'Start "understudy hub" and give its address, or give --uplink, or write "network: none".',
    );
  }
  return { ...description, network: { ...network, uplink: here } };
}
