/**
 * THE table: every instruction of the machine, RV64IMAFDC_Zicsr_Zifencei_Zba_Zbb_Zbs with the privileged ones. Decoder,
 * disassembler, interpreter and translator all derive from it.
 *
 * The index of an operation in `operations` is its id. Ids are dense from 0 and live only inside a running process: no
 * snapshot and no log holds one, so the order may change.
 */
import { assert } from '../base/assert.ts';
import { a } from './a.ts';
import { compressedInstructions } from './c.ts';
import { fd } from './fd.ts';
import type { Encoding, Operation } from './instruction.ts';
import { m } from './m.ts';
import { privileged } from './privileged.ts';
import { namedFences, rv64i } from './rv64i.ts';
import { zba } from './zba.ts';
import { zbb } from './zbb.ts';
import { zbs } from './zbs.ts';
import { zicsr } from './zicsr.ts';

export type { Operation } from './instruction.ts';

/** Everything that has semantics of its own. */
export const operations: readonly Operation[] = [
  ...rv64i,
  ...m,
  ...a,
  ...zicsr,
  ...privileged,
  ...zba,
  ...zbb,
  ...zbs,
  ...fd,
];

/** An encoding, and the id of the operation that it performs. */
export interface Entry extends Encoding {
  readonly operation: number;
}

const ids: ReadonlyMap<string, number> = new Map(operations.map(({ name }, id) => [name, id]));

/** The id of an operation by name, e.g. `addi`; it must exist. */
export function operationId(name: string): number {
  const id = ids.get(name);
  assert(id !== undefined, `the ISA table has no operation ${name}`);
  return id;
}

/** All encodings: first the operations themselves, in order of their ids, then the encodings that expand to one. */
export const entries: readonly Entry[] = [
  ...operations.map((encoding, id) => ({ ...encoding, operation: id })),
  ...[...namedFences, ...compressedInstructions].map((encoding) => ({
    ...encoding,
    operation: operationId(encoding.expandsTo),
  })),
];
