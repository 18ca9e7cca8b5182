/**
 * A machine that is driven instruction by instruction from the test: each is put into RAM as a device would put it there,
 * and takes one step. So a test says what it means in a line, and every such line also shows that decoded code is coherent
 * with memory.
 *
 * There is an identity mapping of RAM for S at its own addresses, and one for U at USER; `map` adds pages at PAGES.
 */
import assert from 'node:assert/strict';
import { registerNames } from '../../../src/core/isa/disassembler.ts';
import { type Field, hart } from '../../../src/core/machine/hart.ts';
import type { Machine } from '../../../src/core/vm/machine.ts';
import { assemble } from './assembler.ts';
import { type BareOptions, bootSource, RAM } from './machine.ts';

export type Privilege = 'U' | 'S' | 'M';
const levels = { U: 0n, S: 1n, M: 3n } as const;
const nameOfLevel = { 0: 'U', 1: 'S', 3: 'M' } as const;

/** Where U mode sees RAM, and where `map` puts pages (2 MiB that one level-0 table covers). */
export const USER = 0xc000_0000n;
export const PAGES = 0x4000_0000n;
/** Physical pages that tests may use for what they map: 16 of them. */
export const FREE = RAM + 0x10_0000n;
const CODE = RAM + 0x1000n;
const ROOT = RAM + 0x2000n;
export const tables = { root: ROOT, level1: ROOT + 0x1000n, level0: ROOT + 0x2000n } as const;

export const pte = { V: 1n, R: 2n, W: 4n, X: 8n, U: 16n, G: 32n, A: 64n, D: 128n } as const;
export const RW = pte.R | pte.W;
export const RWX = RW | pte.X;
export const AD = pte.A | pte.D;

export interface Trap {
  readonly cause: bigint;
  readonly value: bigint;
  readonly epc: bigint;
  /** Where the hart is now. */
  readonly to: Privilege;
}

type Registers = { readonly [name: string]: bigint | number };

export const makePte = (physical: bigint, bits: bigint): bigint => ((physical >> 12n) << 10n) | bits;

export class Stepper {
  readonly machine: Machine;

  constructor(options: BareOptions = {}) {
    this.machine = bootSource('j .', options).machine;
    this.#write(tables.root + 8n, makePte(tables.level1, pte.V));
    this.#write(tables.level1, makePte(tables.level0, pte.V));
    this.#write(tables.root + 16n, makePte(RAM, RWX | AD | pte.V));
    this.#write(tables.root + 24n, makePte(RAM, RWX | AD | pte.V | pte.U));
    this.run('csrw pmpaddr0, a0; csrw pmpcfg0, a1; csrw satp, a2; csrw mtvec, a3', {
      a0: (1n << 54n) - 1n,
      a1: 0x1f,
      a2: (8n << 60n) | (tables.root >> 12n),
      a3: RAM + 0x800n,
    });
  }

  #write(address: bigint, value: bigint): void {
    assert(this.machine.ram.write64(Number(address), value));
  }

  get privilege(): Privilege {
    return nameOfLevel[this.machine.hart.get32(hart.privilege) as 0 | 1 | 3];
  }

  get(field: Field): bigint {
    return this.machine.hart.get64(field);
  }

  x(name: string): bigint {
    return this.machine.hart.x(registerNames.indexOf(name));
  }

  set(registers: Registers): void {
    for (const [name, value] of Object.entries(registers)) {
      this.machine.hart.setX(registerNames.indexOf(name), BigInt.asUintN(64, BigInt(value)));
    }
  }

  /** Sets a 4 KiB leaf by its index; V is added. Gives its virtual address. */
  map(index: number, physical: bigint, bits: bigint): bigint {
    this.#write(tables.level0 + BigInt(index) * 8n, makePte(physical, bits | pte.V));
    return PAGES + BigInt(index) * 4096n;
  }

  /** A leaf as it is in memory now. */
  leaf(index: number): bigint {
    return this.memory(tables.level0 + BigInt(index) * 8n);
  }

  memory(address: bigint): bigint {
    const value = this.machine.ram.read64(Number(address));
    assert(value !== undefined);
    return value;
  }

  fill(address: bigint, value: bigint): void {
    this.#write(address, value);
  }

  /** Takes one step with this instruction at pc. Gives the trap or interrupt that it was, if it was one. */
  step(text: string, registers: Registers = {}): Trap | undefined {
    const here = this.privilege === 'U' && this.get(hart.satp) >> 60n !== 0n ? CODE - RAM + USER : CODE;
    const { bytes } = assemble(text, here);
    assert(this.machine.ram.write(Number(CODE), bytes));
    this.machine.hart.set64(hart.pc, here);
    this.set(registers);
    return this.go();
  }

  /** Takes one step wherever pc is. */
  go(): Trap | undefined {
    const views = this.machine.hart;
    const before = views.get64(hart.unretired);
    const epc = views.get64(hart.pc);
    const position = this.machine.position;
    this.machine.run(position + 1n);
    assert.equal(this.machine.position, position + 1n, 'the machine took a step');
    if (views.get64(hart.unretired) === before) return undefined;
    return { cause: this.get(hart.trapCause), value: this.get(hart.trapValue), epc, to: this.privilege };
  }

  /** Instructions one by one, none of which may trap. */
  run(texts: string, registers: Registers = {}): void {
    this.set(registers);
    for (const text of texts.split(';')) {
      if (text.trim() !== '') assert.equal(this.step(text), undefined, text);
    }
  }

  /** Goes to another privilege: up by an ecall that is not delegated, down by mret. */
  as(privilege: Privilege): this {
    if (this.privilege !== 'M') this.step('ecall');
    assert.equal(this.privilege, 'M');
    if (privilege === 'M') return this;
    const status = this.get(hart.mstatus) & ~(3n << 11n);
    this.machine.hart.set64(hart.mstatus, status | (levels[privilege] << 11n));
    this.machine.hart.set64(hart.mepc, CODE);
    assert.equal(this.step('mret'), undefined);
    return this;
  }

  /** In M mode: mstatus bits set and cleared. */
  status(set: bigint, clear = 0n): void {
    this.as('M').run('csrs mstatus, t5; csrc mstatus, t6', { t5: set, t6: clear });
  }
}
