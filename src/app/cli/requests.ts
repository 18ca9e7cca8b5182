/**
 * What each verb asks for, once its options are parsed and checked: the arguments of the functions in `actions/`. Paths
 * are as the user gave them, relative to the current directory; absent options are undefined.
 */
import type { EngineKind } from '../../core/engine/engine.ts';
import type { HostChoice } from '../../host/daemon/operator.ts';
import type { Description } from '../../host/description/description.ts';
import type { DiskAddress } from '../../host/disk/disk-address.ts';
import type { ImageOptions } from '../../host/image/options.ts';
import type { StreamAddress } from '../../host/net/address.ts';
import type { TlsFiles } from '../../host/tls/credentials.ts';
import type { SecurityRequest } from './tls-options.ts';

export interface RunRequest {
  readonly description: Description;
  readonly engine: EngineKind;
  /** The path of a socket to be asked at; undefined: none. */
  readonly control: string | undefined;
  /** A snapshot to go on from; undefined: the machine starts. */
  readonly resume: string | undefined;
}

export interface SnapshotRequest {
  /** The machine's control socket. */
  readonly socket: string;
  /** The file to write. */
  readonly file: string;
  /** Leave the machine where it is afterwards. */
  readonly stop: boolean;
}

export interface RecordRequest {
  readonly description: Description;
  readonly engine: EngineKind;
  /** The log file to write. */
  readonly log: string;
}

export interface ReplayRequest {
  readonly log: string;
  readonly engine: EngineKind;
  /** Where the machine's files are now; undefined: where they were when the log was written. */
  readonly description: Description | undefined;
  /** The position to stop at; undefined: the log's end. */
  readonly to: bigint | undefined;
  /** Print each compared hash with its position. */
  readonly showHashes: boolean;
}

export interface ExecRequest {
  readonly file: string;
  readonly memoryBytes: number;
  readonly engine: EngineKind;
  /** Stop with a failure after this many steps. */
  readonly maxSteps: bigint | undefined;
  /** Where to write the memory between begin_signature and end_signature. */
  readonly signature: string | undefined;
  /** A line for each step on standard error. */
  readonly trace: boolean;
}

export interface ImageBuildRequest {
  readonly options: ImageOptions;
  /** A machine description to write beside a copy of the disk; undefined: none. */
  readonly machine: string | undefined;
}

export interface PairRequest {
  /** Of both replicas. */
  readonly engine: EngineKind;
  /** The description's file: the replica processes read it themselves. */
  readonly descriptionFile: string;
  readonly description: Description;
  /** Where sockets, the arbiter's directory and logs go; undefined: a directory of the machine's name. */
  readonly stateDirectory: string | undefined;
}

/** What both replica roles are told, however they are started. */
export interface ReplicaRequest {
  readonly description: Description;
  readonly engine: EngineKind;
  /** The arbiter's address (docs/arbiters.md). */
  readonly arbiter: string;
  /** Accept an arbiter on this replica's own host (PROTOCOL.md, 5). */
  readonly unsafeArbiter: boolean;
  /** The disk server; undefined for a machine without a disk. */
  readonly diskServer: DiskAddress | undefined;
  /** The hub; undefined for a machine without a network. */
  readonly hub: StreamAddress | undefined;
  /** Where to report state, a line of JSON each; undefined: nowhere. */
  readonly status: StreamAddress | undefined;
  /** The directory for what is known of a divergence; made when there is one. */
  readonly diagnoses: string;
  readonly control: string | undefined;
  /** Of the certificates of hosts that may be the other replica's; undefined: any host of the authority. */
  readonly peerFingerprints: readonly string[] | undefined;
  /** Of the log channel and the disk. */
  readonly security: SecurityRequest;
  /** With a mirrored disk: start from this host's image, also if it is not the newest. */
  readonly acceptDataLoss?: boolean;
}

export interface PrimaryRequest extends ReplicaRequest {
  /** Where it waits for its backup. */
  readonly listen: StreamAddress;
  /** First boot: create generation 0 at the arbiter. */
  readonly create: boolean;
  /** Run without waiting for a backup first. */
  readonly alone: boolean;
}

export interface BackupRequest extends ReplicaRequest {
  /** The primary's log channel. */
  readonly primary: StreamAddress;
  /** Where it waits for a backup of its own, once it has taken over; undefined: it takes none. */
  readonly listen: StreamAddress | undefined;
}

/** The API of some host, and the keys of the person who asks. */
export interface ContactRequest {
  /** HOST:PORT. */
  readonly address: string;
  readonly tls: TlsFiles | undefined;
}

export interface ProtectRequest {
  readonly descriptionFile: string;
  readonly hosts: readonly HostChoice[];
  /** Addresses of the disk server and the hub, as all hosts reach them. */
  readonly disk: string | undefined;
  readonly hub: string | undefined;
  readonly engine: EngineKind;
}

export interface HubRequest {
  readonly listen: readonly StreamAddress[];
  /** The machine whose network section says what the uplink is; undefined: no uplink. */
  readonly description: Pick<Description, 'mac' | 'network'> | undefined;
}

export interface DiskRequest {
  readonly file: string;
  readonly listen: StreamAddress;
  /** Where admitted generations are kept durably. */
  readonly stateDirectory: string;
  /** The machine's name, and the address of the arbiter that says who owns a generation. */
  readonly machine: string;
  readonly arbiter: string | undefined;
  readonly security: SecurityRequest;
}

export interface DemoRequest {
  /** End by itself, with status 0 only if nothing was lost. */
  readonly once: boolean;
  /** The port on 127.0.0.1 that reaches the guest's redis; undefined: the usual one, or a free one if that is taken. */
  readonly redisPort: number | undefined;
  /** The same for the guest's streaming service. */
  readonly streamPort: number | undefined;
  /** How long the pair runs in health before the primary is killed. */
  readonly killAfterMs: number;
}
