/** Whom a primary lets in as its backup: the reasons for refusing, in the order in which a person would want to hear them. */
import { type Hello, PROTOCOL_VERSION, type RefusalCode, type Welcome } from './message.ts';
import type { ReplicaOptions, ReplicaPhase } from './replica.ts';

export interface AdmissionView {
  readonly options: Pick<ReplicaOptions, 'vm' | 'machine' | 'transfer'>;
  readonly phase: ReplicaPhase;
  readonly generation: number;
  /** The backup of this generation, and whether its channel may be replaced at the batch that it names. */
  readonly backup: string | undefined;
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
