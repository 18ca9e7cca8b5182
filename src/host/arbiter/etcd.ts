/**
 * The arbiter in etcd: one key a record, `<prefix>/<vm>/<name>` (record-arbiter.ts has the names).
 *
 * A record is published by one transaction: if the key has never been created (create_revision = 0) and the record beside which
 * it belongs has, put it; else show what stands there. etcd answers when a majority of its members has the transaction on disk,
 * so neither *won* nor *lost* is ever taken back by less than the loss of a majority. Transactions and reads go through
 * the members' agreement (linearizable, etcd's default): no member answers from an old copy.
 *
 * A transaction whose answer was lost may be sent again: the second finds what the first has put.
 */
import type { Arbiter } from './arbiter.ts';
import { decodeText, EtcdClient, type EtcdOptions, encodeText, rangeEnd } from './etcd-client.ts';
import { parseRecord, RecordArbiter, type Records } from './record-arbiter.ts';

export type EtcdArbiterOptions = EtcdOptions & {
  /** What all keys begin with, without a slash at its end. */
  readonly prefix: string;
};

/** Does not wait for etcd: whoever cannot reach it learns so by `trouble`. Throws OperatingError where a file is missing. */
export function openEtcdArbiter(options: EtcdArbiterOptions): Arbiter {
  const client = new EtcdClient(options);
  return new RecordArbiter(new EtcdRecords(client, options.prefix), options.timeoutMs + ENCLOSING_MS);
}

/** The client bounds its own requests; the arbiter's bound stands around it. An operation makes at most a few of them. */
const ENCLOSING_MS = 500;

type KeyValue = { readonly key?: unknown; readonly value?: unknown };
type Range = { readonly kvs?: readonly KeyValue[] };

class EtcdRecords implements Records {
  readonly description: string;
  readonly #client: EtcdClient;
  readonly #prefix: string;

  constructor(client: EtcdClient, prefix: string) {
    this.#client = client;
    this.#prefix = prefix;
    this.description = `the arbiter ${client.description}, prefix ${prefix}`;
  }

  /** Keys need no place. */
  async makePlace(): Promise<void> {}

  async publish(vm: string, name: string, content: object, beside: string | undefined): Promise<unknown> {
    const key = this.#keyOf(vm, name);
    const value = JSON.stringify(content);
    const answer = await this.#client.call('kv/txn', {
      compare: [
        { target: 'CREATE', result: 'EQUAL', key, create_revision: '0' },
        ...(beside === undefined
          ? []
          : [{ target: 'CREATE', result: 'GREATER', key: this.#keyOf(vm, beside), create_revision: '0' }]),
      ],
      success: [{ request_put: { key, value: encodeText(value) } }],
      failure: [{ request_range: { key } }],
    });
    if (answer.succeeded === true) return JSON.parse(value);
    const responses = answer.responses as readonly { response_range?: Range }[] | undefined;
    return standing(responses?.[0]?.response_range);
  }

  async read(vm: string, name: string): Promise<unknown> {
    return standing((await this.#client.call('kv/range', { key: this.#keyOf(vm, name) })) as Range);
  }

  async names(vm: string, prefix: string): Promise<readonly string[]> {
    const place = `${this.#prefix}/${vm}/`;
    const answer = (await this.#client.call('kv/range', {
      key: encodeText(place + prefix),
      range_end: encodeText(rangeEnd(place + prefix)),
      keys_only: true,
    })) as Range;
    return (answer.kvs ?? []).map(({ key }) => decodeText(key).slice(place.length));
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  #keyOf(vm: string, name: string): string {
    return encodeText(`${this.#prefix}/${vm}/${name}`);
  }
}

function standing(range: Range | undefined): unknown {
  const record = range?.kvs?.[0];
  return record === undefined ? undefined : parseRecord(decodeText(record.value));
}
