/**
 * All of a machine's state but RAM, as bytes: the hart's registers, clock and timers, and every device with its requests in
 * flight and their data (MACHINE.md, 20). The state carries the hash of itself, so that a machine which has taken it over
 * knows whether it is the same.
 */
import { MalformedError } from '../base/byte-reader.ts';
import { OperatingError } from '../base/error.ts';
import type { Plain } from '../devices/device.ts';
import { SavedState, type StateErrorCode } from '../devices/state.ts';
import { type Field, hart, PMP_ENTRIES, PRIVILEGE_M, PRIVILEGE_S, PRIVILEGE_U } from '../machine/hart.ts';
import type { HartViews } from '../machine/views.ts';
import type { MachineStop } from './machine-interface.ts';
import { openSection, sealSection } from './plain-codec.ts';

const KIND = 'UMST';
const VERSION = 1;
const HART_VERSION = 1;

export interface SavedMachine {
  readonly hart: Plain;
  readonly devices: readonly Plain[];
  readonly stopped: MachineStop | undefined;
  /** The hash of hart and devices. */
  readonly check: bigint;
}

export function encodeMachine(saved: SavedMachine): Uint8Array<ArrayBuffer> {
  return sealSection(KIND, VERSION, {
    version: VERSION,
    hart: saved.hart,
    devices: saved.devices,
    stopped: encodeStop(saved.stopped),
    check: saved.check,
  });
}

/** Throws OperatingError 'state-malformed' or 'state-version'. */
export function decodeMachine(bytes: Uint8Array): SavedMachine {
  const state = new SavedState('the machine', VERSION, sectionOf(KIND, VERSION, bytes));
  return {
    hart: state.field('hart'),
    devices: state.list('devices'),
    stopped: decodeStop(state),
    check: state.bigint('check'),
  };
}

/** A section's value; a malformed one, or one of another version, is an operating error. */
export function sectionOf(kind: string, version: number, bytes: Uint8Array): Plain {
  try {
    const section = openSection(kind, bytes);
    if (section.version === version) return section.value;
    throw new OperatingError<StateErrorCode>(
      'state-version',
      `the saved state has version ${section.version}, and this program reads version ${version}`,
      'Use the version of this program that wrote it, or take a new snapshot.',
    );
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new OperatingError<StateErrorCode>(
      'state-malformed',
      `the saved state makes no sense at byte ${error.offset}: ${error.message}`,
      'It is damaged; take a new snapshot.',
      { cause: error },
    );
  }
}

function encodeStop(stop: MachineStop | undefined): Plain {
  if (stop === undefined) return '';
  return stop.reason === 'power' ? `power ${stop.action}` : `fault ${stop.message}`;
}

function decodeStop(state: SavedState): MachineStop | undefined {
  const text = state.field('stopped');
  if (text === '') return undefined;
  if (text === 'power off') return { reason: 'power', action: 'off' };
  if (text === 'power reset') return { reason: 'power', action: 'reset' };
  if (typeof text === 'string' && text.startsWith('fault ')) return { reason: 'fault', message: text.slice(6) };
  throw state.malformed('stopped');
}

const stateFields: readonly (readonly [string, Field])[] = Object.entries(hart).filter(([, field]) => field.state);
const X_REGISTERS = 32;

const list = (length: number, value: (index: number) => bigint): bigint[] => Array.from({ length }, (_, i) => value(i));

export function saveHart(views: HartViews): Plain {
  const fields = stateFields.map(([name, field]) => [
    name,
    field.bytes === 8 ? views.get64(field) : BigInt(views.get32(field) >>> 0),
  ]);
  return {
    version: HART_VERSION,
    x: list(X_REGISTERS, (i) => views.x(i)),
    f: list(X_REGISTERS, (i) => views.f(i)),
    pmpaddr: list(PMP_ENTRIES, (i) => views.pmpaddr(i)),
    ...Object.fromEntries(fields),
  };
}

/** The highest values of the fields that are no plain registers; the rest of the machine counts on them. */
const limits: { readonly [name: string]: bigint } = {
  privilege: BigInt(PRIVILEGE_M),
  waiting: 1n,
  reservationSize: 8n,
  firmware: 1n,
  position: (1n << 63n) - 1n,
  clockSlope: (1n << 32n) - 1n,
};

/** Throws OperatingError 'state-malformed' before anything is changed. */
export function restoreHart(views: HartViews, state: Plain): void {
  const saved = new SavedState('hart', HART_VERSION, state);
  const x = saved.bigints('x', X_REGISTERS);
  const f = saved.bigints('f', X_REGISTERS);
  const pmpaddr = saved.bigints('pmpaddr', PMP_ENTRIES);
  const values = stateFields.map(([name, field]) => ({ name, field, value: saved.bigint(name) }));
  for (const { name, field, value } of values) {
    if (value > (limits[name] ?? (field.bytes === 8 ? (1n << 64n) - 1n : 0xffff_ffffn))) throw saved.malformed(name);
  }
  const privileges: readonly bigint[] = [PRIVILEGE_U, PRIVILEGE_S, PRIVILEGE_M].map(BigInt);
  if (!privileges.includes(saved.bigint('privilege'))) throw saved.malformed('privilege');
  if (Number(saved.bigint('firmware')) !== views.get32(hart.firmware)) throw saved.malformed('firmware');
  for (let i = 0; i < X_REGISTERS; i++) {
    views.setX(i, x[i]);
    views.setF(i, f[i]);
  }
  for (const [i, value] of pmpaddr.entries()) views.setPmpaddr(i, value);
  for (const { field, value } of values) {
    if (field.bytes === 8) views.set64(field, value);
    else views.set32(field, Number(value));
  }
}
