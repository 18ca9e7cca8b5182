/** `understudy replay`: the recorded run once more, step for step, with the same console output and nothing leaving. */
import { createReadStream } from 'node:fs';
import { OperatingError } from '../../../core/base/error.ts';
import type { LogEntry } from '../../../core/replay/log-entry.ts';
import { LogError } from '../../../core/replay/log-error.ts';
import { LogFileReader } from '../../../core/replay/log-file.ts';
import { Replayer } from '../../../core/replay/replayer.ts';
import { Machine } from '../../../core/vm/machine.ts';
import { machineOfLog } from '../../../host/plain/run-log.ts';
import { loadMachine } from '../../../host/runner/machine-files.ts';
import { exitStatus } from '../failure.ts';
import type { ReplayRequest } from '../requests.ts';

const say = (line: string): void => {
  process.stderr.write(`understudy: ${line}\n`);
};

/** Status 0: the replay came to the log's end (or to --to) with equal hashes all the way. */
export async function replay(request: ReplayRequest): Promise<number> {
  const log = new LogInput(request.log);
  const first = await log.next();
  const header = log.reader.header;
  if (header === undefined) throw new OperatingError('log-cut', `${request.log} ends inside its header`);
  const { description, diskBytes } = await machineOfLog(request.log, header.description, request.description);
  const { config, console } = await loadMachine(description, diskBytes);
  const machine = new Machine(config, { engine: { kind: request.engine } });
  let hashes = 0;
  const replayer = new Replayer(
    {},
    {
      machine,
      onOutput: (output) => {
        if (output.kind === 'console-out' && (output.device === console || output.device === 0)) {
          process.stdout.write(output.data);
        }
      },
      onHash: (value, position) => {
        hashes++;
        if (request.showHashes) say(`hash ${value.toString(16).padStart(16, '0')} at ${position}`);
      },
    },
  );
  for (let entries = first; entries !== undefined; entries = await log.next()) {
    replayer.push(entries);
    const status = runTo(replayer, machine, request.to);
    if (status === 'diverged') return diverged(replayer);
    if (request.to !== undefined && machine.position >= request.to) break;
  }
  replayer.finish();
  if (runTo(replayer, machine, request.to) === 'diverged') return diverged(replayer);
  if (log.cutBytes > 0)
    say(`${request.log} was cut short: its last ${log.cutBytes} bytes are of an entry that is not whole`);
  const hash = machine.hash().toString(16).padStart(16, '0');
  say(`replayed to position ${machine.position}, ${hashes} hashes compared and equal, hash at the end ${hash}`);
  return exitStatus.success;
}

function runTo(replayer: Replayer, machine: Machine, to: bigint | undefined): ReturnType<Replayer['advance']> {
  for (;;) {
    const status = replayer.advance(to);
    if (status !== 'requested' || (to !== undefined && machine.position >= to)) return status;
  }
}

function diverged(replayer: Replayer): number {
  const { position, log, machine } = replayer.divergence!;
  say(`the replay differs from the log at position ${position}: the log has ${log}, the machine ${machine}`);
  return exitStatus.failure;
}

/** The entries of a log file, a chunk at a time. */
class LogInput {
  readonly reader = new LogFileReader();
  cutBytes = 0;
  readonly #path: string;
  readonly #chunks: AsyncIterator<Buffer>;

  constructor(path: string) {
    this.#path = path;
    this.#chunks = createReadStream(path, { highWaterMark: 1 << 20 })[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** Undefined at the end of the file. Throws OperatingError at the first bad entry. */
  async next(): Promise<LogEntry[] | undefined> {
    try {
      const { done, value } = await this.#chunks.next();
      if (!done) return this.reader.push(value);
      if (this.reader.header !== undefined) this.cutBytes = this.reader.finish().cutBytes;
      return undefined;
    } catch (error) {
      if (error instanceof LogError)
        throw new OperatingError('log-damaged', `${this.#path}: ${error.message}`, error.advice);
      const why = error instanceof Error ? error.message : String(error);
      throw new OperatingError('log-unreadable', `${this.#path} cannot be read: ${why}`);
    }
  }
}
