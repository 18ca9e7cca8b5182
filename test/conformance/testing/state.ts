/** The hart's state by name, so that a difference between two machines reads as one. */
import assert from 'node:assert/strict';
import { hart, PMP_ENTRIES } from '../../../src/core/machine/hart.ts';
import type { Machine } from '../../../src/core/vm/machine.ts';

const names = [
  ...Array.from({ length: 32 }, (_, i) => `x${i}`),
  ...Array.from({ length: 32 }, (_, i) => `f${i}`),
  ...Array.from({ length: PMP_ENTRIES }, (_, i) => `pmpaddr${i}`),
  ...Object.entries(hart).flatMap(([name, field]) => (field.state ? [name] : [])),
];

/** What is not equal, as "name: a, b" in hexadecimal. */
export function differences(a: readonly bigint[], b: readonly bigint[]): string[] {
  assert.equal(a.length, names.length);
  return a.flatMap((value, i) => (value === b[i] ? [] : [`${names[i]}: ${value.toString(16)}, ${b[i].toString(16)}`]));
}

export function assertSameState(actual: Machine, expected: Machine, where: string): void {
  assert.deepEqual(differences(actual.hart.stateWords(), expected.hart.stateWords()), [], where);
  assert.equal(actual.hash(), expected.hash(), `memory or devices: ${where}`);
}
