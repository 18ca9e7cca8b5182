/**
 * The machine: a deterministic function of its inputs. Inputs come in by `apply`, outputs leave by `onOutput`, and `run`
 * takes exactly as many steps as it is told. Nothing in here knows a clock, a file or a socket.
 */
import { assert } from '../base/assert.ts';
import { OperatingError } from '../base/error.ts';
import { isZero } from '../base/zeroes.ts';
import type { StateErrorCode } from '../devices/state.ts';
import { createEngine } from '../engine/create-engine.ts';
import type { Engine, EngineChoice } from '../engine/engine.ts';
import type { TranslatorStatistics } from '../engine/translator/statistics.ts';
import type { Input, Output, PowerAction } from '../machine/doors.ts';
import { EXIT_FAULT, EXIT_LIMIT, EXIT_SBI, EXIT_TIMER, EXIT_WAITING, hart, interrupt } from '../machine/hart.ts';
import {
  DIRTY_COPY,
  MAX_RAM_BYTES,
  type MemoryMap,
  memoryMap,
  PAGE_BYTES,
  PAGE_HTIF,
  RAM_BASE,
} from '../machine/memory-map.ts';
import { GuestRam } from '../machine/ram.ts';
import { answerSbi } from '../machine/sbi.ts';
import { HartViews } from '../machine/views.ts';
import { bootMachine } from './boot.ts';
import { Bus } from './bus.ts';
import { MachineDevices } from './devices.ts';
import { DirtyPages } from './dirty-pages.ts';
import type { Elf } from './elf.ts';
import { GuestTime } from './guest-time.ts';
import { Htif } from './htif.ts';
import { type MachineConfig, UART_DEVICE } from './machine-config.ts';
import type {
  MachineStop,
  OutputListener,
  PendingBlockRequest,
  ReplicatedMachine,
  RunResult,
} from './machine-interface.ts';
import { decodeMachine, encodeMachine, restoreHart, saveHart } from './saved-machine.ts';
import { hashWords, MemoryHash } from './state-hash.ts';

export type MachineErrorCode = 'memory-size' | 'memory-unavailable';

/** The most steps between two looks at who asked for a stop: well under a millisecond. */
const SLICE_STEPS = 65_536;

export interface MachineOptions {
  /** The interpreter, unless told. */
  readonly engine?: EngineChoice;
  /** Looked at between slices: true makes `run` return 'requested'. */
  readonly stopRequested?: () => boolean;
  /** A bare-metal program ended by `tohost` with this status (0 = pass). */
  readonly onHtifExit?: (status: bigint) => void;
}

export class Machine implements ReplicatedMachine {
  onOutput: OutputListener = () => {};
  readonly hart: HartViews;
  readonly ram: GuestRam;
  /** The ELF that was booted, for its symbols. */
  readonly elf: Elf | undefined;
  readonly #config: MachineConfig;
  readonly #engine: Engine;
  readonly #devices: MachineDevices;
  readonly #time: GuestTime;
  readonly #memoryHash: MemoryHash;
  readonly #written: DirtyPages;
  /** RAM itself, shared: a copier on another thread may read pages that `writtenPages` has named. */
  readonly sharedRam: Uint8Array;
  #copying: 'no' | 'all' | 'ever-written' | 'written' = 'no';
  readonly #stopRequested: () => boolean;
  #stopped: MachineStop | undefined;
  #stopAsked = false;
  /** A step is being taken: outputs belong to the position behind it. */
  #inStep = false;

