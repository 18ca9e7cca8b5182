/**
 * What stands around `Primary` and `Backup`: the events that the host brings, the actions that it performs, and the numbers
 * that it may choose. Both are sans-I/O: `handle(event, nowMs)` returns actions, to be performed at once and in order.
 *
 * `nowMs` is a clock of this host that never runs backwards and goes on while the process or the whole host is stopped
 * (on Linux CLOCK_BOOTTIME), read just before the call: rule 14 of PROTOCOL.md rests on it. Its origin does not matter.
 *
 * A normal run
 * - The primary creates the machine at the arbiter (or claims its newest generation), has the disk admit its generation, and
 *   waits for a backup. The backup connects, is welcomed, reads the pair's record at the arbiter by its own path, and
 *   acknowledges batch 0. Then the primary's CPU thread records and the backup's follows.
 * - CPU thread: `produced` (entries, outputs) -> primary: a log batch, its outputs held -> backup: `feed`, and an
 *   acknowledgement at once -> primary: outputs leave. Heartbeats tell the backup how far it may execute.
 *
 * The primary dies
 * - The backup's channel closes, or is silent for too long. The backup leaves the generation for good: no channel, no
 *   acknowledgement, the log's end frozen, the CPU thread drains. It claims. Won: the disk admits the next generation;
 *   then `go-live`: clock, kept outputs, unanswered disk requests, frames that the log lacks, announcement. From there it
 *   is a primary alone. Lost: it halts.
 *
 * The backup dies
 * - The primary leaves the generation in the same way; its guest runs on until the bound on held outputs is reached. Won:
 *   the disk admits the next generation, what was held leaves, and it runs alone, without log and gate. Lost: it halts.
 *
 * Another backup
 * - Whoever runs alone takes a new one: a copy of the machine while it runs (transfer.ts), in the same generation.
 */
import type { Input } from '../machine/doors.ts';
import type { MachineStop, PendingBlockRequest } from '../vm/machine-interface.ts';
import type { GatheredPages } from '../vm/page-pieces.ts';
import type { ArbiterReply, ArbiterRequest } from './arbiter-protocol.ts';
import type { CpuCommand, CpuReport, NumberedOutput } from './cpu-link.ts';
import type { LeaseOptions, LeaseReply, LeaseRequest, LeaseSettings } from './lease.ts';
import type { Message, RefusalCode } from './message.ts';
import type { TransferLimits, TransferProgress } from './transfer.ts';

/** A channel's number, given by the host: a new one for each connection. */
export type ChannelId = number;

/** The SHA-256 of the certificates that both ends of a channel have shown, as hexadecimal digits. */
export interface ChannelCertificates {
  readonly own: string;
  readonly peer: string;
}

