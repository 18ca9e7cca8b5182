/** The daemon's log: a line of JSON each for machines (pino), or the same for people (pino-pretty). On standard error. */
import { type Logger, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';

export type Log = Logger;

export function openLog(form: 'json' | 'text', host: string): Log {
  const options = { base: { host }, timestamp: pino.stdTimeFunctions.isoTime };
  if (form === 'json') return pino(options, pino.destination({ dest: 2, sync: true }));
  const pretty = PinoPretty({ destination: 2, sync: true, ignore: 'host', colorize: process.stderr.isTTY });
  return pino(options, pretty);
}
