/** Opens the arbiter that an address names, whatever its kind (arbiter-address.ts has the notation). */
import type { Arbiter } from './arbiter.ts';
import { parseArbiterAddress } from './arbiter-address.ts';
import { openDirectoryArbiter } from './directory.ts';
import { openEtcdArbiter } from './etcd.ts';
import { refuseLocalArbiter } from './locality.ts';
import { openPostgresArbiter, postgresServer } from './postgres.ts';
import { DEFAULT_TIMEOUT_MS } from './record-arbiter.ts';
import { refuseLocalServers } from './server-locality.ts';

export type OpenArbiterOptions = {
  /** Accept an arbiter that lies on this very host (PROTOCOL.md, 5). */
  readonly allowLocal: boolean;
  /** After about this long an operation is `unknown`. */
  readonly timeoutMs?: number;
};

/** Asking about this machine, which need not exist, is the first contact with a server. */
const NOBODY = 'nobody';

/**
 * Throws OperatingError where a person must act: `bad-arbiter-address`, `arbiter-missing`, `arbiter-not-writable`,
 * `arbiter-local`, `arbiter-refuses`, `arbiter-not-durable`. A server that cannot be reached now may come: the arbiter
 * is opened, says so by `trouble`, and answers when the server does.
 */
export async function openArbiter(text: string, options: OpenArbiterOptions): Promise<Arbiter> {
  const address = parseArbiterAddress(text);
  const { allowLocal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  if (address.kind === 'directory') {
    const arbiter = await openDirectoryArbiter({ directory: address.path, timeoutMs });
    refuseLocalArbiter(address.path, allowLocal);
    return arbiter;
  }
  if (address.kind === 'etcd') {
    await refuseLocalServers(address.members.map(hostOf), allowLocal);
    return firstContact(openEtcdArbiter({ ...address, timeoutMs }));
  }
  await refuseLocalServers([postgresServer(address.url).host], allowLocal);
  return firstContact(openPostgresArbiter({ url: address.url, timeoutMs }));
}

async function firstContact(arbiter: Arbiter): Promise<Arbiter> {
  await arbiter.owner(NOBODY);
  const { trouble } = arbiter;
  if (trouble?.code === 'arbiter-refuses' || trouble?.code === 'arbiter-not-durable') {
    await arbiter.close();
    throw trouble;
  }
  return arbiter;
}

function hostOf(member: string): string {
  return member.slice(0, member.lastIndexOf(':'));
}
