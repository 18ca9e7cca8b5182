/**
 * One machine, here, with nobody behind it: `understudy run`, and with a log `understudy record`. Disk, network and console
 * are attached directly; the machine runs in its own thread.
 */

import { OperatingError } from '../../core/base/error.ts';
import { defaultEngine, type EngineKind } from '../../core/engine/engine.ts';
import type { Output } from '../../core/machine/doors.ts';
import type { CpuReport } from '../../core/replication/cpu-link.ts';
import type { MachineStop } from '../../core/vm/machine-interface.ts';
import { ControlServer } from '../control/server.ts';
import type { Description } from '../description/description.ts';
import { openDirectDisk } from '../disk/direct-disk.ts';
import type { Disk } from '../disk/disk.ts';
import type { Uplink } from '../net/uplink.ts';
import { loadMachine } from '../runner/machine-files.ts';
import { Runner } from '../runner/runner.ts';
import { MachineSnapshots } from '../snapshot/machine-snapshots.ts';
import { openMachineUplink } from './machine-uplink.ts';
import { performOutput } from './outside.ts';

/** Takes what is recorded, in order. */
export interface RunLog {
  /** `bytes`: encoded entries, relative to position `base`. */
  append(base: bigint, bytes: Uint8Array): void;
  /** Resolves when everything appended is in the file. */
  close(): Promise<void>;
}

export interface PlainRunOptions {
  readonly description: Description;
  /** The interpreter, unless told. */
  readonly engine?: EngineKind;
  /** Opens the log for a machine with a disk of that size; absent: nothing is recorded. */
  readonly openLog?: (diskBytes: number | undefined) => Promise<RunLog>;
  /** How often a hash of the whole state goes into the log. */
  readonly checkpointMs?: number;
  /** Where to listen for questions about this machine (control/): a unix socket. */
  readonly control?: { readonly path: string };
  /** A snapshot's file: the machine goes on from there. */
  readonly resume?: string;
  readonly onConsole: (data: Uint8Array) => void;
  readonly onNotice: (line: string) => void;
}

export class PlainRun {
  readonly #options: PlainRunOptions;
  #runner: Runner | undefined;
  #disk: Disk | undefined;
  #uplink: Uplink | undefined;
  #closeUplink: () => Promise<void> = async () => {};
  #log: RunLog | undefined;
  #console = 0;
  #position = 0n;
  #checkpoints: NodeJS.Timeout | undefined;
  #control: ControlServer | undefined;
  #finish: (stop: MachineStop) => void = () => {};
  #fail: (error: Error) => void = () => {};
  /** How the machine stopped; rejects if this host failed it. */
  readonly ended: Promise<MachineStop>;

  private constructor(options: PlainRunOptions) {
    this.#options = options;
    this.ended = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    this.ended.catch(() => {});
  }

  /** Opens everything and starts the machine. Throws OperatingError, with nothing left behind. */
  static async start(options: PlainRunOptions): Promise<PlainRun> {
    const run = new PlainRun(options);
    try {
      await run.#start();
    } catch (error) {
      await run.close();
      throw error;
    }
    return run;
  }

  async #start(): Promise<void> {
    const { description, onNotice } = this.#options;
    const { disk } = description;
    if (disk !== undefined) this.#disk = await openDirectDisk(disk.path, onNotice);
    const machine = await loadMachine(description, this.#disk?.sizeBytes);
    this.#console = machine.console;
    const snapshots = await this.#openSnapshots();
    const resumed = await snapshots?.open(this.#options.resume);
    this.#log = await this.#options.openLog?.(this.#disk?.sizeBytes);
    this.#runner = await Runner.start(machine.config, this.#options.engine ?? defaultEngine, {
      onReport: (report) => this.#report(report),
      onCrash: (error) => this.#fail(error),
      onNotice,
    });
    const waitsFor = await resumed?.restore(this.#runner, onNotice);
    await this.#connect(1 + machine.config.virtio.findIndex((device) => device.kind === 'net'));
    this.#runner.send({ type: 'record', logging: this.#log !== undefined });
    if (this.#log !== undefined) {
      const forever = Number.POSITIVE_INFINITY;
      this.#runner.send({ type: 'limit', logBytes: forever, outputBytes: forever });
      const everyMs = this.#options.checkpointMs ?? 1000;
      this.#checkpoints = setInterval(() => this.#runner?.send({ type: 'checkpoint' }), everyMs);
    }
    for (const output of waitsFor ?? []) this.#perform(output);
    const { control } = this.#options;
    if (control !== undefined && snapshots !== undefined) await this.#listen(control, snapshots);
  }

  async #openSnapshots(): Promise<MachineSnapshots | undefined> {
    const { description, control, resume } = this.#options;
    if (control === undefined && resume === undefined) return undefined;
    return MachineSnapshots.of(description, this.#disk?.sizeBytes);
  }

  async #listen(control: { readonly path: string }, snapshots: MachineSnapshots): Promise<void> {
    this.#control = await ControlServer.start(control, {
      status: () => ({ name: this.#options.description.name, position: String(this.#position) }),
      snapshot: async ({ path, stop }, onProgress) => {
        const result = await snapshots.take(this.#runner!, { path, stop, onProgress });
        if (stop) {
          this.#options.onNotice(`the machine is in ${path}, and stopped here`);
          this.#finish({ reason: 'power', action: 'off' });
        }
        return result;
      },
    });
  }

  async #connect(device: number): Promise<void> {
    if (this.#options.description.network === undefined) return;
    const opened = await openMachineUplink(this.#options.description, {
      onFrame: (frame) => this.#runner?.send({ type: 'input', input: { kind: 'net-rx', device, frame } }),
      onLost: (why) => this.#fail(new OperatingError('uplink-lost', `the machine's network is gone: ${why}`)),
    });
    this.#uplink = opened.uplink;
    this.#closeUplink = opened.close;
  }

  /** Steps that the machine has taken, as of its last report. */
  get position(): bigint {
    return this.#position;
  }

  /** Keys for the guest's console. */
  type(data: Uint8Array): void {
    this.#runner?.send({ type: 'input', input: { kind: 'console-in', device: this.#console, data } });
  }

  /** As if the power failed. */
  powerOff(): void {
    this.#runner?.send({ type: 'input', input: { kind: 'power', action: 'off' } });
  }

  #report(report: CpuReport): void {
    if ('position' in report) this.#position = report.position;
    if (report.type === 'produced') {
      if (report.bytes.length > 0) this.#log?.append(report.base, report.bytes);
      for (const { output } of report.outputs) this.#perform(output);
    } else if (report.type === 'stopped') this.#finish(report.stop);
  }

  #perform(output: Output): void {
    performOutput(output, {
      disk: this.#disk,
      uplink: () => this.#uplink,
      console: (device, data) => {
        if (device === this.#console || device === 0) this.#options.onConsole(data);
      },
      input: (input) => this.#runner?.send({ type: 'input', input }),
    });
  }

  /** Lets go of everything; what the guest has written is in the disk's file. */
  async close(): Promise<void> {
    clearInterval(this.#checkpoints);
    await this.#runner?.stop();
    await this.#control?.close();
    await this.#closeUplink();
    await this.#disk?.close();
    await this.#log?.close();
  }
}
