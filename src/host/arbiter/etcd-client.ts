/**
 * A client of etcd's v3 API by its gRPC-JSON gateway, which every etcd from 3.4 on serves on its client port: an HTTP POST with a
 * JSON body, keys and values in base64 (etcd documentation, "gRPC gateway"). That needs no package beside Node's own HTTP.
 *
 * Members are asked in turn, beginning with the one that answered last; one that refuses, hangs or has lost its quorum is passed
 * over. So a request may be performed twice, and only such requests may be made as can be repeated.
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { OperatingError } from '../../core/base/error.ts';
import { reasonOf } from './reason.ts';

export type EtcdOptions = {
  /** `host:port` of one or more members. */
  readonly members: readonly string[];
  readonly tls: EtcdTls | undefined;
  readonly user: string | undefined;
  /** A file whose first line is the user's password. */
  readonly passwordFile: string | undefined;
  /** Bound of one request over all members, in milliseconds. */
  readonly timeoutMs: number;
};

/** Paths of PEM files. Without `ca`, the system's authorities count. */
export type EtcdTls = {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
};

const MAX_ANSWER_BYTES = 16 << 20;

/** A connection that has been idle for long may be dead at the other end, which costs a time-out: it is not kept. */
const KEPT = { keepAlive: true, timeout: 10_000 };

export class EtcdClient {
  /** For messages: the members' addresses. */
  readonly description: string;
  readonly #options: EtcdOptions;
  readonly #agent: http.Agent | https.Agent;
  #first = 0;
  #token: string | undefined;

  /** Throws OperatingError `arbiter-refuses` where a file of the options cannot be read. */
  constructor(options: EtcdOptions) {
    this.#options = options;
    this.description = `etcd at ${options.members.join(', ')}`;
    const { tls } = options;
    this.#agent =
      tls === undefined
        ? new http.Agent(KEPT)
        : new https.Agent({ ...KEPT, ca: pem(tls.ca), cert: pem(tls.cert), key: pem(tls.key) });
  }

  /**
   * One call, such as `call('kv/range', {...})`. Throws OperatingError: `arbiter-refuses` where the user or the certificate is
   * not accepted, else `arbiter-away`.
   */
  async call(path: string, body: object): Promise<Record<string, unknown>> {
    const { members, timeoutMs } = this.#options;
    const deadlineMs = performance.now() + timeoutMs;
    const failures: string[] = [];
    // One more than there are members: a connection kept from before may have been cut at the other end.
    for (let left = members.length + 1; left > 0; left--) {
      const member = members[this.#first]!;
      const budgetMs = (deadlineMs - performance.now()) / left;
      if (budgetMs <= 0) break;
      try {
        return await this.#callMember(member, path, body, performance.now() + budgetMs);
      } catch (error) {
        if (error instanceof OperatingError) throw error;
        const failure = `${member}: ${reasonOf(error)}`;
        if (!failures.includes(failure)) failures.push(failure);
        this.#first = (this.#first + 1) % members.length;
      }
    }
    throw new OperatingError(
      'arbiter-away',
      `${this.description} does not answer (${failures.join('; ')})`,
      'Look whether etcd runs there, has its quorum, and can be reached from this host.',
    );
  }

  close(): void {
    this.#agent.destroy();
  }

  async #callMember(member: string, path: string, body: object, deadlineMs: number): Promise<Record<string, unknown>> {
    if (this.#options.user === undefined) return this.#ask(member, path, body, deadlineMs);
    for (let again = 0; ; again++) {
      this.#token ??= await this.#authenticate(member, deadlineMs);
      try {
        return await this.#ask(member, path, body, deadlineMs);
      } catch (error) {
        // Tokens end after some minutes, and with the member that gave them.
        const stale = error instanceof OperatingError && /auth token/.test(error.message);
        if (!stale || again > 0) throw error;
        this.#token = undefined;
      }
    }
  }

  async #authenticate(member: string, deadlineMs: number): Promise<string> {
    const { user: name, passwordFile } = this.#options;
    const password = passwordFile === undefined ? '' : readPrivate(passwordFile).split('\n')[0];
    const { token } = await this.#ask(member, 'auth/authenticate', { name, password }, deadlineMs);
    if (typeof token !== 'string') throw new Error('no token for the user');
    return token;
  }

  async #ask(member: string, path: string, body: object, deadlineMs: number): Promise<Record<string, unknown>> {
    const { status, text } = await this.#post(member, path, JSON.stringify(body), deadlineMs);
    const answer = parseObject(text);
    if (status === 200 && answer !== undefined) return answer;
    const message = String(answer?.message ?? answer?.error ?? `status ${status} and no answer of etcd`);
    if (!isRefusal(answer, message)) throw new Error(message);
    throw new OperatingError(
      'arbiter-refuses',
      `etcd at ${member} refuses this user: ${message}`,
      'Give a user with read and write rights to the prefix, and its password in a file (password-file=).',
    );
  }

  #post(member: string, path: string, body: string, deadlineMs: number): Promise<{ status: number; text: string }> {
    const { tls } = this.#options;
    const url = new URL(`${tls === undefined ? 'http' : 'https'}://${member}/v3/${path}`);
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...(this.#token === undefined || path.startsWith('auth/') ? {} : { authorization: this.#token }),
    };
    const timeoutMs = Math.max(1, deadlineMs - performance.now());
    return new Promise((resolve, reject) => {
      const request = (tls === undefined ? http : https).request(url, { method: 'POST', agent: this.#agent, headers });
      const timer = setTimeout(() => request.destroy(new Error('no answer in time')), timeoutMs);
      const fail = (error: Error): void => {
        clearTimeout(timer);
        reject(error);
      };
      request.on('error', fail);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        response.on('data', (chunk: Buffer) => {
          length += chunk.length;
          if (length > MAX_ANSWER_BYTES) request.destroy(new Error('the answer is too long'));
          else chunks.push(chunk);
        });
        response.on('error', fail);
        response.on('end', () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
        });
      });
      request.end(body);
    });
  }
}

/** gRPC's codes 3 (how etcd says wrong password, or no user given), 7 and 16. */
function isRefusal(answer: Record<string, unknown> | undefined, message: string): boolean {
  const code = answer?.code;
  return code === 7 || code === 16 || (code === 3 && /authentication|user name|auth token/.test(message));
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function pem(path: string | undefined): string | undefined {
  return path === undefined ? undefined : readPrivate(path);
}

function readPrivate(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new OperatingError(
      'arbiter-refuses',
      `cannot read ${path} for the arbiter: ${reasonOf(error)}`,
      "Check the path in the arbiter's address, and the rights to the file.",
    );
  }
}

/** Keys and values are bytes, in base64. */
export function encodeText(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

export function decodeText(base64: unknown): string {
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64').toString('utf8') : '';
}

/** The end of the range of all keys that begin with `prefix`, which ends in a character below U+007F. */
export function rangeEnd(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1);
  return prefix.slice(0, -1) + String.fromCharCode(last + 1);
}
