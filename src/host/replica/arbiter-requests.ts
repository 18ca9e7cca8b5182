/** Carries the replica's requests to its arbiter, one after the other, and always brings an answer. */
import type { ArbiterReply, ArbiterRequest } from '../../core/replication/arbiter-protocol.ts';
import type { Arbiter } from '../arbiter/arbiter.ts';

/**
 * `fingerprint`: of this host's certificate, for the owner's record; undefined without keys. `newest`: the only generation that a
 * cold start may end; undefined: whichever is the newest.
 */
export async function askArbiter(
  arbiter: Arbiter,
  vm: string,
  request: ArbiterRequest,
  fingerprint: string | undefined,
  newest?: number,
): Promise<ArbiterReply> {
  const { op } = request;
  switch (op) {
    case 'create':
      return { op, outcome: await arbiter.create(vm, request.incarnation, fingerprint) };
    case 'cold-claim': {
      const { outcome, owner } = await arbiter.coldClaim(vm, request.incarnation, fingerprint, newest);
      if (outcome === 'won')
        return owner === undefined ? { op, outcome: 'unknown' } : { op, outcome, generation: owner.generation };
      return { op, outcome };
    }
    case 'claim': {
      const { generation, incarnation, token } = request;
      return { op, generation, outcome: await arbiter.claim(vm, generation, incarnation, token, fingerprint) };
    }
    case 'write-record': {
      const { generation, record } = request;
      return { op, generation, outcome: await arbiter.writePair(vm, generation, record) };
    }
    case 'read-record': {
      const { generation } = request;
      const record = await arbiter.readPair(vm, generation);
      const backup = record?.backup;
      if (record === undefined || backup === undefined || backup === null)
        return { op, generation, outcome: 'missing' };
      return { op, generation, outcome: 'found', record: { ...record, backup } };
    }
  }
}
