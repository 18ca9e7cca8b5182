/** The replica's channels by number: messages out, messages and ends in. */
import { OperatingError } from '../../core/base/error.ts';
import type { Message } from '../../core/replication/message.ts';
import { decodeMessage, encodeMessage, MAX_MESSAGE_BYTES, MessageError } from '../../core/replication/message-codec.ts';
import type { ChannelCertificates, ChannelId } from '../../core/replication/replica.ts';
import {
  type Channel,
  type ChannelEvents,
  type ChannelListener,
  type ChannelOptions,
  connectChannel,
  listenForChannels,
} from '../channel/channel.ts';
import type { ChannelTls } from '../channel/secure-channel.ts';
import type { StreamAddress } from '../net/address.ts';

export interface ChannelsEvents {
  /** With what both ends have shown (PROTOCOL.md, 29); undefined without TLS. */
  readonly onOpen: (channel: ChannelId, certificates: ChannelCertificates | undefined) => void;
  readonly onMessage: (channel: ChannelId, message: Message) => void;
  /** The peer speaks another version of the protocol. The channel stays open, so that it can be told. */
  readonly onOtherVersion: (channel: ChannelId, version: number) => void;
  readonly onClosed: (channel: ChannelId, why: string) => void;
  /** Somebody connected and was not let in, or this host was not. Of the same again and again, one in a minute. */
  readonly onRefused: (why: string) => void;
}

const LIMITS = { maxMessageBytes: MAX_MESSAGE_BYTES };
/** Numbers of accepted channels; those that a backup opens begin at 1. */
const FIRST_ACCEPTED = 1_000_000;
const TELL_AGAIN_MS = 60_000;
const MAX_TOLD = 100;

function certificatesOf({ identity, ownFingerprint: own }: Channel): ChannelCertificates | undefined {
  return identity === undefined || own === undefined ? undefined : { own, peer: identity.fingerprint };
}

export class Channels {
  readonly #events: ChannelsEvents;
  readonly #options: ChannelOptions;
  readonly #open = new Map<ChannelId, Channel>();
  /** Closed before they were open. */
  readonly #cancelled = new Set<ChannelId>();
  readonly #connecting = new Set<ChannelId>();
  /** When it was told last that somebody is not let in. */
  readonly #told = new Map<string, number>();
  #nextAccepted = FIRST_ACCEPTED;
  #listener: ChannelListener | undefined;

  constructor(events: ChannelsEvents, tls: ChannelTls | undefined) {
    this.#events = events;
    this.#options = { ...LIMITS, tls };
  }

  /** Where it listens, with the port that was bound. Throws OperatingError for an address in use. */
  async listen(address: StreamAddress): Promise<StreamAddress> {
    this.#listener = await listenForChannels(
      address,
      (channel) => {
        const id = this.#nextAccepted++;
        this.#open.set(id, channel);
        this.#events.onOpen(id, certificatesOf(channel));
        return this.#eventsOf(id);
      },
      { ...this.#options, onRefused: (reason) => this.#tell(reason) },
    );
    return this.#listener.address;
  }

  async connect(id: ChannelId, address: StreamAddress): Promise<void> {
    this.#connecting.add(id);
    try {
      const channel = await connectChannel(address, this.#eventsOf(id), { ...this.#options, timeoutMs: 1000 });
      if (this.#cancelled.delete(id)) return channel.close();
      this.#open.set(id, channel);
      this.#events.onOpen(id, certificatesOf(channel));
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      if (error.code.startsWith('tls-')) this.#tell(error);
      if (!this.#cancelled.delete(id)) this.#events.onClosed(id, error.message);
    } finally {
      this.#connecting.delete(id);
    }
  }

  /** A peer that is not let in tries again many times a second, each time from another port. */
  #tell({ message }: OperatingError): void {
    const key = message.replaceAll(/:\d+/g, '');
    const nowMs = performance.now();
    if (nowMs - (this.#told.get(key) ?? Number.NEGATIVE_INFINITY) < TELL_AGAIN_MS) return;
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.set(key, nowMs);
    this.#events.onRefused(message);
  }

  #eventsOf(id: ChannelId): ChannelEvents {
    return {
      onMessage: (bytes) => this.#received(id, bytes),
      onClose: ({ kind, detail }) => {
        if (this.#open.delete(id) && kind !== 'local') this.#events.onClosed(id, detail);
      },
    };
  }

  #received(id: ChannelId, bytes: Uint8Array): void {
    let message: Message;
    try {
      message = decodeMessage(bytes);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      if (error.code === 'channel-other-version') return this.#events.onOtherVersion(id, error.version);
      const channel = this.#open.get(id);
      this.#open.delete(id);
      channel?.abort();
      this.#events.onClosed(id, error.message);
      return;
    }
    this.#events.onMessage(id, message);
  }

  send(id: ChannelId, message: Message): void {
    this.#open.get(id)?.send(encodeMessage(message));
  }

  close(id: ChannelId): void {
    const channel = this.#open.get(id);
    this.#open.delete(id);
    if (channel !== undefined) channel.close();
    else if (this.#connecting.has(id)) this.#cancelled.add(id);
  }

  async closeAll(): Promise<void> {
    await this.#listener?.close();
    for (const id of [...this.#open.keys()]) this.close(id);
  }
}
