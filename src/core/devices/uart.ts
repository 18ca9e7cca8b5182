/**
 * A 16550A serial port: eight byte-wide registers, 16-byte receive FIFO, interrupt identification, loopback (National
 * Semiconductor PC16550D data sheet; device tree `ns16550a`, reg-shift 0). Kernels write their first messages here.
 *
 * The transmitter is infinitely fast, so the holding register is always empty. There is no clock either, so received
 * bytes below the FIFO's trigger level are reported at once as the "character time-out" that real hardware would report
 * a few bit times later. What the world types waits in a bounded queue and feeds the FIFO as the guest drains it.
 */
import type { Emit } from '../machine/doors.ts';
import { ByteQueue } from './byte-queue.ts';
import { CONSOLE_CHUNK_BYTES, ConsoleOutput } from './console-output.ts';
import type { Device, InterruptLine, Plain } from './device.ts';
import { SavedState } from './state.ts';

const VERSION = 1;

/** The size of the register window in bytes. */
export const UART_WINDOW_BYTES = 0x100;
/** Input that waits for the guest is bounded to this many bytes; what comes beyond is dropped. */
export const UART_INPUT_BYTES = 65_536;

const FIFO_BYTES = 16;
const TRIGGER_BYTES = [1, 4, 8, 14];

const IER_RECEIVE = 0x01;
const IER_TRANSMIT = 0x02;
const IER_LINE = 0x04;
const IER_MODEM = 0x08;

const IIR_MODEM = 0x00;
const IIR_NONE = 0x01;
const IIR_TRANSMIT = 0x02;
const IIR_RECEIVE = 0x04;
const IIR_LINE = 0x06;
const IIR_TIMEOUT = 0x0c;
const IIR_FIFO_ENABLED = 0xc0;

const FCR_ENABLE = 0x01;
const FCR_CLEAR_RECEIVE = 0x02;

const LCR_DIVISOR_LATCH = 0x80;
const MCR_LOOPBACK = 0x10;

const LSR_DATA_READY = 0x01;
const LSR_OVERRUN = 0x02;
const LSR_TRANSMITTER_EMPTY = 0x60;

/** Carrier detect, data set ready and clear to send: somebody is always there. */
const MSR_CONNECTED = 0xb0;
const MSR_RING = 0x40;

export interface UartOptions {
  /** The device's slot, named in its outputs. */
  readonly device: number;
}

export interface UartDependencies {
  readonly interrupt: InterruptLine;
  readonly emit: Emit;
}

export class Uart implements Device {
  readonly #interrupt: InterruptLine;
  readonly #output: ConsoleOutput;
  /** Bytes from the world that the FIFO has no room for yet. */
  readonly #input = new ByteQueue(UART_INPUT_BYTES);
  readonly #fifo = new ByteQueue(FIFO_BYTES);
  #interruptEnable = 0;
  #fifoControl = 0;
  #lineControl = 0;
  #modemControl = 0;
  #scratch = 0;
  #divisor = 0;
  /** The four "changed" bits of the modem status register. */
  #modemDeltas = 0;
  #overrun = false;
  /** The transmit interrupt is raised when the holding register empties, and cleared by reading it from the IIR. */
  #transmitRaised = false;

  constructor(options: UartOptions, dependencies: UartDependencies) {
    this.#interrupt = dependencies.interrupt;
    this.#output = new ConsoleOutput(options.device, dependencies.emit);
  }

  /** Bytes from the world; those beyond the bound of the input queue are dropped. */
  input(data: Uint8Array): void {
    this.#input.push(data);
    this.#feed();
    this.#updateInterrupt();
  }

  /** Emits the bytes gathered so far, if there are any. */
  flushOutput(): void {
    this.#output.flush();
  }

