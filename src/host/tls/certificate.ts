/**
 * Makes X.509 certificates (RFC 5280): a private authority's own, and those that it signs for hosts. Keys are ECDSA on P-256,
 * which every TLS 1.3 library knows. A host's certificate serves both ends of a connection (serverAuth and clientAuth), since
 * every host is now one and now the other.
 *
 * The signing is WebCrypto's; pkijs and asn1js write the structure around it (docs/dependencies.md).
 */
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import net from 'node:net';
import { BitString, Integer, OctetString, Sequence, Set as SetOf, Utf8String } from 'asn1js';
import {
  AltName,
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  Extension,
  ExtKeyUsage,
  GeneralName,
  RelativeDistinguishedNames,
} from 'pkijs';

/** A certificate and its private key (PKCS #8), both as PEM. */
export type KeyPair = { readonly certificate: string; readonly key: string };

export type Validity = { readonly notBefore: Date; readonly notAfter: Date };

export const PURPOSE = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;
const COMMON_NAME = '2.5.4.3';
const ORGANIZATIONAL_UNIT = '2.5.4.11';
const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
/** KeyUsage (RFC 5280, 4.2.1.3), its bits from the left: digitalSignature is the first, keyCertSign and cRLSign the sixth and seventh. */
const SIGNS_DATA = { bits: 0b1000_0000, unusedBits: 7 } as const;
const SIGNS_CERTIFICATES = { bits: 0b0000_0110, unusedBits: 1 } as const;
/** RFC 5280, 4.1.2.5: UTCTime has two digits for the year, and ends with 2049. */
const FIRST_YEAR_OF_GENERALIZED_TIME = 2050;

/** An authority that signs hosts' certificates and no other authorities. */
export async function makeAuthority(name: string, validity: Validity): Promise<KeyPair> {
  const pair = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const certificate = await blank(name, pair.publicKey, validity);
  certificate.issuer = certificate.subject;
  certificate.extensions = [
    extension(EXTENSION.basicConstraints, true, new BasicConstraints({ cA: true, pathLenConstraint: 0 })),
    keyUsage(SIGNS_CERTIFICATES),
    await subjectKeyIdentifier(certificate),
  ];
  return finish(certificate, pair.privateKey, pair.privateKey);
}

/** What a host's certificate says. */
export type HostSubject = {
  readonly name: string;
  /** The organizational unit, if it is of one. */
  readonly unit?: string;
  /** DNS names and IP addresses by which others reach it; none for who only connects to others. */
  readonly addresses: readonly string[];
  readonly validity: Validity;
  /** Object identifiers; both of `PURPOSE` unless told. */
  readonly purposes?: readonly string[];
};

/** A host's or an operator's certificate, signed by `authority`, whose key is ECDSA on P-256. Throws what node:crypto throws for another. */
export async function issueHost(authority: KeyPair, subject: HostSubject): Promise<KeyPair> {
  const issuer = Certificate.fromBER(new X509Certificate(authority.certificate).raw);
  const signer = createPrivateKey(authority.key).toCryptoKey(P256, false, ['sign']);
  const pair = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const certificate = await blank(subject.name, pair.publicKey, subject.validity, subject.unit);
  certificate.issuer = issuer.subject;
  certificate.extensions = [
    extension(EXTENSION.basicConstraints, true, new BasicConstraints({ cA: false })),
    keyUsage(SIGNS_DATA),
    extension(
      EXTENSION.extendedKeyUsage,
      false,
      new ExtKeyUsage({ keyPurposes: [...(subject.purposes ?? Object.values(PURPOSE))] }),
    ),
    ...alternativeNames(subject.addresses),
    await subjectKeyIdentifier(certificate),
    await authorityKeyIdentifier(issuer),
  ];
  return finish(certificate, pair.privateKey, signer);
}

/** RFC 5280, 4.2.1.6: the list is never empty. */
function alternativeNames(addresses: readonly string[]): Extension[] {
  if (addresses.length === 0) return [];
  return [extension(EXTENSION.subjectAlternativeName, false, new AltName({ altNames: addresses.map(toGeneralName) }))];
}

