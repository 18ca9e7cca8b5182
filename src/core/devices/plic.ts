/**
 * The platform-level interrupt controller, in the register layout of SiFive's (RISC-V PLIC specification 1.0; device
 * tree `sifive,plic-1.0.0`, `riscv,plic0`). Interrupt sources are level-triggered lines from 1 up; a context is one
 * privilege mode of one hart (context 2h: hart h in M mode, 2h+1: in S mode).
 *
 * The gateway of a source forwards one request at a time: a high line sets pending, a claim moves the source into
 * service, and only its completion lets the line be looked at again. A request stays pending if the line falls before
 * the claim, as the specification says; drivers cope with that.
 */
import type { Device, InterruptLine, Plain } from './device.ts';
import { SavedState } from './state.ts';

const VERSION = 1;

/** The size of the register window in bytes. */
export const PLIC_WINDOW_BYTES = 0x60_0000;
/** Priorities and thresholds are 0 .. 7; priority 0 never interrupts. */
export const PLIC_MAX_PRIORITY = 7;

const PENDING_BASE = 0x1000;
const ENABLE_BASE = 0x2000;
const ENABLE_STRIDE = 0x80;
const CONTEXT_BASE = 0x20_0000;
const CONTEXT_STRIDE = 0x1000;

export interface PlicOptions {
  /** Number of sources; they are numbered 1 .. sources, at most 1023. */
  readonly sources: number;
  readonly contexts: number;
}

export interface PlicDependencies {
  /** The external interrupt of a context rises or falls. Called on changes, and for every context by `restore`. */
  external(context: number, asserted: boolean): void;
}

export class Plic implements Device {
  readonly #sources: number;
  readonly #contexts: number;
  readonly #words: number;
  readonly #external: PlicDependencies['external'];
  readonly #priority: Uint32Array;
  /** Bit sets over the sources, 32 to a word. */
  readonly #level: Uint32Array;
  readonly #pending: Uint32Array;
  readonly #inService: Uint32Array;
  readonly #enable: Uint32Array[];
  readonly #threshold: Uint32Array;
  /** What each context was last told; a function of the rest, kept to report changes only. */
  readonly #asserted: boolean[];

  constructor(options: PlicOptions, dependencies: PlicDependencies) {
    this.#sources = options.sources;
    this.#contexts = options.contexts;
    this.#words = (options.sources >>> 5) + 1;
    this.#external = dependencies.external;
    this.#priority = new Uint32Array(options.sources + 1);
    this.#level = new Uint32Array(this.#words);
    this.#pending = new Uint32Array(this.#words);
    this.#inService = new Uint32Array(this.#words);
    this.#enable = Array.from({ length: options.contexts }, () => new Uint32Array(this.#words));
    this.#threshold = new Uint32Array(options.contexts);
    this.#asserted = new Array<boolean>(options.contexts).fill(false);
  }

  /** The line of one source (1 .. sources), to be given to its device. */
  line(source: number): InterruptLine {
    return (asserted) => this.setLine(source, asserted);
  }

