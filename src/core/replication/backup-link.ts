/**
 * The owner's end of the channel to its backup, whoever that is at the moment, and the strangers who have connected but said
 * nothing yet. It also knows what proof there is that the backup lives: silence makes it suspicious (PROTOCOL.md, 8), and
 * outputs may leave only while its last answer is young (14).
 */
import type { PairRecord } from './arbiter-protocol.ts';
import { FailureDetector } from './failure-detector.ts';
import type { Message } from './message.ts';
import type { ChannelCertificates, ChannelId, ReplicaAction, ReplicaTiming } from './replica.ts';

/** Why the backup is none any more, if that is what it says. */
export function farewellOf(message: Message): string | undefined {
  switch (message.type) {
    case 'diverged':
      return `the backup has diverged at ${message.position}: ${message.log}; ${message.machine}`;
    case 'bye':
      return 'the backup was stopped';
    case 'refuse':
      return `the backup refuses this primary: ${message.message}`;
    default:
      return undefined;
  }
}

/** What is due by the next tick is due now, in parts of `heartbeatMs`. */
export const SOON = 0.75;

export class BackupLink {
  readonly #timing: ReplicaTiming;
  readonly #act: (action: ReplicaAction) => void;
  #channel: ChannelId | undefined;
  readonly #strangers = new Map<ChannelId, ChannelCertificates | undefined>();
  /** Of the stranger who has introduced himself last. */
  #newcomer: ChannelCertificates | undefined;
  /** Of the channel to the backup, also once it is gone: whoever comes in its place must show the same. */
  #backup: ChannelCertificates | undefined;
  #closedMs: number | undefined;
  #detector: FailureDetector | undefined;
  /** Our own stamp in the last heartbeat that the backup has answered: it was alive after that. */
  #echoMs = Number.NEGATIVE_INFINITY;
  #beatMs = Number.NEGATIVE_INFINITY;

  constructor(timing: ReplicaTiming, act: (action: ReplicaAction) => void) {
    this.#timing = timing;
    this.#act = act;
  }

  get isOpen(): boolean {
    return this.#channel !== undefined;
  }

  get echoMs(): number {
    return this.#echoMs;
  }

  is(channel: ChannelId): boolean {
    return channel === this.#channel;
  }

  connected(stranger: ChannelId, certificates: ChannelCertificates | undefined): void {
    this.#strangers.set(stranger, certificates);
  }

  /** What the pair's record says of both hosts (29). */
  get fingerprints(): Pick<PairRecord, 'primaryFingerprint' | 'backupFingerprint'> {
    if (this.#backup === undefined) return {};
    return { primaryFingerprint: this.#backup.own, backupFingerprint: this.#backup.peer };
  }

  /** Whether the stranger who has introduced himself last has the backup's certificate (or neither has one). */
  get isBackupsHost(): boolean {
    return this.#newcomer?.peer === this.#backup?.peer;
  }

  /** True if it was a stranger, which from here on it is not. */
  introduces(channel: ChannelId): boolean {
    this.#newcomer = this.#strangers.get(channel);
    return this.#strangers.delete(channel);
  }

  /** Takes the channel of the stranger who has introduced himself last, in the place of any other. */
  open(channel: ChannelId): void {
    this.close();
    this.#channel = channel;
    this.#backup = this.#newcomer;
    this.#closedMs = undefined;
  }

  send(message: Message): void {
    if (this.#channel !== undefined) this.#act({ type: 'send', channel: this.#channel, message });
  }

  /** Says why, and closes a channel that is not the backup's. */
  refuse(channel: ChannelId, message: Message & { type: 'refuse' }): void {
    this.#strangers.delete(channel);
    this.#act({ type: 'send', channel, message });
    this.#act({ type: 'close', channel });
  }

  close(): void {
    if (this.#channel !== undefined) this.#act({ type: 'close', channel: this.#channel });
    this.#channel = undefined;
  }

  closeStrangers(): void {
    for (const channel of this.#strangers.keys()) this.#act({ type: 'close', channel });
    this.#strangers.clear();
  }

  /** Somebody or something else has closed it; true if it was the backup's. */
  closed(channel: ChannelId, nowMs: number): boolean {
    this.#strangers.delete(channel);
    if (channel !== this.#channel) return false;
    this.#channel = undefined;
    this.#closedMs = nowMs;
    return true;
  }

  /** How long there has been no channel. */
  closedForMs(nowMs: number): number {
    return nowMs - (this.#closedMs ?? nowMs);
  }

  /** From now on silence of this length is suspicious. */
  watch(silenceMs: number, nowMs: number): void {
    this.#detector = new FailureDetector({ silenceMs, ownPauseMs: this.#timing.ownPauseMs }, nowMs);
  }

  /** There is no backup. */
  unwatch(): void {
    this.#detector = undefined;
    this.#echoMs = Number.NEGATIVE_INFINITY;
  }

  get isWatched(): boolean {
    return this.#detector !== undefined;
  }

  observe(nowMs: number): void {
    this.#detector?.observe(nowMs);
  }

  heard(nowMs: number): void {
    this.#detector?.heard(nowMs);
  }

  suspects(nowMs: number): boolean {
    return this.#detector?.suspects(nowMs) ?? false;
  }

  /** The backup has answered the heartbeat with this stamp. */
  answered(stamp: number, nowMs: number): void {
    this.#echoMs = Math.max(this.#echoMs, Math.min(stamp, nowMs));
  }

  isAlive(nowMs: number): boolean {
    return nowMs - this.#echoMs < this.#timing.suspicionMs;
  }

  /** True if a heartbeat is due. */
  beatDue(nowMs: number): boolean {
    return nowMs - this.#beatMs >= SOON * this.#timing.heartbeatMs;
  }

  /** True if the next heartbeat may as well be sent now. */
  beatsSoon(nowMs: number): boolean {
    return this.isOpen && this.isWatched && nowMs - this.#beatMs >= this.#timing.heartbeatMs / 2;
  }

  beat(message: Message & { type: 'heartbeat' }): void {
    this.#beatMs = message.stamp;
    this.send(message);
  }
}
