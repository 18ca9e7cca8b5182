/**
 * Random programs in the manner of compiled code gone mad: integer and floating-point arithmetic with all rounding modes,
 * loads and stores (aligned, misaligned, across pages), atomics, compressed instructions, branches and loops, CSR accesses,
 * and traps that a handler logs. They compute the same on every RISC-V hart that has our extensions.
 *
 * Registers with a job: sp, s0 and s1 point into the data, gp to the trap log, tp counts loops, t5 and t6 hold addresses.
 */

import { floatRegisterNames, registerNames } from '../../../src/core/isa/disassembler.ts';
import type { Operand } from '../../../src/core/isa/instruction.ts';
import { type Entry, entries, operations } from '../../../src/core/isa/table.ts';
import { Random } from './random.ts';

/** Where the programs leave what they have done; physical addresses. */
export const layout = {
  /** Four pages that loads and stores reach. */
  data: 0x8010_0000n,
  dataBytes: 0x4000,
  /** x1 .. x31, f0 .. f31, fcsr and a few CSRs, then the trap log: (cause, epc, tval) each. */
  dump: 0x8010_8000n,
  dumpWords: 31 + 32 + 8,
  log: 0x8010_9000n,
  logBytes: 0x2000,
} as const;

const busy = new Set(['zero', 'sp', 's0', 's1', 'gp', 'tp', 't5', 't6']);
const free = registerNames.filter((name) => !busy.has(name));
const short = ['a0', 'a1', 'a2', 'a3', 'a4', 'a5'];
const shortFloats = ['fs0', 'fs1', 'fa0', 'fa1', 'fa2', 'fa3', 'fa4', 'fa5'];
const roundings = ['rne', 'rtz', 'rdn', 'rup', 'rmm', 'dyn', 'dyn', 'dyn'];
/** Nothing that a hart may know: they trap everywhere. */
const illegalWords = ['0x00000073+0xfff00000', '0xffffffff', '0x0000000b', '0x02000077'];

const of = (test: (entry: Entry) => boolean): readonly Entry[] => entries.filter((e) => e.length === 4 && test(e));
const kindOf = (e: Entry): string => operations[e.operation].kind;
const isFloat = (e: Entry): boolean => operations[e.operation].float;
/** QEMU before 8.0 counts wrongly in ctzw when the word is 0; the ISA table's own tests cover it. */
const integer = of((e) => kindOf(e) === 'compute' && !isFloat(e) && e.name !== 'ctzw');
const floating = of((e) => kindOf(e) === 'compute' && isFloat(e));
const memory = of((e) => kindOf(e) === 'load' || kindOf(e) === 'store');
const amos = of((e) => e.name.startsWith('amo'));
const branches = of((e) => kindOf(e) === 'branch');
const compressed = entries.filter(
  (e) =>
    e.length === 2 && kindOf(e) === 'compute' && !['c.nop', 'c.addi16sp'].includes(e.name) && e.operands.length > 0,
);
const compressedMemory = entries.filter((e) => e.length === 2 && ['load', 'store'].includes(kindOf(e)));

export interface RandomProgramOptions {
  readonly seed: number;
  readonly instructions: number;
  /** How often the whole is run. */
  readonly rounds: number;
}

export function randomProgram(options: RandomProgramOptions): string {
  return new Writer(options).text();
}

class Writer {
  readonly #random: Random;
  readonly #options: RandomProgramOptions;
  readonly #lines: string[] = [];
  #label = 0;

  constructor(options: RandomProgramOptions) {
    this.#random = new Random(options.seed);
    this.#options = options;
  }

  text(): string {
    this.#prologue();
    this.#put('main:');
    while (this.#lines.length < this.#options.instructions) this.#block();
    this.#put('addi tp, tp, -1', 'beqz tp, 1f', 'la t6, main', 'jr t6', '1:');
    this.#epilogue();
    return this.#lines.join('\n');
  }

  #put(...lines: string[]): void {
    this.#lines.push(...lines);
  }