export type ReplicaEvent =
  /** The first event. */
  | { readonly type: 'start' }
  /** About every `heartbeatMs`, and twice as often at most. */
  | { readonly type: 'tick' }
  /** A backup has connected; or, at the backup, the answer to `connect`. `certificates`: absent without keys. */
  | { readonly type: 'channel-open'; readonly channel: ChannelId; readonly certificates?: ChannelCertificates }
  /** The peer or the network closed it, its bytes made no sense, or `connect` failed. Not after an own `close`. */
  | { readonly type: 'channel-closed'; readonly channel: ChannelId; readonly why: string }
  | { readonly type: 'message'; readonly channel: ChannelId; readonly message: Message }
  /** The peer's messages are of another version of the protocol (`MessageError`, 'channel-other-version'). */
  | { readonly type: 'other-version'; readonly channel: ChannelId; readonly version: number }
  | { readonly type: 'cpu'; readonly report: CpuReport }
  | { readonly type: 'arbiter'; readonly reply: ArbiterReply }
  | { readonly type: 'lease'; readonly reply: LeaseReply }
  /** The answer to `admit`. Refused: the disk knows a higher generation, or another owner of this one. */
  | {
      readonly type: 'disk-admission';
      readonly generation: number;
      readonly outcome: 'admitted' | 'refused' | 'unknown';
    }
  /** The answer to a request of `disk`. `refused`: the disk has admitted a higher generation. */
  | {
      readonly type: 'disk-answer';
      readonly generation: number;
      readonly device: number;
      readonly id: number;
      readonly outcome: 'ok' | 'error' | 'refused';
      readonly data?: Uint8Array;
    }
  /** The answer to `disk-read`. Without `data` it could not be read. */
  | { readonly type: 'disk-read-answer'; readonly device: number; readonly id: number; readonly data?: Uint8Array }
  /** From the world: frames, console bytes, entropy, the power button. Disk answers have their own event. */
  | { readonly type: 'input'; readonly input: Exclude<Input, { kind: 'block-done' | 'clock' }> }
  /** The answer to `copy`: a piece that holds these pages, of at most MAX_PIECE_BYTES. */
  | { readonly type: 'copied'; readonly transfer: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: 'uplink'; readonly up: boolean }
  /** The answer to `disk-join`. */
  | { readonly type: 'disk-joined'; readonly generation: number }
  /** The answer to `disk-common`. Not noted: this image cannot confirm the point. */
  | { readonly type: 'disk-common'; readonly sequence: number; readonly noted: boolean }
  /** Catching up: for the other host. */
  | { readonly type: 'catch-up-send'; readonly transfer: number; readonly bytes: Uint8Array<ArrayBuffer> }
  /** Owner: every region was copied once; from now on the guest's writes follow. */
  | { readonly type: 'caught-up'; readonly transfer: number }
  /** Backup: the image equals the owner's at the cut, durably. */
  | { readonly type: 'catch-up-complete'; readonly transfer: number }
  | { readonly type: 'catch-up-failed'; readonly transfer: number; readonly why: string }
  /** A frame whose source is the guest's own address has arrived from outside. */
  | { readonly type: 'own-address-seen' }
  /** A person wants the other host to go on. */
  | { readonly type: 'hand-over' }
  /** A person wants a primary that waits for a backup to run without one. */
  | { readonly type: 'run-alone' }
  /** A person stops this replica. */
  | { readonly type: 'shutdown' };

export type ReplicaAction =
  | { readonly type: 'send'; readonly channel: ChannelId; readonly message: Message }
  /** Send what was given to send, then close. Messages that arrive on it later are ignored. */
  | { readonly type: 'close'; readonly channel: ChannelId }
  /**
   * Backup: open a channel to the primary; answered by 'channel-open' or 'channel-closed' with this number. While another is
   * open it leads to the same peer.
   */
  | { readonly type: 'connect'; readonly channel: ChannelId }
  | { readonly type: 'arbiter'; readonly request: ArbiterRequest }
  /** Always answered, as what the arbiter is asked; one at a time. */
  | { readonly type: 'lease'; readonly request: LeaseRequest }
  /** Have the disk admit this generation. Every later `disk` action is of it or of a higher one. */
  | { readonly type: 'admit'; readonly generation: number }
  | {
      readonly type: 'disk';
      readonly generation: number;
      readonly device: number;
      readonly request: PendingBlockRequest['request'];
      /** Its place among the machine's outputs, if it is known; a flush at this place may become a common point. */
      readonly sequence?: number;
    }
  /**
   * Backup with `reads: backup`: read this from this host's own image, after the writes that it was given before, or from the
   * shared disk, which knows nothing of this replica yet. Answered by `disk-read-answer`.
   */
  | {
      readonly type: 'disk-read';
      readonly device: number;
      readonly request: PendingBlockRequest['request'] & { readonly type: 'read' };
    }
  /**
   * Backup with a mirrored disk: its image is a part of `generation` from now on, and equal to the owner's at the output
   * `sequence`. Answered by `disk-joined` when that is durable; only then this replica may acknowledge.
   */
  | { readonly type: 'disk-join'; readonly generation: number; readonly sequence: number }
  /** Both images hold everything up to this flush (24): the backup notes it first, then the owner. */
  | { readonly type: 'disk-common'; readonly generation: number; readonly sequence: number }
  /**
   * A new backup's image catches up with the owner's, by `catch-up-data` and `catch-up-send` over the transfer's channel. The
   * owner: `give`; when the machine was cut, and no write of it is under way that the other will not do as well: `cut`; when the
   * backup has acknowledged: `paired`. The backup: `take`. Both: `end`, which gives up what is not complete.
   */
  | { readonly type: 'catch-up'; readonly transfer: number; readonly step: 'give' | 'take' | 'paired' | 'end' }
  | {
      readonly type: 'catch-up';
      readonly transfer: number;
      readonly step: 'cut';
      readonly generation: number;
      readonly sequence: number;
    }
  | { readonly type: 'catch-up-data'; readonly transfer: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: 'cpu'; readonly command: CpuCommand }
  /** Make a piece of these pages of the guest's memory, while it runs; or of pages as the cut left them. Answered by `copied`, in order. */
  | { readonly type: 'copy'; readonly transfer: number; readonly pages: Uint32Array<ArrayBuffer> | GatheredPages }
  /** Frames to the uplink, console bytes to whoever watches, requests for entropy, power. In order. */
  | { readonly type: 'emit'; readonly generation: number; readonly outputs: readonly NumberedOutput[] }
  /** Tell the network where the guest is. */
  | { readonly type: 'announce'; readonly generation: number }
  /** For people and for the record. */
  | { readonly type: 'phase'; readonly phase: ReplicaPhase; readonly generation: number; readonly why: string }
  /** This replica is over. Nothing may leave it any more. */
  | { readonly type: 'halt'; readonly reason: HaltReason };

