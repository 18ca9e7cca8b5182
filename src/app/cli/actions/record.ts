/** `understudy record`: a plain run whose every input goes into a log. */
import { createRunLog, logHeaderText } from '../../../host/plain/run-log.ts';
import type { RecordRequest } from '../requests.ts';
import { runWithConsole } from './run.ts';

export function record({ description, engine, log }: RecordRequest): Promise<number> {
  return runWithConsole({
    description,
    engine,
    openLog: async (diskBytes) =>
      createRunLog(log, await logHeaderText(description, diskBytes), (line) =>
        process.stderr.write(`understudy: ${line}\n`),
      ),
  });
}
