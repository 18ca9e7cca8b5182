/**
 * What is said on the control socket of a running machine: one request, a line of JSON, and its answers, a line each, of
 * which the last is 'done' or 'error'. Both sides check what they read.
 */
import { z } from 'zod';

/** The longest line, in bytes. */
export const MAX_LINE_BYTES = 64 * 1024;

const PATH = z.string().min(1).max(4096);

export const requestSchema = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('status') }),
  z.strictObject({
    command: z.literal('snapshot'),
    /** Absolute: the machine's process writes it. */
    path: PATH.startsWith('/'),
    /** Leave the machine where it is after the snapshot. */
    stop: z.boolean(),
  }),
]);
export type ControlRequest = z.infer<typeof requestSchema>;

const count = z.number().nonnegative();
/** Positions are decimal strings: they can exceed what JSON numbers hold. */
const position = z.string().regex(/^\d{1,20}$/);

const statusSchema = z.object({ name: z.string(), position });
const progressSchema = z.object({ round: count, pages: count, bytes: count });
const snapshotSchema = z.object({
  position,
  rounds: count,
  bytes: count,
  stopMs: count,
  longestPauseMs: count,
  tookMs: count,
});

export const answerSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), progress: progressSchema }),
  z.object({ type: z.literal('done'), status: statusSchema.optional(), snapshot: snapshotSchema.optional() }),
  z.object({ type: z.literal('error'), code: z.string(), message: z.string(), advice: z.string().optional() }),
]);
export type ControlAnswer = z.infer<typeof answerSchema>;
export type StatusAnswer = z.infer<typeof statusSchema>;
export type SnapshotAnswer = z.infer<typeof snapshotSchema>;
