/** Opens the store that goes with an arbiter's address (src/host/arbiter/arbiter-address.ts): it lies where the arbiter does. */
import { OperatingError } from '../../core/base/error.ts';
import { parseArbiterAddress } from '../arbiter/arbiter-address.ts';
import { EtcdClient } from '../arbiter/etcd-client.ts';
import { DirectoryStore } from './directory-store.ts';
import { EtcdStore } from './etcd-store.ts';
import type { Store } from './store.ts';

const DEFAULT_TIMEOUT_MS = 5000;

/**
 * Throws OperatingError `bad-arbiter-address`, `no-store` (PostgreSQL keeps no membership), `store-away` for a directory that is
 * not there, `arbiter-refuses` for a file of the address that cannot be read. etcd is not asked before it is needed.
 */
export async function openStore(text: string, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<Store> {
  const address = parseArbiterAddress(text);
  switch (address.kind) {
    case 'directory':
      return DirectoryStore.open(address.path);
    case 'etcd':
      return new EtcdStore(new EtcdClient({ ...address, timeoutMs }), address.prefix);
    case 'postgres':
      throw new OperatingError(
        'no-store',
        'PostgreSQL is an arbiter only: it keeps no list of hosts',
        'For "understudy host" name a common directory or etcd.',
      );
  }
}
