/**
 * Assertions: always on, in production too. They protect data, not availability: a broken invariant in the core stops
 * both replicas at the same position. Nothing that a guest, a frame or a person can cause may be one.
 */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(`invariant broken: ${message}`);
}

/** The end of an exhaustive `switch`: the type checker proves that it is never reached. */
export function unreachable(value: never): never {
  throw new AssertionError(`invariant broken: unexpected value ${JSON.stringify(value)}`);
}
