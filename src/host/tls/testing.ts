/** For tests only: an authority and its hosts' certificates in a directory of their own, good ones and bad ones. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HostSubject, issueHost, type KeyPair, makeAuthority } from './certificate.ts';
import { type CredentialSource, Credentials, type TlsFiles } from './credentials.ts';

const HOUR_MS = 3_600_000;

/** Valid from `fromHours` to `toHours`, counted from now. */
export function validity(fromHours: number, toHours: number) {
  const now = Date.now();
  return { notBefore: new Date(now + fromHours * HOUR_MS), notAfter: new Date(now + toHours * HOUR_MS) };
}

export class TestAuthority {
  readonly directory = mkdtempSync(join(tmpdir(), 'understudy-keys-'));
  readonly pair: KeyPair;
  readonly authorityFile: string;

  private constructor(pair: KeyPair) {
    this.pair = pair;
    this.authorityFile = this.#write('authority.pem', pair.certificate);
  }

  static async make(name = 'Test authority'): Promise<TestAuthority> {
    return new TestAuthority(await makeAuthority(name, validity(-1, 24)));
  }

  /** Writes a certificate and its key, valid for 127.0.0.1 and localhost unless told; nothing is checked. */
  async files(name: string, more: Partial<HostSubject> = {}): Promise<TlsFiles> {
    const addresses = ['localhost', '127.0.0.1'];
    const made = await issueHost(this.pair, { name, addresses, validity: validity(-1, 12), ...more });
    return {
      certificate: this.#write(`${name}.pem`, made.certificate),
      key: this.#write(`${name}-key.pem`, made.key),
      authority: this.authorityFile,
    };
  }

  async host(name: string, more: Partial<HostSubject> = {}): Promise<Credentials> {
    return Credentials.load(await this.files(name, more));
  }

  /** What a hostile or broken peer shows: nothing is checked on its own side. */
  async badHost(name: string, more: Partial<HostSubject>): Promise<CredentialSource> {
    const made = await issueHost(this.pair, { name, addresses: ['127.0.0.1'], validity: validity(-1, 12), ...more });
    const { notAfter } = more.validity ?? validity(-1, 12);
    return { current: { ...made, authority: this.pair.certificate, fingerprint: '', notAfter } };
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #write(name: string, text: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }
}
