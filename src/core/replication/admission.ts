/** Whom a primary lets in as its backup: the reasons for refusing, in the order in which a person would want to hear them. */
import type { PairRecord } from './arbiter-protocol.ts';
import { type Hello, PROTOCOL_VERSION, type RefusalCode, type Welcome } from './message.ts';
import type { ChannelCertificates, HaltReason, ReplicaOptions, ReplicaPhase } from './replica.ts';

export interface AdmissionView {
  readonly options: Pick<ReplicaOptions, 'vm' | 'machine' | 'transfer'>;
  readonly phase: ReplicaPhase;
  readonly generation: number;
  /** The backup of this generation, and whether its channel may be replaced at the batch that it names. */
  readonly backup: string | undefined;
  /** The peer has the certificate of this generation's backup (29), or neither has one. */
  readonly isBackupsHost: boolean;
  readonly mayResume: (received: number) => boolean;
  /** A copy of the running machine could be begun. */
  readonly mayCopy: boolean;
}

/** Why this peer is not let in; undefined if it is. */
export function refusalOf(hello: Hello, view: AdmissionView): [RefusalCode, string] | undefined {
  const { options, phase, generation } = view;
  if (hello.version !== PROTOCOL_VERSION) return ['other-version', `this primary speaks version ${PROTOCOL_VERSION}`];
  if (hello.vm !== options.vm) return ['other-vm', `this is the primary of ${options.vm}`];
  if (hello.machine !== options.machine) {
    const hashes = `${options.machine.slice(0, 12)} there, ${hello.machine.slice(0, 12)} here`;
    return ['other-machine', `the primary runs another machine by the name of ${options.vm} (hash ${hashes})`];
  }
  if (hello.resume) {
    const ours = hello.generation === generation && hello.incarnation === view.backup;
    if (ours && !view.isBackupsHost)
      return ['other-host', 'the backup of this generation is a host with another certificate'];
    if (ours && view.mayResume(hello.received)) return undefined;
    return ['other-generation', `the primary is in generation ${generation} and cannot go back`];
  }
  if (phase === 'waiting-for-backup') return undefined;
  if (phase === 'alone') {
    if (options.transfer === undefined)
      return ['too-late', 'the machine has run, and this primary makes no copies of it'];
    if (view.mayCopy) return undefined;
  }
  return ['busy', `the primary is ${phase}`];
}

/** The pair as the backup sees it. */
export interface PairView {
  readonly token: string;
  readonly primary: string | undefined;
  readonly backup: string;
  readonly certificates: ChannelCertificates | undefined;
}

/**
 * Why the record is not of this pair (4, 29); undefined if it is. One that names no certificates is of a primary without keys, or of
 * an earlier version, and names the processes only.
 */
export function conflictIn(record: PairRecord, pair: PairView): HaltReason | undefined {
  const { token, primary, backup } = record;
  if (token !== pair.token || primary !== pair.primary || backup !== pair.backup) {
    const message = 'the arbiter that this host sees shows another record than the one the primary wrote';
    return { code: 'arbiter-conflict', message };
  }
  const { certificates } = pair;
  return (
    otherHost("the primary's host", record.primaryFingerprint, certificates?.peer) ??
    otherHost("the backup's host", record.backupFingerprint, certificates?.own)
  );
}

function otherHost(whose: string, named: string | undefined, shown: string | undefined): HaltReason | undefined {
  if (named === undefined || named === shown) return undefined;
  const there = shown === undefined ? 'none was shown' : `${shown.slice(0, 16)} was shown`;
  const message = `the arbiter's record has the certificate ${named.slice(0, 16)} of ${whose}, and ${there} on the channel`;
  return { code: 'other-host', message };
}

/** Why this primary is not the one whose backup this replica could be; undefined if it is. */
export function refusalOfWelcome(
  welcome: Welcome,
  options: Pick<ReplicaOptions, 'vm' | 'machine' | 'mirrored'>,
): [RefusalCode, string] | undefined {
  if (welcome.version !== PROTOCOL_VERSION) return otherVersion(welcome.version);
  if (welcome.vm !== options.vm) return ['other-vm', `the peer is the primary of ${welcome.vm}`];
  if (welcome.machine !== options.machine) return ['other-machine', `its machine has hash ${welcome.machine}`];
  const starts = !welcome.resume && welcome.transfer === '';
  if (options.mirrored && starts) return ['other-machine', 'it starts without a look at the images'];
  return undefined;
}

export function otherVersion(version: number): [RefusalCode, string] {
  return ['other-version', `the peer speaks protocol version ${version}, this is version ${PROTOCOL_VERSION}`];
}

/** How a backup introduces itself; `received`: the last batch of the log that it has, for a channel that is resumed. */
export function helloOf(
  options: Pick<ReplicaOptions, 'vm' | 'machine' | 'incarnation'>,
  generation: number,
  resume: boolean,
  received: number,
): Hello {
  const { vm, machine, incarnation } = options;
  const identity = { generation, version: PROTOCOL_VERSION, vm, machine, incarnation } as const;
  return { type: 'hello', ...identity, role: 'backup', resume, received };
}

/** The welcome for a peer that is let in; `transfer` names the copy that it is given, if it is. */
export function welcomeOf(
  options: Pick<ReplicaOptions, 'vm' | 'machine' | 'incarnation'>,
  generation: number,
  resume: boolean,
  transfer: string,
): Welcome {
  const { vm, machine, incarnation } = options;
  return { type: 'welcome', generation, version: PROTOCOL_VERSION, vm, machine, incarnation, resume, transfer };
}
