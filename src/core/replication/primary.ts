/**
 * The primary: it owns a generation, alone or with a backup. It hands the log to the backup, holds outputs until they are
 * acknowledged, and when it loses the backup it claims the next generation before it goes on alone. replica.ts tells the
 * story; the numbers in brackets are rules of PROTOCOL.md.
 */
import type { Input } from '../machine/doors.ts';
import type { MachineStop } from '../vm/machine-interface.ts';
import { refusalOf } from './admission.ts';
import { Announcer } from './announcer.ts';
import { type ArbiterReply, tokenOf } from './arbiter-protocol.ts';
import { Asking } from './asking.ts';
import { CpuLimit } from './cpu-limit.ts';
import type { CpuCommand, CpuReport } from './cpu-link.ts';
import { CpuView } from './cpu-view.ts';
import { FailureDetector } from './failure-detector.ts';
import { LagControl } from './lag-control.ts';
import { LogStream } from './log-stream.ts';
import type { Ack, Hello, Message, Receiving, RefusalCode } from './message.ts';
import { PROTOCOL_VERSION } from './message.ts';
import { OutputGate } from './output-gate.ts';
import type {
  ChannelId,
  HaltReason,
  ReplicaAction,
  ReplicaEvent,
  ReplicaOptions,
  ReplicaPhase,
  ReplicaStatus,
  Succession,
} from './replica.ts';
import { TransferSource } from './transfer-source.ts';
import { UplinkWatch } from './uplink-watch.ts';
import { World } from './world.ts';

export class Primary {
  readonly #options: ReplicaOptions;
  readonly #asking: Asking;
  readonly #gate = new OutputGate();
  readonly #world = new World();
  readonly #announcer = new Announcer();
  readonly #lag: LagControl;
  #log = new LogStream();
  #phase: ReplicaPhase = 'claiming-first';
  #generation = 0;
  #actions: ReplicaAction[] = [];

  /** The channel to the backup, and to whoever has connected but said nothing yet. */
  #channel: ChannelId | undefined;
  readonly #strangers = new Set<ChannelId>();
  #closedMs: number | undefined;
  #detector: FailureDetector | undefined;
  #backup: string | undefined;
  #leaveWhenWritten: string | undefined;
  /** Whether this generation's one record may stand at the arbiter: then no other backup can be of this generation. */
  #record: 'none' | 'asked' | 'written' = 'none';
  /** The copy of the running machine that is being made, and its own channel. */
  #transfer: TransferSource | undefined;
  #transferChannel: ChannelId | undefined;
  #transfers = 0;
  /** Our own stamp in the last heartbeat that the backup has answered: it was alive after that (14). */
  #echoMs = Number.NEGATIVE_INFINITY;
  #beatMs = Number.NEGATIVE_INFINITY;
  readonly #uplinks: UplinkWatch;
  #claimAtMs: number | undefined;
  #claimWhenAlive = false;
  #admitAgainMs: number | undefined;

  readonly #cpu: CpuView;
  #started = false;
  #paused = false;
  readonly #limit: CpuLimit;
  #checkpointMs = Number.NEGATIVE_INFINITY;
  #guestStop: MachineStop | undefined;
  #alone: boolean;

  constructor(options: ReplicaOptions, nowMs: number, succession?: Succession) {
    this.#options = options;
    this.#asking = new Asking(options.timing.retryMs);
    this.#lag = new LagControl({ targetLagMs: options.timing.targetLagMs, intervalMs: 100 });
    this.#limit = new CpuLimit(options.bounds.logBufferBytes, options.bounds.heldOutputBytes);
    this.#cpu = new CpuView(options.timing, true, nowMs);
    this.#uplinks = new UplinkWatch(options.timing.suspicionMs);
    this.#alone = options.alone;
    if (succession !== undefined) this.#succeed(succession, nowMs);
  }

