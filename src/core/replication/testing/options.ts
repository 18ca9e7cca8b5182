/** Options for tests: short times in round numbers, small bounds. */
import type { ReplicaBounds, ReplicaOptions, ReplicaTiming } from '../replica.ts';

export const timing: ReplicaTiming = {
  heartbeatMs: 10,
  suspicionMs: 100,
  backupExtraMs: 50,
  ownPauseMs: 60,
  resumeMs: 0,
  retryMs: 20,
  cpuSilenceMs: 200,
  targetLagMs: 50,
  hashIntervalMs: 0,
  inboundKeepMs: 1000,
};

export const bounds: ReplicaBounds = {
  logBufferBytes: 10_000,
  heldOutputBytes: 10_000,
  backupBufferBytes: 10_000,
  keptOutputBytes: 1000,
  inboundKeepBytes: 10_000,
};

export function options(incarnation: string, changes: Partial<ReplicaOptions> = {}): ReplicaOptions {
  return {
    vm: 'vm',
    machine: 'hash',
    incarnation,
    token: 'secret',
    alone: false,
    coldStart: false,
    onDivergence: 'stop',
    timing,
    bounds,
    ...changes,
  };
}
