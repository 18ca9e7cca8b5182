/** Parsers of option values. Each throws commander's InvalidArgumentError, which names the option and the value. */
import { InvalidArgumentError, Option } from 'commander';
import { defaultEngine, engineKinds } from '../../core/engine/engine.ts';

/** A count of steps, 1 to 2^64 - 1; `_` and `,` between digits are allowed, and the suffixes k, M and G (powers of 1000). */
export function steps(text: string): bigint {
  const match = /^(\d[\d_,]*)([kMG]?)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('Give a number of steps, such as 1000000 or 5M.');
  const factor = { '': 1n, k: 1000n, M: 1_000_000n, G: 1_000_000_000n }[match[2]] ?? 1n;
  const value = BigInt(match[1].replaceAll(/[_,]/g, '')) * factor;
  if (value < 1n || value >= 1n << 64n) throw new InvalidArgumentError('It must be at least 1 and less than 2^64.');
  return value;
}

/** A whole number within [least, most]. */
export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) {
      throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** For options that may be given several times. */
export function collect(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

/** The same, with several values allowed in one option, between commas. */
export function collectCommaSeparated(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), ...value.split(',').filter((part) => part !== '')];
}

/** SHA-256 fingerprints of certificates, between commas, with colons or without; may be repeated. */
export function collectFingerprints(value: string, previous: readonly string[] | undefined): string[] {
  const given = value.split(',').map((part) => part.trim().replaceAll(':', '').toLowerCase());
  if (given.every((part) => /^[0-9a-f]{64}$/.test(part))) return [...(previous ?? []), ...given];
  throw new InvalidArgumentError('Give SHA-256 fingerprints, as "understudy keys show" has them, between commas.');
}

/** The engine never shows in the guest: two replicas, a recording and its replay may each have another. */
export function engineOption(): Option {
  const text = 'how instructions are executed; it never shows in the guest ("mixed" is for tests)';
  return new Option('--engine <kind>', text).choices(engineKinds).default(defaultEngine);
}

/** The path of a control socket. Only a unix socket will do: whoever reaches it commands the machine. */
export function controlPath(text: string): string {
  const path = text.startsWith('unix:') ? text.slice('unix:'.length) : text;
  const fits = path !== '' && Buffer.byteLength(path) <= 107;
  if (!fits || (path === text && /^[^/]*:\d+$/.test(text))) {
    throw new InvalidArgumentError('Give the path of a unix socket, of at most 107 bytes: unix:PATH.');
  }
  return path;
}

/** For verbs that run one machine here. */
export function controlOption(): Option {
  return new Option('--control <socket>', 'listen here for "understudy snapshot": unix:PATH').argParser(controlPath);
}