  status(nowMs: number): ReplicaStatus {
    return {
      role: 'primary',
      phase: this.#phase,
      generation: this.#generation,
      position: this.#cpu.position,
      peerPosition: this.#phase === 'paired' ? this.#lag.executedPosition : undefined,
      lagMs: this.#phase === 'paired' ? this.#lag.lagMs(nowMs) : 0,
      logBytes: this.#log.bytes,
      heldOutputs: this.#gate.heldCount,
      speed: this.#lag.fraction,
      cpu: this.#cpu.state(nowMs),
      transfer: this.#transfer?.progress(),
    };
  }

  /** One event in, the actions that follow from it out, to be performed at once and in order. */
  handle(event: ReplicaEvent, nowMs: number): ReplicaAction[] {
    this.#observe(nowMs);
    if (this.#phase !== 'halted') this.#dispatch(event, nowMs);
    if (this.#phase === 'paired' || this.#phase === 'handing-over') this.#release(nowMs);
    this.#endWithGuest();
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  /** Whether a broken channel may be replaced in this generation: not once a claim may have been sent (6). */
  #mayResume(): boolean {
    return this.#phase === 'paired';
  }

  #observe(nowMs: number): void {
    this.#cpu.observe(nowMs);
    this.#detector?.observe(nowMs);
  }

  #dispatch(event: ReplicaEvent, nowMs: number): void {
    switch (event.type) {
      case 'start':
        return this.#start();
      case 'tick':
        return this.#tick(nowMs);
      case 'channel-open':
        this.#strangers.add(event.channel);
        return;
      case 'channel-closed':
        return this.#channelClosed(event.channel, event.why, nowMs);
      case 'message':
        return this.#message(event.channel, event.message, nowMs);
      case 'other-version':
        if (event.channel === this.#channel) return this.#broken('it changes its version');
        return this.#refuse(event.channel, 'other-version', `this primary speaks version ${PROTOCOL_VERSION}`);
      case 'cpu':
        return this.#cpuReport(event.report, nowMs);
      case 'arbiter':
        return this.#arbiter(event.reply, nowMs);
      case 'disk-admission':
        return this.#diskAdmission(event, nowMs);
      case 'disk-answer':
        return this.#diskAnswer(event);
      case 'input':
        return this.#input(event.input);
      case 'copied':
        if (event.transfer === this.#transfer?.number) this.#transfer.copied(event.bytes, nowMs);
        return;
      case 'uplink':
        return this.#uplinks.own(event.up, nowMs);
      case 'own-address-seen':
        if (this.#unprotected || this.#phase === 'paired') this.#announcer.contradicted(nowMs);
        return;
      case 'hand-over':
        return this.#handOver('asked for');
      case 'run-alone':
        this.#alone = true;
        if (this.#phase === 'waiting-for-backup') this.#runAlone('asked for');
        return;
      case 'shutdown':
        this.#bye('shutdown');
        return this.#halt({ code: 'shutdown', message: 'stopped by request' });
    }
  }

  #tick(nowMs: number): void {
    const again = this.#asking.again(nowMs);
    if (again !== undefined) this.#do({ type: 'arbiter', request: again });
    if (this.#admitAgainMs !== undefined && nowMs >= this.#admitAgainMs) this.#admit('asked again');
    this.#announceIfDue(nowMs);
    if (this.#claimAtMs !== undefined && nowMs >= this.#claimAtMs) this.#leave('the backup has not taken over');
    this.#transfer?.tick(nowMs);
    if (this.#detector === undefined) return;
    if (this.#channel === undefined) {
      const sinceMs = nowMs - (this.#closedMs ?? nowMs);
      if (this.#phase === 'paired' && sinceMs >= this.#options.timing.resumeMs) this.#leave('the channel is gone');
    } else if (this.#detector.suspects(nowMs)) {
      this.#lose('the backup is silent');
    } else if (nowMs - this.#beatMs >= this.#options.timing.heartbeatMs) {
      this.#heartbeat(nowMs);
    }
    if (this.#phase === 'paired') this.#keepPace(nowMs);
  }

  /** An announcement is an output as well: it needs the same proof that nobody else has gone on with the guest (14). */
  #announceIfDue(nowMs: number): void {
    const mine = this.#unprotected || (this.#phase === 'paired' && this.#peerIsAlive(nowMs));
    if (mine && this.#announcer.due(nowMs)) this.#do({ type: 'announce', generation: this.#generation });
  }

  #keepPace(nowMs: number): void {
    const fraction = this.#lag.adjust(nowMs);
    if (fraction !== undefined) this.#command({ type: 'speed', fraction });
    const { hashIntervalMs } = this.#options.timing;
    if (hashIntervalMs === 0 || nowMs - this.#checkpointMs < hashIntervalMs) return;
    this.#checkpointMs = nowMs;
    this.#command({ type: 'checkpoint' });
  }

  // The generation: won at the arbiter, admitted by the disk

  #start(): void {
    const { incarnation, coldStart } = this.#options;
    this.#enter('claiming-first', 'asking the arbiter');
    this.#ask({ op: coldStart ? 'cold-claim' : 'create', incarnation });
  }

  #arbiter(reply: ArbiterReply, nowMs: number): void {
    if (!this.#asking.settles(reply, nowMs)) return;
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
    this.#world.close();
    this.#generation = generation;
    this.#record = 'none';
    this.#backup = undefined;
    this.#detector = undefined;
    this.#echoMs = Number.NEGATIVE_INFINITY;
    this.#admit('the generation is won');
  }

  #admit(why: string): void {
    this.#admitAgainMs = undefined;
    this.#enter('admitting', why);
    this.#do({ type: 'admit', generation: this.#generation });
  }

  #diskAdmission(event: ReplicaEvent & { type: 'disk-admission' }, nowMs: number): void {
    if (this.#phase !== 'admitting' || event.generation !== this.#generation) return;
    if (event.outcome === 'unknown') {
      this.#admitAgainMs = nowMs + this.#options.timing.retryMs;
    } else if (event.outcome === 'refused') {
      this.#fenced();
    } else {
      this.#actions.push(...this.#world.open(this.#generation));
      if (this.#started || this.#alone) return this.#runAlone('no backup');
      this.#newLog();
      this.#enter('waiting-for-backup', 'the machine has not started');
    }
  }

  #runAlone(why: string): void {
    this.#enter('alone', why);
    this.#perform(this.#gate.releaseAll());
    this.#command({ type: 'record', logging: false });
    if (this.#lag.fraction < 1) this.#command({ type: 'speed', fraction: 1 });
    if (this.#paused) this.#command({ type: 'resume' });
    this.#paused = false;
    this.#started = true;
    this.#cpu.resting = false;
  }

  #newLog(): void {
    this.#log = new LogStream();
    this.#gate.newLog();
  }

  #succeed(succession: Succession, nowMs: number): void {
    this.#generation = succession.generation;
    this.#uplinks.own(succession.uplink, nowMs);
    this.#guestStop = succession.stopped;
    this.#started = true;
    this.#cpu.resting = succession.stopped !== undefined;
    this.#world.adopt(succession.blockRequests);
    this.#actions.push(...this.#world.open(succession.generation));
    this.#announcer.start(nowMs);
    this.#enter('alone', 'took over');
  }

  /** Leaves the generation for good, before the claim is sent (6). What is held may leave only if the claim is won. */
  #leave(why: string): void {
    this.#claimAtMs = undefined;
    this.#closeChannels();
    this.#endCopy();
    if (this.#asking.asks('write-record')) {
      // The record may be there or not: until that is known, no claim could be told from one at an empty arbiter.
      this.#leaveWhenWritten = why;
      return;
    }
    this.#world.close();
    this.#enter('leaving', why);
    this.#updateLimit();
    this.#claim();
  }

  /** A replica whose own CPU thread is dead must not win: the claim waits for a sign of life (11). */
  #claim(): void {
    this.#claimWhenAlive = this.#cpu.state() === 'silent';
    if (this.#claimWhenAlive) return;
    const { incarnation, token } = this.#options;
    const generation = this.#generation;
    this.#ask({ op: 'claim', generation, incarnation, token: tokenOf(token, generation) });
  }

  #lost(): void {
    const handed = this.#paused;
    this.#gate.discardAll();
    if (handed) this.#halt({ code: 'handed-over', message: 'the other host goes on, as asked' });
    else this.#halt({ code: 'lost-claim', message: `another replica has won generation ${this.#generation + 1}` });
  }

  #fenced(): void {
    this.#gate.discardAll();
    this.#halt({ code: 'fenced', message: `the disk has admitted a later owner than that of ${this.#generation}` });
  }

  // The pair

  #message(channel: ChannelId, message: Message, nowMs: number): void {
    if (this.#strangers.has(channel)) {
      this.#strangers.delete(channel);
      if (message.type === 'hello') return this.#hello(channel, message, nowMs);
      if (message.type === 'join' && this.#joins(channel, message.transfer, nowMs)) return;
      return this.#do({ type: 'close', channel });
    }
    if (channel === this.#transferChannel) return this.#broken('it speaks on the transfer channel');
    if (channel !== this.#channel) return;
    if (message.generation !== this.#generation) return this.#broken('it speaks of another generation');
    switch (message.type) {
      case 'ack':
        if (this.#phase === 'copying') return this.#broken('it acknowledges before it is a backup');
        return this.#ack(message, nowMs);
      case 'receiving':
        return this.#receiving(message, nowMs);
      case 'diverged':
        return this.#lose(`the backup has diverged at ${message.position}: ${message.log}; ${message.machine}`);
      case 'bye':
        return this.#lose('the backup was stopped');
      default:
        return this.#broken(`it says ${message.type}`);
    }
  }

  #hello(channel: ChannelId, hello: Hello, nowMs: number): void {
    const refusal = refusalOf(hello, {
      options: this.#options,
      phase: this.#phase,
      generation: this.#generation,
      backup: this.#backup,
      mayResume: (received) => this.#mayResume() && this.#log.resume(received),
      mayCopy: this.#record === 'none' && this.#guestStop === undefined && this.#cpu.state(nowMs) !== 'silent',
    });
    if (refusal !== undefined) return this.#refuse(channel, ...refusal);
    const resume = hello.resume;
    if (this.#channel !== undefined) this.#do({ type: 'close', channel: this.#channel });
    this.#channel = channel;
    this.#closedMs = undefined;
    const { vm, machine, incarnation, timing } = this.#options;
    const identity = { version: PROTOCOL_VERSION, vm, machine, incarnation } as const;
    const copies = this.#phase === 'alone';
    const transfer = copies ? tokenOf(this.#options.token, `copy ${++this.#transfers}`) : '';
    this.#send({ type: 'welcome', generation: this.#generation, ...identity, resume, transfer });
    if (resume) {
      this.#detector?.heard(nowMs);
      return this.#sendBatches();
    }
    this.#backup = hello.incarnation;
    // The backup reads the record before it says anything more, and its arbiter may be slow.
    this.#detector = this.#detectorFor(10 * timing.suspicionMs, nowMs);
    if (copies) return this.#beginCopy(transfer, nowMs);
    this.#enter('forming', 'a backup has connected');
    this.#writeRecord();
  }

  #writeRecord(): void {
    this.#record = 'asked';
    const token = tokenOf(this.#options.token, this.#generation);
    const record = { token, primary: this.#options.incarnation, backup: this.#backup! };
    this.#ask({ op: 'write-record', generation: this.#generation, record });
  }

  #refuse(channel: ChannelId, code: RefusalCode, message: string): void {
    this.#strangers.delete(channel);
    this.#do({ type: 'send', channel, message: { type: 'refuse', generation: this.#generation, code, message } });
    this.#do({ type: 'close', channel });
  }

  #recordWritten(written: boolean, nowMs: number): void {
    if (!written) {
      return this.#halt({
        code: 'arbiter-conflict',
        message: `generation ${this.#generation} has another pair's record at the arbiter`,
      });
    }
    this.#record = 'written';
    // The copy was dropped meanwhile: another backup needs another generation.
    if (this.#phase === 'alone') return this.#claim();
    const why = this.#leaveWhenWritten;
    this.#leaveWhenWritten = undefined;
    if (why !== undefined) return this.#leave(why);
    this.#send({ type: 'pair', generation: this.#generation, token: tokenOf(this.#options.token, this.#generation) });
    this.#heartbeat(nowMs);
  }

  #ack(ack: Ack, nowMs: number): void {
    if (!this.#log.acknowledge(ack.sequence, ack.credit)) return this.#broken('it acknowledges what was not sent');
    if (ack.cpu !== 'silent') this.#detector?.heard(nowMs);
    this.#echoMs = Math.max(this.#echoMs, Math.min(ack.echo, nowMs));
    this.#lag.executed(ack.executed);
    if (this.#phase === 'forming' && !this.#asking.asks('write-record')) this.#formed(nowMs);
    if (this.#phase === 'cutting-over') this.#copyIsBackup(nowMs);
    this.#gate.acknowledge(ack.sequence);
    this.#sendBatches();
    this.#updateLimit();
    if (this.#uplinks.betterAtBackup(ack.uplink, this.#echoMs)) {
      this.#handOver("this host's uplink is down, the backup's is not");
    }
  }

  #formed(nowMs: number): void {
    this.#detector = this.#detectorFor(this.#options.timing.suspicionMs, nowMs);
    this.#enter('paired', 'the backup has read the record');
    this.#updateLimit();
    this.#command({ type: 'record', logging: true });
    this.#started = true;
    this.#cpu.resting = false;
  }

  #detectorFor(silenceMs: number, nowMs: number): FailureDetector {
    return new FailureDetector({ silenceMs, ownPauseMs: this.#options.timing.ownPauseMs }, nowMs);
  }

  #channelClosed(channel: ChannelId, why: string, nowMs: number): void {
    this.#strangers.delete(channel);
    if (channel === this.#transferChannel) {
      this.#transferChannel = undefined;
      if (this.#phase === 'copying') this.#dropCopy(`its channel is gone: ${why}`);
    }
    if (channel !== this.#channel) return;
    this.#channel = undefined;
    this.#closedMs = nowMs;
    if (this.#phase === 'copying') return this.#dropCopy(`the channel is gone: ${why}`);
    if (this.#phase === 'handed-over') {
      // The backup closes it before it claims: give it the time to.
      this.#claimAtMs = nowMs + 2 * this.#options.timing.suspicionMs;
    } else if (this.#phase !== 'paired' || this.#options.timing.resumeMs === 0) {
      this.#leave(`the channel is gone: ${why}`);
    }
  }

  /** The peer does not keep to the protocol: it is no peer. */
  #broken(what: string): void {
    this.#lose(`the backup breaks the protocol: ${what}`);
  }

  /** Whoever is at the other end is of no more use. Before `final` that is no loss. */
  #lose(why: string): void {
    if (this.#phase === 'copying') this.#dropCopy(why);
    else this.#leave(why);
  }

  #heartbeat(nowMs: number): void {
    this.#beatMs = nowMs;
    this.#send({
      type: 'heartbeat',
      generation: this.#generation,
      stamp: nowMs,
      position: this.#log.executable(this.#cpu.position),
      time: this.#cpu.time,
      released: this.#gate.released,
      cpu: this.#cpu.state(nowMs),
    });
  }

  #sendBatches(): void {
    if (this.#channel === undefined) return;
    for (const batch of this.#log.takeSendable()) this.#send(batch);
  }

  // Outputs and inputs

  /** Lets go what is acknowledged, if the backup is known to have been alive lately: otherwise the claim decides (14). */
  #release(nowMs: number): void {
    if (this.#gate.ready && this.#peerIsAlive(nowMs)) {
      this.#perform(this.#gate.release());
      this.#updateLimit();
    }
    if (this.#phase === 'handing-over') this.#finishHandOver();
  }

  #peerIsAlive(nowMs: number): boolean {
    return nowMs - this.#echoMs < this.#options.timing.suspicionMs;
  }

  #perform(outputs: ReturnType<OutputGate['release']>): void {
    if (outputs.length > 0) this.#actions.push(...this.#world.perform(outputs, this.#generation));
  }

  #cpuReport(report: CpuReport, nowMs: number): void {
    this.#cpu.reported(nowMs);
    if (this.#claimWhenAlive) this.#claim();
    switch (report.type) {
      case 'progress':
        this.#cpu.position = report.position;
        this.#cpu.time = report.time;
        if (this.#phase === 'paired') this.#lag.produced(report.position, nowMs);
        return;
      case 'produced':
        return this.#produced(report, nowMs);
      case 'paused':
        this.#paused = true;
        this.#cpu.resting = true;
        this.#cpu.position = report.position;
        return;
      case 'stopped':
        this.#guestStop = report.stop;
        this.#cpu.resting = true;
        if (this.#phase === 'copying') this.#dropCopy('the guest has stopped');
        return;
      case 'copy-pages':
        return this.#transfer?.collected(report, nowMs);
      case 'copy-cut':
        if (report.transfer === this.#transfer?.number) this.#transfer.cut(report, nowMs);
        return;
      default:
        return;
    }
  }

  #produced(report: CpuReport & { type: 'produced' }, nowMs: number): void {
    const { base, bytes, outputs, position, time } = report;
    this.#cpu.position = position;
    this.#cpu.time = time;
    if (this.#unprotected && !this.#transfer?.isCut) {
      this.#perform(this.#gate.hold(outputs, 0));
      return this.#perform(this.#gate.releaseAll());
    }
    // Without a pair no batch is sent: what is held waits for the claim, not for an acknowledgement.
    let batch = Number.POSITIVE_INFINITY;
    if (this.#logs) {
      this.#lag.produced(position, nowMs);
      batch =
        bytes.length === 0
          ? this.#log.last
          : this.#log.append({ generation: this.#generation, base, position, time, bytes });
    }
    this.#perform(this.#gate.hold(outputs, batch));
    this.#sendBatches();
  }

  #diskAnswer(event: ReplicaEvent & { type: 'disk-answer' }): void {
    if (event.outcome === 'refused') {
      // In the middle of a claim it says that somebody else has won, or that our own next generation is being admitted.
      if (event.generation === this.#generation && this.#world.admitted !== undefined) this.#fenced();
      return;
    }
    const { input, actions } = this.#world.answer(event);
    this.#actions.push(...actions);
    if (input !== undefined) this.#input(input);
  }

  #input(input: Input): void {
    if (this.#started) this.#command({ type: 'input', input });
  }

  #updateLimit(): void {
    const acknowledged = this.#phase === 'leaving' ? undefined : this.#log.acknowledgedBytes;
    const command = this.#limit.update(acknowledged, this.#gate.releasedBytes);
    if (command !== undefined) this.#command(command);
  }

  // A new backup, while the guest runs (21; transfer.ts)

  /** Entries are for a backup: there is one, or there will be. */
  get #logs(): boolean {
    return ['copying', 'cutting-over', 'paired', 'handing-over'].includes(this.#phase);
  }

  #beginCopy(name: string, nowMs: number): void {
    this.#newLog();
    this.#enter('copying', 'a backup has connected');
    const options = { number: this.#transfers, name, generation: this.#generation };
    const number = this.#transfers;
    this.#transfer = new TransferSource(
      options,
      this.#options.transfer!,
      {
        command: (command) => this.#command(command),
        cut: (command) => this.#command({ ...command, ...this.#limit.newLog(this.#gate.releasedBytes) }),
        copy: (pages) => this.#do({ type: 'copy', transfer: number, pages }),
        sendPiece: (message) => this.#do({ type: 'send', channel: this.#transferChannel!, message }),
        send: (message) => this.#send(message),
        nearlyDone: () => this.#writeRecord(),
        fail: (why) => this.#lose(why),
      },
      nowMs,
    );
  }

  #joins(channel: ChannelId, name: string, nowMs: number): boolean {
    if (this.#transfer === undefined || this.#transfer.joined || this.#transfer.name !== name) return false;
    this.#transferChannel = channel;
    this.#transfer.join(nowMs);
    return true;
  }

  #receiving(message: Receiving, nowMs: number): void {
    this.#detector?.heard(nowMs);
    if (this.#phase !== 'copying') return;
    this.#transfer?.receiving(message, nowMs);
    if (!this.#transfer?.verified) return;
    // From here on the backup can go on without us: only its acknowledgements or a claim let anything out.
    this.#send({ type: 'final', generation: this.#generation });
    this.#detector = this.#detectorFor(this.#options.timing.suspicionMs, nowMs);
    this.#enter('cutting-over', 'the backup has a complete copy');
  }

  #copyIsBackup(nowMs: number): void {
    this.#endCopy();
    this.#enter('paired', 'the backup follows');
    this.#checkpointMs = nowMs;
  }

  /** The transfer has failed before `final`: nobody else can have this machine, so what waits may leave. */
  #dropCopy(why: string): void {
    this.#closeChannels();
    this.#endCopy();
    this.#detector = undefined;
    this.#runAlone(`no copy: ${why}`);
    if (this.#record === 'written') this.#claim();
  }

  #endCopy(): void {
    if (this.#transfer === undefined) return;
    if (this.#transfer.speed < 1) this.#command({ type: 'speed', fraction: this.#lag.fraction });
    this.#transfer = undefined;
    this.#command({ type: 'copy-end' });
  }

  // Planned failover (20)

  #handOver(why: string): void {
    if (this.#phase !== 'paired' || this.#channel === undefined) return;
    this.#enter('handing-over', why);
    this.#command({ type: 'pause' });
  }

  #finishHandOver(): void {
    if (!this.#paused || !this.#log.allAcknowledged || this.#gate.heldCount > 0) return;
    this.#send({
      type: 'hand-over',
      generation: this.#generation,
      sequence: this.#log.last,
      released: this.#gate.released,
    });
    this.#world.close();
    this.#enter('handed-over', 'the backup may claim');
  }

  // Ends

  /** A guest that has stopped by itself takes both replicas with it, once all that it said has left and is done. */
  #endWithGuest(): void {
    const stop = this.#guestStop;
    if (stop === undefined || this.#gate.heldCount > 0 || !this.#world.idle) return;
    if (this.#phase !== 'alone' && !(this.#phase === 'paired' && this.#log.allAcknowledged)) return;
    this.#bye('guest-stopped');
    const message = stop.reason === 'power' ? `the guest asked for power ${stop.action}` : stop.message;
    this.#halt({ code: 'guest-stopped', stop, message });
  }

  #bye(reason: 'guest-stopped' | 'shutdown'): void {
    if (this.#channel === undefined) return;
    this.#send({ type: 'bye', generation: this.#generation, reason });
    this.#closeChannels();
  }

  #halt(reason: HaltReason): void {
    this.#closeChannels();
    for (const channel of this.#strangers) this.#do({ type: 'close', channel });
    this.#world.close();
    this.#command({ type: 'pause' });
    this.#enter('halted', reason.message);
    this.#do({ type: 'halt', reason });
  }

  // Small hands

  /** Runs without anybody behind it: nobody else can claim, and outputs need not wait. */
  get #unprotected(): boolean {
    return this.#phase === 'alone' || this.#phase === 'copying';
  }

  #closeChannels(): void {
    for (const channel of [this.#channel, this.#transferChannel]) {
      if (channel !== undefined) this.#do({ type: 'close', channel });
    }
    this.#channel = undefined;
    this.#transferChannel = undefined;
  }

  #enter(phase: ReplicaPhase, why: string): void {
    this.#phase = phase;
    this.#do({ type: 'phase', phase, generation: this.#generation, why });
  }

  #ask(request: Parameters<Asking['ask']>[0]): void {
    this.#do({ type: 'arbiter', request: this.#asking.ask(request) });
  }

  #send(message: Message): void {
    if (this.#channel !== undefined) this.#do({ type: 'send', channel: this.#channel, message });
  }

  #command(command: CpuCommand): void {
    this.#do({ type: 'cpu', command });
  }

  #do(action: ReplicaAction): void {
    this.#actions.push(action);
  }
}
