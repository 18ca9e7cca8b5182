/**
 * The builtin firmware: RISC-V SBI 2.0 (base, time, IPI, remote fence, hart state management, system reset, debug
 * console). It runs on the host, as a pure function of the machine; the ecall counts one step and retires.
 */
import type { PowerAction } from './doors.ts';
import { hart, interrupt } from './hart.ts';
import type { GuestRam } from './ram.ts';
import type { HartViews } from './views.ts';

const SUCCESS = 0n;
const NOT_SUPPORTED = -2n;
const INVALID_PARAMETER = -3n;
const INVALID_ADDRESS = -5n;
const ALREADY_AVAILABLE = -6n;
const FAILED = -1n;

const extension = {
  base: 0x10n,
  time: 0x54494d45n,
  ipi: 0x735049n,
  remoteFence: 0x52464e43n,
  hartState: 0x48534dn,
  systemReset: 0x53525354n,
  debugConsole: 0x4442434en,
} as const;

/** SBI 2.0. */
const SPEC_VERSION = 2n << 24n;
/** Not registered: "US". */
const IMPLEMENTATION_ID = 0x5553n;
const IMPLEMENTATION_VERSION = 1n;
/** The most that one debug console write takes. */
const CONSOLE_WRITE_BYTES = 4096;

export interface SbiMachine {
  readonly hart: HartViews;
  readonly ram: GuestRam;
  /** stimecmp has a new value. */
  timersChanged(): void;
  powerRequest(action: PowerAction): void;
  consoleWrite(data: Uint8Array): void;
}

type Answer = readonly [error: bigint, value: bigint];
const ok = (value = 0n): Answer => [SUCCESS, value];
const error = (code: bigint): Answer => [code, 0n];

/** Answers the ecall whose arguments are in a0-a7; leaves error and value in a0 and a1. */
export function answerSbi(m: SbiMachine): void {
  const [failure, value] = dispatch(m, m.hart.x(17), m.hart.x(16));
  m.hart.setX(10, failure);
  m.hart.setX(11, value);
}

function dispatch(m: SbiMachine, id: bigint, fn: bigint): Answer {
  switch (id) {
    case extension.base:
      return base(m, fn);
    case extension.time:
      return fn === 0n ? setTimer(m) : error(NOT_SUPPORTED);
    case extension.ipi:
      return fn === 0n ? sendIpi(m) : error(NOT_SUPPORTED);
    case extension.remoteFence:
      // Translations and decoded code are coherent at all times.
      return fn <= 2n ? (selectsHart0(m, 10) === undefined ? error(INVALID_PARAMETER) : ok()) : error(NOT_SUPPORTED);
    case extension.hartState:
      return hartState(m, fn);
    case extension.systemReset:
      return fn === 0n ? systemReset(m) : error(NOT_SUPPORTED);
    case extension.debugConsole:
      return debugConsole(m, fn);
    default:
      return error(NOT_SUPPORTED);
  }
}

function base(m: SbiMachine, fn: bigint): Answer {
  switch (fn) {
    case 0n:
      return ok(SPEC_VERSION);
    case 1n:
      return ok(IMPLEMENTATION_ID);
    case 2n:
      return ok(IMPLEMENTATION_VERSION);
    case 3n: {
      const wanted = m.hart.x(10);
      return ok(Object.values(extension).some((id) => id === wanted) ? 1n : 0n);
    }
    case 4n:
    case 5n:
    case 6n:
      return ok(0n);
    default:
      return error(NOT_SUPPORTED);
  }
}

function setTimer(m: SbiMachine): Answer {
  m.hart.set64(hart.stimecmp, m.hart.x(10));
  m.timersChanged();
  return ok();
}

/** Whether the hart mask in (register, register + 1) names hart 0; undefined if it names a hart that does not exist. */
function selectsHart0(m: SbiMachine, register: number): boolean | undefined {
  const mask = m.hart.x(register);
  const first = m.hart.x(register + 1);
  if (first === (1n << 64n) - 1n) return true;
  if (mask === 0n) return false;
  return first === 0n && mask === 1n ? true : undefined;
}

function sendIpi(m: SbiMachine): Answer {
  const selected = selectsHart0(m, 10);
  if (selected === undefined) return error(INVALID_PARAMETER);
  if (selected) m.hart.set64(hart.mipSoftware, m.hart.get64(hart.mipSoftware) | (1n << BigInt(interrupt.SSI)));
  return ok();
}

function hartState(m: SbiMachine, fn: bigint): Answer {
  const id = m.hart.x(10);
  switch (fn) {
    case 0n:
      return error(id === 0n ? ALREADY_AVAILABLE : INVALID_PARAMETER);
    case 1n:
      // The last hart of a machine is not stopped but powered off.
      return error(FAILED);
    case 2n:
      return id === 0n ? ok(0n) : error(INVALID_PARAMETER);
    default:
      return error(NOT_SUPPORTED);
  }
}

function systemReset(m: SbiMachine): Answer {
  const type = m.hart.x(10);
  if (type > 2n) return error(INVALID_PARAMETER);
  m.powerRequest(type === 0n ? 'off' : 'reset');
  return ok();
}

function debugConsole(m: SbiMachine, fn: bigint): Answer {
  if (fn === 2n) {
    m.consoleWrite(Uint8Array.of(Number(m.hart.x(10) & 255n)));
    return ok();
  }
  if (fn > 2n) return error(NOT_SUPPORTED);
  const length = m.hart.x(10);
  const address = (m.hart.x(12) << 64n) | m.hart.x(11);
  if (address > BigInt(Number.MAX_SAFE_INTEGER) || length > 0xffff_ffffn) return error(INVALID_ADDRESS);
  // Nothing is ever typed on the debug console: input goes to the UART and virtio consoles.
  if (fn === 1n) return ok(0n);
  const bytes = m.ram.read(Number(address), Math.min(Number(length), CONSOLE_WRITE_BYTES));
  if (bytes === undefined) return error(INVALID_ADDRESS);
  m.consoleWrite(bytes);
  return ok(BigInt(bytes.length));
}
