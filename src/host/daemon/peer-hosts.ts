/**
 * The hosts that may be a machine's backup, by their certificates: those that its wanted state names, as their leases had them when
 * they were last seen. So the first contact of a new backup is bounded by the membership, and not only by the authority;
 * from then on the pair's record says who it is (PROTOCOL.md, 29).
 */
import type { TlsPeer } from '../tls/secure.ts';
import type { HostRecord } from './messages.ts';

export class PeerHosts {
  readonly #machine: string;
  readonly #names: ReadonlySet<string>;
  #fingerprints: ReadonlyMap<string, string> = new Map();

  /** `names`: the hosts that the machine may use. */
  constructor(machine: string, names: readonly string[]) {
    this.#machine = machine;
    this.#names = new Set(names);
  }

  /** These leases hold now. */
  seen(present: readonly HostRecord[]): void {
    const known = present.filter(({ name, fingerprint }) => this.#names.has(name) && fingerprint !== undefined);
    this.#fingerprints = new Map(known.map(({ name, fingerprint }) => [fingerprint!, name]));
  }

  /** Why this host may not be the backup; undefined if it may. */
  refusal({ fingerprint }: Pick<TlsPeer, 'fingerprint'>): string | undefined {
    if (this.#fingerprints.has(fingerprint)) return undefined;
    const names = [...this.#fingerprints.values()].join(', ') || 'none has been seen';
    return `its certificate ${fingerprint.slice(0, 16)} is of none of the hosts of ${this.#machine} (${names})`;
  }
}