  setLine(source: number, asserted: boolean): void {
    const word = source >>> 5;
    const bit = 1 << (source & 31);
    if (asserted === ((this.#level[word] & bit) !== 0)) return;
    this.#level[word] ^= bit;
    this.#forward(word, bit);
  }

  read(offset: number, size: number): number {
    if (size !== 4 || (offset & 3) !== 0) return 0;
    if (offset < PENDING_BASE) return this.#priority[offset >>> 2] ?? 0;
    if (offset < ENABLE_BASE) return this.#pending[(offset - PENDING_BASE) >>> 2] ?? 0;
    if (offset < CONTEXT_BASE) {
      const at = offset - ENABLE_BASE;
      return this.#enable[Math.floor(at / ENABLE_STRIDE)]?.[(at % ENABLE_STRIDE) >>> 2] ?? 0;
    }
    const context = Math.floor((offset - CONTEXT_BASE) / CONTEXT_STRIDE);
    if (context >= this.#contexts) return 0;
    const register = (offset - CONTEXT_BASE) % CONTEXT_STRIDE;
    if (register === 0) return this.#threshold[context];
    return register === 4 ? this.#claim(context) : 0;
  }

  write(offset: number, size: number, value: number): void {
    if (size !== 4 || (offset & 3) !== 0) return;
    if (offset < PENDING_BASE) this.#writePriority(offset >>> 2, value);
    else if (offset < ENABLE_BASE) return;
    else if (offset < CONTEXT_BASE) this.#writeEnable(offset - ENABLE_BASE, value);
    else this.#writeContext(offset - CONTEXT_BASE, value);
  }

  save(): Plain {
    return {
      version: VERSION,
      priority: Array.from(this.#priority),
      level: Array.from(this.#level),
      pending: Array.from(this.#pending),
      inService: Array.from(this.#inService),
      enable: this.#enable.flatMap((words) => Array.from(words)),
      threshold: Array.from(this.#threshold),
    };
  }

  restore(state: Plain): void {
    const saved = new SavedState('plic', VERSION, state);
    const words = (name: string, count: number): number[] => saved.uints(name, 0xffff_ffff, count);
    this.#priority.set(saved.uints('priority', PLIC_MAX_PRIORITY, this.#sources + 1));
    this.#level.set(words('level', this.#words));
    this.#pending.set(words('pending', this.#words));
    this.#inService.set(words('inService', this.#words));
    const enable = words('enable', this.#words * this.#contexts);
    for (const [context, target] of this.#enable.entries()) {
      target.set(enable.slice(context * this.#words, (context + 1) * this.#words));
    }
    this.#threshold.set(saved.uints('threshold', PLIC_MAX_PRIORITY, this.#contexts));
    for (let context = 0; context < this.#contexts; context++) {
      this.#asserted[context] = this.#interrupts(context);
      this.#external(context, this.#asserted[context]);
    }
  }

  #writePriority(source: number, value: number): void {
    if (source === 0 || source > this.#sources) return;
    this.#priority[source] = value & PLIC_MAX_PRIORITY;
    this.#update();
  }

  #writeEnable(at: number, value: number): void {
    const words = this.#enable[Math.floor(at / ENABLE_STRIDE)];
    const word = (at % ENABLE_STRIDE) >>> 2;
    if (words === undefined || word >= this.#words) return;
    words[word] = value & this.#existing(word);
    this.#update();
  }

  #writeContext(at: number, value: number): void {
    const context = Math.floor(at / CONTEXT_STRIDE);
    if (context >= this.#contexts) return;
    const register = at % CONTEXT_STRIDE;
    if (register === 0) {
      this.#threshold[context] = value & PLIC_MAX_PRIORITY;
      this.#update();
    } else if (register === 4) {
      this.#complete(context, value);
    }
  }

  /** The sources that exist in a word: not source 0, and none beyond the last. */
  #existing(word: number): number {
    let mask = 0;
    for (let bit = 0; bit < 32; bit++) {
      const source = word * 32 + bit;
      if (source !== 0 && source <= this.#sources) mask |= 1 << bit;
    }
    return mask;
  }

  /** The gateway: a high line that is not in service becomes a pending request. */
  #forward(word: number, bit: number): void {
    if ((this.#level[word] & bit) === 0 || (this.#inService[word] & bit) !== 0) return;
    this.#pending[word] |= bit;
    this.#update();
  }

  /** The best pending and enabled source; the threshold does not count here (specification, chapter 9). */
  #claim(context: number): number {
    const source = this.#best(context);
    if (source === 0) return 0;
    const bit = 1 << (source & 31);
    this.#pending[source >>> 5] &= ~bit;
    this.#inService[source >>> 5] |= bit;
    this.#update();
    return source;
  }

  /** A completion of a source that is not enabled for the context is ignored (specification, chapter 10). */
  #complete(context: number, source: number): void {
    const word = source >>> 5;
    const bit = 1 << (source & 31);
    if (source > this.#sources || (this.#enable[context][word] & bit) === 0) return;
    this.#inService[word] &= ~bit;
    this.#forward(word, bit);
  }

  /** The pending, enabled source of the highest priority, the lowest number among equals; 0 if there is none. */
  #best(context: number): number {
    let best = 0;
    const enable = this.#enable[context];
    for (let word = 0; word < this.#words; word++) {
      let candidates = this.#pending[word] & enable[word];
      while (candidates !== 0) {
        const source = word * 32 + (31 - Math.clz32(candidates & -candidates));
        if (this.#priority[source] > this.#priority[best]) best = source;
        candidates &= candidates - 1;
      }
    }
    return best;
  }

  #interrupts(context: number): boolean {
    return this.#priority[this.#best(context)] > this.#threshold[context];
  }

  #update(): void {
    for (let context = 0; context < this.#contexts; context++) {
      const asserted = this.#interrupts(context);
      if (asserted === this.#asserted[context]) continue;
      this.#asserted[context] = asserted;
      this.#external(context, asserted);
    }
  }
}