  #prologue(): void {
    const random = this.#random;
    this.#put('_start:', 'la t6, handler', 'csrw mtvec, t6', 'li t6, 0x6000', 'csrs mstatus, t6');
    this.#put(`li gp, ${layout.log}`, `li s0, ${layout.data + 0x1000n}`, `li s1, ${layout.data + 0x2ff8n}`);
    this.#put(`li sp, ${layout.data + 0x1fe0n}`, `li tp, ${this.#options.rounds}`);
    for (let i = 0; i < 32; i++) {
      this.#put(`li t6, ${random.chance(50) ? this.#interestingDouble() : random.doubleword()}`);
      if (random.chance(40)) this.#put(`fmv.w.x f${i}, t6`);
      else this.#put(`fmv.d.x f${i}, t6`);
    }
    for (const name of free) this.#put(`li ${name}, ${this.#interestingInteger()}`);
    this.#put(`csrwi frm, ${random.below(5)}`, 'csrwi fflags, 0');
  }

  #epilogue(): void {
    this.#put(`li t6, ${layout.dump}`);
    for (let i = 1; i < 32; i++) this.#put(`sd x${i}, ${(i - 1) * 8}(t6)`);
    for (let i = 0; i < 32; i++) this.#put(`fsd f${i}, ${(31 + i) * 8}(t6)`);
    const csrs = ['fcsr', 'mscratch', 'sscratch', 'sepc', 'stval', 'scause', 'mepc', 'stvec'];
    for (const [i, csr] of csrs.entries()) this.#put(`csrr t5, ${csr}`, `sd t5, ${(63 + i) * 8}(t6)`);
    this.#put('j finish');
    // Logs (cause, epc, tval) and goes on behind the instruction. The log wraps. Breakpoints may have a tval or not.
    this.#put('.align 2', 'handler:', 'csrr t6, mcause', 'sd t6, 0(gp)', 'csrr t5, mepc', 'sd t5, 8(gp)');
    this.#put(
      'addi t6, t6, -3',
      'beqz t6, 1f',
      'csrr t6, mtval',
      '1:',
      'sd t6, 16(gp)',
      'addi gp, gp, 24',
      `li t6, ${layout.log + BigInt(layout.logBytes) - 32n}`,
    );
    this.#put('bltu gp, t6, 1f', `li gp, ${layout.log}`, '1:', 'lhu t6, 0(t5)', 'addi t5, t5, 2', 'andi t6, t6, 3');
    this.#put('addi t6, t6, -3', 'bnez t6, 1f', 'addi t5, t5, 2', '1:', 'csrw mepc, t5', 'mret', 'finish:');
  }

  #interestingInteger(): bigint {
    const random = this.#random;
    const edges = [0n, 1n, -1n, 2n ** 31n, -(2n ** 31n), 2n ** 63n, 2n ** 63n - 1n, 2n ** 32n, 0xffn, -128n, 63n];
    return random.chance(40) ? random.pick(edges) : random.doubleword() >> BigInt(random.below(64));
  }

  #interestingDouble(): bigint {
    const random = this.#random;
    const edges = [
      0x3ff0n,
      0xbff8n,
      0x7ff0n,
      0xfff0n,
      0x7ff8n,
      0x7ff4n,
      0x0000n,
      0x8000n,
      0x0010n,
      0x7fefn,
      0x43e0n,
      0x41efn,
    ];
    const low = random.chance(60) ? 0n : random.doubleword() & 0xffff_ffff_ffffn;
    const double = (random.pick(edges) << 48n) | low;
    if (random.chance(50)) return double;
    const singles = [0x3f80n, 0xbfc0n, 0x7f80n, 0x7fc0n, 0x7fa0n, 0x0000n, 0x0080n, 0x4f00n, 0xdf00n];
    return 0xffff_ffff_0000_0000n | (random.pick(singles) << 16n) | (low & 0xffffn);
  }

  #block(): void {
    const random = this.#random;
    const choice = random.below(100);
    if (choice < 26) this.#put(this.#general(random.pick(integer)));
    else if (choice < 44) this.#put(this.#general(random.pick(floating)));
    else if (choice < 58) this.#memory();
    else if (choice < 64) this.#computedAddress();
    else if (choice < 74) this.#compressed();
    else if (choice < 80) this.#atomic();
    else if (choice < 90) this.#branch();
    else if (choice < 94) this.#csr();
    else if (choice < 97) this.#loop();
    else this.#trap();
  }

  #source(): string {
    return this.#random.chance(92) ? this.#random.pick(free) : this.#random.pick(['zero', 'sp', 's0']);
  }

  #destination(): string {
    return this.#random.chance(95) ? this.#random.pick(free) : 'zero';
  }

  #general({ name, operands, format }: Entry): string {
    const random = this.#random;
    const text = (operand: Operand): string => {
      switch (operand) {
        case 'rd':
          return this.#destination();
        case 'rs1':
        case 'rs2':
          return this.#source();
        case 'fd':
        case 'fs1':
        case 'fs2':
        case 'fs3':
          return random.pick(floatRegisterNames);
        case 'imm':
          return String(random.between(-2048, 2047));
        case 'shamt':
          return String(random.below(format.name === 'shift' ? 64 : 32));
        case 'upper':
          return String(random.below(1 << 20));
        case 'rm':
          return random.pick(roundings);
        default:
          throw new Error(`${name} has an operand ${operand}`);
      }
    };
    return `${name} ${operands.map(text).join(', ')}`;
  }

  /** The register that a load fills or a store reads. */
  #transferred(entry: Entry): string {
    const { operands } = entry;
    if (operands.includes('fd') || operands.includes('fs2')) return this.#random.pick(floatRegisterNames);
    return operands.includes('rd') ? this.#destination() : this.#source();
  }

  #memory(): void {
    const random = this.#random;
    const entry = random.pick(memory);
    const offset = random.chance(50) ? random.between(-64, 63) * 8 : random.between(-2048, 2047);
    // s1 stands 8 bytes before a page's end.
    const close = random.between(-8, 16);
    const place = random.chance(30) ? `${close}(s1)` : `${offset}(${random.pick(['s0', 's1', 'sp'])})`;
    this.#put(`${entry.name} ${this.#transferred(entry)}, ${place}`);
  }

  #computedAddress(): void {
    const random = this.#random;
    const entry = random.pick(memory);
    this.#put(`slli t6, ${random.pick(free)}, 51`, 'srli t6, t6, 51', 'add t6, t6, s0');
    this.#put(`${entry.name} ${this.#transferred(entry)}, 0(t6)`);
  }

  #compressed(): void {
    const random = this.#random;
    if (random.chance(35)) {
      this.#compressedMemory(random.pick(compressedMemory));
      return;
    }
    const { name, operands } = random.pick(compressed);
    const narrow = /c\.(srli|srai|andi|sub|xor|or|and|subw|addw)$/.test(name);
    const register = (): string => random.pick(narrow || name === 'c.addi4spn' ? short : free);
    const text = (operand: Operand): string => {
      switch (operand) {
        case 'rd':
        case 'rs2':
          return register();
        case 'rs1':
          return 'sp';
        case 'imm':
          return String(name === 'c.addi4spn' ? random.between(1, 255) * 4 : random.between(-32, 31));
        case 'shamt':
          return String(random.between(1, 63));
        case 'upper':
          return String(random.between(1, 31));
        default:
          throw new Error(`${name} has an operand ${operand}`);
      }
    };
    this.#put(`${name} ${operands.map(text).join(', ')}`);
  }

  #compressedMemory({ name, operands }: Entry): void {
    const random = this.#random;
    const size = /w/.test(name) ? 4 : 8;
    const bySp = name.endsWith('sp');
    const float = /^c\.f/.test(name);
    const isStore = operands[0] === 'rs2' || operands[0] === 'fs2';
    const names = float ? (bySp ? floatRegisterNames : shortFloats) : bySp ? free : short;
    const limit = bySp ? 63 : 31;
    const base = bySp ? 'sp' : random.pick(['s0', 's1']);
    this.#put(`${name} ${random.pick(isStore ? names : names)}, ${random.between(0, limit) * size}(${base})`);
  }

  #atomic(): void {
    const random = this.#random;
    const size = random.pick(['w', 'd']);
    const unit = size === 'w' ? 4 : 8;
    this.#put(`addi t6, s0, ${random.between(-200, 200) * 8 + (unit === 4 && random.chance(50) ? 4 : 0)}`);
    const choice = random.below(10);
    if (choice < 6) {
      const name = random.pick(amos.filter((entry) => entry.name.endsWith(size))).name;
      const ordering = random.pick(['', '', '.aq', '.rl', '.aqrl']);
      this.#put(`${name}${ordering} ${this.#destination()}, ${this.#source()}, (t6)`);
    } else if (choice < 9) {
      this.#put(`lr.${size} ${this.#destination()}, (t6)`);
      if (random.chance(50)) this.#put(this.#general(random.pick(integer)));
      this.#put(`sc.${size} ${this.#destination()}, ${this.#source()}, (t6)`);
    } else {
      // Another address, and then no reservation at all: both fail.
      this.#put(`lr.${size} ${this.#destination()}, (t6)`, 'addi t6, t6, 64');
      this.#put(`sc.${size} ${this.#destination()}, ${this.#source()}, (t6)`);
      this.#put(`sc.${size} ${this.#destination()}, ${this.#source()}, (t6)`);
    }
  }

  #branch(): void {
    const random = this.#random;
    const label = `l${this.#label++}`;
    const choice = random.below(10);
    if (choice < 6) this.#put(`${random.pick(branches).name} ${this.#source()}, ${this.#source()}, ${label}`);
    else if (choice < 7) this.#put(`c.${random.pick(['beqz', 'bnez'])} ${random.pick(short)}, ${label}`);
    else if (choice < 8) this.#put(`jal ${this.#destination()}, ${label}`);
    else if (choice < 9) this.#put(`c.j ${label}`);
    else this.#put(`la t6, ${label}`, `jalr ${this.#destination()}, ${random.below(2)}(t6)`);
    for (let i = random.below(4); i > 0; i--) this.#put(this.#general(random.pick(integer)));
    if (random.chance(50)) this.#memory();
    this.#put(`${label}:`);
  }

  #loop(): void {
    const random = this.#random;
    const label = `l${this.#label++}`;
    this.#put(`li t5, ${random.between(2, 6)}`, `${label}:`);
    for (let i = random.between(1, 5); i > 0; i--) this.#put(this.#general(random.pick(integer)));
    for (let i = random.between(0, 3); i > 0; i--) this.#memory();
    this.#put('addi t5, t5, -1', `bnez t5, ${label}`);
  }

  #csr(): void {
    const random = this.#random;
    const csr = random.pick(['fflags', 'frm', 'fcsr', 'mscratch', 'sscratch', 'stval', 'scause', 'fcsr']);
    const isFloat = csr.startsWith('f');
    if (isFloat && random.chance(40)) this.#put(`csrwi frm, ${random.below(5)}`);
    else if (csr === 'scause') this.#put(`csrrwi ${this.#destination()}, scause, ${random.below(16)}`);
    else if (random.chance(50)) {
      const name = random.pick(['csrrw', 'csrrs', 'csrrc']);
      this.#put(`${name} ${this.#destination()}, ${csr}, ${this.#source()}`);
    } else {
      this.#put(`${random.pick(['csrrwi', 'csrrsi', 'csrrci'])} ${this.#destination()}, ${csr}, ${random.below(32)}`);
    }
    // A reserved rounding mode may stand for a while, but not for long.
    if (isFloat && random.chance(70)) this.#put(`csrwi frm, ${random.below(5)}`);
  }

  #trap(): void {
    const random = this.#random;
    const choice = random.below(6);
    if (choice === 0) this.#put('ecall');
    else if (choice === 1) this.#put(random.pick(['ebreak', 'c.ebreak']));
    else if (choice === 2) this.#put(`.align 1`, `.word ${random.pick(illegalWords)}`);
    else if (choice === 3)
      this.#put('li t6, 0x18000000', `ld ${this.#destination()}, ${random.between(0, 255) * 8}(t6)`);
    else if (choice === 4) this.#put('li t6, 0x18000000', `sw ${this.#source()}, ${random.between(0, 255) * 4}(t6)`);
    else this.#put(`lr.d ${this.#destination()}, (sp)`, `addi t6, s0, ${random.between(1, 7)}`, 'lr.d t5, (t6)');
  }
}
