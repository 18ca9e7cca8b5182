/**
 * A channel's connection under TLS. In TLS 1.3 a client is done with the handshake before the server has judged its certificate,
 * so the server's first message is its verdict: one byte 1, or a byte 0 and the reason in words. Only then is there a
 * channel, and both sides know why there is none.
 */
import type net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { encodeFrame, HEADER_BYTES } from '../net/framing.ts';
import type { CredentialSource } from '../tls/credentials.ts';
import { notAuthorised, refusedByPeer, tlsError } from '../tls/failure.ts';
import { acceptSecure, connectSecure, type Secured, type TlsPeer } from '../tls/secure.ts';

export type ChannelTls = {
  readonly credentials: CredentialSource;
  /**
   * Whether that host may open a channel (PROTOCOL.md, 29): undefined if so, else why not. Every host of the authority may
   * where it is not given. Both sides ask it.
   */
  readonly authorise?: ((peer: TlsPeer) => string | undefined) | undefined;
};

/** What both sides agree on by ALPN, so that a connection meant for something else never becomes a channel. */
const PROTOCOL = 'understudy-channel/1';
const ACCEPTED = 1;
const VERDICT_LIMITS = { minLength: 1, maxLength: 1024 };

/** The listener's side. Rejects with TlsError; the client has been told if it could be. */
export async function acceptSecureChannel(raw: net.Socket, tls: ChannelTls, who: string): Promise<Secured> {
  const accepted = await acceptSecure(raw, { credentials: tls.credentials, who, protocol: PROTOCOL });
  const refusal = 'refusal' in accepted ? accepted.refusal : refusalOf(accepted.peer, tls, who);
  accepted.socket.on('error', () => {}); // 'close' follows
  if ('refusal' in accepted || refusal !== undefined) {
    accepted.socket.end(verdict(0, refusal!.message));
    throw refusal!;
  }
  accepted.socket.write(verdict(ACCEPTED, ''));
  return accepted;
}

/** The connecting side. Rejects with TlsError, `raw` destroyed. */
export async function connectSecureChannel(
  raw: net.Socket,
  tls: ChannelTls,
  who: string,
  serverName: string | undefined,
  timeoutMs: number,
): Promise<Secured> {
  const { credentials } = tls;
  const secured = await connectSecure(raw, { credentials, who, protocol: PROTOCOL, serverName, timeoutMs });
  const refusal = refusalOf(secured.peer, tls, who);
  if (refusal !== undefined) {
    secured.socket.destroy();
    throw refusal;
  }
  await readVerdict(secured.socket, who, timeoutMs);
  return secured;
}

function refusalOf(
  peer: TlsPeer,
  { authorise }: ChannelTls,
  who: string,
): ReturnType<typeof notAuthorised> | undefined {
  const why = peer.role === 'host' ? authorise?.(peer) : "its certificate is no host's";
  return why === undefined ? undefined : notAuthorised(`${who} (${peer.name})`, why);
}

function verdict(code: number, words: string): Buffer {
  const text = Buffer.from(words).subarray(0, VERDICT_LIMITS.maxLength - 1);
  return encodeFrame(Buffer.concat([Buffer.of(code), text]), VERDICT_LIMITS);
}

/** Returns once the server has accepted us; the socket is paused then, with all that came after the verdict unread. */
function readVerdict(socket: TLSSocket, who: string, timeoutMs: number): Promise<void> {
  let received = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    const settle = (error: Error | undefined) => {
      clearTimeout(timer);
      socket.off('data', take).off('error', fail).off('close', ended);
      if (error === undefined) return resolve();
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const fail = (error: unknown) => settle(tlsError(who, error));
    const ended = () => fail('ECONNRESET');
    const timer = setTimeout(() => fail('ERR_TLS_HANDSHAKE_TIMEOUT'), timeoutMs);
    const take = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < HEADER_BYTES) return;
      const length = received.readUInt32BE(0);
      if (length < VERDICT_LIMITS.minLength || length > VERDICT_LIMITS.maxLength) {
        return settle(tlsError(who, new Error('its first message makes no sense')));
      }
      const end = HEADER_BYTES + length;
      if (received.length < end) return;
      socket.pause();
      if (received.length > end) socket.unshift(received.subarray(end));
      const accepted = received[HEADER_BYTES] === ACCEPTED;
      settle(accepted ? undefined : refusedByPeer(who, received.toString('utf8', HEADER_BYTES + 1, end)));
    };
    socket.on('data', take).on('error', fail).on('close', ended);
  });
}
