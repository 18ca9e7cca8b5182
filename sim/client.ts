/**
 * A client of the simulated service: writes and reads its own keys, one request at a time, asks again when no answer comes,
 * and checks every answer. An acknowledged write must be readable ever after.
 */
import type { Journal } from './journal.ts';
import { decodeFrame, encodeFrame, type Frame, OP_GET, OP_PUT } from './machine.ts';
import type { Random } from './random.ts';
import type { Schedule } from './schedule.ts';

const ASK_AGAIN_MS = 150;
const KEYS = 4;

export class SimClient {
  readonly #schedule: Schedule;
  readonly #random: Random;
  readonly #journal: Journal;
  readonly #number: number;
  readonly #send: (frame: Uint8Array) => void;
  #request = 0;
  #open: Frame | undefined;
  readonly #acknowledged = new Map<number, Frame>();
  /** When the last answer came. */
  answeredMs = 0;
  answers = 0;

  constructor(number: number, send: (frame: Uint8Array) => void, schedule: Schedule, random: Random, journal: Journal) {
    this.#number = number;
    this.#send = send;
    this.#schedule = schedule;
    this.#random = random;
    this.#journal = journal;
  }

  start(): void {
    this.#schedule.after(this.#random.between(1, 30), () => this.#next());
  }

  /** What must be on the disk: the last acknowledged write of each key. */
  get acknowledged(): ReadonlyMap<number, Frame> {
    return this.#acknowledged;
  }

  /** What a write that is under way would put under `key`: it may have been done, without an answer. */
  underWay(key: number): number | undefined {
    return this.#open?.operation === OP_PUT && this.#open.key === key ? this.#open.value : undefined;
  }

  receive(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    const open = this.#open;
    if (frame === undefined || open === undefined || frame.client !== this.#number) return;
    if (frame.operation !== open.operation || frame.request !== open.request) return;
    this.#open = undefined;
    this.answeredMs = this.#schedule.nowMs;
    this.answers++;
    if (open.operation === OP_PUT) this.#acknowledged.set(open.key, open);
    else this.#check(open, frame.value);
    this.#schedule.after(this.#random.between(1, 40), () => this.#next());
  }

  #check(asked: Frame, value: number): void {
    const expected = this.#acknowledged.get(asked.key)?.value ?? 0;
    if (value === expected) return;
    this.#journal.misread(
      `client ${this.#number} reads ${value} from key ${asked.key} (request ${asked.request}); acknowledged was ${expected}`,
    );
  }

  #next(): void {
    this.#request++;
    const operation = this.#random.chance(0.6) ? OP_PUT : OP_GET;
    const key = this.#number * KEYS + this.#random.below(KEYS);
    const value = operation === OP_PUT ? this.#request * 10 + this.#number : 0;
    this.#open = { operation, client: this.#number, key, request: this.#request, value };
    this.#ask(this.#open);
  }

  #ask(frame: Frame): void {
    if (this.#open !== frame) return;
    this.#send(encodeFrame(frame));
    this.#schedule.after(ASK_AGAIN_MS, () => this.#ask(frame));
  }
}
