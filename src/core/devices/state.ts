/**
 * Reading a device's saved state. What `save()` wrote may come back from a file or from another host, so a field that is
 * missing or out of range is an operating error that names the section and the field, never an undefined that shows up
 * a million steps later. One reader a section; `save()` itself needs no help, it returns an object literal.
 */
import { OperatingError } from '../base/error.ts';
import type { Plain } from './device.ts';

export type StateErrorCode = 'state-malformed' | 'state-version';

const ADVICE = 'The snapshot is damaged or was written by another version; take a new one.';

/** One section of a saved state: named fields, each read with its type and its range. */
export class SavedState {
  readonly #section: string;
  readonly #fields: { readonly [key: string]: Plain };

  /** Throws OperatingError `state-malformed` if `state` is no object, `state-version` if its version is not `version`. */
  constructor(section: string, version: number, state: Plain) {
    this.#section = section;
    if (state === null || typeof state !== 'object' || Array.isArray(state) || state instanceof Uint8Array) {
      throw new OperatingError<StateErrorCode>('state-malformed', `the saved state of ${section} is no object`, ADVICE);
    }
    this.#fields = state as { readonly [key: string]: Plain };
    if (this.#fields.version !== version) {
      const found = String(this.#fields.version);
      const message = `the saved state of ${section} has version ${found}, and this program reads version ${version}`;
      throw new OperatingError<StateErrorCode>('state-version', message, ADVICE);
    }
  }

  /** A whole number in 0 .. max. */
  uint(name: string, max: number): number {
    const value = this.#fields[name];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) throw this.malformed(name);
    return value;
  }

  /** A list of whole numbers in 0 .. max, of exactly `length` entries if that is given. */
  uints(name: string, max: number, length?: number): number[] {
    const list = this.list(name);
    if (length !== undefined && list.length !== length) throw this.malformed(name);
    return list.map((value) => {
      if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) throw this.malformed(name);
      return value;
    });
  }

  boolean(name: string): boolean {
    const value = this.#fields[name];
    if (typeof value !== 'boolean') throw this.malformed(name);
    return value;
  }

  /** An unsigned 64-bit number. */
  bigint(name: string): bigint {
    const value = this.#fields[name];
    if (typeof value !== 'bigint' || value < 0n || value >= 1n << 64n) throw this.malformed(name);
    return value;
  }

  /** A list of unsigned 64-bit numbers, of exactly `length` entries. */
  bigints(name: string, length: number): bigint[] {
    const list = this.list(name);
    if (list.length !== length) throw this.malformed(name);
    return list.map((value) => {
      if (typeof value !== 'bigint' || value < 0n || value >= 1n << 64n) throw this.malformed(name);
      return value;
    });
  }

  /** A copy of a byte string of at most `maxLength` bytes. */
  bytes(name: string, maxLength: number): Uint8Array {
    const value = this.#fields[name];
    if (!(value instanceof Uint8Array) || value.length > maxLength) throw this.malformed(name);
    return value.slice();
  }

  /** A list of byte strings of at most `maxLength` bytes each, copied. */
  byteStrings(name: string, maxLength: number): Uint8Array[] {
    return this.list(name).map((value) => {
      if (!(value instanceof Uint8Array) || value.length > maxLength) throw this.malformed(name);
      return value.slice();
    });
  }

  list(name: string): readonly Plain[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) throw this.malformed(name);
    return value as readonly Plain[];
  }

  /** A field with a section of its own, to be given to another reader. */
  field(name: string): Plain {
    const value = this.#fields[name];
    if (value === undefined) throw this.malformed(name);
    return value;
  }

  /** The error for a field that is wrong in a way only the caller can see. */
  malformed(name: string): OperatingError<StateErrorCode> {
    const message = `the saved state of ${this.#section} has no valid "${name}"`;
    return new OperatingError<StateErrorCode>('state-malformed', message, ADVICE);
  }
}
