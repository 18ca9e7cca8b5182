/**
 * The form of a machine description before its paths are resolved: which keys there are, and what each may hold. The
 * same schema checks a YAML file and what the QEMU-like options were turned into, so both mean the same.
 */
import { z } from 'zod';
import { commandLineLimitBytes, MiB, memoryLimits } from './description.ts';
import {
  formatSize,
  isWrong,
  parseAddress,
  parseDuration,
  parseForward,
  parseGuestAddress,
  parseMac,
  parseName,
  parseSize,
  parseUplink,
  Wrong,
} from './values.ts';

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'a mapping' : `a ${typeof value}`;
}

/** A scalar in one of the small languages of `values.ts`. YAML reads `6379` as a number: it is text here. */
function parsed<T>(parse: (text: string) => T | Wrong) {
  return z.unknown().transform((value, context): T => {
    const text = typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
    const result = text === undefined ? new Wrong('is what it must not be') : parse(text);
    if (!isWrong(result)) return result;
    const message = text === undefined ? `is ${kindOf(value)}, not a text` : `"${text}" ${result.why}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

/** The same, refused outside [least, most]. */
function bounded(
  parse: (text: string) => number | Wrong,
  format: (value: number) => string,
  least: number,
  most: number,
) {
  return parsed((text) => {
    const value = parse(text);
    if (isWrong(value)) return value;
    if (value < least) return new Wrong(`is less than the least possible, ${format(least)}`);
    return value > most ? new Wrong(`is more than the most possible, ${format(most)}`) : value;
  });
}

const memory = bounded(parseSize, formatSize, memoryLimits.minBytes, memoryLimits.maxBytes).transform(
  (bytes, context) => {
    if (bytes % MiB !== 0) context.addIssue({ code: 'custom', message: 'is not a whole number of MiB' });
    return bytes;
  },
);

const duration = (leastMs: number, mostMs: number) => bounded(parseDuration, (ms) => `${ms}ms`, leastMs, mostMs);
const buffer = bounded(parseSize, formatSize, MiB, 1024 * MiB);

const filePath = parsed((text) => (text.trim() === '' ? new Wrong('is no file name') : text));

const commandLine = parsed((text) => {
  const line = text.trim();
  if (Buffer.byteLength(line) > commandLineLimitBytes)
    return new Wrong(`is longer than ${commandLineLimitBytes} bytes`);
  return /^[\x20-\x7e]*$/.test(line) ? line : new Wrong('holds more than printable ASCII on one line');
});

const disk = z.preprocess(
  (value) => (typeof value === 'string' ? { path: value } : value),
  z.strictObject({ path: filePath, readOnly: z.boolean().default(false) }).nullable(),
);

const network = z.preprocess(
  (value) => (value === 'none' ? null : value === 'passt' ? {} : value),
  z
    .strictObject({
      uplink: parsed(parseUplink).default({ kind: 'passt' }),
      forwards: z.array(parsed(parseForward)).default([]),
      address: parsed(parseGuestAddress).optional(),
      gateway: parsed(parseAddress).optional(),
    })
    .nullable(),
);

const timeouts = z.strictObject({
  suspicion: duration(20, 60_000).optional(),
  heartbeat: duration(1, 20_000).optional(),
  claimRetry: duration(1, 60_000).optional(),
  hashInterval: duration(10, 60_000).optional(),
});

const buffers = z.strictObject({ log: buffer.optional(), outputs: buffer.optional() });

export const descriptionSchema = z.strictObject({
  name: parsed(parseName).optional(),
  memory: memory.optional(),
  firmware: z.enum(['builtin', 'none']).default('builtin'),
  kernel: filePath,
  initramfs: filePath.nullable().optional(),
  commandLine: commandLine.optional(),
  disk: disk.optional(),
  mac: parsed(parseMac).optional(),
  network: network.optional(),
  console: z.enum(['uart', 'virtio']).default('uart'),
  onDivergence: z.enum(['stop', 'continue']).default('stop'),
  timeouts: timeouts.default({}),
  buffers: buffers.default({}),
});

export type DescriptionInput = z.output<typeof descriptionSchema>;

/** Names that people bring along from elsewhere, and ours for them. */
export const knownAliases: Readonly<Record<string, string>> = {
  append: 'commandLine',
  cmdline: 'commandLine',
  bootargs: 'commandLine',
  initrd: 'initramfs',
  ram: 'memory',
  mem: 'memory',
  image: 'disk',
  drive: 'disk',
  net: 'network',
  macAddress: 'mac',
  bios: 'firmware',
  ports: 'forwards',
  hostfwd: 'forwards',
  ro: 'readOnly',
  file: 'path',
};

/** The keys that a mapping at `path` may have; empty if there is no such mapping. */
export function keysAt(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(descriptionSchema.shape);
  if (path.length > 1) return [];
  switch (path[0]) {
    case 'disk':
      return ['path', 'readOnly'];
    case 'network':
      return ['uplink', 'forwards', 'address', 'gateway'];
    case 'timeouts':
      return Object.keys(timeouts.shape);
    case 'buffers':
      return Object.keys(buffers.shape);
    default:
      return [];
  }
}
