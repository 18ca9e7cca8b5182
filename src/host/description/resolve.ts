/**
 * From the form (`schema.ts`) to the checked `Description`: defaults, absolute paths, the rules that tie several keys
 * together, and whether the files are there and are what they should be.
 */
import { resolve as resolvePath } from 'node:path';
import {
  type Description,
  defaultBuffers,
  defaultCommandLine,
  defaultTimeouts,
  memoryLimits,
  type NetworkDescription,
  passtAddresses,
} from './description.ts';
import { diskProblem, initramfsProblem, kernelProblem } from './files.ts';
import { type Problem, problemsOf } from './problems.ts';
import { type DescriptionInput, descriptionSchema } from './schema.ts';
import { macFromName } from './values.ts';

export interface ResolveContext {
  /** What relative paths are relative to. */
  readonly baseDirectory: string;
  /** The name of a machine that names none. */
  readonly defaultName: string;
  /** False where the disk's file belongs to a disk server elsewhere: it is not looked at. */
  readonly diskIsHere: boolean;
  /** False where none of the machine's files is needed. */
  readonly filesAreHere: boolean;
}

export type Resolved = { readonly description: Description } | { readonly problems: readonly Problem[] };

/** Checks and completes `input` (plain data, of any shape). Never throws for anything that a user wrote. */
export async function resolveDescription(input: unknown, context: ResolveContext): Promise<Resolved> {
  const parsed = descriptionSchema.safeParse(input ?? {});
  if (!parsed.success) return { problems: problemsOf(parsed.error, (path) => valueAt(input, path) === undefined) };
  const description = complete(parsed.data, context);
  const problems = [...rulesBroken(description), ...(await fileProblems(description, context))];
  return problems.length > 0 ? { problems } : { description };
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

function complete(input: DescriptionInput, context: ResolveContext): Description {
  const absolute = (path: string) => resolvePath(context.baseDirectory, path);
  const name = input.name ?? context.defaultName;
  const disk = input.disk ?? undefined;
  const initramfs = input.initramfs ?? undefined;
  const { timeouts, buffers } = input;
  return {
    name,
    memoryBytes: input.memory ?? memoryLimits.defaultBytes,
    firmware: input.firmware,
    kernel: absolute(input.kernel),
    initramfs: initramfs === undefined ? undefined : absolute(initramfs),
    commandLine: input.commandLine ?? defaultCommandLine(input.console, disk !== undefined),
    disk: disk === undefined ? undefined : { ...disk, path: absolute(disk.path) },
    mac: input.mac ?? macFromName(name),
    network: completeNetwork(input.network ?? undefined, absolute),
    console: input.console,
    onDivergence: input.onDivergence,
    onTotalLoss: input.onTotalLoss,
    timeouts: {
      suspicionMs: timeouts.suspicion ?? defaultTimeouts.suspicionMs,
      heartbeatMs: timeouts.heartbeat ?? defaultTimeouts.heartbeatMs,
      claimRetryMs: timeouts.claimRetry ?? defaultTimeouts.claimRetryMs,
      hashIntervalMs: timeouts.hashInterval ?? defaultTimeouts.hashIntervalMs,
      lagMs: timeouts.lag ?? defaultTimeouts.lagMs,
      leaseMs: timeouts.lease ?? defaultTimeouts.leaseMs,
    },
    buffers: {
      logBytes: buffers.log ?? defaultBuffers.logBytes,
      outputBytes: buffers.outputs ?? defaultBuffers.outputBytes,
    },
  };
}

function completeNetwork(
  input: NonNullable<DescriptionInput['network']> | undefined,
  absolute: (path: string) => string,
): NetworkDescription | undefined {
  if (input === undefined) return undefined;
  const { uplink, forwards } = input;
  const defaults = uplink.kind === 'passt' ? passtAddresses : { address: undefined, gateway: undefined };
  return {
    uplink:
      uplink.kind === 'socket' && 'path' in uplink.address
        ? { kind: 'socket', address: { path: absolute(uplink.address.path) } }
        : uplink,
    forwards,
    address: input.address ?? defaults.address,
    gateway: input.gateway ?? defaults.gateway,
  };
}

/** The rules that no single key can break. */
function rulesBroken(description: Description): Problem[] {
  const problems: Problem[] = [];
  const { suspicionMs, heartbeatMs } = description.timeouts;
  if (suspicionMs < 3 * heartbeatMs) {
    const message = `is ${suspicionMs}ms, less than three heartbeats of ${heartbeatMs}ms: one late heartbeat would raise suspicion`;
    problems.push({ path: ['timeouts', 'suspicion'], at: 'value', message });
  }
  const { network } = description;
  if (network !== undefined && network.uplink.kind !== 'passt' && network.forwards.length > 0) {
    const message = 'need the uplink passt: another uplink forwards ports itself';
    problems.push({ path: ['network', 'forwards'], at: 'value', message });
  }
  const seen = new Set<string>();
  for (const [i, { protocol, hostAddress, hostPort }] of (network?.forwards ?? []).entries()) {
    const key = `${protocol} ${hostAddress} port ${hostPort}`;
    if (seen.has(key)) {
      problems.push({ path: ['network', 'forwards', i], at: 'value', message: `forwards ${key} a second time` });
    }
    seen.add(key);
  }
  return problems;
}

async function fileProblems(description: Description, context: ResolveContext): Promise<Problem[]> {
  if (!context.filesAreHere) return [];
  const { kernel, initramfs, disk } = description;
  const found: [PropertyKey[], string | undefined][] = [[['kernel'], await kernelProblem(kernel)]];
  if (initramfs !== undefined) found.push([['initramfs'], await initramfsProblem(initramfs)]);
  if (disk?.mirrored && context.diskIsHere)
    found.push([['disk', 'mirrored'], 'is for the replicas of a machine alone']);
  else if (disk !== undefined && context.diskIsHere) found.push([['disk', 'path'], await diskProblem(disk)]);
  return found.flatMap(([path, message]) =>
    message === undefined ? [] : [{ path, at: 'value' as const, kind: 'file' as const, message }],
  );
}
