/**
 * The store in etcd. A lease is a key with an etcd lease of its own, a new one at each writing: etcd's leader counts the time. A
 * document's version is its key's mod_revision, and compare-and-set one transaction on it.
 */
import { OperatingError } from '../../core/base/error.ts';
import type { EtcdClient } from '../arbiter/etcd-client.ts';
import { decodeText, encodeText, rangeEnd } from '../arbiter/etcd-client.ts';
import { checkKey, checkValue, type Document, type Lease, NO_VERSION, type Store } from './store.ts';

type KeyValue = { readonly key?: unknown; readonly value?: unknown; readonly mod_revision?: unknown };
type Range = { readonly kvs?: readonly KeyValue[] };

export class EtcdStore implements Store {
  readonly description: string;
  readonly #client: EtcdClient;
  readonly #prefix: string;

  /** `prefix` is the arbiter's: no machine's name begins with a dot, so the two do not meet. */
  constructor(client: EtcdClient, prefix: string) {
    this.#client = client;
    this.#prefix = `${prefix}/.store`;
    this.description = `the store ${client.description}, prefix ${this.#prefix}`;
  }

  async putLease(key: string, value: string, ttlMs: number): Promise<void> {
    checkKey(key);
    checkValue(value);
    const granted = await this.#call('lease/grant', { TTL: String(Math.ceil(ttlMs / 1000)) });
    const put = { key: encodeText(`${this.#prefix}/leases/${key}`), value: encodeText(value), lease: granted.ID };
    await this.#call('kv/put', put);
  }

  async dropLease(key: string): Promise<void> {
    checkKey(key);
    await this.#call('kv/deleterange', { key: encodeText(`${this.#prefix}/leases/${key}`) });
  }

  async leases(prefix: string): Promise<readonly Lease[]> {
    return (await this.#range('leases', prefix)).map(({ key, value }) => ({ key, value }));
  }

  async get(key: string): Promise<Document | undefined> {
    checkKey(key);
    const range = (await this.#call('kv/range', { key: this.#document(key) })) as Range;
    const found = range.kvs?.[0];
    return found === undefined ? undefined : { key, ...contentOf(found) };
  }

  async compareAndSet(
    key: string,
    value: string | null,
    expected: string | null,
  ): Promise<{ version: string } | undefined> {
    checkKey(key);
    checkValue(value ?? '');
    const name = this.#document(key);
    const answer = await this.#call('kv/txn', {
      compare: [{ target: 'MOD', result: 'EQUAL', key: name, mod_revision: expected ?? '0' }],
      success: [
        value === null
          ? { request_delete_range: { key: name } }
          : { request_put: { key: name, value: encodeText(value) } },
      ],
      failure: [{ request_range: { key: name } }],
    });
    if (answer.succeeded === true) {
      const { revision } = answer.header as { revision?: unknown };
      return { version: value === null ? NO_VERSION : String(revision) };
    }
    // Refused, or done already by a request whose answer was lost.
    const responses = answer.responses as readonly { response_range?: Range }[] | undefined;
    const found = responses?.[0]?.response_range?.kvs?.[0];
    const standing = found === undefined ? { value: null, version: NO_VERSION } : contentOf(found);
    return standing.value === value ? { version: standing.version } : undefined;
  }

  list(prefix: string): Promise<readonly Document[]> {
    return this.#range('documents', prefix);
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  async #call(path: string, body: object): Promise<Record<string, unknown>> {
    try {
      return await this.#client.call(path, body);
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      throw new OperatingError('store-away', error.message, error.advice, { cause: error });
    }
  }

  #document(key: string): string {
    return encodeText(`${this.#prefix}/documents/${key}`);
  }

  async #range(kind: 'leases' | 'documents', prefix: string): Promise<readonly Document[]> {
    const place = `${this.#prefix}/${kind}/`;
    const range = (await this.#call('kv/range', {
      key: encodeText(place + prefix),
      range_end: encodeText(rangeEnd(place + prefix)),
    })) as Range;
    // etcd gives them in the order of their keys.
    return (range.kvs ?? []).map((found) => ({
      key: decodeText(found.key).slice(place.length),
      ...contentOf(found),
    }));
  }
}

function contentOf(found: KeyValue): { value: string; version: string } {
  return { value: decodeText(found.value), version: String(found.mod_revision) };
}
