/**
 * Runs a bare-metal program on a machine of its own until it ends by `tohost`, can be seen never to end, or has had its
 * steps. There is no host behind this machine: time follows from the position, and nothing ever comes in.
 */

import { setImmediate } from 'node:timers/promises';
import { OperatingError } from '../../core/base/error.ts';
import type { EngineKind } from '../../core/engine/engine.ts';
import { decode } from '../../core/isa/decoder.ts';
import { operations } from '../../core/isa/table.ts';
import { hart } from '../../core/machine/hart.ts';
import { RAM_BASE } from '../../core/machine/memory-map.ts';
import { Machine } from '../../core/vm/machine.ts';
import { instructionAt } from '../../core/vm/peek.ts';
import { tracedStep } from './trace.ts';

/** Guest time runs as on a hart of 100 million steps a second. */
const STEPS_PER_TICK = 10;
/** Between two looks at whether the program can still end: some tenths of a second, or a few trace lines. */
const TURN_STEPS = 50_000_000n;
const TRACED_TURN_STEPS = 1_000n;

export interface BareMetalOptions {
  /** The ELF file's content, and its name for messages. */
  readonly program: Uint8Array;
  readonly name: string;
  readonly memoryBytes: number;
  readonly engine: EngineKind;
  readonly maxSteps: bigint | undefined;
  readonly onConsole: (data: Uint8Array) => void;
  /** Called with a line for each step; undefined: no trace. */
  readonly onTrace: ((line: string) => void) | undefined;
}

export type BareMetalEnd =
  /** The program said so: 0 = pass, n = its test n failed. */
  | { readonly kind: 'exit'; readonly status: bigint }
  | { readonly kind: 'max-steps' }
  /** `wfi`, and no interrupt can come. */
  | { readonly kind: 'waits' }
  /** A jump to itself, and no interrupt can come. */
  | { readonly kind: 'loops' };

export class BareMetalProgram {
  readonly machine: Machine;
  readonly #options: BareMetalOptions;
  #status: bigint | undefined;

  /** Loads the program. Throws an OperatingError that names the file if it is none, or does not fit. */
  constructor(options: BareMetalOptions) {
    this.#options = options;
    try {
      this.machine = new Machine(
        {
          ramBytes: options.memoryBytes,
          firmware: 'none',
          boot: { kind: 'elf', file: options.program },
          virtio: [],
          clock: { kind: 'steps', stepsPerTick: STEPS_PER_TICK },
        },
        { engine: { kind: options.engine }, onHtifExit: (status) => (this.#status = status) },
      );
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      throw new OperatingError(error.code, `${options.name}: ${error.message}`, error.advice, { cause: error });
    }
    this.machine.onOutput = (output) => {
      if (output.kind === 'console-out') options.onConsole(output.data);
    };
  }

  /** Whether the program can end by itself: it has a `tohost` in RAM. */
  get canEnd(): boolean {
    const tohost = this.machine.elf?.symbols.get('tohost');
    return tohost !== undefined && this.machine.ram.read64(Number(tohost)) !== undefined && tohost >= BigInt(RAM_BASE);
  }

  /** Where the program stands, for messages: the position and pc. */
  get place(): string {
    return `at position ${this.machine.position}, pc 0x${this.machine.hart.get64(hart.pc).toString(16)}`;
  }

  /** Lets the event loop turn now and then, so that signals and output get through. */
  async run(): Promise<BareMetalEnd> {
    const { machine } = this;
    const { maxSteps, onTrace } = this.#options;
    for (;;) {
      const turn = machine.position + (onTrace === undefined ? TURN_STEPS : TRACED_TURN_STEPS);
      const until = maxSteps !== undefined && maxSteps < turn ? maxSteps : turn;
      const result = onTrace === undefined ? machine.run(until) : this.#trace(until, onTrace);
      if (this.#status !== undefined) return { kind: 'exit', status: this.#status };
      const end = this.#endOf(result === 'waiting');
      if (end !== undefined) {
        // Console bytes that the UART still holds back come out.
        machine.apply({ kind: 'power', action: 'off' });
        return end;
      }
      await setImmediate();
    }
  }

  #trace(until: bigint, print: (line: string) => void): 'waiting' | 'position' {
    while (this.machine.position < until && this.machine.stopped === undefined) {
      if (tracedStep(this.machine, print) === 'waiting') return 'waiting';
    }
    return 'position';
  }

  #endOf(waiting: boolean): BareMetalEnd | undefined {
    const { machine } = this;
    if (waiting) return { kind: 'waits' };
    if (machine.position === this.#options.maxSteps) return { kind: 'max-steps' };
    return this.#loops() ? { kind: 'loops' } : undefined;
  }

  /** `j .` with no timer armed: nothing will ever happen again. */
  #loops(): boolean {
    const { machine } = this;
    if (machine.nextTimer !== undefined) return false;
    const bits = instructionAt(machine.hart, machine.ram, machine.hart.get64(hart.pc));
    const decoded = bits === undefined ? undefined : decode(bits);
    return decoded !== undefined && operations[decoded.operation].name === 'jal' && decoded.imm === 0;
  }
}
