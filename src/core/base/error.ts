/**
 * Operating errors: what a person must be told. Each has a `code` from its own area's union, and a message that says
 * what is wrong, where, and what to do about it. (Guest traps are values, and broken invariants are assertions.)
 */
export class OperatingError<Code extends string = string> extends Error {
  override readonly name = 'OperatingError';
  readonly code: Code;
  /** What the person can do about it, one sentence; printed on a line of its own. */
  readonly advice: string | undefined;

  constructor(code: Code, message: string, advice?: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.advice = advice;
  }
}
