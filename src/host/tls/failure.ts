/**
 * What goes wrong with certificates and handshakes, in words. Node and OpenSSL tell it as codes of three families (the
 * verdict over a chain, an error of the protocol, an alert that the peer sent); a person is told what, whose, and what to do.
 */
import { OperatingError } from '../../core/base/error.ts';

export type TlsErrorCode =
  /** A file of ours cannot be read or understood, or does not fit the others. */
  | 'tls-bad-files'
  /** The peer does not speak TLS. */
  | 'tls-plain-text'
  /** The peer speaks no TLS 1.3. */
  | 'tls-version'
  /** The peer has shown no certificate. */
  | 'tls-no-certificate'
  /** A certificate of another authority. */
  | 'tls-unknown-authority'
  | 'tls-expired'
  | 'tls-not-yet-valid'
  /** A certificate that is not for this use. */
  | 'tls-wrong-purpose'
  /** A certificate of another host. */
  | 'tls-wrong-name'
  /** A host of the authority, and not the one that it must be (PROTOCOL.md, 29). */
  | 'tls-not-authorised'
  /** The peer has refused us. */
  | 'tls-refused'
  /** The connection ended in the middle of the handshake. */
  | 'tls-cut'
  | 'tls-timeout'
  /** Anything else, with OpenSSL's words. */
  | 'tls-failed';

export type TlsError = OperatingError<TlsErrorCode>;

type Explanation = readonly [code: TlsErrorCode, what: string, advice: string];

const SAME_AUTHORITY =
  'Both sides need certificates of the same authority: compare "understudy keys show" of the files on both hosts.';
const UNKNOWN_AUTHORITY: Explanation = [
  'tls-unknown-authority',
  'its certificate is not of our authority',
  SAME_AUTHORITY,
];
const PLAIN: Explanation = [
  'tls-plain-text',
  'it does not speak TLS',
  'Give both sides --tls-certificate, --tls-key and --tls-authority, or neither.',
];
const VERSION: Explanation = [
  'tls-version',
  'it does not speak TLS 1.3, and nothing older is allowed',
  'Use a program with TLS 1.3 there.',
];
const EXPIRED: Explanation = [
  'tls-expired',
  'its certificate has expired',
  'Make it a new one ("understudy keys host"), and check the clocks of both hosts.',
];
const refused = (why: string, advice: string): Explanation => ['tls-refused', `it refuses us: ${why}`, advice];

/** By the `code` of the error or of the verdict. */
const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  CERT_SIGNATURE_FAILURE: UNKNOWN_AUTHORITY,
  CERT_UNTRUSTED: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: EXPIRED,
  CERT_NOT_YET_VALID: ['tls-not-yet-valid', 'its certificate is not valid yet', 'Check the clocks of both hosts.'],
  INVALID_PURPOSE: [
    'tls-wrong-purpose',
    'its certificate is not for this use',
    'A host needs a certificate for both server and client use, as "understudy keys host" makes it.',
  ],
  ERR_SSL_WRONG_VERSION_NUMBER: PLAIN,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: PLAIN,
  ERR_SSL_HTTP_REQUEST: PLAIN,
  ERR_SSL_UNEXPECTED_MESSAGE: PLAIN,
  ERR_SSL_BAD_RECORD_TYPE: PLAIN,
  ERR_SSL_NOT_SSL_RECORD_OR_UNKNOWN: PLAIN,
  ERR_SSL_RECORD_LENGTH_MISMATCH: PLAIN,
  ERR_SSL_UNSUPPORTED_PROTOCOL: VERSION,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: VERSION,
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: [
    'tls-no-certificate',
    'it shows no certificate',
    'Give it --tls-certificate, --tls-key and --tls-authority.',
  ],
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: refused('our certificate is not of its authority', SAME_AUTHORITY),
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: refused('it wants a certificate', 'Give this side a certificate.'),
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: refused('our certificate has expired', 'Make a new one.'),
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: refused('our certificate is bad', SAME_AUTHORITY),
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: refused('no common ground', 'Check what it says itself.'),
  ERR_TLS_HANDSHAKE_TIMEOUT: ['tls-timeout', 'the handshake took too long', 'Check the network between both hosts.'],
  ECONNRESET: [
    'tls-cut',
    'it ended the connection in the middle of the handshake',
    'Check that it uses TLS too, and what it says itself.',
  ],
  EPIPE: [
    'tls-cut',
    'it ended the connection in the middle of the handshake',
    'Check that it uses TLS too, and what it says itself.',
  ],
};

/** `who` names the peer: "host-b:7000", "the disk of web at host-c:7001". `error` is the error or the verdict's code. */
export function tlsError(who: string, error: unknown): TlsError {
  const explained = EXPLANATIONS[codeOf(error)];
  if (explained !== undefined) {
    const [code, what, advice] = explained;
    return new OperatingError(code, `no secure connection with ${who}: ${what}`, advice, { cause: error });
  }
  if (codeOf(error) === 'ERR_TLS_CERT_ALTNAME_INVALID') return wrongName(who, error as Error);
  const words = error instanceof Error ? error.message : String(error);
  return new OperatingError('tls-failed', `no secure connection with ${who}: ${words}`, SAME_AUTHORITY, {
    cause: error,
  });
}

/** A refusal by the peer in its own words, which it sent once the connection was secure. */
export function refusedByPeer(who: string, words: string): TlsError {
  return new OperatingError('tls-refused', `${who} refuses this host: ${words}`, SAME_AUTHORITY);
}

/** A host of the authority that is not the one wanted. */
export function notAuthorised(who: string, why: string): TlsError {
  return new OperatingError(
    'tls-not-authorised',
    `${who} is not let in: ${why}`,
    "Only the hosts of a machine's record may take part; if a host has a new certificate, form the pair anew.",
  );
}

function codeOf(error: unknown): string {
  if (typeof error === 'string') return error;
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === 'string' ? code : '';
}

function wrongName(who: string, error: Error): TlsError {
  const { reason } = error as Error & { reason?: string };
  return new OperatingError(
    'tls-wrong-name',
    `no secure connection with ${who}: its certificate is for another address (${reason ?? error.message})`,
    'Name it as its certificate does, or make a certificate with this address ("understudy keys host --address").',
    { cause: error },
  );
}
