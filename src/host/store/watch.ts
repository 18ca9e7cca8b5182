/**
 * Looks at a store again and again and tells what has changed. Polling, not the store's own notices: a directory has none, a
 * lease that ends is seen in the same way, and a watcher that was cut off needs no other way to catch up.
 */
import type { OperatingError } from '../../core/base/error.ts';
import { reasonOf } from '../arbiter/reason.ts';
import type { Document, Lease, Store } from './store.ts';

export type StoreView = { readonly leases: readonly Lease[]; readonly documents: readonly Document[] };

export type WatchHandlers = {
  /** At first, and whenever something differs from what was told before. */
  readonly onChange: (view: StoreView) => void;
  /** Once when the store cannot be asked (with the reason), once when it can again (undefined). */
  readonly onTrouble: (reason: string | undefined) => void;
};

/** Returns what ends it. */
export function watchStore(store: Store, prefix: string, everyMs: number, handlers: WatchHandlers): () => void {
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  let told = '';
  let troubled = false;
  const look = async (): Promise<void> => {
    try {
      const view = { leases: await store.leases(prefix), documents: await store.list(prefix) };
      if (ended) return;
      if (troubled) handlers.onTrouble(undefined);
      troubled = false;
      const text = JSON.stringify(view);
      if (text !== told) handlers.onChange(view);
      told = text;
    } catch (error) {
      if (!ended && !troubled) handlers.onTrouble(reasonOf(error as OperatingError));
      troubled = true;
    }
    if (!ended) timer = setTimeout(look, everyMs);
  };
  void look();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
