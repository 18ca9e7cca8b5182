/**
 * The pool of decoded pages as generated code. Pages that were given up come first, then those never used; when there are
 * none, a hand goes round and takes pages that nobody has looked up since it came by last (second chance), many at a time:
 * taking them voids all TLBs, as the fetch TLB names decoded pages.
 *
 * Pages are taken in `fetch` only, and whoever is there has left the page that he stood in, or is about to (MACHINE.md, 11).
 */
import { i32 } from '../wasm/expression.ts';
import type { Callee } from '../wasm/function.ts';
import type { ModuleBuilder } from '../wasm/module.ts';
import type { Coherence } from './coherence.ts';
import { get32, set } from './emit.ts';
import { hart } from './hart.ts';
import { DECODED_BYTES, DECODED_PAGES, DECODED_TRAILER, type MemoryMap, trailer } from './memory-map.ts';
import { places } from './places.ts';

/** Pages that the hand looks at before it asks whether any is free. */
const AT_A_TIME = DECODED_PAGES / 8;

const c32 = i32.const;

/** () → i32: a decoded page that is nobody's, as an offset in linear memory. What it holds is stale. */
export function emitTakeDecoded(m: ModuleBuilder, map: MemoryMap, { giveUp, flush }: Coherence): Callee {
  const { ramPage } = places(map);

  /** () → (): makes at least one page free; all are in use. */
  const evict = m.function('evictDecoded', [], []);
  {
    const f = evict;
    const at = f.local('i32');
    const count = f.local('i32');
    const hand = get32(hart.decodeHand);
    f.set(at, i32.select(hand, c32(map.pool), hand));
    f.loop((again) => {
      f.set(count, c32(AT_A_TIME));
      f.loop((next) => {
        const used = i32.load(at, DECODED_TRAILER + trailer.used);
        f.if(
          used,
          () => f.store('i32.store', at, c32(0), DECODED_TRAILER + trailer.used),
          () => f.do(giveUp, ramPage(i32.load(at, DECODED_TRAILER + trailer.host))),
        );
        f.set(at, i32.add(at, c32(DECODED_BYTES)));
        f.if(i32.eq(at, c32(map.poolEnd)), () => f.set(at, c32(map.pool)));
        f.set(count, i32.sub(count, c32(1)));
        f.brIf(next, count);
      });
      f.brIf(again, i32.eqz(get32(hart.decodeFree)));
    });
    set(f, hart.decodeHand, at);
    f.do(flush);
  }

  const take = m.function('takeDecoded', [], ['i32']);
  {
    const f = take;
    const fresh = i32.lt_u(get32(hart.decodeNext), c32(map.poolEnd));
    f.if(i32.eqz(get32(hart.decodeFree)), () => {
      f.if(fresh, () => {
        const decoded = f.let(get32(hart.decodeNext));
        set(f, hart.decodeNext, i32.add(decoded, c32(DECODED_BYTES)));
        f.return(decoded);
      });
      f.do(evict);
    });
    const decoded = f.let(get32(hart.decodeFree));
    set(f, hart.decodeFree, i32.load(decoded, DECODED_TRAILER + trailer.nextFree));
    f.return(decoded);
  }
  return take;
}
