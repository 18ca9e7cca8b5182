/**
 * A broken memory chip, for tests: loaded before an understudy process (`node --import`), it changes one byte of the guest's memory
 * at SIGWINCH, from outside, so that nothing of the machine knows of it. It looks at the messages by which the CPU thread shows its
 * memory; the product has no such door.
 */
import { isMainThread, Worker } from 'node:worker_threads';

/** In guest memory: page 300, in its upper half. */
export const DAMAGED_PAGE = 300;
export const DAMAGED_OFFSET = 3000;
export const DAMAGE = 0x5a;

if (isMainThread && process.argv.some((word) => word === 'backup' || word === 'replica')) {
  const memories: Uint8Array[] = [];
  const { emit } = Worker.prototype;
  Worker.prototype.emit = function (this: Worker, event: string | symbol, ...words: unknown[]): boolean {
    const [message] = words as [{ type?: string; ram?: Uint8Array } | undefined];
    if (event === 'message' && message?.type === 'ready' && message.ram !== undefined) memories.push(message.ram);
    return Reflect.apply(emit, this, [event, ...words]) as boolean;
  } as typeof emit;
  process.on('SIGWINCH', () => {
    for (const memory of memories) memory[DAMAGED_PAGE * 4096 + DAMAGED_OFFSET] = DAMAGE;
  });
}
