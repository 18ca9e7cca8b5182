/**
 * Whether the far side of a VXLAN tunnel is there, as far as that can be known (PROTOCOL.md, 20: a primary without an
 * uplink hands over). Three signs: an error (no route, or "port unreachable" from a host without an end point), a frame that came
 * in, and, where somebody is asked who always answers (`segment-probe.ts`), silence.
 *
 * Silence is counted in ticks, not in time: a process that stood still for a while has not heard anything either, and must not
 * conclude that its link is dead. With several remotes the link is up while one of them is.
 */
import type { LinkState } from './uplink.ts';

export type LinkHealthOptions = {
  /** The remotes' names, for people. */
  readonly remotes: readonly string[];
  /** Whether the far side always answers probes, so that silence means loss. */
  readonly expectsAnswers: boolean;
  /** Ticks of silence after which a remote is lost, or without an error after which it is back. */
  readonly patienceTicks: number;
  readonly tickMs: number;
};

type Remote = {
  readonly name: string;
  /** It has shown itself at least once. */
  known: boolean;
  quietTicks: number;
  error: string | undefined;
  ticksSinceError: number;
};

export type LinkVerdict = { readonly state: LinkState; readonly reason: string | undefined };

export class LinkHealth {
  readonly #options: LinkHealthOptions;
  readonly #remotes: readonly Remote[];

  /** Every remote begins as lost: it has to show itself, or at least one probe has to be sent without an error. */
  constructor(options: LinkHealthOptions) {
    this.#options = options;
    const { patienceTicks } = options;
    this.#remotes = options.remotes.map((name) => ({
      name,
      known: !options.expectsAnswers,
      quietTicks: 0,
      error: options.expectsAnswers ? undefined : `${name} has not been tried yet`,
      ticksSinceError: patienceTicks - 1,
    }));
  }

  /** A frame of our segment came from this remote. */
  heard(remote: number): void {
    const its = this.#remotes[remote]!;
    its.known = true;
    its.quietTicks = 0;
    its.error = undefined;
  }

  /** Sending to this remote failed; `why` is for people. */
  failed(remote: number, why: string): void {
    const its = this.#remotes[remote]!;
    its.error = why;
    its.ticksSinceError = 0;
  }

  /** One interval has passed in which this process ran. */
  tick(): void {
    const { expectsAnswers, patienceTicks } = this.#options;
    for (const its of this.#remotes) {
      its.quietTicks++;
      its.ticksSinceError++;
      if (!expectsAnswers && its.ticksSinceError > patienceTicks) its.error = undefined;
    }
  }

  /** True if nothing has come from anyone since the last tick: time for a probe. */
  get isQuiet(): boolean {
    return this.#remotes.every(({ quietTicks }) => quietTicks > 0);
  }

  get verdict(): LinkVerdict {
    const reasons: string[] = [];
    for (const its of this.#remotes) {
      const why = its.error ?? this.#silence(its);
      if (why !== undefined) reasons.push(why);
      else if (its.known) return { state: 'up', reason: undefined };
    }
    // One that has not shown itself may still do so in time: until then there is nothing to tell.
    return { state: 'down', reason: reasons.length < this.#remotes.length ? undefined : reasons.join('; ') };
  }

  #silence({ name, quietTicks }: Remote): string | undefined {
    const { expectsAnswers, patienceTicks, tickMs } = this.#options;
    if (!expectsAnswers || quietTicks < patienceTicks) return undefined;
    return `nothing has come from ${name} for ${patienceTicks * tickMs} ms`;
  }
}
