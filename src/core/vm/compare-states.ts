/**
 * The fields of registers and devices in which two saved states differ, in words: for people who want to know why two machines
 * that should be one are not.
 */
import type { Plain } from '../devices/device.ts';
import { decodeMachine } from './saved-machine.ts';

/** A field of registers or devices; `primary` and `backup` are its values in words. */
export interface FieldDifference {
  readonly field: string;
  readonly primary: string;
  readonly backup: string;
}

/** The order of MachineDevices in devices.ts; the virtio devices follow. */
const FIXED_DEVICES = ['plic', 'aclint', 'rtc', 'uart'] as const;
const ABSENT = 'nothing';

/** The fields in which two saved states differ. Throws OperatingError on bytes that are none. */
export function compareStates(primary: Uint8Array, backup: Uint8Array): FieldDifference[] {
  const found: FieldDifference[] = [];
  const [a, b] = [decodeMachine(primary), decodeMachine(backup)];
  compare('hart', a.hart, b.hart, found);
  for (let i = 0; i < Math.max(a.devices.length, b.devices.length); i++) {
    const name = FIXED_DEVICES[i] ?? `virtio${i - FIXED_DEVICES.length}`;
    compare(name, a.devices[i], b.devices[i], found);
  }
  compare('stopped', JSON.stringify(a.stopped ?? null), JSON.stringify(b.stopped ?? null), found);
  return found;
}

function compare(field: string, a: Plain | undefined, b: Plain | undefined, found: FieldDifference[]): void {
  if (a === b) return;
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    const at = firstDifference(a, b);
    if (at !== undefined) found.push({ field: `${field}[${at}...]`, primary: bytesAt(a, at), backup: bytesAt(b, at) });
  } else if (isTree(a) && isTree(b)) {
    const [left, right] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
    for (const key of new Set([...left.keys(), ...right.keys()])) {
      compare(`${field}.${key}`, left.get(key), right.get(key), found);
    }
  } else found.push({ field, primary: inWords(a), backup: inWords(b) });
}

function isTree(value: Plain | undefined): value is readonly Plain[] | { readonly [key: string]: Plain } {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
}

/** Where two byte strings differ first; where the shorter one ends, if that is all; undefined if they are equal. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number | undefined {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) if (a[i] !== b[i]) return i;
  return a.length === b.length ? undefined : end;
}

/** Some bytes from `at` on, in hexadecimal, with the length of the whole. */
export function bytesAt(bytes: Uint8Array, at: number): string {
  const shown = Array.from(bytes.subarray(at, at + 16), (byte) => byte.toString(16).padStart(2, '0'));
  return `${shown.join(' ') || 'the end'} (of ${bytes.length} bytes)`;
}

function inWords(value: Plain | undefined): string {
  if (value === undefined) return ABSENT;
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  if (value instanceof Uint8Array) return bytesAt(value, 0);
  return isTree(value) ? `a ${Array.isArray(value) ? 'list' : 'record'}` : JSON.stringify(value);
}
