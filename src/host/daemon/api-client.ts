/** A host's API as the command and other hosts' replicas use it: calls, with answers checked and errors in words. */
import type { z } from 'zod';
import { OperatingError } from '../../core/base/error.ts';
import {
  errorBodySchema,
  type HostRecord,
  type HostReport,
  hostListSchema,
  hostReportSchema,
  type MachineRecord,
  machineListSchema,
  type ReplicaReport,
  type ReplicaRequestInput,
  replicaReportSchema,
} from './messages.ts';
import { type ApiCall, type ApiTls, callApi } from './transport.ts';

const TIMEOUT_MS = 5000;
/** A replica compiles its engine and opens its disk before it answers. */
const START_TIMEOUT_MS = 30_000;

export class HostClient {
  /** HOST:PORT. */
  readonly address: string;
  readonly #tls: ApiTls | undefined;

  constructor(address: string, tls?: ApiTls) {
    this.address = address;
    this.#tls = tls;
  }

  /** Every method throws OperatingError `host-unreachable`, or with the code and the words of the host. */
  report(): Promise<HostReport> {
    return this.#ask('GET', '/v1/host', hostReportSchema);
  }

  async hosts(): Promise<readonly HostRecord[]> {
    return (await this.#ask('GET', '/v1/hosts', hostListSchema)).hosts;
  }

  async machines(): Promise<readonly MachineRecord[]> {
    return (await this.#ask('GET', '/v1/machines', machineListSchema)).machines;
  }

  /** Says that this machine is wanted. `machine-exists` if it is known already. */
  async addMachine(record: MachineRecord): Promise<void> {
    await this.#call('PUT', `/v1/machines/${record.name}`, record);
  }

  async want(machine: string, wanted: MachineRecord['wanted'] | 'gone'): Promise<void> {
    await this.#call('POST', `/v1/machines/${machine}/wanted`, { wanted });
  }

  startReplica(request: ReplicaRequestInput): Promise<ReplicaReport> {
    return this.#ask('POST', '/v1/replicas', replicaReportSchema, request, START_TIMEOUT_MS);
  }

  async tellReplica(machine: string, what: 'stop' | 'hand-over'): Promise<void> {
    await this.#call('POST', `/v1/replicas/${machine}/${what}`);
  }

  async #ask<Answer>(
    method: ApiCall['method'],
    path: string,
    schema: z.ZodType<Answer>,
    body?: object,
    timeoutMs?: number,
  ): Promise<Answer> {
    const parsed = schema.safeParse(await this.#call(method, path, body, timeoutMs));
    if (parsed.success) return parsed.data;
    throw this.#stranger();
  }

  async #call(method: ApiCall['method'], path: string, body?: object, timeoutMs = TIMEOUT_MS): Promise<unknown> {
    const { address } = this;
    const { status, text } = await callApi({ method, address, path, body, timeoutMs }, this.#tls).catch(
      (error: Error) => {
        throw unreachable(address, error.name === 'TimeoutError' ? 'no answer in time' : reasonOf(error));
      },
    );
    const answer = jsonOf(text);
    if (status >= 200 && status < 300) return answer;
    const { data } = errorBodySchema.safeParse(answer);
    if (data === undefined) throw this.#stranger();
    throw new OperatingError(data.error.code, data.error.message, data.error.advice);
  }

  #stranger(): OperatingError {
    return new OperatingError(
      'host-unreachable',
      `what answers at ${this.address} is no host of this version of understudy`,
      'Check the address; all hosts must run the same version.',
    );
  }
}

function unreachable(address: string, why: string): OperatingError<'host-unreachable'> {
  return new OperatingError(
    'host-unreachable',
    `the host at ${address} cannot be reached: ${why}`,
    'Check that "understudy host" is running there, the address, and what is between (a firewall).',
  );
}

function reasonOf(error: Error): string {
  return error.message === '' ? String((error as NodeJS.ErrnoException).code) : error.message;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
