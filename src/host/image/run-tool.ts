/**
 * Runs a program of the host and gives back what it printed. No shell is involved; the locale is C, so that messages can be
 * recognised. A program that fails becomes an operating error that quotes its last words.
 */
import { spawn } from 'node:child_process';
import { OperatingError } from '../../core/base/error.ts';
import type { ImageErrorCode } from './errors.ts';

export interface ToolOptions {
  /** Working directory. */
  readonly cwd?: string;
  /** Variables added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text or bytes given on standard input. */
  readonly input?: string | Uint8Array;
  /** Aborts the program. */
  readonly signal?: AbortSignal;
  /** Called with each line of standard output as it comes. */
  readonly onLine?: (line: string) => void;
  /** Turns a failure that the caller knows into its own error; undefined for "not mine". */
  readonly explain?: (output: string) => OperatingError<ImageErrorCode> | undefined;
}

export interface ToolOutput {
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs `program` to its end. Throws `tools-missing`, `host-disk-full`, `cancelled`, `tool-failed`, or what `explain` gives. */
export async function runTool(
  program: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<ToolOutput> {
  const { code, stdout, stderr } = await collect(program, args, options);
  if (code === 0) return { stdout, stderr };
  const output = `${stderr}\n${stdout.subarray(-4096).toString()}`;
  if (options.signal?.aborted) throw cancelled();
  throw options.explain?.(output) ?? outOfSpace(output) ?? failed(program, args, code, output);
}

/** The error of a build that its caller has cancelled. */
export function cancelled(): OperatingError<ImageErrorCode> {
  return new OperatingError<ImageErrorCode>('cancelled', 'the build of the guest image was cancelled');
}

/** The error of a full disk on the host. */
export function hostDiskFull(where: string): OperatingError<ImageErrorCode> {
  return new OperatingError<ImageErrorCode>(
    'host-disk-full',
    `no space is left on this host's disk (${where})`,
    'Free some space (a build needs about 1 GB for its output and its cache), or choose other directories.',
  );
}

function collect(
  program: string,
  args: readonly string[],
  options: ToolOptions,
): Promise<{ code: number | string; stdout: Buffer; stderr: string }> {
  return new Promise((resolve, reject) => {
    // The system directories may be missing from an ordinary user's PATH (mke2fs is in one of them).
    const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PATH: path, LC_ALL: 'C', LANGUAGE: 'C', ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let partial = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout.push(chunk);
      if (options.onLine === undefined) return;
      const lines = (partial + chunk.toString()).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) options.onLine(line);
    });
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.name === 'AbortError') reject(cancelled());
      else if (error.code === 'ENOENT') reject(missing(program));
      else reject(error);
    });
    child.on('close', (code, signal) => {
      resolve({ code: code ?? signal ?? 1, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() });
    });
    // A program that ends before it has read its input is judged by its exit status, not by the broken pipe.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

function missing(program: string): OperatingError<ImageErrorCode> {
  return new OperatingError<ImageErrorCode>('tools-missing', `the program "${program}" is not installed on this host`);
}

function outOfSpace(output: string): OperatingError<ImageErrorCode> | undefined {
  return /no space left on device/i.test(output) ? hostDiskFull('a program of the build said so') : undefined;
}

function failed(
  program: string,
  args: readonly string[],
  code: number | string,
  output: string,
): OperatingError<ImageErrorCode> {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const shown = args.length > 6 ? `${args.slice(0, 6).join(' ')} ...` : args.join(' ');
  return new OperatingError<ImageErrorCode>(
    'tool-failed',
    `"${program} ${shown}" failed (${code}):\n${lines.slice(-8).join('\n')}`,
  );
}
