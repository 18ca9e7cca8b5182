/** The main thread's handle on the CPU thread. */
import { type MessagePort, Worker } from 'node:worker_threads';
import { OperatingError } from '../../core/base/error.ts';
import type { EngineKind } from '../../core/engine/engine.ts';
import { decodeReport, encodeCommand } from '../../core/replication/cpu-codec.ts';
import type { CpuCommand, CpuReport } from '../../core/replication/cpu-link.ts';
import type { MachineConfig } from '../../core/vm/machine-config.ts';
import { CompileWorker } from './compile-worker.ts';
import type { CpuThreadCommand, CpuThreadData, CpuThreadNote, CpuThreadState } from './cpu-thread.ts';
import type { DiagnosisAnswer, DiagnosisQuestion } from './diagnosis-part.ts';
import { MailboxReceiver, MailboxSender, mailboxMemory, WAKE } from './mailbox.ts';
import { checkMemory } from './memory-check.ts';
import type { CompileLink } from './port-compiler.ts';
import type { SnapshotAnswer, SnapshotQuestion } from './snapshot-part.ts';
import { setMachineOptions } from './v8-options.ts';

/** Beside this file: TypeScript in a clone, JavaScript in a package. */
const THREAD = new URL(import.meta.url.endsWith('.ts') ? './cpu-thread.ts' : './cpu-thread.js', import.meta.url);

/** Reports that are taken from the mailbox before the event loop gets a turn. */
const MOST_AT_ONCE = 1000;

/** Of the CPU thread, whose objects live for a slice: more would only be memory. */
const YOUNG_MIB = 12;

export interface RunnerEvents {
  readonly onReport: (report: CpuReport) => void;
  /** The thread ended by a bug (or the host ran out of memory): the machine is gone. */
  readonly onCrash: (error: Error) => void;
  /** What a person might want to know; the machine goes on. */
  readonly onNotice: (line: string) => void;
}

export class Runner {
  readonly #worker: Worker;
  readonly #commands: MailboxSender<CpuThreadCommand>;
  readonly #reports: MailboxReceiver<CpuReport | CpuThreadNote>;
  /** What has come through the port, in order. */
  readonly #arrived: (CpuReport | CpuThreadNote)[] = [];
  readonly #compileWorker: CompileWorker | undefined;
  #state: CpuThreadState | undefined;
  #ram: Uint8Array = new Uint8Array(0);
  /** Questions without an answer yet, in order. */
  readonly #asked: PromiseWithResolvers<SnapshotAnswer | DiagnosisAnswer>[] = [];
  #ended = false;

  private constructor(config: MachineConfig, engine: EngineKind, events: RunnerEvents) {
    const commands = mailboxMemory();
    const reports = mailboxMemory();
    this.#commands = new MailboxSender(commands, (writer, command) => encodeCommand(writer, command as CpuCommand));
    this.#reports = new MailboxReceiver(reports, decodeReport, () => this.#arrived.shift());
    let link: CompileLink | undefined;
    if (engine === 'translator') {
      this.#compileWorker = new CompileWorker({
        onLink: (next) => this.#relink(next),
        onNotice: events.onNotice,
      });
      link = this.#compileWorker.start();
    }
    const workerData: CpuThreadData = { config, engine, commands, reports, link };
    this.#worker = new Worker(THREAD, {
      workerData,
      transferList: link === undefined ? [] : [link.port],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    });
  }

  /** Builds the machine in a thread of its own. Throws OperatingError if that cannot be (memory, a wrong kernel). */
  static async start(config: MachineConfig, engine: EngineKind, events: RunnerEvents): Promise<Runner> {
    checkMemory(config.ramBytes, process.availableMemory());
    setMachineOptions();
    const runner = new Runner(config, engine, events);
    try {
      await runner.#ready(events);
    } catch (error) {
      await runner.stop();
      throw error;
    }
    return runner;
  }

  #ready(events: RunnerEvents): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const take = (message: CpuReport | CpuThreadNote): void => {
        if (message.type === 'ready') {
          this.#ram = message.ram;
          resolve();
        } else if (message.type === 'answer') this.#asked.shift()?.resolve(message.answer);
        else if (message.type === 'state') this.#state = message;
        else if (message.type === 'failed') reject(new OperatingError(message.code, message.message, message.advice));
        else if (!this.#ended) events.onReport(message);
      };
      const takeAll = (): void => {
        for (let left = MOST_AT_ONCE; left > 0; left--) {
          const message = this.#reports.receive();
          if (message !== undefined) take(message);
          else if (this.#reports.sleep()) return;
        }
        setImmediate(takeAll);
      };
      // In the port: the messages that are too big for the mailbox, or WAKE.
      this.#worker.on('message', (message: CpuReport | CpuThreadNote | typeof WAKE) => {
        if (message !== WAKE) this.#arrived.push(message);
        takeAll();
      });
      takeAll();
      this.#worker.on('error', (error) => {
        reject(error);
        for (const { reject: giveUp } of this.#asked.splice(0)) giveUp(error);
        if (!this.#ended) events.onCrash(error);
      });
    });
  }

  #relink(link: CompileLink | undefined): void {
    if (this.#ended) return;
    this.#post({ type: 'link', link }, link === undefined ? [] : [link.port]);
  }

  /** At most a second old; undefined in the first one. */
  get state(): CpuThreadState | undefined {
    return this.#state;
  }

  /** The machine's memory itself, shared with the thread that runs it. */
  get ram(): Uint8Array {
    return this.#ram;
  }

  /** Asks the CPU thread about a snapshot. Throws OperatingError if it cannot be done, or if the machine is gone. */
  async ask(question: SnapshotQuestion): Promise<Exclude<SnapshotAnswer, { answer: 'failed' }>> {
    // Answers come in the order of the questions, each of its question's kind.
    const answer = (await this.#ask(question)) as SnapshotAnswer;
    if (answer.answer === 'failed') throw new OperatingError(answer.code, answer.message, answer.advice);
    return answer;
  }

  /** Asks the CPU thread about a divergence. Throws OperatingError if the machine is gone. */
  async diagnose(question: DiagnosisQuestion): Promise<DiagnosisAnswer> {
    return (await this.#ask(question)) as DiagnosisAnswer;
  }

  async #ask(question: SnapshotQuestion | DiagnosisQuestion): Promise<SnapshotAnswer | DiagnosisAnswer> {
    if (this.#ended) throw machineGone();
    const asked = Promise.withResolvers<SnapshotAnswer | DiagnosisAnswer>();
    this.#asked.push(asked);
    this.#post({ type: 'ask', question }, []);
    return asked.promise;
  }

  send(command: CpuCommand): void {
    this.#post(command, []);
  }

  #post(command: CpuThreadCommand, transferList: readonly MessagePort[]): void {
    this.#commands.send(command, () => this.#worker.postMessage(command, transferList));
  }

  /** Ends the thread wherever it is; no report follows. */
  async stop(): Promise<void> {
    this.#ended = true;
    await this.#worker.terminate();
    for (const { reject } of this.#asked.splice(0)) reject(machineGone());
    await this.#compileWorker?.stop();
  }
}

function machineGone(): OperatingError {
  return new OperatingError('machine-gone', 'the machine has ended');
}
