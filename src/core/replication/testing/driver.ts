/**
 * Drives one replica by hand, event by event, on a clock of the test's own, and answers the questions that tests ask about the
 * actions that came out. Nothing is performed: the test decides what the world says.
 */
import type { ArbiterReply } from '../arbiter-protocol.ts';
import type { CpuCommand, CpuReport, NumberedOutput } from '../cpu-link.ts';
import type { Message } from '../message.ts';
import type { ReplicaAction, ReplicaEvent, ReplicaStatus } from '../replica.ts';

interface Replica {
  handle(event: ReplicaEvent, nowMs: number): ReplicaAction[];
  status(nowMs: number): ReplicaStatus;
}

export class Driver {
  nowMs = 1000;
  /** All actions since the last `take`. */
  actions: ReplicaAction[] = [];
  readonly #replica: Replica;

  constructor(make: (nowMs: number) => Replica) {
    this.#replica = make(this.nowMs);
  }

  get phase(): string {
    return this.#replica.status(this.nowMs).phase;
  }

  get generation(): number {
    return this.#replica.status(this.nowMs).generation;
  }

  event(event: ReplicaEvent): this {
    this.actions.push(...this.#replica.handle(event, this.nowMs));
    return this;
  }

  message(message: Message, channel = 1): this {
    return this.event({ type: 'message', channel, message });
  }

  cpu(report: CpuReport): this {
    return this.event({ type: 'cpu', report });
  }

  arbiter(reply: ArbiterReply): this {
    return this.event({ type: 'arbiter', reply });
  }

  admitted(generation: number): this {
    return this.event({ type: 'disk-admission', generation, outcome: 'admitted' });
  }

  /** Time passes, with a tick every 10 ms. */
  pass(ms: number): this {
    for (let passed = 0; passed < ms; passed += 10) {
      this.nowMs += 10;
      this.event({ type: 'tick' });
    }
    return this;
  }

  /** Time passes while the process is stopped. */
  sleep(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  /** The actions since the last call. */
  take(): ReplicaAction[] {
    const taken = this.actions;
    this.actions = [];
    return taken;
  }

  sent<Type extends Message['type']>(type: Type): (Message & { type: Type })[] {
    return this.actions.flatMap((action) =>
      action.type === 'send' && action.message.type === type ? [action.message as Message & { type: Type }] : [],
    );
  }

  commands<Type extends CpuCommand['type']>(type: Type): (CpuCommand & { type: Type })[] {
    return this.actions.flatMap((action) =>
      action.type === 'cpu' && action.command.type === type ? [action.command as CpuCommand & { type: Type }] : [],
    );
  }

  /** Sequence numbers of the outputs that left, disk requests excepted. */
  emitted(): number[] {
    return this.actions.flatMap((action) =>
      action.type === 'emit' ? action.outputs.map(({ sequence }) => sequence) : [],
    );
  }

  /** Ids of the disk requests that were issued, with their generation. */
  issued(): [number, number][] {
    return this.actions.flatMap((action): [number, number][] =>
      action.type === 'disk' ? [[action.request.id, action.generation]] : [],
    );
  }

  claims(): number[] {
    return this.actions.flatMap((action) =>
      action.type === 'arbiter' && action.request.op === 'claim' ? [action.request.generation] : [],
    );
  }

  haltCode(): string | undefined {
    return this.actions.flatMap((action) => (action.type === 'halt' ? [action.reason.code] : []))[0];
  }
}

/** A frame that the guest sends. */
export function frameOutput(sequence: number, length = 60): NumberedOutput {
  return { sequence, output: { kind: 'net-tx', device: 1, frame: new Uint8Array(length).fill(sequence) } };
}

export function writeOutput(sequence: number, id: number, offset = 0): NumberedOutput {
  return {
    sequence,
    output: { kind: 'block', device: 2, request: { type: 'write', id, offset, data: new Uint8Array(512) } },
  };
}

export function readOutput(sequence: number, id: number, offset = 0): NumberedOutput {
  return { sequence, output: { kind: 'block', device: 2, request: { type: 'read', id, offset, length: 512 } } };
}

/** A batch of log that the CPU thread has produced, with its outputs. */
export function produced(outputs: readonly NumberedOutput[], position = 100n, bytes = 10): CpuReport {
  return {
    type: 'produced',
    base: position - 10n,
    bytes: new Uint8Array(bytes),
    outputs,
    position,
    time: position * 10n,
  };
}
