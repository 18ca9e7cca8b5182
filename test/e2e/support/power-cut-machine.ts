/**
 * What a round of power cuts (power-cut-round.ts) needs of a machine, wherever its disk lies: behind a disk server
 * (power-cut-pair.ts), or in an image on each host (power-cut-mirrors.ts).
 */
import type { Random } from './random.ts';

export const MACHINE = 'power-cut';

/** A machine with everything that outlives its processes, on storage that forgets what was not flushed. */
export interface PowerCutMachine {
  readonly redisPort: number;
  readonly arbiterDirectory: string;
  /** The same machine for somebody who has neither its disk nor its network. */
  readonly bareDescriptionFile: string;
  /** Starts it, and waits until the guest's services answer, at most for `limitMs`. */
  start(limitMs: number): Promise<PowerCutPair>;
  /** All that was not flushed is lost. All processes must have been killed. */
  cutPower(): Promise<void>;
  powerOn(): Promise<void>;
  /** What is wrong with the disk, before anything is started again. */
  diskProblems(): Promise<string[]>;
  remove(): Promise<void>;
}

export interface PowerCutPair {
  readonly console: string;
  /** The highest that a replica has been in. */
  readonly generation: number;
  /** Brings it into the state that the cut shall meet; for people, what that is. Before the load. */
  prepare(random: Random): Promise<string>;
  /** What happens right before the cut, under load; empty if nothing. */
  beforeCut(random: Random): Promise<string>;
  /** What is wrong when all is over and nothing is asked of the guest any more. The pair has ended then. */
  endProblems(): Promise<string[]>;
  /** SIGKILL to every process, without a word before. */
  killAll(): Promise<void>;
}
