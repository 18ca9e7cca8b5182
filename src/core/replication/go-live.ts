/**
 * The last step of a failover (PROTOCOL.md, 16): what the machine had said and nobody sent, requests without an answer, frames that
 * the log lacks (19); and the `Primary` that goes on from here, alone.
 */
import type { CpuReport, NumberedOutput } from './cpu-link.ts';
import { Primary } from './primary.ts';
import type { ReplicaAction, ReplicaOptions } from './replica.ts';

export interface GoLiveView {
  /** Won, and admitted by the disk. */
  readonly generation: number;
  readonly drained: CpuReport & { type: 'drained' };
  /** Outputs that the old primary may not have sent, in order (15). */
  readonly kept: readonly NumberedOutput[];
  /** Frames from outside that the log does not hold. */
  readonly frames: readonly { readonly device: number; readonly frame: Uint8Array }[];
  readonly uplink: boolean;
}

/** The successor, and the actions with which it begins. */
export function goLive(
  options: ReplicaOptions,
  view: GoLiveView,
  nowMs: number,
): { successor: Primary; actions: ReplicaAction[] } {
  const { generation, uplink } = view;
  const { stopped, blockRequests, entropyRequests, outputs } = view.drained;
  const actions: ReplicaAction[] = [];
  const again = entropyRequests.map((request) => ({
    sequence: outputs,
    output: { kind: 'entropy', ...request } as const,
  }));
  const leased = options.lease !== undefined;
  const emitted = leased ? again : [...view.kept, ...again];
  if (emitted.length > 0) actions.push({ type: 'emit', generation, outputs: emitted });
  const kept = leased ? view.kept : [];
  const successor = new Primary(options, nowMs, { generation, blockRequests, uplink, stopped, kept });
  actions.push(...successor.handle({ type: 'tick' }, nowMs));
  for (const { device, frame } of view.frames) {
    actions.push(...successor.handle({ type: 'input', input: { kind: 'net-rx', device, frame } }, nowMs));
  }
  return { successor, actions };
}
