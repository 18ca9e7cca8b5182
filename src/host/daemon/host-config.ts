/**
 * What a person says about one host in `host.yaml`. Every key has a default but the arbiter:
 *
 *     name: a                          # in --hosts, in the tables; by default the host's own name
 *     listen: 127.0.0.1:7400           # the HTTP API
 *     address: host-a.example:7400     # where others reach the API; by default `listen`
 *     replicas: 192.0.2.1              # where others reach this host's replicas; by default the host of `address`
 *     vtep: 192.0.2.1                  # this host's end point of VXLAN; by default what machines' descriptions say
 *     state: /var/lib/understudy       # replicas' directories, logs
 *     disks: /srv/understudy           # this host's images of mirrored disks; by default where descriptions say
 *     memory: 8G                       # offered to replicas; by default half of the host's
 *     arbiter: /mnt/shared/arbiter     # also holds membership and wanted state
 *     unsafeArbiter: false             # accept an arbiter on this very host
 *     insecure: false                  # listen to others without keys
 *     tls: { certificate: a.crt, key: a.key, authority: ca.crt }
 *     log: json                        # or text; by default text on a terminal
 */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname, totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { OperatingError } from '../../core/base/error.ts';
import { MiB } from '../description/description.ts';
import { isWrong, parseName, parseSize } from '../description/values.ts';
import { errorCode, formatAddress, parseAddress, type StreamAddress } from '../net/address.ts';

export type TcpAddress = Extract<StreamAddress, { host: string }>;

export interface HostConfig {
  readonly name: string;
  readonly listen: TcpAddress;
  /** Undefined: where it listens. */
  readonly address: TcpAddress | undefined;
  /** A host name or IP address. */
  readonly replicas: string;
  /** An IP address of this host; undefined: what a machine's description says. */
  readonly vtep: string | undefined;
  readonly stateDirectory: string;
  /** Where images of mirrored disks are; undefined or absent: where a machine's description says. */
  readonly disks?: string | undefined;
  readonly memoryBytes: number;
  readonly arbiter: string;
  readonly unsafeArbiter: boolean;
  readonly insecure: boolean;
  readonly tls: HostKeys | undefined;
  readonly log: 'json' | 'text';
}

/** Paths of PEM files. */
export interface HostKeys {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

export const DEFAULT_PORT = 7400;
export const DEFAULT_STATE_DIRECTORY = '/var/lib/understudy';

const text = z.string().min(1);

const tcpAddress = text.transform((value, context): TcpAddress => {
  try {
    const address = parseAddress(value);
    if ('host' in address) return address;
  } catch (error) {
    if (!(error instanceof OperatingError)) throw error;
  }
  context.addIssue({ code: 'custom', message: `"${value}" is no HOST:PORT` });
  return z.NEVER;
});

const size = text.transform((value, context): number => {
  const bytes = parseSize(value);
  if (!isWrong(bytes)) return bytes;
  context.addIssue({ code: 'custom', message: `"${value}" ${bytes.why}` });
  return z.NEVER;
});

const hostName = text.transform((value, context): string => {
  const name = parseName(value);
  if (!isWrong(name)) return name;
  context.addIssue({ code: 'custom', message: `"${value}" ${name.why}` });
  return z.NEVER;
});

const ipAddress = text.refine((value) => isIP(value) !== 0, 'is no IP address');

const schema = z.strictObject({
  name: hostName.optional(),
  listen: tcpAddress.default({ host: '127.0.0.1', port: DEFAULT_PORT }),
  address: tcpAddress.optional(),
  replicas: text.optional(),
  vtep: ipAddress.optional(),
  state: text.default(DEFAULT_STATE_DIRECTORY),
  disks: text.optional(),
  memory: size.optional(),
  arbiter: text,
  unsafeArbiter: z.boolean().default(false),
  insecure: z.boolean().default(false),
  tls: z.strictObject({ certificate: text, key: text, authority: text }).optional(),
  log: z.enum(['json', 'text']).optional(),
});

/** Reads and checks it. Relative paths are relative to the file. Throws OperatingError `host-config`. */
export async function loadHostConfig(path: string): Promise<HostConfig> {
  const input = await readYaml(path);
  const parsed = schema.safeParse(input ?? {});
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'it'}: ${wordsFor(issue)}`);
    throw refused(`${path} is no configuration of a host: ${problems.join('; ')}`);
  }
  const { data } = parsed;
  const absolute = (file: string): string => resolve(dirname(path), file);
  const { tls } = data;
  return {
    name: data.name ?? ownName(path),
    listen: data.listen,
    address: data.address,
    replicas: data.replicas ?? (data.address ?? data.listen).host,
    vtep: data.vtep,
    stateDirectory: absolute(data.state),
    disks: data.disks === undefined ? undefined : absolute(data.disks),
    memoryBytes: data.memory ?? Math.floor(totalmem() / 2 / MiB) * MiB,
    arbiter: /^[a-z0-9+.-]+:/i.test(data.arbiter) ? data.arbiter : absolute(data.arbiter),
    unsafeArbiter: data.unsafeArbiter,
    insecure: data.insecure,
    tls:
      tls === undefined
        ? undefined
        : { certificate: absolute(tls.certificate), key: absolute(tls.key), authority: absolute(tls.authority) },
    log: data.log ?? (process.stderr.isTTY ? 'text' : 'json'),
  };
}

async function readYaml(path: string): Promise<unknown> {
  try {
    return parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof YAMLParseError) throw refused(`${path} is no YAML: ${error.message.split('\n')[0]}`);
    throw refused(`${path} cannot be read: ${errorCode(error) || String(error)}`);
  }
}

function wordsFor(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    return `there is no key ${issue.keys.join(', ')}; the keys are ${Object.keys(schema.shape).join(', ')}`;
  }
  if (issue.code === 'invalid_type' && issue.path[0] === 'arbiter') return 'is missing: name a directory or an etcd';
  return issue.message;
}

function ownName(path: string): string {
  const name = parseName(hostname().split('.')[0].toLowerCase());
  if (!isWrong(name)) return name;
  throw refused(`${path} names no host, and the host's own name "${hostname()}" ${name.why}`);
}

function refused(message: string): OperatingError<'host-config'> {
  return new OperatingError('host-config', message, 'All keys are in docs/hosts.md.');
}

/** Where others reach the API, when it is bound. */
export function reachableAddress(config: HostConfig, bound: StreamAddress): string {
  return formatAddress(config.address ?? bound);
}
