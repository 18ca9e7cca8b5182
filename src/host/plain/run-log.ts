/**
 * The log of a recorded run as a file. Its header holds the machine's identity, which a replay must match, and where the
 * machine's files were, which a replay may find elsewhere.
 */
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { OperatingError } from '../../core/base/error.ts';
import { decodeEntries } from '../../core/replay/log-entry.ts';
import { LogFileWriter } from '../../core/replay/log-file.ts';
import type { Description } from '../description/description.ts';
import { defaultBuffers, defaultTimeouts } from '../description/description.ts';
import { digestFiles, machineIdentity } from '../description/identity.ts';
import type { RunLog } from './plain-run.ts';

export type RunLogErrorCode = 'log-exists' | 'log-unwritable' | 'log-header' | 'log-other-machine';

/** What the header's text says. */
interface HeaderContent {
  readonly machine: {
    readonly name: string;
    readonly memoryBytes: number;
    readonly firmware: Description['firmware'];
    readonly commandLine: string;
    readonly disk: { readonly bytes: number; readonly readOnly: boolean } | null;
    readonly network: { readonly mac: string } | null;
    readonly console: Description['console'];
  };
  readonly files: { readonly kernel: string; readonly initramfs: string | null };
}

/** The header's text for a machine with a disk of `diskBytes`. */
export async function logHeaderText(description: Description, diskBytes: number | undefined): Promise<string> {
  const identity = machineIdentity(description, await digestFiles(description, diskBytes));
  const files = { kernel: description.kernel, initramfs: description.initramfs ?? null };
  return `{"files":${JSON.stringify(files)},"machine":${identity}}`;
}

/** The machine that a log is of. `elsewhere`: where its files are now, instead of where the log says. */
export async function machineOfLog(
  path: string,
  text: string,
  elsewhere: Description | undefined,
): Promise<{ readonly description: Description; readonly diskBytes: number | undefined }> {
  const { machine, files } = parseHeader(path, text);
  const diskBytes = machine.disk?.bytes;
  const description: Description = {
    name: machine.name,
    memoryBytes: machine.memoryBytes,
    firmware: machine.firmware,
    commandLine: machine.commandLine,
    console: machine.console,
    kernel: elsewhere?.kernel ?? files.kernel,
    initramfs: elsewhere === undefined ? (files.initramfs ?? undefined) : elsewhere.initramfs,
    disk: machine.disk === null ? undefined : { path: '', readOnly: machine.disk.readOnly },
    mac: machine.network?.mac ?? '02:00:00:00:00:00',
    network:
      machine.network === null
        ? undefined
        : { uplink: { kind: 'passt' }, forwards: [], address: undefined, gateway: undefined },
    onDivergence: 'stop',
    onTotalLoss: 'stop',
    timeouts: defaultTimeouts,
    buffers: defaultBuffers,
  };
  const found = machineIdentity(description, await digestFiles(description, diskBytes));
  if (found !== text.slice(text.indexOf('"machine":') + '"machine":'.length, -1)) {
    throw new OperatingError<RunLogErrorCode>(
      'log-other-machine',
      `${path} is the log of a machine with another kernel or initramfs than ${description.kernel} and ${description.initramfs ?? 'none'}`,
      'Name the machine description with the files that were recorded: --machine FILE.',
    );
  }
  return { description, diskBytes };
}

function parseHeader(path: string, text: string): HeaderContent {
  try {
    return JSON.parse(text) as HeaderContent;
  } catch (error) {
    throw new OperatingError<RunLogErrorCode>(
      'log-header',
      `${path} does not say what machine it is of`,
      'It was not written by "understudy record" of this version.',
      { cause: error },
    );
  }
}

/** Creates the file, which must not exist. `onProblem` hears of a disk that is full: the run then goes on without a log. */
export async function createRunLog(path: string, header: string, onProblem: (line: string) => void): Promise<RunLog> {
  const file = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST'
      ? new OperatingError<RunLogErrorCode>(
          'log-exists',
          `${path} exists already`,
          'Choose another name, or remove it.',
        )
      : new OperatingError<RunLogErrorCode>('log-unwritable', `${path} cannot be written: ${error.message}`);
  });
  const stream = createWriteStream('', { fd: file });
  const writer = new LogFileWriter({ description: header, startPosition: 0n });
  let broken = false;
  stream.on('error', (error) => {
    if (!broken)
      onProblem(`${path} ends here, and replays up to here: it cannot be written any more (${error.message})`);
    broken = true;
  });
  const write = (): void => {
    const bytes = writer.take();
    if (!broken) stream.write(bytes);
  };
  write();
  return {
    append: (base, bytes) => {
      for (const entry of decodeEntries(bytes, base)) writer.append(entry);
      write();
    },
    close: async () => {
      stream.end();
      await finished(stream).catch(() => {});
    },
  };
}