  constructor(config: MachineConfig, options: MachineOptions = {}) {
    this.#config = config;
    this.#stopRequested = options.stopRequested ?? (() => false);
    const map = memoryMap(checkedRamBytes(config.ramBytes));
    const memory = allocate(map);
    const bus = new Bus();
    let htif: Htif | undefined;
    const value: [number, number] = [0, 0];
    this.hart = new HartViews(memory.buffer);
    this.#engine = createEngine(options.engine ?? { kind: 'interpreter' }, memory, map, {
      mmioRead: (address, size) => {
        if (!bus.read(address >>> 0, size, value)) return 0;
        this.hart.set32(hart.mmioLow, value[0]);
        this.hart.set32(hart.mmioHigh, value[1]);
        return 1;
      },
      mmioWrite: (address, size) =>
        bus.write(address >>> 0, size, this.hart.get32(hart.mmioLow), this.hart.get32(hart.mmioHigh)) ? 1 : 0,
      htifStore: (offset, size) => htif?.stored((offset >>> 0) - map.ram + RAM_BASE, size),
    });
    this.ram = new GuestRam(memory.buffer, map, (offset, length) => this.#engine.touch(offset, length));
    this.#time = new GuestTime(this.hart);
    this.#devices = new MachineDevices(config, {
      bus,
      memory: this.ram,
      emit: (output) => this.#emit(output),
      timer: {
        time: () => this.#time.at(this.#positionOfStep()),
        setTimeCompare: (_hart, time) => {
          this.hart.set64(hart.mtimecmp, time);
          this.#time.update(this.#positionBehindStep());
        },
        setSoftware: (_hart, asserted) => this.hart.setPending(interrupt.MSI, asserted),
      },
      external: (context, asserted) => this.hart.setPending(context === 0 ? interrupt.MEI : interrupt.SEI, asserted),
    });
    this.#memoryHash = new MemoryHash(memory.buffer, map, this.#engine);
    this.#written = new DirtyPages(memory.buffer, map, this.#engine, DIRTY_COPY);
    this.sharedRam = new Uint8Array(memory.buffer, map.ram, map.ramBytes);
    this.elf = bootMachine(config, this.ram, this.hart).elf;
    const tohost = this.elf?.symbols.get('tohost');
    if (tohost !== undefined) htif = this.#attachHtif(Number(tohost), memory, map, options);
    if (config.clock.kind === 'steps') this.#time.set(0n, 0n, Math.floor((2 ** 32 - 1) / config.clock.stepsPerTick));
    this.#engine.updateModes();
  }

  #attachHtif(address: number, memory: WebAssembly.Memory, map: MemoryMap, options: MachineOptions): Htif | undefined {
    const page = Math.floor((address - RAM_BASE) / PAGE_BYTES);
    if (page < 0 || page >= map.ramPages) return undefined;
    new Uint8Array(memory.buffer)[map.flags + page] |= PAGE_HTIF;
    return new Htif(address, this.ram, {
      exit: (status) => {
        options.onHtifExit?.(status);
        this.#devices.flushConsoles();
        this.#stopped ??= { reason: 'power', action: 'off' };
      },
      character: (code) => this.#emit({ kind: 'console-out', device: UART_DEVICE, data: Uint8Array.of(code) }),
    });
  }

  get position(): bigint {
    return this.hart.get64(hart.position);
  }
  get waiting(): boolean {
    return this.hart.get32(hart.waiting) !== 0;
  }
  get time(): bigint {
    return this.#time.at(this.position);
  }
  get stopped(): MachineStop | undefined {
    return this.#stopped;
  }
  /** Guest time of the next timer, undefined if none is armed: the host arms a wake-up for it. */
  get nextTimer(): bigint | undefined {
    return this.#time.nextTimer(this.position);
  }

  /** Steps completed before the one that is being taken. */
  #positionOfStep(): bigint {
    if (!this.#inStep) return this.position;
    const taken = this.hart.get32(hart.limit) - this.hart.get32(hart.remaining);
    return this.position + BigInt(taken - 1);
  }

  #positionBehindStep(): bigint {
    return this.#inStep ? this.#positionOfStep() + 1n : this.position;
  }

  #emit(output: Output): void {
    this.onOutput(output, this.#positionBehindStep());
  }

  apply(input: Input): void {
    if (this.#stopped) return;
    if (input.kind === 'clock') {
      this.#devices.flushConsoles();
      this.#time.set(this.position, input.time, input.slope);
    } else if (input.kind === 'power') {
      this.#powerRequest(input.action);
      return;
    } else this.#devices.apply(input);
    this.#wake();
  }

  #wake(): void {
    const h = this.hart;
    const pending = (h.get64(hart.mipSoftware) | h.get64(hart.mipHardware)) & h.get64(hart.mie);
    if (pending !== 0n) h.set32(hart.waiting, 0);
  }

  requestStop(): void {
    this.#stopAsked = true;
  }

  run(until: bigint): RunResult {
    assert(until >= this.position, 'a machine runs forwards');
    this.#stopAsked = false;
    for (;;) {
      if (this.#stopped) return 'stopped';
      if (this.waiting && !this.#jumpToTimer()) return 'waiting';
      const position = this.position;
      if (position >= until) return 'position';
      if (this.#stopAsked || this.#stopRequested()) return 'requested';
      this.#slice(position, until);
    }
  }

  /** Without a host, time itself moves on to the next timer whose interrupt is enabled (MACHINE.md, 6). */
  #jumpToTimer(): boolean {
    if (this.#config.clock.kind !== 'steps') return false;
    while (this.waiting) {
      const next = this.nextTimer;
      if (next === undefined) return false;
      this.#time.set(this.position, next, Number(this.hart.get64(hart.clockSlope)));
      this.#wake();
    }
    return true;
  }

  #slice(position: bigint, until: bigint): void {
    let end = until;
    const { deadline } = this.#time;
    if (deadline !== undefined && deadline < end) end = deadline;
    const steps = end - position;
    const limit = steps > SLICE_STEPS ? SLICE_STEPS : Number(steps);
    if (limit > 0) {
      this.#inStep = true;
      this.#engine.run(limit);
      this.#inStep = false;
      this.#leave(this.hart.get32(hart.exit));
    }
    if (deadline !== undefined && this.position >= deadline) {
      this.#time.update(this.position);
      // The step before may have been a wfi.
      this.#wake();
    }
  }

  /** What the engine came back for. */
  #leave(exit: number): void {
    switch (exit) {
      case EXIT_LIMIT:
        return;
      case EXIT_WAITING:
        this.#devices.flushConsoles();
        return;
      case EXIT_TIMER:
        this.#time.update(this.position);
        return;
      case EXIT_SBI:
        answerSbi({
          hart: this.hart,
          ram: this.ram,
          timersChanged: () => this.#time.update(this.position),
          powerRequest: (action) => this.#powerRequest(action),
          consoleWrite: (data) => {
            this.#devices.uart.flushOutput();
            this.#emit({ kind: 'console-out', device: UART_DEVICE, data });
          },
        });
        return;
      case EXIT_FAULT:
        this.#stopped = { reason: 'fault', message: this.#faultMessage() };
        return;
      default:
        assert(false, `the engine knows exit ${exit}`);
    }
  }

  #faultMessage(): string {
    const hex = (value: bigint): string => `0x${value.toString(16)}`;
    const h = this.hart;
    return (
      `the guest took a trap into M mode, where the builtin firmware has no handler: ` +
      `mcause ${hex(h.get64(hart.trapCause))}, mtval ${hex(h.get64(hart.trapValue))}, pc ${hex(h.get64(hart.pc))}`
    );
  }

  #powerRequest(action: PowerAction): void {
    this.#devices.flushConsoles();
    this.#stopped = { reason: 'power', action };
    this.#emit({ kind: 'power', action });
  }

  hash(): bigint {
    return BigInt.asUintN(64, this.#stateHash() + this.#memoryHash.update());
  }

  /** 8,192 pages take about 3 ms. */
  hashAhead(pages: number): boolean {
    return this.#memoryHash.ahead(pages);
  }

  /**
   * The hash of each page of RAM, as `hash` has last computed them: what two machines compare to find where they differ. They
   * are written to `into`, which has a place for each page.
   */
  pageHashes(into: BigUint64Array<ArrayBuffer> = new BigUint64Array(this.ramPages)): BigUint64Array<ArrayBuffer> {
    this.#memoryHash.copyPages(into);
    return into;
  }

  inFlightBlockRequests(): readonly PendingBlockRequest[] {
    return this.#devices.inFlightBlockRequests();
  }

  get ramPages(): number {
    return this.sharedRam.length / PAGE_BYTES;
  }

  beginCopy(over: 'anything' | 'zeroes' = 'anything'): void {
    assert(this.#copying === 'no', 'a machine is copied once at a time');
    this.#copying = over === 'zeroes' ? 'ever-written' : 'all';
  }

  writtenPages(): Uint32Array<ArrayBuffer> {
    assert(this.#copying !== 'no', 'written pages are those since the copy began');
    const pages: number[] = [];
    if (this.#copying === 'written') {
      this.#written.take((page) => pages.push(page));
      return Uint32Array.from(pages);
    }
    this.#written.take(() => {});
    const all = this.#copying === 'all';
    this.#copying = 'written';
    return all ? new Uint32Array(this.ramPages).map((_, page) => page) : this.#written.everWrittenPages();
  }

  endCopy(): void {
    this.#copying = 'no';
  }

  readPage(page: number): Uint8Array<ArrayBuffer> {
    assert(page >= 0 && page < this.ramPages, 'a page of RAM');
    return new Uint8Array(this.sharedRam.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES));
  }

  writePage(page: number, bytes: Uint8Array): void {
    assert(page >= 0 && page < this.ramPages && bytes.length === PAGE_BYTES, 'a page of RAM');
    // What was never written holds zeroes, and need not even be touched.
    if (!this.#written.everWritten(page) && isZero(bytes)) return;
    this.ram.write(RAM_BASE + page * PAGE_BYTES, bytes);
  }

  #stateHash(): bigint {
    return hashWords(this.hart.stateWords(), this.#devices.save());
  }

  saveState(): Uint8Array<ArrayBuffer> {
    return encodeMachine({
      hart: saveHart(this.hart),
      devices: this.#devices.save(),
      stopped: this.#stopped,
      check: this.#stateHash(),
    });
  }

  restoreState(bytes: Uint8Array): void {
    assert(this.position === 0n, 'only a machine that has not run takes over a state');
    const saved = decodeMachine(bytes);
    this.#devices.restore(saved.devices);
    // After the devices: their lines and compare registers are the hart's state, too.
    restoreHart(this.hart, saved.hart);
    this.#stopped = saved.stopped;
    this.#time.update(this.position);
    this.#engine.flush();
    this.#engine.updateModes();
    if (this.#stateHash() === saved.check) return;
    throw new OperatingError<StateErrorCode>(
      'state-malformed',
      'the saved state makes another machine than it was taken of',
      'It is damaged, or of a machine with another description.',
    );
  }

  /** What the engine's translator has done; undefined if it has none. */
  engineStatistics(): TranslatorStatistics | undefined {
    return this.#engine.statistics?.();
  }

  /** Requests for random bytes without an answer, of all devices. */
  inFlightEntropyRequests(): readonly Extract<Output, { kind: 'entropy' }>[] {
    return this.#devices.inFlightEntropyRequests();
  }
}

function checkedRamBytes(ramBytes: number): number {
  if (ramBytes % PAGE_BYTES !== 0 || ramBytes < 4 * 1024 * 1024 || ramBytes > MAX_RAM_BYTES) {
    throw new OperatingError<MachineErrorCode>(
      'memory-size',
      `a machine cannot have ${ramBytes} bytes of memory`,
      'Choose a multiple of 4 KiB from 4 MiB to 3 GiB.',
    );
  }
  return ramBytes;
}

function allocate(map: MemoryMap): WebAssembly.Memory {
  const pages = map.totalBytes / 65_536;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (error) {
    throw new OperatingError<MachineErrorCode>(
      'memory-unavailable',
      `this host cannot give the machine ${Math.round(map.totalBytes / 2 ** 20)} MiB of memory`,
      'Give the machine less memory, or free some.',
      { cause: error },
    );
  }
}