export type ReplicaPhase =
  /** Asking the arbiter for the first generation, or the disk to admit one. */
  | 'claiming-first'
  | 'admitting'
  | 'waiting-for-backup'
  | 'forming'
  | 'connecting'
  | 'verifying'
  /** The owner makes a copy of its running machine, and is still alone; the other end of it. */
  | 'copying'
  | 'receiving'
  /** `final` is sent: outputs wait for the new backup's first acknowledgement. */
  | 'cutting-over'
  | 'paired'
  | 'handing-over'
  | 'handed-over'
  /** A claim may have been sent: no way back. */
  | 'leaving'
  | 'alone'
  | 'halted';

export type HaltReason =
  /** Another replica goes on. */
  | { readonly code: 'lost-claim' | 'handed-over' | 'fenced'; readonly message: string }
  /** The machine is known to the arbiter already. */
  | { readonly code: 'already-created'; readonly message: string }
  | { readonly code: 'arbiter-conflict'; readonly message: string }
  /** The record names other hosts, by their certificates, than those at the ends of the channel. */
  | { readonly code: 'other-host'; readonly message: string }
  | { readonly code: 'refused'; readonly refusal: RefusalCode; readonly message: string }
  /** This backup's machine is not the primary's. The primary goes on. */
  | { readonly code: 'diverged'; readonly message: string }
  /** This host's image of a mirrored disk cannot be read or written any more. */
  | { readonly code: 'disk-failed'; readonly message: string }
  /** This process holds a part of a machine that it cannot use: another process must take its place. */
  | { readonly code: 'transfer-failed'; readonly message: string }
  /** This replica won, and its machine had diverged: nobody goes on (PROTOCOL.md, 28). */
  | { readonly code: 'total-loss'; readonly message: string }
  | { readonly code: 'guest-stopped'; readonly stop: MachineStop; readonly message: string }
  | { readonly code: 'peer-ended' | 'shutdown'; readonly message: string };

export interface ReplicaOptions extends Pick<LeaseSettings, 'restart'> {
  /** The machine's name at the arbiter. */
  readonly vm: string;
  /** The hash of its description (`sha256Hex` of the canonical JSON). */
  readonly machine: string;
  /** 128 random bits in hexadecimal, new for each process (PROTOCOL.md, 3). */
  readonly incarnation: string;
  /** 128 more, from which the tokens of pairs' records are made. */
  readonly token: string;
  /** Run without a backup, rather than wait for one. */
  readonly alone: boolean;
  /** The machine exists, and a person says that it runs nowhere: claim its newest generation instead of creating it. */
  readonly coldStart: boolean;
  readonly timing: ReplicaTiming;
  readonly bounds: ReplicaBounds;
  readonly onDivergence: 'stop' | 'continue';
  /** How a new backup is made of a running machine; without it none is. The host needs a copier. */
  readonly transfer?: TransferLimits;
  /** When both replicas are gone the machine starts elsewhere by itself: its owner needs a lease (27). */
  readonly lease?: LeaseOptions | undefined;
  /** Each host has an image of the disk; every backup catches up while it is given a copy of the machine. Needs `transfer`. */
  readonly mirrored?: boolean;
  /** Whether the log has what the guest reads from its disk, or the backup reads it by itself (23); 'log' by default. */
  readonly reads?: 'log' | 'backup';
}

