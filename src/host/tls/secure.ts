/**
 * Puts TLS 1.3 on a connected socket, as server and as client, with a certificate from each side. Nothing older is spoken,
 * and no session is ever resumed: each connection shows its certificates anew, so that one that has expired is seen.
 *
 * A certificate of the authority proves only "some host" (PROTOCOL.md, 29). So both functions hand out the peer's fingerprint,
 * and whoever uses the connection asks whether that host may.
 */
import { constants, type X509Certificate } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import { type CredentialSource, fingerprintOf } from './credentials.ts';
import { type TlsError, tlsError } from './failure.ts';
import { type CertificateRole, roleOf } from './role.ts';

/** Who a connection is with, as its certificate says. */
export type TlsPeer = {
  /** SHA-256 of the certificate, 64 hexadecimal digits. */
  readonly fingerprint: string;
  /** The certificate's common name, for messages to people only. */
  readonly name: string;
  readonly role: CertificateRole;
};

export type Secured = {
  readonly socket: tls.TLSSocket;
  readonly peer: TlsPeer;
  /** The fingerprint of the certificate that this side has shown. */
  readonly own: string;
};

/** What a server has after the handshake. One that is refused can be told why, and must then be ended. */
export type Accepted = Secured | { readonly socket: tls.TLSSocket; readonly refusal: TlsError };

export type SecureOptions = {
  readonly credentials: CredentialSource;
  /** Names the peer in errors. */
  readonly who: string;
  /** Application protocol (ALPN) that both sides must agree on; undefined: none is asked for. */
  readonly protocol?: string | undefined;
  /** For the whole handshake. */
  readonly timeoutMs?: number;
};

export const HANDSHAKE_TIMEOUT_MS = 5000;

/** Options of node:tls that all our connections share; an HTTPS server takes them as they are. */
export function contextOptions(credentials: CredentialSource): tls.SecureContextOptions {
  const { certificate, key, authority } = credentials.current;
  return {
    cert: certificate,
    key,
    ca: authority,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/**
 * The server's side of the handshake on `raw`, which nobody else reads. Rejects with TlsError, `raw` destroyed, when there
 * is no secure connection; a client whose certificate is not in order is returned with its refusal.
 */
export function acceptSecure(raw: net.Socket, options: SecureOptions): Promise<Accepted> {
  const { credentials, who, protocol, timeoutMs = HANDSHAKE_TIMEOUT_MS } = options;
  const { current } = credentials;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      raw.destroy();
      reject(tlsError(who, error));
    };
    raw.once('error', fail);
    raw.once('close', () => fail('ECONNRESET')); // of no effect once it is settled
    // It never listens: it is the documented way to put TLS on a socket that came from elsewhere.
    const server = tls.createServer({
      ...contextOptions({ current }),
      requestCert: true,
      rejectUnauthorized: false, // judged below, so that the client can be told
      handshakeTimeout: timeoutMs,
      ...(protocol === undefined ? {} : { ALPNProtocols: [protocol] }),
    });
    server.once('tlsClientError', (error, socket) => {
      socket.on('error', () => {});
      fail(error);
    });
    server.once('secureConnection', (socket: tls.TLSSocket) => {
      if (protocol !== undefined && socket.alpnProtocol !== protocol) return fail(wrongProtocol(protocol));
      resolve(judge(socket, who, current.fingerprint));
    });
    server.emit('connection', raw);
  });
}

function judge(socket: tls.TLSSocket, who: string, own: string): Accepted {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    return { socket, refusal: tlsError(who, 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') };
  }
  if (!socket.authorized) return { socket, refusal: tlsError(who, socket.authorizationError ?? 'not authorized') };
  return { socket, peer: peerOf(certificate), own };
}

export type ConnectSecureOptions = SecureOptions & {
  /** The name or IP address that the server's certificate must hold; undefined where there is none (a unix socket). */
  readonly serverName: string | undefined;
};

/**
 * The client's side of the handshake on `raw`, which is connected. The server's certificate is of the authority and names
 * the server. Rejects with TlsError, `raw` destroyed. The server judges our certificate only after this; its protocol tells.
 */
export function connectSecure(raw: net.Socket, options: ConnectSecureOptions): Promise<Secured> {
  const { credentials, who, protocol, serverName, timeoutMs = HANDSHAKE_TIMEOUT_MS } = options;
  const { current } = credentials;
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      ...contextOptions({ current }),
      socket: raw,
      rejectUnauthorized: true,
      checkServerIdentity: (_, certificate) =>
        serverName === undefined ? undefined : tls.checkServerIdentity(serverName, certificate),
      ...(serverName === undefined || net.isIP(serverName) !== 0 ? {} : { servername: serverName }),
      ...(protocol === undefined ? {} : { ALPNProtocols: [protocol] }),
    });
    const fail = (error: unknown) => {
      clearTimeout(timer);
      socket.destroy();
      raw.destroy();
      reject(tlsError(who, error));
    };
    const timer = setTimeout(() => fail('ERR_TLS_HANDSHAKE_TIMEOUT'), timeoutMs);
    const ended = () => fail('ECONNRESET');
    socket.on('error', fail);
    socket.once('close', ended);
    socket.once('secureConnect', () => {
      if (protocol !== undefined && socket.alpnProtocol !== protocol) return fail(wrongProtocol(protocol));
      clearTimeout(timer);
      socket.off('error', fail);
      socket.off('close', ended);
      resolve({ socket, peer: peerOf(socket.getPeerX509Certificate()!), own: current.fingerprint });
    });
  });
}

/** Who shows this certificate, which has been verified. */
export function peerOf(certificate: X509Certificate): TlsPeer {
  const name = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? 'a host without a name';
  return { fingerprint: fingerprintOf(certificate), name, role: roleOf(certificate) };
}

function wrongProtocol(protocol: string): Error {
  return new Error(`it does not speak '${protocol}' there`);
}
