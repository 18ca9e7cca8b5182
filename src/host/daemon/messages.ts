/**
 * What hosts, replicas and the command say to each other: bodies of the HTTP API, records in the store, lines of a replica's
 * control socket. All of it comes from outside, so all of it is checked here, and typed from the same text.
 */
import { z } from 'zod';
import { engineKinds } from '../../core/engine/engine.ts';
import { MACHINE_NAME } from '../arbiter/arbiter.ts';

const name = z.string().regex(MACHINE_NAME, 'is no name of small letters, digits and inner hyphens');
const word = z.string().min(1).max(4096);
const count = z.number().nonnegative();

/** A host as it tells the store, under a lease: `hosts/<name>`. */
export const hostRecordSchema = z.object({
  name,
  /** HOST:PORT of its API. */
  address: word,
  memoryBytes: count,
  freeBytes: count,
  version: word,
  /** The SHA-256 of its certificate; absent without keys. By it other hosts know it (PROTOCOL.md, 29). */
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
export type HostRecord = z.infer<typeof hostRecordSchema>;

/** The wanted state of a machine: `machines/<name>`. */
export const machineRecordSchema = z.strictObject({
  name,
  /** The machine description, as its file has it, with its name. */
  description: z.record(z.string(), z.unknown()),
  /** What relative paths in it are relative to, on every host. */
  baseDirectory: word.startsWith('/', 'must be absolute'),
  engine: z.enum(engineKinds),
  /** Names of hosts, the preferred first. */
  hosts: z.array(name).min(1).max(64),
  /** The disk server and the hub, as `understudy primary` takes them. */
  disk: word.optional(),
  hub: word.optional(),
  wanted: z.enum(['running', 'stopped']),
});
export type MachineRecord = z.infer<typeof machineRecordSchema>;

export const wantedSchema = z.strictObject({ wanted: z.enum(['running', 'stopped', 'gone']) });

/** How a primary begins: with the machine's first record, or on a person's word that it runs nowhere (PROTOCOL.md, 26). */
const primaryRequest = z.strictObject({
  machine: name,
  role: z.literal('primary'),
  start: z.enum(['create', 'cold']),
  /** Run without waiting for a backup. */
  alone: z.boolean().default(false),
  /** With `cold`: start from this host's image of a mirrored disk although it is not the newest. */
  acceptDataLoss: z.boolean().default(false),
  /** With `cold`: this host has found the machine lost (loss-watch.ts), and may end this generation alone. */
  loss: z.object({ generation: count, note: z.string().optional() }).optional(),
});
const backupRequest = z.strictObject({
  machine: name,
  role: z.literal('backup'),
  /** The primary's log channel. */
  primary: word,
});
export const replicaRequestSchema = z.discriminatedUnion('role', [primaryRequest, backupRequest]);
export type ReplicaRequest = z.infer<typeof replicaRequestSchema>;
/** Where what is usual may be left out. */
export type ReplicaRequestInput = z.input<typeof replicaRequestSchema>;

/** What a replica's process is given in its directory. */
export const replicaOrderSchema = z.object({
  request: replicaRequestSchema,
  record: machineRecordSchema,
  host: name,
  /** The address of this host under which its backup reaches it; the port is the system's choice. */
  replicas: word,
  /** The host's own end point of VXLAN, in place of the description's. */
  vtep: word.optional(),
  /** The host's own directory for images of mirrored disks, in place of the description's. */
  disks: word.optional(),
  tls: z.object({ certificate: word, key: word, authority: word }).optional(),
  arbiter: word,
  unsafeArbiter: z.boolean(),
  memoryBytes: count,
});
export type ReplicaOrder = z.infer<typeof replicaOrderSchema>;

/** Something that a person should know, and what to do about it. */
const reasonSchema = z.object({ code: word, message: z.string(), advice: z.string().optional() });
export type Reason = z.infer<typeof reasonSchema>;

const copySchema = z.object({
  /** `disk`: the other host's image catches up. `finishing`: all but a little is there. */
  stage: z.enum(['starting', 'disk', 'memory', 'finishing']),
  /** Of this stage; of memory, what the guest has written meanwhile is copied again, and counted again. */
  doneBytes: count,
  totalBytes: count,
  /** Over the last seconds; absent where that says nothing yet. */
  bytesPerSecond: count.optional(),
  /** What is left at this pace. */
  restMs: count.optional(),
});
/** How far a copy of a machine is, for people. */
export type CopyReport = z.infer<typeof copySchema>;

export const replicaStatusSchema = z.object({
  role: z.enum(['primary', 'backup']),
  phase: word,
  generation: count,
  position: z.string(),
  lagMs: count,
  /** Where a backup may connect. */
  listening: word.optional(),
  /** A copy of the machine under way, in bytes of memory: in all rounds, and still to do in this one. */
  transfer: z.object({ round: count, doneBytes: count, leftBytes: count, sentBytes: count }).optional(),
  /** The same for people; of the owner only. */
  copy: copySchema.optional(),
  /** Of a primary: why its machine is not redundant, or not as it should be. */
  reasons: z.array(reasonSchema).optional(),
  /** Of the replica's process. */
  residentBytes: count.optional(),
  /** Of its engine, if it translates: blocks in the table, their modules, and these modules' bytes. */
  translator: z.object({ translations: count, modules: count, bytes: count }).optional(),
});
export type ReplicaStatusReport = z.infer<typeof replicaStatusSchema>;

/** One replica of a host, as its API tells it. */
export const replicaReportSchema = z.object({
  machine: name,
  pid: count,
  memoryBytes: count,
  /** `silent`: its process is there and does not answer. */
  state: z.enum(['running', 'silent']),
  status: replicaStatusSchema.optional(),
});
export type ReplicaReport = z.infer<typeof replicaReportSchema>;

/** How a replica of this host ended, since its daemon has been running. */
export const endedReplicaSchema = z.object({ machine: name, code: word, message: z.string() });
export type EndedReplica = z.infer<typeof endedReplicaSchema>;

export const hostReportSchema = hostRecordSchema.extend({
  replicas: z.array(replicaReportSchema),
  ended: z.array(endedReplicaSchema),
});
export type HostReport = z.infer<typeof hostReportSchema>;

export const hostListSchema = z.object({ hosts: z.array(hostRecordSchema) });
export const machineListSchema = z.object({ machines: z.array(machineRecordSchema) });

export const controlRequestSchema = z.strictObject({ do: z.enum(['status', 'stop', 'hand-over']) });
export type ControlRequest = z.infer<typeof controlRequestSchema>;

export const controlAnswerSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), pid: count, status: replicaStatusSchema.optional() }),
  z.object({ ok: z.literal(false), code: word, message: z.string(), advice: z.string().optional() }),
]);
export type ControlAnswer = z.infer<typeof controlAnswerSchema>;

/** The one line by which a new replica says that it is ready, or why it is not; also its last word (`end.json`). */
export const outcomeSchema = z.object({
  code: word,
  message: z.string(),
  advice: z.string().optional(),
});
export type Outcome = z.infer<typeof outcomeSchema>;

export const errorBodySchema = z.object({ error: outcomeSchema });
