/**
 * How a helper process (the hub, the disk server) learns that it has to go: by SIGTERM, SIGINT or SIGHUP, or because its
 * parent is gone. The parent keeps the write end of a pipe that is the child's standard input; the kernel closes it however
 * the parent dies, SIGKILL included, and the child sees the end of its input. (Node cannot ask for a signal on the
 * parent's death.)
 */
import { fstatSync } from 'node:fs';
import type { Socket } from 'node:net';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * Resolves, with the reason in words, at the first sign that this process should stop. Standard input counts only when it
 * is a pipe or a socket, as a parent gives it: a terminal or /dev/null says nothing about a parent.
 */
export function untilToldToStop(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const signal of SIGNALS) process.once(signal, () => resolve(`received ${signal}`));
  if (!stdinIsLifeline()) return promise;
  process.stdin.once('end', () => resolve('the parent process is gone'));
  process.stdin.once('error', () => resolve('the parent process is gone'));
  process.stdin.resume();
  // A parent that lives must not keep alive a process that has come to its end, by itself or because it was told to.
  (process.stdin as Socket).unref();
  return promise.finally(() => process.stdin.destroy());
}

function stdinIsLifeline(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false; // no standard input at all
  }
}
