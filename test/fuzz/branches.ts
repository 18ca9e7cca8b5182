/** The conditional branches of the ISA table. */
import { entries } from '../../src/core/isa/table.ts';
import { kindOf } from './arithmetic.ts';

export const branches = entries.filter((e) => e.length === 4 && kindOf(e) === 'branch');
