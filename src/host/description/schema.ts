/**
 * The form of a machine description before its paths are resolved: which keys there are, and what each may hold. The
 * same schema checks a YAML file and what the QEMU-like options were turned into, so both mean the same.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { MAX_VNI, VXLAN_PORT } from '../net/vxlan-header.ts';
import {
  commandLineLimitBytes,
  type DiskDescription,
  MiB,
  memoryLimits,
  type Uplink,
  type VxlanDescription,
} from './description.ts';
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
  vxlanProblem,
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

/** A path alone is as good as a mapping with a path in it. */
function pathOrMapping(value: unknown): unknown {
  return typeof value === 'string' ? { path: value } : value;
}

/** Left out it is not said, so that descriptions of pairs that were made before stay as they are. */
const reads = z.enum(['log', 'backup']).optional();

const plainDisk = z.strictObject({ path: filePath, readOnly: z.boolean().default(false), reads });

const diskSize = bounded(
  (text) => {
    const bytes = parseSize(text);
    return isWrong(bytes) || bytes % 512 === 0 ? bytes : new Wrong('is no multiple of 512 bytes');
  },
  formatSize,
  MiB,
  2 ** 44,
);

/** An image of each host's own. */
const mirroredDisk = z
  .strictObject({
    mirrored: z.preprocess(pathOrMapping, z.strictObject({ path: filePath, size: diskSize.optional() })),
    reads,
  })
  .transform(({ mirrored: { path, size }, reads }): DiskDescription => {
    return { path, readOnly: false, mirrored: true, sizeBytes: size, ...(reads && { reads }) };
  });

const disk = z.unknown().transform((value, context): DiskDescription | null => {
  if (value === null) return null;
  const isMirrored = typeof value === 'object' && 'mirrored' in value;
  const result = isMirrored ? mirroredDisk.safeParse(value) : plainDisk.safeParse(pathOrMapping(value));
  if (result.success) return result.data;
  context.issues.push(...(result.error.issues as typeof context.issues));
  return z.NEVER;
});

/** An IP address of an end point. */
const endPoint = parsed((text) => (isIP(text.trim()) === 0 ? new Wrong('is no IP address') : text.trim()));

const vxlan = z
  .strictObject({
    vni: z.int().min(0).max(MAX_VNI),
    remotes: z.array(endPoint).min(1),
    local: endPoint.optional(),
    port: z.int().min(1).max(65_535).default(VXLAN_PORT),
  })
  .transform(({ vni, remotes, local, port }, context): VxlanDescription => {
    const uplink = { kind: 'vxlan', vni, remotes, local, port } as const;
    const message = vxlanProblem(uplink);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
    return uplink;
  });

/** One of the texts of `parseUplink`, or VXLAN as a mapping. */
const uplinkText = parsed(parseUplink);
const uplinkMapping = z.strictObject({ vxlan }).transform((mapping): Uplink => mapping.vxlan);
const uplink = z.unknown().transform((value, context): Uplink => {
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
  const result = (isMapping ? uplinkMapping : uplinkText).safeParse(value);
  if (result.success) return result.data;
  context.issues.push(...(result.error.issues as typeof context.issues));
  return z.NEVER;
});

const network = z.preprocess(
  (value) => (value === 'none' ? null : value === 'passt' ? {} : value),
  z
    .strictObject({
      uplink: uplink.default({ kind: 'passt' }),
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
  lag: duration(10, 5000).optional(),
  lease: duration(1000, 600_000).optional(),
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
  onTotalLoss: z.enum(['stop', 'restart']).default('stop'),
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
  switch (path.join('.')) {
    case 'disk':
      return ['path', 'readOnly', 'mirrored', 'reads'];
    case 'disk.mirrored':
      return ['path', 'size'];
    case 'network':
      return ['uplink', 'forwards', 'address', 'gateway'];
    case 'network.uplink':
      return ['vxlan'];
    case 'network.uplink.vxlan':
      return ['vni', 'remotes', 'local', 'port'];
    case 'timeouts':
      return Object.keys(timeouts.shape);
    case 'buffers':
      return Object.keys(buffers.shape);
    default:
      return [];
  }
}
