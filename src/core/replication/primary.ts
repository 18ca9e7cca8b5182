/**
 * The primary: it owns a generation, alone or with a backup. It hands the log to the backup, holds outputs until they are
 * acknowledged, and when it loses the backup it claims the next generation before it goes on alone. replica.ts tells the
 * story; the numbers in brackets are rules of PROTOCOL.md.
 */

import type { Input } from '../machine/doors.ts';
import type { MachineStop } from '../vm/machine-interface.ts';
import { Actor } from './actor.ts';
import { refusalOf, welcomeOf } from './admission.ts';
import { Announcer } from './announcer.ts';
import { type ArbiterReply, tokenOf } from './arbiter-protocol.ts';
import { BackupLink, farewellOf } from './backup-link.ts';
import { Copying } from './copying.ts';
import type { CpuReport } from './cpu-link.ts';
import { CpuView } from './cpu-view.ts';
import { LogStream } from './log-stream.ts';
import type { Ack, Hello, Message, Receiving, RefusalCode } from './message.ts';
import { PROTOCOL_VERSION } from './message.ts';
import { leanReads, OutputPath } from './output-path.ts';
import { Ownership } from './ownership.ts';
import { Pace } from './pace.ts';
import { Pausing } from './pausing.ts';
import { isLogging, isUnprotected, mayFailOver } from './phases.ts';
import type { ChannelId, HaltReason, ReplicaAction, ReplicaEvent } from './replica.ts';
import { guestStopped, type ReplicaOptions, type ReplicaStatus, type Succession } from './replica.ts';
import { UplinkWatch } from './uplink-watch.ts';

export class Primary extends Actor {
  readonly #options: ReplicaOptions;
  readonly #ownership: Ownership;
  readonly #outputs: OutputPath;
  readonly #announcer = new Announcer();
  readonly #lag: Pace;
  #log = new LogStream();

  readonly #link: BackupLink;
  #backup: string | undefined;
  #leaveWhenWritten: string | undefined;
  /** Whether this generation's one record may stand at the arbiter: then no other backup can be of this generation. */
  #record: 'none' | 'asked' | 'written' = 'none';
  readonly #copying: Copying;
  readonly #uplinks: UplinkWatch;
  #claimAtMs: number | undefined;

  readonly #cpu: CpuView;
  #started = false;
  readonly #pausing = new Pausing();
  #guestStop: MachineStop | undefined;
  #alone: boolean;

