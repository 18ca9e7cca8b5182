/** What an owner's phases have in common. */
import type { ReplicaPhase } from './replica.ts';

const LOGGING: readonly ReplicaPhase[] = ['copying', 'cutting-over', 'paired', 'handing-over'];
const FAILING_OVER: readonly ReplicaPhase[] = ['paired', 'handing-over', 'handed-over'];

/** There is a backup, or there will be one: entries are for it. */
export function isLogging(phase: ReplicaPhase): boolean {
  return LOGGING.includes(phase);
}

/** Runs without anybody behind it: nobody else can claim, and outputs need not wait. */
export function isUnprotected(phase: ReplicaPhase): boolean {
  return phase === 'alone' || phase === 'copying';
}

/** The other host goes on, or can be asked to. */
export function mayFailOver(phase: ReplicaPhase): boolean {
  return FAILING_OVER.includes(phase);
}
