/**
 * The files of `understudy keys`: a private authority in a directory, and under it a directory for each host and operator, which is
 * all that it needs:
 *
 *     DIR/authority.pem  DIR/authority-key.pem          the key signs hosts, and belongs on none of them
 *     DIR/NAME/certificate.pem  key.pem  authority.pem  of the host or the operator NAME
 *
 * Nothing is ever overwritten, unless a host's certificate is renewed on a person's word. Keys are for their owner's eyes alone.
 */
import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { OperatingError } from '../../core/base/error.ts';
import { errorCode } from '../net/address.ts';
import { type HostSubject, issueHost, type KeyPair, makeAuthority, PURPOSE } from './certificate.ts';
import { certificatesIn, fingerprintOf, type TlsFiles } from './credentials.ts';
import { AUTHORITY_DAYS, HOST_DAYS } from './key-defaults.ts';
import { type CertificateRole, OPERATOR_UNIT, roleOf } from './role.ts';

export type KeysErrorCode =
  /** A file is there already. */
  | 'keys-exist'
  /** No authority in the directory, or one whose key cannot sign. */
  | 'keys-no-authority'
  | 'keys-bad-name'
  | 'keys-bad-file'
  | 'keys-cannot-write';

const AUTHORITY = { certificate: 'authority.pem', key: 'authority-key.pem' } as const;
const HOST = { certificate: 'certificate.pem', key: 'key.pem', authority: 'authority.pem' } as const;
const DAY_MS = 86_400_000;
/** Certificates begin to be valid so long ago, for hosts whose clocks are behind. */
const CLOCK_SKEW_MS = 3_600_000;
/** DNS labels (RFC 1123), which a file name may be too. */
const NAME = /^(?=.{1,64}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/;

export type Made = { readonly certificate: string; readonly key: string; readonly fingerprint: string };

/** Makes an authority in `directory`, which is made if need be. Throws OperatingError<KeysErrorCode>. */
export async function initAuthority(directory: string, days = AUTHORITY_DAYS): Promise<Made> {
  const paths = { certificate: join(directory, AUTHORITY.certificate), key: join(directory, AUTHORITY.key) };
  const made = await makeAuthority('Understudy private authority', fromNow(days));
  await makeDirectory(directory);
  await writeNew([
    [paths.key, made.key, 0o600],
    [paths.certificate, made.certificate, 0o644],
  ]);
  return { ...paths, fingerprint: fingerprintOf(new X509Certificate(made.certificate)) };
}

export type HostOptions = {
  /** Names and IP addresses by which others reach it, besides its name; for a renewal, undefined: as before. */
  readonly addresses?: readonly string[] | undefined;
  readonly days?: number | undefined;
  /** Replace the certificate and the key that are there. */
  readonly renew?: boolean | undefined;
};

/**
 * Makes the key and certificate of a host in `directory`/`name`, signed by the authority in `directory`.
 * Throws OperatingError<KeysErrorCode>.
 */
export async function makeHostKeys(
  name: string,
  directory: string,
  { addresses, days = HOST_DAYS, renew = false }: HostOptions = {},
): Promise<Made & Pick<TlsFiles, 'authority'>> {
  checkName(name);
  const others = addresses ?? (renew ? await namesOfOld(pathsIn(join(directory, name)).certificate) : []);
  for (const address of others) if (net.isIP(address) === 0) checkName(address);
  return writeKeys(directory, { name, addresses: [...new Set([name, ...others])] }, { days, renew });
}

/**
 * The same for a person who looks after machines: the certificate is for client use only, and no host's. Throws
 * OperatingError<KeysErrorCode>.
 */
export async function makeOperatorKeys(
  name: string,
  directory: string,
  { days = HOST_DAYS, renew = false }: Pick<HostOptions, 'days' | 'renew'> = {},
): Promise<Made & Pick<TlsFiles, 'authority'>> {
  checkName(name);
  const subject = { name, addresses: [], unit: OPERATOR_UNIT, purposes: [PURPOSE.client] };
  return writeKeys(directory, subject, { days, renew });
}

async function writeKeys(
  directory: string,
  subject: Omit<HostSubject, 'validity'>,
  { days, renew }: { readonly days: number; readonly renew: boolean },
): Promise<Made & Pick<TlsFiles, 'authority'>> {
  const authority = await readAuthority(directory);
  const home = join(directory, subject.name);
  const paths = pathsIn(home);
  const made = await sign(authority, directory, subject, days);
  await makeDirectory(home);
  const write = renew ? replaceAll : writeNew;
  await write([
    [paths.key, made.key, 0o600],
    [paths.certificate, made.certificate, 0o644],
    [paths.authority, authority.certificate, 0o644],
  ]);
  return { ...paths, fingerprint: fingerprintOf(new X509Certificate(made.certificate)) };
}

function pathsIn(home: string): TlsFiles {
  return {
    certificate: join(home, HOST.certificate),
    key: join(home, HOST.key),
    authority: join(home, HOST.authority),
  };
}

/** What `understudy keys show` tells of a certificate. */
export type CertificateFacts = {
  readonly name: string;
  readonly kind: 'authority' | CertificateRole;
  /** 'server', 'client', or both; empty for an authority. */
  readonly purposes: readonly string[];
  readonly addresses: readonly string[];
  readonly fingerprint: string;
  readonly issuer: string;
  /** ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly state: 'valid' | 'expired' | 'not valid yet';
  /** Whole days until it expires; negative once it has. */
  readonly daysLeft: number;
};

/** Of each certificate in a PEM file. Throws OperatingError<KeysErrorCode | 'tls-bad-files'>. */
export async function describeCertificates(path: string): Promise<CertificateFacts[]> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new OperatingError('keys-bad-file', `cannot read ${path}: ${error.message}`, 'Give the path of a PEM file.');
  });
  if (!text.includes('BEGIN CERTIFICATE') && text.includes('PRIVATE KEY')) {
    throw new OperatingError('keys-bad-file', `${path} is a private key`, 'Give the certificate that belongs to it.');
  }
  return certificatesIn(text, path).map(factsOf);
}

