/**
 * What a host shows to others and how it judges them: its certificate, the key to it, and the authority that it trusts, from
 * three PEM files. All that can be wrong with them is told at the start, before anything listens.
 *
 * The files are looked at again for each handshake, so that a certificate can be renewed under a running process; new
 * files that are not in order are reported, and the old ones stay in use.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { OperatingError } from '../../core/base/error.ts';
import { PURPOSE } from './certificate.ts';
import type { TlsError } from './failure.ts';

/** Paths of PEM files. */
export type TlsFiles = {
  /** The host's certificate, and those between it and the authority, if there are any, after it. */
  readonly certificate: string;
  /** Its private key, not encrypted. */
  readonly key: string;
  /** The certificates of the authority. */
  readonly authority: string;
};

/** What the files hold, checked. */
export type Identity = {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
  /** Of this host's certificate. */
  readonly fingerprint: string;
  readonly notAfter: Date;
};

/** Where a handshake finds what to show: `Credentials`, whose files may be renewed under it. */
export type CredentialSource = { readonly current: Identity };

/** Whether both ends of connections show it, or those that connect only. */
export type CertificateUse = 'host' | 'client';

/** Longest chain that is followed from a host's certificate to the authority. */
const MAX_CHAIN = 5;
const MAX_FILE_BYTES = 1024 * 1024;

/** The SHA-256 of a certificate (its DER form): 64 hexadecimal digits. By it the arbiter's record names a host. */
export function fingerprintOf(certificate: { readonly fingerprint256: string }): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}

export class Credentials implements CredentialSource {
  readonly files: TlsFiles;
  readonly #use: CertificateUse;
  readonly #onProblem: (line: string) => void;
  #identity: Identity;
  #seen: string;

  private constructor(files: TlsFiles, onProblem: (line: string) => void, use: CertificateUse) {
    this.files = files;
    this.#use = use;
    this.#onProblem = onProblem;
    this.#seen = versionOf(files);
    this.#identity = loadIdentity(files, use);
  }

  /**
   * Reads and checks the files. `onProblem` is told, a line each, when renewed files cannot be used. `use`: what the certificate
   * must be good for; a host is server to one and client to another.
   * Throws OperatingError `tls-bad-files`.
   */
  static load(
    files: TlsFiles,
    onProblem: (line: string) => void = () => {},
    use: CertificateUse = 'host',
  ): Credentials {
    return new Credentials(files, onProblem, use);
  }

  /** What is valid now: the files' content if it is in order, else what was before. */
  get current(): Identity {
    try {
      const now = versionOf(this.files);
      if (now !== this.#seen) {
        this.#seen = now;
        this.#identity = loadIdentity(this.files, this.#use);
      }
    } catch (error) {
      this.#onProblem(`the renewed TLS files are not used: ${(error as Error).message}`);
    }
    return this.#identity;
  }
}

/** Changes whenever a file is written or replaced. Missing files count as a version too. */
function versionOf(files: TlsFiles): string {
  const versions = [files.certificate, files.key, files.authority].map((path) => {
    const found = statSync(path, { throwIfNoEntry: false, bigint: true });
    return found === undefined ? 'missing' : `${found.ino} ${found.size} ${found.mtimeNs}`;
  });
  return versions.join(', ');
}

function loadIdentity(files: TlsFiles, use: CertificateUse): Identity {
  const certificate = read(files.certificate, 'certificate');
  const authority = read(files.authority, 'authority');
  const chain = certificatesIn(certificate, files.certificate);
  const authorities = certificatesIn(authority, files.authority);
  const host = chain[0]!;
  const key = readKey(files.key);
  checkValidity(host, files.certificate);
  for (const one of authorities) checkValidity(one, files.authority);
  checkUse(host, files.certificate, use);
  if (!host.checkPrivateKey(key)) {
    throw bad(
      `${files.key} is not the key of the certificate ${files.certificate}`,
      'Give the two that belong together.',
    );
  }
  if (!authorities.every((one) => one.ca)) {
    throw bad(`${files.authority} holds a certificate of no authority`, "Give the authority's own certificate.");
  }
  checkChain(chain, authorities, files);
  checkUsable(certificate, key, files);
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { certificate, key: pem, authority, fingerprint: fingerprintOf(host), notAfter: host.validToDate };
}

