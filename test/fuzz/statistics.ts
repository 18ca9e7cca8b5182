/** What has been compared: how much, of what kinds, and which operations of the ISA table were executed at all. */
import { decode } from '../../src/core/isa/decoder.ts';
import { entries, operations } from '../../src/core/isa/table.ts';
import { hart } from '../../src/core/machine/hart.ts';
import { instructionAt } from '../../src/core/vm/peek.ts';
import { bootProgram } from '../conformance/testing/machine.ts';
import type { Recording } from './compare.ts';
import type { CompileCounts } from './engines.ts';
import type { KindName } from './kinds.ts';

export class Statistics {
  readonly compiled: CompileCounts = { modules: 0, regions: 0, bytes: 0 };
  /** Steps of the interpreter that some engine repeated without a difference, and the sum over all engines. */
  steps = 0n;
  readonly stepsOf = new Map<string, bigint>();
  readonly programs = new Map<KindName, number>();
  stops = 0;
  /** Programs that QEMU did not get because they take too long. */
  endless = 0;
  /** Of the traced beginnings of programs. */
  #traced = 0;
  /** By engine, how many of its steps translated code took. */
  readonly #translated = new Map<string, bigint>();
  #untraceable = 0;
  readonly #byKind = new Map<string, number>();
  readonly #executed = new Set<string>();

  compared(engine: string, steps: bigint, translated: bigint): void {
    this.#translated.set(engine, (this.#translated.get(engine) ?? 0n) + translated);
    this.stepsOf.set(engine, (this.stepsOf.get(engine) ?? 0n) + steps);
  }

  /** Single-steps through the beginning of a program on the interpreter. */
  trace({ setting, end }: Recording, steps: number): void {
    const { machine } = bootProgram(setting.program, {
      engine: { kind: 'interpreter' },
      clockByInput: setting.inputs,
      ramBytes: setting.ramBytes,
    });
    // Somewhere in the first half.
    const from = setting.inputs ? 0n : (end * BigInt(setting.seed % 8)) / 16n;
    const last = from + BigInt(steps) < end ? from + BigInt(steps) : end;
    machine.run(from);
    while (machine.position < last) {
      const bits = instructionAt(machine.hart, machine.ram, machine.hart.get64(hart.pc));
      const unretired = machine.hart.get64(hart.unretired);
      if (machine.run(machine.position + 1n) !== 'position') break;
      const decoded = bits === undefined ? undefined : decode(bits);
      this.#traced++;
      const trapped = machine.hart.get64(hart.unretired) !== unretired;
      if (decoded === undefined || trapped) {
        this.#untraceable++;
        const always = decoded?.entry.name ?? '';
        if (always === 'ecall' || always.endsWith('ebreak')) this.#executed.add(always);
        continue;
      }
      const { kind, float } = operations[decoded.operation];
      const group = float ? `float ${kind}` : kind;
      this.#byKind.set(group, (this.#byKind.get(group) ?? 0) + 1);
      this.#executed.add(decoded.entry.name);
      this.#executed.add(operations[decoded.operation].name);
    }
  }

  /** Of the ISA table, compressed forms too. */
  get neverExecuted(): string[] {
    return [...new Set(entries.map(({ name }) => name))].filter((name) => !this.#executed.has(name));
  }

  report(): string {
    const lines = [...this.programs].map(([kind, count]) => `${count} ${kind}`);
    const all = new Set(entries.map(({ name }) => name)).size;
    const missing = this.neverExecuted;
    const shares = [...this.#byKind]
      .sort((a, b) => b[1] - a[1])
      .map(([kind, count]) => `${kind} ${((100 * count) / this.#traced).toFixed(1)} %`);
    const engines = [...this.stepsOf].map(([engine, steps]) => {
      const share = (100 * Number(this.#translated.get(engine) ?? 0n)) / Number(steps);
      return `${engine} ${millions(steps)}${share > 0 ? ` (${share.toFixed(0)} % of it translated)` : ''}`;
    });
    const traced = [
      `of ${this.#traced} traced steps: ${shares.join(', ')}, traps ${((100 * this.#untraceable) / this.#traced).toFixed(1)} %`,
      `instructions of the table executed: ${all - missing.length} of ${all}${missing.length > 0 ? `, not ${missing.join(' ')}` : ''}`,
    ];
    const { regions, modules, bytes } = this.compiled;
    return [
      `programs: ${lines.join(', ')}; stopped and compared ${this.stops} times`,
      `steps compared: ${millions(this.steps)} of the interpreter; ${engines.join(', ')}`,
      `translated: ${regions} regions in ${modules} modules, ${(bytes / 1e6).toFixed(1)} MB`,
      ...(this.#traced > 0 ? traced : []),
    ].join('\n');
  }
}

const millions = (steps: bigint): string => `${(Number(steps) / 1e6).toFixed(2)} M`;
