/**
 * How the command ends badly, and what the person sees of it. Three looks that nobody can confuse:
 *
 *   a usage error        "understudy: unknown option '--fo'", exit status 2
 *   an operating error   "understudy: <what, where>" and an indented line of advice, exit status 1
 *   a bug                a short report with the stack, exit status 1
 */
import { OperatingError } from '../../core/base/error.ts';

export const exitStatus = { success: 0, failure: 1, usage: 2 } as const;

/** The text for standard error, with its last newline, and the exit status. */
export interface Failure {
  readonly text: string;
  readonly status: number;
}

/** What to print for `error` and how to exit. `invocation` is the command line, for a bug's report. */
export function failureOf(error: unknown, invocation: readonly string[]): Failure {
  if (error instanceof OperatingError) {
    const advice = error.advice === undefined ? '' : `  ${error.advice.replaceAll('\n', '\n  ')}\n`;
    return {
      text: `understudy: ${error.message}\n${advice}`,
      status: error.code === 'usage' ? exitStatus.usage : exitStatus.failure,
    };
  }
  return { text: bugReport(error, invocation), status: exitStatus.failure };
}

function bugReport(error: unknown, invocation: readonly string[]): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const cause = error instanceof Error && error.cause !== undefined ? `caused by: ${String(error.cause)}\n` : '';
  return [
    '',
    'This is a bug in Understudy, not something that you did. Please report it with these lines:',
    '',
    stack,
    `${cause}command: understudy ${invocation.join(' ')}`,
    `system: ${process.platform} ${process.arch}, Node ${process.version}`,
    '',
  ].join('\n');
}

/** A usage error that the option parser cannot see, such as two options that exclude each other. */
export function usageError(message: string, advice?: string): OperatingError<'usage'> {
  return new OperatingError('usage', message, advice);
}
