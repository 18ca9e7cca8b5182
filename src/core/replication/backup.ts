/**
 * The backup: it receives the log, has its machine follow, acknowledges, and keeps what it needs to go on in the primary's
 * place. When it loses the primary it leaves the generation for good, claims it, and goes live; from there it is a `Primary`
 * alone. replica.ts tells the story; the numbers in brackets are rules of PROTOCOL.md.
 */
import { Actor } from './actor.ts';
import { conflictIn, helloOf, otherVersion, refusalOfWelcome } from './admission.ts';
import type { ArbiterReply, PairRecord } from './arbiter-protocol.ts';
import { SOON } from './backup-link.ts';
import type { CpuReport } from './cpu-link.ts';
import { CpuView } from './cpu-view.ts';
import { FailureDetector } from './failure-detector.ts';
import { goLive } from './go-live.ts';
import { GuestTime } from './guest-time.ts';
import { InboundFrames } from './inbound-frames.ts';
import { KeptOutputs } from './kept-outputs.ts';
import { LogSink } from './log-sink.ts';
import type { Heartbeat, LogBatch, Message, Welcome } from './message.ts';
import { OwnDisk, type OwnDiskEvent } from './own-disk.ts';
import { Ownership } from './ownership.ts';
import type { Primary } from './primary.ts';
import { Receiving } from './receiving.ts';
import type { ChannelCertificates, ChannelId, HaltReason, ReplicaAction, ReplicaEvent } from './replica.ts';
import { guestStopped, type ReplicaOptions, type ReplicaStatus } from './replica.ts';

type Drained = CpuReport & { type: 'drained' };

export class Backup extends Actor {
  readonly #options: ReplicaOptions;
  readonly #ownership: Ownership;
  readonly #guestTime = new GuestTime();
  readonly #inbound: InboundFrames;
  #nowMs: number;
  /** Set once this replica is live. */
  #successor: Primary | undefined;

  #channel: ChannelId | undefined;
  #lastChannel: ChannelId = 0;
  #open = false;
  #connectAtMs: number | undefined;
  #closedMs: number | undefined;
  #detector: FailureDetector | undefined;
  #primary: string | undefined;
  /** Shown on the channel by which the pair was formed. */
  #certificates: ChannelCertificates | undefined;
  #token = '';
  /** `final` has come, and the image becomes a part of the generation. */
  #joining = false;
  #ackMs = Number.NEGATIVE_INFINITY;
  #uplink = true;

  /** The copies of a running machine that this replica is given. */
  readonly #receiving: Receiving;

  readonly #cpu: CpuView;
  readonly #log: LogSink;
  /** Outputs of this machine that the primary may not have sent. */
  readonly #kept: KeptOutputs;
  readonly #disk: OwnDisk;

  #ended = false;
  #drained: Drained | undefined;
  #divergence: string | undefined;
  #admitted = false;

