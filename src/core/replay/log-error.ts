/** What can be wrong with a log: one coded error, with the byte offset where a person can look. */
import { OperatingError } from '../base/error.ts';

export type LogErrorCode =
  /** The file does not begin as a log does. */
  | 'log-not-a-log'
  /** A log of a format that this version does not read. */
  | 'log-other-version'
  /** A log of another machine than the one at hand. */
  | 'log-other-machine'
  /** A whole entry, or the header, whose bytes are not what was written. */
  | 'log-corrupt';

export class LogError extends OperatingError<LogErrorCode> {
  /** Where the bad entry (its framing included) begins: bytes from the start of the log. */
  readonly offset: number;

  constructor(code: LogErrorCode, offset: number, message: string, advice?: string) {
    super(code, message, advice);
    this.offset = offset;
  }
}