async function blank(
  name: string,
  publicKey: webcrypto.CryptoKey,
  validity: Validity,
  unit?: string,
): Promise<Certificate> {
  const certificate = new Certificate({ version: 2, serialNumber: new Integer({ valueHex: randomSerial() }) });
  certificate.subject = distinguishedName([
    ...(unit === undefined ? [] : [[ORGANIZATIONAL_UNIT, unit] as const]),
    [COMMON_NAME, name],
  ]);
  for (const end of ['notBefore', 'notAfter'] as const) {
    certificate[end].value = validity[end];
    certificate[end].type = validity[end].getUTCFullYear() >= FIRST_YEAR_OF_GENERALIZED_TIME ? 1 : 0;
  }
  await certificate.subjectPublicKeyInfo.importKey(publicKey);
  return certificate;
}

/** One attribute after the other; pkijs alone would make one name of them all. */
function distinguishedName(
  attributes: readonly (readonly [type: string, value: string])[],
): RelativeDistinguishedNames {
  const parts = attributes.map(([type, value]) => {
    const attribute = new AttributeTypeAndValue({ type, value: new Utf8String({ value }) });
    return new SetOf({ value: [attribute.toSchema()] });
  });
  return RelativeDistinguishedNames.fromBER(new Sequence({ value: parts }).toBER());
}

async function finish(
  certificate: Certificate,
  key: webcrypto.CryptoKey,
  signer: webcrypto.CryptoKey,
): Promise<KeyPair> {
  await certificate.sign(signer, 'SHA-256');
  const der = new Uint8Array(certificate.toSchema(true).toBER(false));
  const pkcs8 = new Uint8Array(await webcrypto.subtle.exportKey('pkcs8', key));
  return { certificate: toPem('CERTIFICATE', der), key: toPem('PRIVATE KEY', pkcs8) };
}

/** 127 random bits: positive, and never the same twice. */
function randomSerial(): Uint8Array<ArrayBuffer> {
  const serial = Uint8Array.from(randomBytes(16));
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  return serial;
}

function extension(id: string, critical: boolean, content: { toSchema(): { toBER(sizeOnly: boolean): ArrayBuffer } }) {
  return new Extension({ extnID: id, critical, extnValue: content.toSchema().toBER(false) });
}

function keyUsage({ bits, unusedBits }: { readonly bits: number; readonly unusedBits: number }): Extension {
  const value = new BitString({ valueHex: Uint8Array.of(bits), unusedBits });
  return new Extension({ extnID: EXTENSION.keyUsage, critical: true, extnValue: value.toBER(false) });
}

/** RFC 5280, 4.2.1.2, method 1: the SHA-1 of the public key's bits. It names a key, and protects nothing. */
async function keyIdentifier(certificate: Certificate): Promise<ArrayBuffer> {
  const bits = certificate.subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView;
  return webcrypto.subtle.digest('SHA-1', Uint8Array.from(bits));
}

async function subjectKeyIdentifier(certificate: Certificate): Promise<Extension> {
  const value = new OctetString({ valueHex: await keyIdentifier(certificate) });
  return new Extension({
    extnID: EXTENSION.subjectKeyIdentifier,
    critical: false,
    extnValue: value.toBER(false),
  });
}

async function authorityKeyIdentifier(issuer: Certificate): Promise<Extension> {
  const content = new AuthorityKeyIdentifier({
    keyIdentifier: new OctetString({ valueHex: await keyIdentifier(issuer) }),
  });
  return extension(EXTENSION.authorityKeyIdentifier, false, content);
}

/** RFC 5280, 4.2.1.6: tag 7 is an IP address as its 4 or 16 bytes, tag 2 a DNS name. */
function toGeneralName(address: string): GeneralName {
  if (net.isIP(address) === 0) return new GeneralName({ type: 2, value: address });
  return new GeneralName({ type: 7, value: new OctetString({ valueHex: ipBytes(address) }) });
}

function ipBytes(address: string): Uint8Array<ArrayBuffer> {
  if (net.isIPv4(address)) return Uint8Array.from(address.split('.'), Number);
  // A URL's host is the canonical form: groups in hexadecimal, `::` once at most.
  const [head, tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::') as [string, string | undefined];
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const groups = [...left, ...middle, ...right].map((group) => Number.parseInt(group, 16));
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