function factsOf(certificate: X509Certificate): CertificateFacts {
  const now = Date.now();
  const [from, to] = [certificate.validFromDate, certificate.validToDate];
  const listed = certificate.keyUsage as readonly string[] | undefined;
  const purposes = Object.entries(PURPOSE).filter(([, id]) => listed === undefined || listed.includes(id));
  return {
    name: commonName(certificate.subject),
    kind: certificate.ca ? 'authority' : roleOf(certificate),
    purposes: certificate.ca ? [] : purposes.map(([name]) => name),
    addresses: addressesOf(certificate),
    fingerprint: fingerprintOf(certificate),
    issuer: commonName(certificate.issuer),
    notBefore: from.toISOString(),
    notAfter: to.toISOString(),
    state: to.getTime() < now ? 'expired' : from.getTime() > now ? 'not valid yet' : 'valid',
    daysLeft: Math.floor((to.getTime() - now) / DAY_MS),
  };
}

function commonName(subject: string): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? subject.replaceAll('\n', ', ');
}

/** The names and IP addresses, as `DNS:a, IP Address:1.2.3.4` has them. */
function addressesOf(certificate: X509Certificate): string[] {
  return (certificate.subjectAltName ?? '')
    .split(', ')
    .map((name) => /^(?:DNS|IP Address):(.*)$/.exec(name)?.[1])
    .filter((name) => name !== undefined);
}

function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new OperatingError(
    'keys-bad-name',
    `'${name}' is no name of a host`,
    'Use letters, digits, hyphens and dots, 64 characters at most; or an IP address with --address.',
  );
}

async function readAuthority(directory: string): Promise<KeyPair> {
  try {
    return {
      certificate: await readFile(join(directory, AUTHORITY.certificate), 'utf8'),
      key: await readFile(join(directory, AUTHORITY.key), 'utf8'),
    };
  } catch (error) {
    throw new OperatingError(
      'keys-no-authority',
      `there is no authority in ${directory}: ${(error as Error).message}`,
      `Make one first: understudy keys init ${directory}`,
    );
  }
}

async function sign(
  authority: KeyPair,
  directory: string,
  subject: Omit<HostSubject, 'validity'>,
  days: number,
): Promise<KeyPair> {
  try {
    const issuer = new X509Certificate(authority.certificate);
    const validity = fromNow(days);
    if (issuer.validToDate < validity.notAfter) validity.notAfter = issuer.validToDate;
    const made = await issueHost(authority, { ...subject, validity });
    if (!new X509Certificate(made.certificate).verify(issuer.publicKey)) throw new Error('its key is of another one');
    return made;
  } catch (error) {
    throw new OperatingError(
      'keys-no-authority',
      `the authority in ${directory} cannot sign: ${(error as Error).message}`,
      'It must be one that "understudy keys init" has made; sign with another authority by its own means.',
      { cause: error },
    );
  }
}

async function namesOfOld(path: string): Promise<string[]> {
  const [old] = await describeCertificates(path);
  return [...(old?.addresses ?? [])];
}

function fromNow(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - CLOCK_SKEW_MS), notAfter: new Date(now + days * DAY_MS) };
}

type NewFile = readonly [path: string, text: string, mode: number];

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** All of them, or none: what was written is taken away again when a later one cannot be. */
async function writeNew(files: readonly NewFile[]): Promise<void> {
  const written: string[] = [];
  for (const [path, text, mode] of files) {
    try {
      await writeFile(path, text, { mode, flag: 'wx' });
      written.push(path);
    } catch (error) {
      for (const one of written) await rm(one, { force: true });
      throw errorCode(error) === 'EEXIST' ? exists(path) : cannotWrite(path, error);
    }
  }
}

/** Each file is replaced at once; a process that reads between two of them keeps what it has (credentials.ts). */
async function replaceAll(files: readonly NewFile[]): Promise<void> {
  const temporary = files.map(([path, text, mode]) => [`${path}.new`, text, mode] as const);
  for (const [path] of temporary) await rm(path, { force: true });
  await writeNew(temporary);
  for (const [path] of files) await rename(`${path}.new`, path);
}

function exists(path: string): OperatingError<KeysErrorCode> {
  return new OperatingError(
    'keys-exist',
    `${path} is there already, and is not overwritten`,
    'Choose another directory or name; a host\'s certificate is renewed with "understudy keys host --renew".',
  );
}

function cannotWrite(path: string, error: unknown): OperatingError<KeysErrorCode> {
  return new OperatingError(
    'keys-cannot-write',
    `cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`,
    'Choose a directory that you may write to.',
  );
}