  constructor(options: ReplicaOptions, nowMs: number, succession?: Succession) {
    super('claiming-first');
    this.#options = options;
    this.#lag = new Pace(options.timing);
    this.#cpu = new CpuView(options.timing, true, nowMs);
    this.#link = new BackupLink(options.timing, (action) => this.act(action));
    this.#ownership = new Ownership(options, this.#cpu, (action) => this.act(action), nowMs);
    this.#outputs = new OutputPath(options.bounds, (action) => this.act(action), this.#ownership.lease);
    this.#copying = new Copying(options, {
      act: (action) => this.act(action),
      send: (message) => this.#link.send(message),
      limits: () => this.#outputs.newLimits(),
      nearlyDone: () => this.#writeRecord(),
      fail: (why) => this.#lose(why),
    });
    this.#uplinks = new UplinkWatch(options.timing.suspicionMs);
    this.#alone = options.alone;
    if (succession !== undefined) this.#succeed(succession, nowMs);
  }

  status(nowMs: number): ReplicaStatus {
    return {
      role: 'primary',
      phase: this.phase,
      generation: this.generation,
      position: this.#cpu.position,
      peerPosition: this.phase === 'paired' ? this.#lag.executedPosition : undefined,
      lagMs: this.phase === 'paired' ? this.#lag.lagMs(nowMs) : 0,
      logBytes: this.#log.bytes,
      heldOutputs: this.#outputs.heldCount,
      speed: this.#lag.fraction,
      cpu: this.#cpu.state(nowMs),
      transfer: this.#copying.progress,
    };
  }

  /** One event in, the actions that follow from it out, to be performed at once and in order. */
  handle(event: ReplicaEvent, nowMs: number): ReplicaAction[] {
    this.#ownership.observe(nowMs);
    this.#link.observe(nowMs);
    if (this.phase !== 'halted') this.#dispatch(event, nowMs);
    if (this.phase === 'paired' || this.phase === 'handing-over') this.#release(nowMs);
    if (isUnprotected(this.phase) && !this.#copying.isCut) this.#outputs.underLease(this.generation);
    if (this.phase === 'paired') {
      for (const command of this.#lag.due(nowMs, this.#outputs.flushWaits)) this.command(command);
    }
    this.#endWithGuest();
    return this.takeActions();
  }

  #dispatch(event: ReplicaEvent, nowMs: number): void {
    switch (event.type) {
      case 'start':
        return this.#start();
      case 'tick':
        return this.#tick(nowMs);
      case 'channel-open':
        return this.#link.connected(event.channel, event.certificates);
      case 'channel-closed':
        return this.#channelClosed(event.channel, event.why, nowMs);
      case 'message':
        return this.#message(event.channel, event.message, nowMs);
      case 'other-version':
        if (this.#link.is(event.channel)) return this.#broken('it changes its version');
        return this.#refuse(event.channel, 'other-version', `this primary speaks version ${PROTOCOL_VERSION}`);
      case 'cpu':
        return this.#cpuReport(event.report, nowMs);
      case 'arbiter':
        return this.#arbiter(event.reply, nowMs);
      case 'lease':
        return this.#ownership.lease?.answered(event) ? this.#lost() : undefined;
      case 'disk-admission':
        return this.#diskAdmission(event, nowMs);
      case 'disk-answer':
        return this.#diskAnswer(event);
      case 'input':
        if (this.#started) this.command({ type: 'input', input: event.input });
        return;
      case 'copied':
        return this.#copying.copied(event, nowMs);
      case 'caught-up':
      case 'catch-up-send':
      case 'catch-up-failed':
        return this.#copying.caughtUp(event, nowMs);
      case 'disk-common':
        return this.#outputs.pointNoted(event);
      case 'uplink':
        return this.#uplinks.own(event.up, nowMs);
      case 'own-address-seen':
        if (isUnprotected(this.phase) || this.phase === 'paired') this.#announcer.contradicted(nowMs);
        return;
      case 'hand-over':
        return this.#handOver('asked for');
      case 'run-alone':
        this.#alone = true;
        if (this.phase === 'waiting-for-backup') this.#runAlone('asked for');
        return;
      case 'shutdown':
        this.#bye('shutdown');
        return this.#halt({ code: 'shutdown', message: 'stopped by request' });
    }
  }

  #tick(nowMs: number): void {
    this.#ownership.tick(nowMs);
    // An announcement is an output as well: it needs the same proof that nobody else has gone on with the guest (14).
    const alive = this.phase === 'paired' && this.#link.isAlive(nowMs);
    const mine = this.#outputs.mayLeave && (alive || isUnprotected(this.phase));
    if (mine && this.#announcer.due(nowMs)) this.act({ type: 'announce', generation: this.generation });
    if (this.#claimAtMs !== undefined && nowMs >= this.#claimAtMs) this.#leave('the backup has not taken over');
    this.#copying.tick(nowMs);
    if (!this.#link.isWatched) return;
    if (!this.#link.isOpen) {
      const late = this.#link.closedForMs(nowMs) >= this.#options.timing.resumeMs;
      if (this.phase === 'paired' && late) this.#leave('the channel is gone');
    } else if (this.#link.suspects(nowMs)) {
      this.#lose('the backup is silent');
    } else if (this.#link.beatDue(nowMs)) {
      this.#heartbeat(nowMs);
    }
  }

  // The generation: won at the arbiter, admitted by the disk

  #start(): void {
    const { incarnation, coldStart } = this.#options;
    this.enter('claiming-first', 'asking the arbiter');
    this.#ownership.ask({ op: coldStart ? 'cold-claim' : 'create', incarnation });
  }

  #arbiter(reply: ArbiterReply, nowMs: number): void {
    if (!this.#ownership.settles(reply, nowMs)) return;
    switch (reply.op) {
      case 'create':
        if (reply.outcome === 'won') return this.#won(0);
        return this.#halt({ code: 'already-created', message: 'the arbiter knows this machine already' });
      case 'cold-claim':
        if (reply.outcome === 'won') return this.#won(reply.generation);
        return this.#halt({ code: 'lost-claim', message: 'another replica has started this machine' });
      case 'claim':
        if (reply.outcome === 'won') return this.#won(reply.generation + 1);
        return this.#lost();
      case 'write-record':
        return this.#recordWritten(reply.outcome === 'written', nowMs);
      case 'read-record':
        return;
    }
  }

  #won(generation: number): void {
    this.#outputs.close();
    this.generation = generation;
    this.#record = 'none';
    this.#backup = undefined;
    this.#link.unwatch();
    this.enter('admitting', 'the generation is won');
    this.#ownership.admit(generation);
  }

  #diskAdmission(event: ReplicaEvent & { type: 'disk-admission' }, nowMs: number): void {
    const outcome = this.#ownership.admission(event, nowMs);
    if (outcome === 'refused') return this.#fenced();
    if (outcome !== 'admitted') return;
    this.#outputs.open(this.generation);
    if (this.#started || this.#alone || this.#options.mirrored) return this.#runAlone('no backup');
    this.#newLog();
    this.enter('waiting-for-backup', 'the machine has not started');
  }

  #runAlone(why: string): void {
    this.enter('alone', why);
    this.#outputs.releaseAll(this.generation);
    this.#apply(this.#outputs.unpair());
    this.command({ type: 'record', logging: false });
    if (this.#lag.end()) this.command({ type: 'speed', fraction: 1 });
    for (const command of this.#pausing.cancel()) this.command(command);
    this.#started = true;
    this.#cpu.resting = false;
  }

  #newLog(): void {
    this.#log = new LogStream();
    this.#outputs.newLog();
  }

  #succeed(succession: Succession, nowMs: number): void {
    this.generation = succession.generation;
    this.#uplinks.own(succession.uplink, nowMs);
    this.#guestStop = succession.stopped;
    this.#started = true;
    this.#cpu.resting = succession.stopped !== undefined;
    this.#ownership.lease?.own();
    this.#outputs.hold(succession.kept, 0, succession.generation);
    this.#outputs.open(succession.generation, succession.blockRequests);
    this.#announcer.start(nowMs);
    this.enter('alone', 'took over');
  }

  /** Leaves the generation for good, before the claim is sent (6). What is held may leave only if the claim is won. */
  #leave(why: string): void {
    this.#claimAtMs = undefined;
    this.#closeChannels();
    if (this.#ownership.asks('write-record')) {
      // The record may be there or not: until that is known, no claim could be told from one at an empty arbiter.
      this.#leaveWhenWritten = why;
      return;
    }
    this.#outputs.close();
    this.enter('leaving', why);
    this.#updateLimit();
    this.#claim();
  }

  #claim(): void {
    this.#ownership.claim(this.generation, tokenOf(this.#options.token, this.generation));
  }

  #lost(): void {
    this.#outputs.discardAll();
    if (this.#pausing.done) return this.#halt({ code: 'handed-over', message: 'the other host goes on, as asked' });
    this.#halt({ code: 'lost-claim', message: `another replica has won generation ${this.generation + 1}` });
  }

  #fenced(): void {
    this.#outputs.discardAll();
    this.#halt({ code: 'fenced', message: `the disk has admitted a later owner than that of ${this.generation}` });
  }

  // The pair

  #message(channel: ChannelId, message: Message, nowMs: number): void {
    if (this.#link.introduces(channel)) {
      if (message.type === 'hello') return this.#hello(channel, message, nowMs);
      if (!this.#link.isBackupsHost) return this.#refuse(channel, 'other-host', 'the copy is for another host');
      if (message.type === 'join' && this.#copying.joins(channel, message.transfer, nowMs)) return;
      return this.act({ type: 'close', channel });
    }
    const copying = this.#copying.has(channel);
    if (!copying && !this.#link.is(channel)) return;
    if (message.generation !== this.generation) return this.#broken('it speaks of another generation');
    if (copying)
      return this.#copying.blocks(message, nowMs) ? undefined : this.#broken('it speaks on the transfer channel');
    switch (message.type) {
      case 'ack':
        if (this.phase === 'copying') return this.#broken('it acknowledges before it is a backup');
        return this.#ack(message, nowMs);
      case 'receiving':
        return this.#receiving(message, nowMs);
      case 'read-wanted':
        return this.#link.send(this.#outputs.keptRead(message));
      default: {
        const farewell = farewellOf(message);
        return farewell === undefined ? this.#broken(`it says ${message.type}`) : this.#lose(farewell);
      }
    }
  }

  #hello(channel: ChannelId, hello: Hello, nowMs: number): void {
    const refusal = refusalOf(hello, {
      options: this.#options,
      phase: this.phase,
      generation: this.generation,
      backup: this.#backup,
      isBackupsHost: this.#link.isBackupsHost,
      // Not once a claim may have been sent (6).
      mayResume: (received) => this.phase === 'paired' && this.#log.resume(received),
      mayCopy: this.#record === 'none' && this.#guestStop === undefined && this.#cpu.state(nowMs) !== 'silent',
    });
    if (refusal !== undefined) return this.#refuse(channel, ...refusal);
    const { resume } = hello;
    this.#link.open(channel);
    const copies = this.phase === 'alone';
    const transfer = copies ? this.#copying.begin(this.generation, nowMs) : '';
    this.#link.send(welcomeOf(this.#options, this.generation, resume, transfer));
    if (resume) {
      this.#link.heard(nowMs);
      return this.#sendBatches();
    }
    this.#backup = hello.incarnation;
    // The backup reads the record before it says anything more, and its arbiter may be slow.
    this.#link.watch(10 * this.#options.timing.suspicionMs, nowMs);
    this.enter(copies ? 'copying' : 'forming', 'a backup has connected');
    if (copies) return this.#newLog();
    this.#writeRecord();
  }

  #writeRecord(): void {
    this.#record = 'asked';
    const token = tokenOf(this.#options.token, this.generation);
    const record = { token, primary: this.#options.incarnation, backup: this.#backup!, ...this.#link.fingerprints };
    this.#ownership.ask({ op: 'write-record', generation: this.generation, record });
  }

  #refuse(channel: ChannelId, code: RefusalCode, message: string): void {
    this.#link.refuse(channel, { type: 'refuse', generation: this.generation, code, message });
  }

  #recordWritten(written: boolean, nowMs: number): void {
    if (!written) {
      const message = `generation ${this.generation} has another pair's record at the arbiter`;
      return this.#halt({ code: 'arbiter-conflict', message });
    }
    this.#record = 'written';
    // The copy was dropped meanwhile: another backup needs another generation.
    if (this.phase === 'alone') return this.#claim();
    const why = this.#leaveWhenWritten;
    this.#leaveWhenWritten = undefined;
    if (why !== undefined) return this.#leave(why);
    const generation = this.generation;
    this.#link.send({ type: 'pair', generation, token: tokenOf(this.#options.token, generation) });
    this.#heartbeat(nowMs);
  }

  #ack(ack: Ack, nowMs: number): void {
    if (!this.#log.acknowledge(ack.sequence, ack.credit)) return this.#broken('it acknowledges what was not sent');
    if (ack.cpu !== 'silent') this.#link.heard(nowMs);
    this.#link.answered(ack.echo, nowMs);
    this.#lag.executed(ack.executed, nowMs);
    if (this.phase === 'forming' && !this.#ownership.asks('write-record')) this.#formed(nowMs);
    if (this.phase === 'cutting-over') this.#copyIsBackup();
    this.#apply(this.#outputs.diskAtBackup(ack, this.generation));
    this.#outputs.acknowledge(ack.sequence);
    this.#sendBatches();
    this.#updateLimit();
    if (this.#uplinks.betterAtBackup(ack.uplink, this.#link.echoMs)) {
      this.#handOver("this host's uplink is down, the backup's is not");
    }
  }

  #formed(nowMs: number): void {
    this.#link.watch(this.#options.timing.suspicionMs, nowMs);
    this.enter('paired', 'the backup has read the record');
    this.#updateLimit();
    this.#outputs.pairAt(0, this.#options);
    this.command({ type: 'record', logging: true, ...leanReads(this.#options) });
    this.#started = true;
    this.#cpu.resting = false;
  }

  #channelClosed(channel: ChannelId, why: string, nowMs: number): void {
    if (this.#copying.has(channel)) {
      this.#copying.lost();
      if (this.phase === 'copying') this.#dropCopy(`its channel is gone: ${why}`);
    }
    if (!this.#link.closed(channel, nowMs)) return;
    if (this.phase === 'copying') return this.#dropCopy(`the channel is gone: ${why}`);
    if (this.phase === 'handed-over') {
      // The backup closes it before it claims: give it the time to.
      this.#claimAtMs = nowMs + 2 * this.#options.timing.suspicionMs;
    } else if (this.phase !== 'paired' || this.#options.timing.resumeMs === 0) {
      this.#leave(`the channel is gone: ${why}`);
    }
  }

  /** The peer does not keep to the protocol: it is no peer. */
  #broken(what: string): void {
    this.#lose(`the backup breaks the protocol: ${what}`);
  }

  /** Whoever is at the other end is of no more use. Before `final` that is no loss. */
  #lose(why: string): void {
    if (this.phase === 'copying') this.#dropCopy(why);
    else this.#leave(why);
  }

  #heartbeat(nowMs: number): void {
    this.#link.beat({
      type: 'heartbeat',
      generation: this.generation,
      stamp: nowMs,
      position: this.#log.executable(this.#cpu.position),
      time: this.#cpu.time,
      released: this.#outputs.released,
      cpu: this.#cpu.state(nowMs),
      ...(this.#options.mirrored ? { common: this.#outputs.commonPoint } : {}),
    });
  }

  #sendBatches(): void {
    if (!this.#link.isOpen) return;
    for (const batch of this.#log.takeSendable()) this.#link.send(batch);
  }

  // Outputs and inputs

  /** Lets go what is acknowledged, if the backup is known to have been alive lately: otherwise the claim decides (14). */
  #release(nowMs: number): void {
    if (this.#outputs.ready && this.#link.isAlive(nowMs)) {
      this.#outputs.release(this.generation);
      this.#updateLimit();
    }
    if (this.phase === 'handing-over') this.#finishHandOver();
  }

  #cpuReport(report: CpuReport, nowMs: number): void {
    this.#cpu.reported(nowMs);
    this.#ownership.cpuLives();
    switch (report.type) {
      case 'progress':
        this.#cpu.position = report.position;
        this.#cpu.time = report.time;
        if (this.phase === 'paired') this.#lag.produced(report.position, nowMs);
        return;
      case 'produced':
        return this.#produced(report, nowMs);
      case 'paused':
        this.#pausing.answered();
        this.#cpu.resting = this.#pausing.done;
        this.#cpu.position = report.position;
        return;
      case 'stopped':
        this.#guestStop = report.stop;
        this.#cpu.resting = true;
        if (this.phase === 'copying') this.#dropCopy('the guest has stopped');
        return;
      case 'copy-pages':
      case 'copy-cut':
        this.#copying.report(report, nowMs);
        if (report.type === 'copy-pages' || !this.#copying.isCut) return;
        // What came before the cut is no part of the copy: it must have left.
        if (this.#outputs.heldCount > 0) return this.#dropCopy('outputs wait for the lease');
        // Flushes behind the cut need the backup's word (25).
        this.#outputs.pairAt(report.cut.outputs, this.#options);
        return;
      default:
        return;
    }
  }

  #produced(report: CpuReport & { type: 'produced' }, nowMs: number): void {
    const { base, bytes, outputs, position, time } = report;
    this.#cpu.position = position;
    this.#cpu.time = time;
    if (isUnprotected(this.phase) && !this.#copying.isCut) {
      this.#outputs.hold(outputs, 0, this.generation);
      return this.#outputs.releaseAll(this.generation);
    }
    // Without a pair no batch is sent: what is held waits for the claim, not for an acknowledgement.
    let batch = Number.POSITIVE_INFINITY;
    if (isLogging(this.phase)) {
      this.#lag.produced(position, nowMs);
      batch =
        bytes.length === 0
          ? this.#log.last
          : this.#log.append({ generation: this.generation, base, position, time, bytes });
    }
    this.#outputs.hold(outputs, batch, this.generation);
    this.#sendBatches();
    // In one write with the batch, instead of another a little later.
    if (bytes.length > 0 && this.#link.beatsSoon(nowMs)) this.#heartbeat(nowMs);
  }

  #diskAnswer(event: ReplicaEvent & { type: 'disk-answer' }): void {
    if (event.outcome === 'refused') {
      // In the middle of a claim it says that somebody else has won, or that our own next generation is being admitted.
      if (event.generation === this.generation && this.#outputs.admitted !== undefined) this.#fenced();
      return;
    }
    // With another image to go on from nobody need hear of it: what is unanswered is done again by the backup.
    const { mirrored } = this.#options;
    if (mirrored && event.outcome === 'error' && mayFailOver(this.phase) && this.#link.isOpen) {
      return this.#handOver("this host's disk has failed");
    }
    const input = this.#outputs.answer(event);
    if (input !== undefined) this.#apply([input]);
  }

  #apply(inputs: readonly Input[]): void {
    if (!this.#started) return;
    for (const input of inputs) this.command({ type: 'input', input });
  }

  #updateLimit(): void {
    this.#outputs.updateLimit(this.phase === 'leaving' ? undefined : this.#log.acknowledgedBytes);
  }

  // A new backup, while the guest runs (21; transfer.ts)

  #receiving(message: Receiving, nowMs: number): void {
    this.#link.heard(nowMs);
    if (this.phase !== 'copying') return;
    if (!this.#copying.receiving(message, nowMs)) return;
    // From here on the backup can go on without us: only its acknowledgements or a claim let anything out.
    this.#link.send({ type: 'final', generation: this.generation });
    this.#link.watch(this.#options.timing.suspicionMs, nowMs);
    this.enter('cutting-over', 'the backup has a complete copy');
  }

  #copyIsBackup(): void {
    this.#copying.paired();
    this.#copying.end(this.#lag.fraction);
    this.enter('paired', 'the backup follows');
  }

  /** The transfer has failed before `final`: nobody else can have this machine, so what waits may leave. */
  #dropCopy(why: string): void {
    this.#closeChannels();
    this.#link.unwatch();
    this.#runAlone(`no copy: ${why}`);
    if (this.#record === 'written') this.#claim();
  }

  // Planned failover (20)

  #handOver(why: string): void {
    if (this.phase !== 'paired' || !this.#link.isOpen) return;
    this.enter('handing-over', why);
    this.command(this.#pausing.ask());
  }

  #finishHandOver(): void {
    if (!this.#pausing.done || !this.#log.allAcknowledged || this.#outputs.heldCount > 0) return;
    const [generation, sequence, released] = [this.generation, this.#log.last, this.#outputs.released];
    this.#link.send({ type: 'hand-over', generation, sequence, released });
    this.#outputs.close();
    this.enter('handed-over', 'the backup may claim');
  }

  // Ends

  /** A guest that has stopped by itself takes both replicas with it, once all that it said has left and is done. */
  #endWithGuest(): void {
    const stop = this.#guestStop;
    if (stop === undefined || !this.#outputs.idle) return;
    if (this.phase !== 'alone' && !(this.phase === 'paired' && this.#log.allAcknowledged)) return;
    this.#bye('guest-stopped');
    this.#halt(guestStopped(stop));
  }

  #bye(reason: 'guest-stopped' | 'shutdown'): void {
    if (!this.#link.isOpen) return;
    this.#link.send({ type: 'bye', generation: this.generation, reason });
    this.#closeChannels();
  }

  #halt(reason: HaltReason): void {
    this.#closeChannels();
    this.#link.closeStrangers();
    this.#outputs.close();
    this.command({ type: 'pause' });
    this.enter('halted', reason.message);
    this.act({ type: 'halt', reason });
  }

  #closeChannels(): void {
    this.#link.close();
    this.#copying.end(this.#lag.fraction);
  }
}