export interface ReplicaTiming {
  /** Heartbeats, and acknowledgements without news, come this often. */
  readonly heartbeatMs: number;
  /** The primary suspects its backup after this silence; its gate needs proof of life that is younger. */
  readonly suspicionMs: number;
  /** The backup waits this much longer (PROTOCOL.md, 12). */
  readonly backupExtraMs: number;
  /** A gap of this length between two events means that this process itself was stopped. */
  readonly ownPauseMs: number;
  /** How long a broken channel may take to be replaced before the arbiter is asked; 0: ask at once. */
  readonly resumeMs: number;
  /** Between two questions whose answer was unknown, and between two attempts to connect. */
  readonly retryMs: number;
  /** A CPU thread that reports nothing for so long is taken for dead. */
  readonly cpuSilenceMs: number;
  readonly targetLagMs: number;
  /** How often the state is hashed and compared; 0: never. */
  readonly hashIntervalMs: number;
  /** How long the backup keeps inbound frames. */
  readonly inboundKeepMs: number;
}

export interface ReplicaBounds {
  /** Log that is not acknowledged: more stops the primary's guest. */
  readonly logBufferBytes: number;
  /** Outputs that may not leave: more stops the primary's guest. */
  readonly heldOutputBytes: number;
  /** Log that the backup has not executed: more stops the sending. */
  readonly backupBufferBytes: number;
  /** Outputs that the backup keeps: more stops the backup's guest. */
  readonly keptOutputBytes: number;
  readonly inboundKeepBytes: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_TIMING: ReplicaTiming = {
  heartbeatMs: 20,
  suspicionMs: 800,
  backupExtraMs: 400,
  ownPauseMs: 200,
  resumeMs: 0,
  retryMs: 50,
  cpuSilenceMs: 1000,
  targetLagMs: 100,
  hashIntervalMs: 1000,
  inboundKeepMs: 1000,
};

export const DEFAULT_BOUNDS: ReplicaBounds = {
  logBufferBytes: 16 * MIB,
  heldOutputBytes: 16 * MIB,
  backupBufferBytes: 32 * MIB,
  keptOutputBytes: 32 * MIB,
  inboundKeepBytes: 8 * MIB,
};

/** For people: a look inside, without effect. */
export interface ReplicaStatus {
  readonly role: 'primary' | 'backup';
  readonly phase: ReplicaPhase;
  readonly generation: number;
  /** Where the machine is on this side, and (as far as known) on the other. */
  readonly position: bigint;
  readonly peerPosition: bigint | undefined;
  readonly lagMs: number;
  /** Bytes of log made or received. */
  readonly logBytes: number;
  /** Outputs that wait at the gate, or are kept by the backup. */
  readonly heldOutputs: number;
  /** The part of the time that the guest may use. */
  readonly speed: number;
  readonly cpu: 'running' | 'stopped-on-purpose' | 'silent';
  /** While a copy of the machine is under way. */
  readonly transfer: TransferProgress | undefined;
}

/** What a backup brings along when it goes live and becomes a primary. */
export interface Succession {
  /** Won, and admitted by the disk. */
  readonly generation: number;
  readonly blockRequests: readonly PendingBlockRequest[];
  readonly uplink: boolean;
  /** The machine had stopped by itself at the end of the log. */
  readonly stopped: MachineStop | undefined;
  /** Outputs that the old primary may not have sent, and that wait for the lease. */
  readonly kept: readonly NumberedOutput[];
}

/** The end of a replica whose guest has stopped by itself; undefined: as far as the primary says. */
export function guestStopped(stop: MachineStop | undefined): HaltReason {
  if (stop === undefined) return { code: 'peer-ended', message: 'the guest has stopped at the primary' };
  const message = stop.reason === 'power' ? `the guest asked for power ${stop.action}` : stop.message;
  return { code: 'guest-stopped', stop, message };
}