  constructor(options: ReplicaOptions, nowMs: number) {
    const { timing, bounds } = options;
    super('connecting');
    this.#options = options;
    this.#nowMs = nowMs;
    this.#inbound = new InboundFrames({ keepMs: timing.inboundKeepMs, keepBytes: bounds.inboundKeepBytes });
    this.#receiving = new Receiving({
      mirrored: options.mirrored ?? false,
      act: (action) => this.act(action),
      send: (message) => this.#send(message),
      broken: (what) => this.#broken(what, this.#nowMs),
      failed: (message) => this.#spoilt(message),
    });
    this.#kept = new KeptOutputs(bounds.keptOutputBytes);
    this.#log = new LogSink(bounds.backupBufferBytes);
    this.#disk = new OwnDisk(options, { act: (action) => this.act(action), send: (message) => this.#send(message) });
    this.#cpu = new CpuView(timing, false, nowMs);
    this.#ownership = new Ownership(options, this.#cpu, (action) => this.act(action));
  }

  status(nowMs: number): ReplicaStatus {
    if (this.#successor !== undefined) return this.#successor.status(nowMs);
    return {
      role: 'backup',
      phase: this.phase,
      generation: this.generation,
      position: this.#cpu.position,
      peerPosition: this.#log.executable,
      lagMs: 0,
      logBytes: this.#log.bytes,
      heldOutputs: this.#kept.count,
      speed: 1,
      cpu: this.#cpu.state(nowMs),
      transfer: this.phase === 'receiving' ? this.#receiving.progress : undefined,
    };
  }

  /** One event in, the actions that follow from it out, to be performed at once and in order. */
  handle(event: ReplicaEvent, nowMs: number): ReplicaAction[] {
    if (this.#successor !== undefined) return this.#successor.handle(event, nowMs);
    this.#nowMs = nowMs;
    this.#cpu.observe(nowMs);
    this.#detector?.observe(nowMs);
    if (this.phase !== 'halted') this.#dispatch(event, nowMs);
    this.#haltWithoutDisk();
    return this.takeActions();
  }

  #dispatch(event: ReplicaEvent, nowMs: number): void {
    switch (event.type) {
      case 'start':
        this.command({ type: 'follow', disk: this.#disk.follows });
        this.enter('connecting', 'looking for the primary');
        return this.#connect();
      case 'tick':
        return this.#tick(nowMs);
      case 'channel-open':
        return this.#channelOpen(event.channel, event.certificates, nowMs);
      case 'channel-closed':
        return this.#channelClosed(event.channel, event.why, nowMs);
      case 'message':
        if (event.channel === this.#channel) return this.#message(event.message, nowMs);
        if (this.phase !== 'receiving' || !this.#receiving.has(event.channel)) return;
        this.#detector?.heard(nowMs);
        return this.#receiving.piece(event.message);
      case 'other-version':
        if (event.channel === this.#channel) this.#notOurs(...otherVersion(event.version));
        return;
      case 'cpu':
        return this.#cpuReport(event.report, nowMs);
      case 'arbiter':
        return this.#arbiter(event.reply, nowMs);
      case 'disk-admission':
        return this.#diskAdmission(event, nowMs);
      case 'input':
        if (event.input.kind === 'net-rx') this.#inbound.add(event.input.device, event.input.frame, nowMs);
        return;
      case 'uplink':
        this.#uplink = event.up;
        return;
      case 'shutdown':
        if (this.#open) this.#send({ type: 'bye', generation: this.generation, reason: 'shutdown' });
        return this.#halt({ code: 'shutdown', message: 'stopped by request' });
      case 'disk-answer':
      case 'disk-read-answer':
      case 'disk-common':
        return this.#diskEvent(event, nowMs);
      case 'disk-joined':
        if (event.generation === this.generation && this.#joining) this.#joined(nowMs);
        return;
      case 'catch-up-send':
      case 'catch-up-complete':
      case 'catch-up-failed':
        if (this.phase === 'receiving') this.#receiving.caughtUp(event);
    }
  }

  #tick(nowMs: number): void {
    this.#ownership.tick(nowMs);
    this.#disk.tick(nowMs);
    // A machine that cannot run is nobody's backup, and must not stand in another's way (11).
    const works = this.phase === 'paired' || this.#cpu.state(nowMs) !== 'silent';
    if (works && this.#connectAtMs !== undefined && nowMs >= this.#connectAtMs) this.#connect();
    if (!works && this.phase === 'receiving') this.#drop('its own CPU thread says nothing', nowMs);
    if (this.#isPairing && this.#open && this.#detector?.suspects(nowMs)) this.#drop('the primary says nothing', nowMs);
    if (this.phase === 'receiving' && nowMs - this.#ackMs >= this.#options.timing.heartbeatMs) {
      this.#ackMs = nowMs;
      this.#receiving.tell();
    }
    if (this.phase !== 'paired') return;
    const { resumeMs, heartbeatMs } = this.#options.timing;
    if (this.#closedMs !== undefined && nowMs - this.#closedMs >= resumeMs) this.#leave('the channel is gone', nowMs);
    else if (this.#detector?.suspects(nowMs)) this.#leave('the primary is silent', nowMs);
    else if (nowMs - this.#ackMs >= SOON * heartbeatMs) this.#ack(nowMs);
  }

  // The channel

  #connect(): void {
    this.#connectAtMs = undefined;
    this.#channel = ++this.#lastChannel;
    this.#open = false;
    this.act({ type: 'connect', channel: this.#channel });
  }

  #channelOpen(channel: ChannelId, certificates: ChannelCertificates | undefined, nowMs: number): void {
    const transfer = this.#receiving.has(channel);
    if (!transfer && channel !== this.#channel) return;
    const resume = this.phase === 'paired';
    // No reason to claim: the primary's host may answer the next time.
    const other = (transfer || resume) && certificates?.peer !== this.#certificates?.peer;
    if (other) return this.#drop('a host with another certificate has answered', nowMs);
    if (transfer) return this.#receiving.opened();
    this.#open = true;
    this.#certificates = certificates;
    if (!resume) this.#watch(nowMs);
    this.#send(helloOf(this.#options, this.generation, resume, this.#log.received));
  }

  /** From now on silence of the primary counts; it is busy, and nothing is at stake, while the two are no pair yet. */
  #watch(nowMs: number): void {
    const { suspicionMs, backupExtraMs, ownPauseMs } = this.#options.timing;
    const silenceMs = this.#isPairing ? 10 * suspicionMs : suspicionMs + backupExtraMs;
    this.#detector = new FailureDetector({ silenceMs, ownPauseMs }, nowMs);
  }

  /** Nothing was acknowledged in this generation: it is not ours to claim. */
  get #isPairing(): boolean {
    return this.phase === 'connecting' || this.phase === 'verifying' || this.phase === 'receiving';
  }

  #channelClosed(channel: ChannelId, why: string, nowMs: number): void {
    if (this.#receiving.has(channel)) {
      this.#receiving.lost();
      // Once every piece is here it has done its work.
      if (this.phase === 'receiving' && !this.#receiving.spoilt) this.#drop(why, nowMs);
      return;
    }
    if (channel !== this.#channel) return;
    this.#channel = undefined;
    this.#open = false;
    if (this.#isPairing) {
      if (this.phase === 'receiving' && this.#endTransfer(why)) return;
      if (this.phase !== 'connecting') this.enter('connecting', why);
      this.generation = 0;
      this.#connectAtMs = nowMs + this.#options.timing.retryMs;
    } else if (this.phase === 'paired') {
      // In the same generation; once a claim may have been sent, never (6).
      this.#closedMs ??= nowMs;
      if (this.#options.timing.resumeMs === 0) return this.#leave(`the channel is gone: ${why}`, nowMs);
      this.#connectAtMs = nowMs + this.#options.timing.retryMs;
    }
  }

  #message(message: Message, nowMs: number): void {
    if (message.type === 'refuse') return this.#refused(message, nowMs);
    if (message.type === 'welcome') return this.#welcome(message, nowMs);
    if (message.generation !== this.generation) return this.#broken('it speaks of another generation', nowMs);
    if (this.phase === 'verifying' || this.phase === 'receiving') return this.#beforePaired(message, nowMs);
    if (this.phase !== 'paired' || this.#closedMs !== undefined) {
      return this.#broken(`it says ${message.type} too early`, nowMs);
    }
    switch (message.type) {
      case 'log':
        return this.#batch(message, nowMs);
      case 'heartbeat':
        return this.#heartbeat(message, nowMs);
      case 'hand-over':
        return this.#handOver(message.sequence, message.released, nowMs);
      case 'read-data':
        return this.#disk.fetched(message);
      case 'bye':
        return this.#bye(message.reason);
      default:
        return this.#broken(`it says ${message.type}`, nowMs);
    }
  }

  #welcome(message: Welcome, nowMs: number): void {
    const refusal = refusalOfWelcome(message, this.#options);
    if (refusal !== undefined) return this.#notOurs(...refusal);
    if (message.resume) {
      const same = message.generation === this.generation && message.incarnation === this.#primary;
      if (this.phase !== 'paired' || !same) return this.#broken('it resumes what never was', nowMs);
      this.#closedMs = undefined;
      this.#detector?.heard(nowMs);
      this.#disk.follow(this.generation);
      return this.#ack(nowMs);
    }
    if (this.phase !== 'connecting') return this.#broken('it starts anew', nowMs);
    this.generation = message.generation;
    this.#primary = message.incarnation;
    this.#token = '';
    this.#detector?.heard(nowMs);
    if (message.transfer !== '') return this.#receive(message.transfer);
    if (this.#receiving.used) return this.#spoilt('the primary starts its machine anew');
    this.enter('verifying', 'welcomed by the primary');
  }

  // A copy of a running machine (21; transfer.ts)

  #receive(name: string): void {
    const { transfer: limits } = this.#options;
    if (limits === undefined) return this.#notOurs('too-late', 'the machine has run, and this replica takes no copies');
    this.#ackMs = this.#nowMs;
    this.enter('receiving', 'the primary makes a copy of its machine');
    this.#receiving.begin(name, this.generation, ++this.#lastChannel, limits);
  }

  /** The owner has passed its point of no return: from here on this replica may acknowledge, and claim. */
  #final(nowMs: number): void {
    const point = this.#receiving.complete;
    if (point === undefined || this.#joining) return this.#broken('it is done before the copy is complete', nowMs);
    this.#kept.forget(point.outputs);
    this.#log.allow(point.position);
    this.#guestTime.heard(point.time, nowMs);
    this.#joining = true;
    if (!this.#options.mirrored) return this.#joined(nowMs);
    this.act({ type: 'disk-join', generation: this.generation, sequence: point.outputs });
  }

  /** All that is needed to go on from here is in this host's hands, durably. */
  #joined(nowMs: number): void {
    this.#joining = false;
    this.#disk.join(this.generation, this.#receiving.complete!.outputs, nowMs);
    this.#receiving.close();
    this.enter('paired', 'the copy is complete');
    this.#watch(nowMs);
    this.#ack(nowMs);
  }

  /** True if this process is of no use to another transfer, and halts. */
  #endTransfer(why: string): boolean {
    this.#receiving.close();
    if (!this.#receiving.spoilt) return false;
    this.#spoilt(`the transfer ended before it was final: ${why}`);
    return true;
  }

  /** The machine of this process holds what cannot be used nor taken out again. */
  #spoilt(message: string): void {
    this.#halt({ code: 'transfer-failed', message });
  }

  #beforePaired(message: Message, nowMs: number): void {
    if (message.type === 'heartbeat') {
      this.#detector?.heard(nowMs);
      this.#log.echo = message.stamp;
      return;
    }
    if (message.type === 'bye') return this.#bye(message.reason);
    if (this.phase === 'receiving' && message.type === 'cut') return this.#receiving.cut(message);
    if (this.phase === 'receiving' && message.type === 'final') return this.#final(nowMs);
    if (message.type !== 'pair') return this.#broken(`it says ${message.type} before the pair is formed`, nowMs);
    this.#token = message.token;
    this.#ownership.ask({ op: 'read-record', generation: this.generation });
  }

  /** The primary's record, seen by this host's own path (4). Only with it may anything be acknowledged. */
  #record(record: PairRecord, nowMs: number): void {
    const { incarnation } = this.#options;
    if (this.phase !== 'verifying' && this.phase !== 'receiving') return;
    const pair = { token: this.#token, primary: this.#primary, backup: incarnation, certificates: this.#certificates };
    const conflict = conflictIn(record, pair);
    if (conflict !== undefined) {
      this.#send({ type: 'refuse', generation: this.generation, code: 'other-host', message: conflict.message });
      return this.#halt(conflict);
    }
    this.#detector?.heard(nowMs);
    if (this.phase === 'receiving') return this.#receiving.recorded();
    this.enter('paired', 'the record is read');
    this.#disk.follow(this.generation);
    this.#watch(nowMs);
    this.#ack(nowMs);
  }

  #refused(refuse: Message & { type: 'refuse' }, nowMs: number): void {
    // The primary has left the generation in which we were a pair: it is the arbiter's word now.
    if (this.phase === 'paired') return this.#leave(`the primary will not resume: ${refuse.message}`, nowMs);
    if (refuse.code === 'busy') return this.#drop('the primary is busy', nowMs);
    this.#notOurs(refuse.code, refuse.message);
  }

  #notOurs(refusal: (HaltReason & { code: 'refused' })['refusal'], message: string): void {
    this.#halt({ code: 'refused', refusal, message });
  }

  /** The peer does not keep to the protocol: it is no peer. */
  #broken(what: string, nowMs: number): void {
    if (this.phase === 'paired') return this.#leave(`the primary breaks the protocol: ${what}`, nowMs);
    this.#drop(what, nowMs);
  }

  /** Closes the channel of a pair that was not formed, and tries again later. */
  #drop(why: string, nowMs: number): void {
    if (this.#channel === undefined) return;
    const channel = this.#channel;
    this.act({ type: 'close', channel });
    this.#channelClosed(channel, why, nowMs);
  }

  // The log

  #batch(batch: LogBatch, nowMs: number): void {
    const place = this.#log.take(batch);
    if (place === 'gap') return this.#broken(`batch ${batch.sequence} out of order`, nowMs);
    if (place === 'old') return;
    this.#guestTime.heard(batch.time, nowMs);
    this.#detector?.heard(nowMs);
    const { base, bytes, position } = batch;
    this.command({ type: 'feed', base, bytes, position, arrivedMs: nowMs });
    this.#ack(nowMs);
  }

  #heartbeat(heartbeat: Heartbeat, nowMs: number): void {
    if (heartbeat.cpu !== 'silent') this.#detector?.heard(nowMs);
    this.#log.echo = heartbeat.stamp;
    this.#guestTime.heard(heartbeat.time, nowMs);
    this.#forget(heartbeat.released);
    this.#disk.primaryNoted(heartbeat.common ?? 0);
    const { position } = heartbeat;
    if (this.#log.allow(position)) this.command({ type: 'executable', position });
  }

  #ack(nowMs: number): void {
    this.#ackMs = nowMs;
    if (!this.#open || this.#closedMs !== undefined) return;
    const message = this.#log.ack({
      generation: this.generation,
      executed: this.#cpu.position,
      cpu: this.#cpu.state(nowMs),
      uplink: this.#uplink,
      ...this.#disk.ack,
    });
    this.#send(message);
  }

  #handOver(sequence: number, released: number, nowMs: number): void {
    if (sequence !== this.#log.received) return this.#broken('it hands over at another batch', nowMs);
    this.#forget(released);
    this.#leave('the primary hands over', nowMs);
  }

  #bye(reason: 'guest-stopped' | 'shutdown'): void {
    this.#closeLog();
    if (reason === 'shutdown') return this.#halt({ code: 'peer-ended', message: 'the primary was stopped' });
    if (this.phase !== 'paired') return this.#halt({ code: 'peer-ended', message: 'the guest has stopped' });
    // The primary has sent all that the guest said: only see the end.
    this.#ended = true;
    this.enter('leaving', 'the guest has stopped');
    this.#disk.alone();
    this.command({ type: 'drain', onDivergence: 'stop' });
  }

  // The CPU thread

  #cpuReport(report: CpuReport, nowMs: number): void {
    this.#cpu.reported(nowMs);
    this.#ownership.cpuLives();
    switch (report.type) {
      case 'progress':
        this.#cpu.position = report.position;
        this.#log.consumed = report.consumed;
        return;
      case 'replayed':
        this.#cpu.position = report.position;
        this.#kept.keep(report.outputs);
        if (this.#disk.perform(report.disk ?? [], nowMs) && this.phase === 'paired') this.#ack(nowMs);
        if (this.#mustRest && this.phase === 'paired') this.#pause(true);
        return;
      case 'read-needed':
        return this.#disk.needed(report, nowMs);
      case 'diverged':
        return this.#diverged(report, nowMs);
      case 'drained':
        this.#cpu.position = report.position;
        this.#drained = report;
        if (this.#ended) return this.#halt(guestStopped(report.stopped));
        return this.#goLiveIfReady(nowMs);
      case 'installed':
      case 'install-verified':
      case 'install-failed':
        if (this.phase === 'receiving') this.#receiving.report(report);
    }
  }

  /** The primary has sent its outputs up to this one. */
  #forget(released: number): void {
    this.#kept.forget(released);
    if (!this.#mustRest) this.#pause(false);
  }

  /** More waits, to leave or for the disk, than this host may keep. */
  get #mustRest(): boolean {
    return this.#kept.full || this.#disk.full;
  }

  /** This host's own disk has done something. A flush is news for the primary (25). */
  #diskEvent(event: OwnDiskEvent, nowMs: number): void {
    const news = this.#disk.heard(event);
    if (this.#haltWithoutDisk()) return;
    if (!this.#mustRest) this.#pause(false);
    if (news && this.phase === 'paired') this.#ack(nowMs);
    this.#goLiveIfReady(nowMs);
  }

  /** True if this host's disk cannot be what the machine needs. */
  #haltWithoutDisk(): boolean {
    const reason = this.#disk.failure(this.phase === 'admitting');
    if (reason === undefined || this.phase === 'halted') return false;
    if (this.#open) this.#send({ type: 'bye', generation: this.generation, reason: 'shutdown' });
    this.#halt(reason);
    return true;
  }

  #pause(paused: boolean): void {
    if (this.#cpu.resting === paused) return;
    this.#cpu.resting = paused;
    this.command({ type: paused ? 'pause' : 'resume' });
  }

  #diverged(report: CpuReport & { type: 'diverged' }, nowMs: number): void {
    const { position, log, machine } = report.divergence;
    const message = `at position ${position} the log has: ${log}; this machine: ${machine}`;
    this.#divergence = message;
    if (this.phase === 'leaving' || this.phase === 'admitting') return this.#goLiveIfReady(nowMs);
    // It never claims (28): the primary does, and goes on without us.
    if (this.#open) this.#send({ type: 'diverged', generation: this.generation, position, log, machine });
    this.#halt({ code: 'diverged', message });
  }

  // Going live

  /** Leaves the generation for good, before the claim is sent (6): what was received is all there will ever be. */
  #leave(why: string, nowMs: number): void {
    this.#closeLog();
    this.#connectAtMs = undefined;
    this.#inbound.freeze(nowMs);
    this.#disk.alone();
    this.#cpu.resting = false;
    this.enter('leaving', why);
    this.command({ type: 'drain', onDivergence: this.#options.onDivergence });
    this.#ownership.claim(this.generation, this.#token);
  }

  #arbiter(reply: ArbiterReply, nowMs: number): void {
    if (!this.#ownership.settles(reply, nowMs)) return;
    if (reply.op === 'read-record') {
      // An answer may come after the channel that made us ask is gone.
      const stale = reply.generation !== this.generation || this.#token === '';
      if (reply.outcome === 'found' && !stale) this.#record(reply.record, nowMs);
    } else if (reply.op === 'claim') {
      if (reply.outcome === 'won') return this.#won(nowMs);
      this.#halt({ code: 'lost-claim', message: `another replica has won generation ${reply.generation + 1}` });
    }
  }

  #won(nowMs: number): void {
    this.generation++;
    this.enter('admitting', 'the generation is won');
    this.#ownership.admit(this.generation);
    this.#goLiveIfReady(nowMs);
  }

  #diskAdmission(event: ReplicaEvent & { type: 'disk-admission' }, nowMs: number): void {
    const outcome = this.#ownership.admission(event, nowMs);
    const message = `the disk does not admit generation ${this.generation}`;
    if (outcome === 'refused') return this.#halt({ code: 'fenced', message });
    if (outcome !== 'admitted') return;
    this.#admitted = true;
    this.#goLiveIfReady(nowMs);
  }

  #goLiveIfReady(nowMs: number): void {
    if (this.phase !== 'admitting') return;
    if (this.#divergence !== undefined && this.#options.onDivergence === 'stop') {
      return this.#halt({ code: 'total-loss', message: `this replica won, but it had diverged: ${this.#divergence}` });
    }
    // What its own disk has in hand comes first: before any live request, and before any flush (24).
    const ready = this.#admitted && this.#disk.idle;
    if (ready && this.#drained !== undefined) this.#goLive(this.#drained, nowMs);
  }

  /** PROTOCOL.md, 16: clock, outputs, disk requests, announcement, run; and the frames that the log lacks (19). */
  #goLive(drained: Drained, nowMs: number): void {
    const time = this.#guestTime.atGoLive(drained.time, nowMs);
    if (drained.stopped === undefined) this.command({ type: 'go-live', time });
    const kept = this.#kept.takeAll();
    const frames = this.#inbound.takeUnlogged(drained.frames);
    const view = { generation: this.generation, drained, kept, frames, uplink: this.#uplink };
    const { successor, actions } = goLive(this.#options, view, nowMs);
    this.act(...actions);
    this.#successor = successor;
  }

  // Small hands

  #halt(reason: HaltReason): void {
    this.#receiving.close();
    this.#closeLog();
    this.command({ type: 'pause' });
    this.enter('halted', reason.message);
    this.act({ type: 'halt', reason });
  }

  #closeLog(): void {
    if (this.#channel !== undefined) this.act({ type: 'close', channel: this.#channel });
    this.#channel = undefined;
    this.#open = false;
  }

  #send(message: Message): void {
    if (this.#open && this.#channel !== undefined) this.act({ type: 'send', channel: this.#channel, message });
  }
}