function read(path: string, what: string): string {
  try {
    const { size } = statSync(path);
    if (size > MAX_FILE_BYTES) throw new Error(`it has ${size} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw bad(
      `cannot read the TLS ${what} ${path}: ${(error as Error).message}`,
      '"understudy keys" makes these files.',
    );
  }
}

/** All certificates of a PEM file, at least one. */
export function certificatesIn(pem: string, path: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length === 0) throw new Error('there is no CERTIFICATE block in it');
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw bad(`${path} is no PEM file of certificates: ${(error as Error).message}`, 'Give a file in PEM form.');
  }
}

function readKey(path: string): KeyObject {
  const pem = read(path, 'key');
  if ((statSync(path).mode & 0o007) !== 0) {
    throw bad(`everybody on this host may read the key ${path}`, `Make it private: chmod 600 ${path}`);
  }
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const encrypted = pem.includes('ENCRYPTED');
    const why = encrypted ? 'it is encrypted, and nobody is there to give the passphrase' : (error as Error).message;
    throw bad(
      `${path} holds no private key that can be used: ${why}`,
      'Give a PEM file with a key that is not encrypted.',
    );
  }
}

function checkValidity(certificate: X509Certificate, path: string): void {
  const now = new Date();
  if (certificate.validToDate < now) {
    throw bad(`the certificate ${path} has expired on ${day(certificate.validToDate)}`, 'Make a new one.');
  }
  if (certificate.validFromDate > now) {
    throw bad(
      `the certificate ${path} is not valid before ${day(certificate.validFromDate)}`,
      "Check this host's clock.",
    );
  }
}

/** A certificate without the extension may be used for everything (RFC 5280, 4.2.1.12). */
function checkUse(host: X509Certificate, path: string, use: CertificateUse): void {
  if (host.ca) {
    throw bad(`${path} is an authority's certificate, not a host's`, 'Make one with "understudy keys host".');
  }
  const purposes = host.keyUsage as readonly string[] | undefined;
  const needs = Object.entries(PURPOSE).filter(([name]) => use === 'host' || name === 'client');
  const lacks = needs.filter(([, id]) => purposes !== undefined && !purposes.includes(id));
  if (lacks.length > 0) {
    const names = lacks.map(([name]) => name).join(' nor ');
    throw bad(
      `the certificate ${path} is not for use as a TLS ${names}`,
      use === 'host'
        ? 'A host needs one for both server and client use (extended key usage serverAuth and clientAuth).'
        : 'An operator needs one for client use (extended key usage clientAuth).',
    );
  }
}

function checkChain(chain: readonly X509Certificate[], authorities: readonly X509Certificate[], files: TlsFiles): void {
  const signed = (by: X509Certificate, one: X509Certificate) => one.checkIssued(by) && one.verify(by.publicKey);
  let at = chain[0]!;
  for (let length = 0; length < MAX_CHAIN; length++) {
    if (authorities.some((authority) => signed(authority, at))) return;
    const next = chain.find((between) => between !== at && signed(between, at));
    if (next === undefined) break;
    at = next;
  }
  throw bad(
    `the certificate ${files.certificate} was not signed by the authority ${files.authority}`,
    'Give the authority that signed it; certificates between the two follow it in its file.',
  );
}

/** What OpenSSL itself refuses, such as an RSA key that is too short. */
function checkUsable(cert: string, key: KeyObject, files: TlsFiles): void {
  try {
    createSecureContext({ cert, key: key.export({ type: 'pkcs8', format: 'pem' }), minVersion: 'TLSv1.3' });
  } catch (error) {
    throw bad(
      `the certificate ${files.certificate} cannot be used for TLS 1.3: ${(error as Error).message}`,
      'Use ECDSA on P-256, Ed25519, or RSA of 2048 bits or more.',
    );
  }
}

function day(date: Date): string {
  return date.toISOString().slice(0, 16).replace('T', ' ').concat(' UTC');
}

function bad(message: string, advice: string): TlsError {
  return new OperatingError('tls-bad-files', message, advice);
}