  read(offset: number, _size: number): number {
    const latch = (this.#lineControl & LCR_DIVISOR_LATCH) !== 0;
    switch (offset) {
      case 0:
        return latch ? this.#divisor & 0xff : this.#readReceiver();
      case 1:
        return latch ? this.#divisor >>> 8 : this.#interruptEnable;
      case 2:
        return this.#readIdentification();
      case 3:
        return this.#lineControl;
      case 4:
        return this.#modemControl;
      case 5:
        return this.#readLineStatus();
      case 6:
        return this.#readModemStatus();
      case 7:
        return this.#scratch;
      default:
        return 0;
    }
  }

  write(offset: number, _size: number, value: number): void {
    const byte = value & 0xff;
    const latch = (this.#lineControl & LCR_DIVISOR_LATCH) !== 0;
    if (offset === 0) {
      if (latch) this.#divisor = (this.#divisor & 0xff00) | byte;
      else this.#transmit(byte);
    } else if (offset === 1) {
      if (latch) this.#divisor = (this.#divisor & 0xff) | (byte << 8);
      else this.#writeInterruptEnable(byte & 0x0f);
    } else if (offset === 2) this.#writeFifoControl(byte);
    else if (offset === 3) this.#lineControl = byte;
    else if (offset === 4) this.#writeModemControl(byte & 0x1f);
    else if (offset === 7) this.#scratch = byte;
    else return;
    this.#updateInterrupt();
  }

  save(): Plain {
    return {
      version: VERSION,
      interruptEnable: this.#interruptEnable,
      fifoControl: this.#fifoControl,
      lineControl: this.#lineControl,
      modemControl: this.#modemControl,
      scratch: this.#scratch,
      divisor: this.#divisor,
      modemDeltas: this.#modemDeltas,
      overrun: this.#overrun,
      transmitRaised: this.#transmitRaised,
      fifo: this.#fifo.peek(),
      input: this.#input.peek(),
      output: this.#output.pending(),
    };
  }

  restore(state: Plain): void {
    const saved = new SavedState('uart', VERSION, state);
    this.#interruptEnable = saved.uint('interruptEnable', 0x0f);
    this.#fifoControl = saved.uint('fifoControl', 0xff);
    this.#lineControl = saved.uint('lineControl', 0xff);
    this.#modemControl = saved.uint('modemControl', 0x1f);
    this.#scratch = saved.uint('scratch', 0xff);
    this.#divisor = saved.uint('divisor', 0xffff);
    this.#modemDeltas = saved.uint('modemDeltas', 0x0f);
    this.#overrun = saved.boolean('overrun');
    this.#transmitRaised = saved.boolean('transmitRaised');
    this.#fifo.clear();
    this.#fifo.push(saved.bytes('fifo', FIFO_BYTES));
    this.#input.clear();
    this.#input.push(saved.bytes('input', UART_INPUT_BYTES));
    this.#output.restore(saved.bytes('output', CONSOLE_CHUNK_BYTES - 1));
  }

  #fifoEnabled(): boolean {
    return (this.#fifoControl & FCR_ENABLE) !== 0;
  }

  #loopback(): boolean {
    return (this.#modemControl & MCR_LOOPBACK) !== 0;
  }

  #receiveRoom(): number {
    return (this.#fifoEnabled() ? FIFO_BYTES : 1) - this.#fifo.length;
  }

  /** Moves waiting input into the FIFO; in loopback mode the line from the world is cut. */
  #feed(): void {
    if (this.#loopback()) return;
    while (this.#receiveRoom() > 0) {
      const byte = this.#input.shift();
      if (byte === undefined) return;
      this.#fifo.pushByte(byte);
    }
  }

  #readReceiver(): number {
    const byte = this.#fifo.shift() ?? 0;
    this.#feed();
    this.#updateInterrupt();
    return byte;
  }

  #transmit(byte: number): void {
    if (!this.#loopback()) this.#output.byte(byte);
    else if (this.#receiveRoom() > 0) this.#fifo.pushByte(byte);
    else this.#overrun = true;
    this.#transmitRaised = true;
  }

  /** Enabling the transmit interrupt while the holding register is empty raises it (drivers probe for that). */
  #writeInterruptEnable(value: number): void {
    if ((value & IER_TRANSMIT & ~this.#interruptEnable) !== 0) this.#transmitRaised = true;
    this.#interruptEnable = value;
  }

  #writeFifoControl(value: number): void {
    const switched = ((value ^ this.#fifoControl) & FCR_ENABLE) !== 0;
    this.#fifoControl = value & (FCR_ENABLE | 0xc0);
    if (switched || (value & FCR_CLEAR_RECEIVE) !== 0) this.#fifo.clear();
    this.#feed();
  }

  #writeModemControl(value: number): void {
    const before = this.#modemInputs();
    this.#modemControl = value;
    const after = this.#modemInputs();
    const changed = before ^ after;
    // Ring is reported at its trailing edge only, the other three at both.
    const ringEnded = before & ~after & MSR_RING;
    this.#modemDeltas |= ((changed & MSR_CONNECTED) | ringEnded) >>> 4;
    this.#feed();
  }

  /** In loopback mode the modem inputs are the port's own outputs: RTS, DTR, OUT1, OUT2. */
  #modemInputs(): number {
    if (!this.#loopback()) return MSR_CONNECTED;
    const control = this.#modemControl;
    return ((control & 2) << 3) | ((control & 1) << 5) | ((control & 4) << 4) | ((control & 8) << 4);
  }

  #readModemStatus(): number {
    const value = this.#modemInputs() | this.#modemDeltas;
    this.#modemDeltas = 0;
    this.#updateInterrupt();
    return value;
  }

  #readLineStatus(): number {
    const ready = this.#fifo.length > 0 ? LSR_DATA_READY : 0;
    const value = LSR_TRANSMITTER_EMPTY | ready | (this.#overrun ? LSR_OVERRUN : 0);
    this.#overrun = false;
    this.#updateInterrupt();
    return value;
  }

  #readIdentification(): number {
    const source = this.#interruptSource();
    if (source === IIR_TRANSMIT) {
      this.#transmitRaised = false;
      this.#updateInterrupt();
    }
    return source | (this.#fifoEnabled() ? IIR_FIFO_ENABLED : 0);
  }

  /** The most urgent enabled interrupt, as the identification register shows it. */
  #interruptSource(): number {
    const enabled = this.#interruptEnable;
    if ((enabled & IER_LINE) !== 0 && this.#overrun) return IIR_LINE;
    if ((enabled & IER_RECEIVE) !== 0 && this.#fifo.length > 0) {
      const trigger = this.#fifoEnabled() ? TRIGGER_BYTES[this.#fifoControl >>> 6] : 1;
      return this.#fifo.length >= trigger ? IIR_RECEIVE : IIR_TIMEOUT;
    }
    if ((enabled & IER_TRANSMIT) !== 0 && this.#transmitRaised) return IIR_TRANSMIT;
    if ((enabled & IER_MODEM) !== 0 && this.#modemDeltas !== 0) return IIR_MODEM;
    return IIR_NONE;
  }

  #updateInterrupt(): void {
    this.#interrupt(this.#interruptSource() !== IIR_NONE);
  }
}
