/**
 * Bugs, planted around a replica and not in it, to see that the checkers find them. Each is a wrapper that changes what the
 * replica hears or does.
 */
import type { ReplicaAction, ReplicaEvent } from '../src/core/replication/replica.ts';
import type { CheckerName } from './checkers.ts';
import type { ClusterOptions } from './cluster.ts';
import type { ReplicaLike } from './process.ts';

/** An output leaves one entry early: when all before its mark is acknowledged, and the mark itself has only been sent. */
function earlyRelease(replica: ReplicaLike): ReplicaLike {
  let ack: (ReplicaEvent & { type: 'message' }) | undefined;
  let [sent, acknowledged, pretended] = [0, 0, 0];
  return {
    status: (nowMs) => replica.status(nowMs),
    handle: (event, nowMs) => {
      if (event.type === 'message' && event.message.type === 'ack') {
        ack = event;
        acknowledged = event.message.sequence;
      }
      const actions = replica.handle(event, nowMs);
      for (const action of actions) {
        if (action.type === 'send' && action.message.type === 'log') sent = action.message.sequence;
      }
      const sequence = acknowledged + 1;
      if (sent < sequence || pretended >= sequence || ack?.message.type !== 'ack') return actions;
      pretended = sequence;
      const tooEarly = { ...ack, message: { ...ack.message, sequence } };
      return [...actions, ...replica.handle(tooEarly, nowMs)];
    },
  };
}

/** A claim whose outcome is unknown is taken as won. */
function unknownIsWon(replica: ReplicaLike): ReplicaLike {
  return {
    status: (nowMs) => replica.status(nowMs),
    handle: (event, nowMs) => {
      const claim = event.type === 'arbiter' && event.reply.op === 'claim' && event.reply.outcome === 'unknown';
      return replica.handle(claim ? { ...event, reply: { ...event.reply, outcome: 'won' } as const } : event, nowMs);
    },
  };
}

/** A claim is sent as soon as the channel breaks, and forgotten when the pair resumes in the same generation. */
function resumeAfterClaim(replica: ReplicaLike, role: 'primary' | 'backup'): ReplicaLike {
  let token = '';
  let incarnation = '';
  let forgotten = false;
  const learn = (event: ReplicaEvent, actions: readonly ReplicaAction[]): void => {
    if (event.type === 'message' && event.message.type === 'pair') token = event.message.token;
    for (const action of actions) {
      if (action.type !== 'send') continue;
      if (action.message.type === 'pair') token = action.message.token;
      if (action.message.type === 'hello' || action.message.type === 'welcome')
        incarnation = action.message.incarnation;
    }
  };
  return {
    status: (nowMs) => replica.status(nowMs),
    handle: (event, nowMs) => {
      if (event.type === 'arbiter' && event.reply.op === 'claim' && forgotten) {
        forgotten = false;
        return [];
      }
      const status = replica.status(nowMs);
      const actions = replica.handle(event, nowMs);
      learn(event, actions);
      const claims = actions.some((action) => action.type === 'arbiter');
      if (role !== 'primary' || event.type !== 'channel-closed' || status.phase !== 'paired' || claims) return actions;
      forgotten = true;
      const request = { op: 'claim', generation: status.generation, incarnation, token } as const;
      return [...actions, { type: 'arbiter', request }];
    },
  };
}

/**
 * A backup that has read the pair's record takes itself for one, although its copy of the machine is not final: when it loses
 * the owner, it claims.
 */
function claimBeforeFinal(replica: ReplicaLike, role: 'primary' | 'backup'): ReplicaLike {
  if (role === 'primary') return replica;
  let incarnation = '';
  let token: string | undefined;
  return {
    status: (nowMs) => replica.status(nowMs),
    handle: (event, nowMs) => {
      const { phase, generation } = replica.status(nowMs);
      const actions = replica.handle(event, nowMs);
      for (const action of actions) {
        if (action.type === 'send' && action.message.type === 'hello') incarnation = action.message.incarnation;
      }
      if (event.type === 'arbiter' && event.reply.op === 'read-record' && event.reply.outcome === 'found') {
        token = event.reply.record.token;
      }
      const after = replica.status(nowMs).phase;
      if (phase !== 'receiving' || after === 'receiving' || after === 'paired' || token === undefined) return actions;
      return [...actions, { type: 'arbiter', request: { op: 'claim', generation, incarnation, token } }];
    },
  };
}

/** With an image on each host: the guest hears of a flush that is durable on the primary's alone. */
function flushOnOneHost(replica: ReplicaLike): ReplicaLike {
  return {
    status: (nowMs) => replica.status(nowMs),
    handle: (event, nowMs) => {
      if (event.type !== 'message' || event.message.type !== 'ack') return replica.handle(event, nowMs);
      const image = { flushed: Number.MAX_SAFE_INTEGER, common: event.message.image?.common ?? 0 };
      return replica.handle({ ...event, message: { ...event.message, image } }, nowMs);
    },
  };
}

/** A lease counts from the answer to a renewal, and not from its sending. */
function leaseFromReply(replica: ReplicaLike): ReplicaLike {
  return {
    status: (nowMs) => replica.status(nowMs),
    handle: (event, nowMs) => {
      if (event.type !== 'lease' || event.reply.op !== 'renew') return replica.handle(event, nowMs);
      return replica.handle({ ...event, reply: { ...event.reply, sentMs: nowMs } }, nowMs);
    },
  };
}

/** With backups that read by themselves: the owner's writes wait for none of these reads. */
function writeBeforeRead(replica: ReplicaLike): ReplicaLike {
  return {
    status: (nowMs) => replica.status(nowMs),
    handle: (event, nowMs) => {
      if (event.type !== 'message' || event.message.type !== 'ack') return replica.handle(event, nowMs);
      return replica.handle({ ...event, message: { ...event.message, reads: Number.MAX_SAFE_INTEGER } }, nowMs);
    },
  };
}

export interface Bug {
  /** The checker that is meant to see it; others may, too. */
  readonly seenBy: CheckerName;
  readonly options: Omit<ClusterOptions, 'seed'>;
}

/** By name. Each is found within some 200 seeds, wherever they begin (sim.test.ts). */
export const bugs: Record<string, Bug> = {
  'early-release': {
    seenBy: 'released outputs lie on the surviving history',
    options: { wrap: (replica, role) => (role === 'primary' ? earlyRelease(replica) : replica) },
  },
  'unknown-is-won': { seenBy: 'one owner', options: { wrap: unknownIsWon } },
  'old-write-admitted': { seenBy: 'no late write', options: { diskBugs: { admitsOldWrites: true } } },
  'resume-after-claim': { seenBy: 'redundant again', options: { wrap: resumeAfterClaim } },
  'claim-before-final': { seenBy: 'redundant again', options: { wrap: claimBeforeFinal } },
  'flush-left-out': { seenBy: 'no acknowledged flush is lost', options: { diskBugs: { flushesNothing: true } } },
  'flush-on-one-host': {
    seenBy: 'no acknowledged flush is lost',
    options: { mirrored: true, wrap: flushOnOneHost },
  },
  'write-before-read': { seenBy: 'reads find the same bytes', options: { reads: 'backup', wrap: writeBeforeRead } },
  'lease-from-reply': {
    seenBy: 'late frames lie on the surviving history',
    options: { leases: {}, wrap: leaseFromReply },
  },
  'spare-too-soon': { seenBy: 'late frames lie on the surviving history', options: { leases: { waits: 0.25 } } },
  'renewal-unasked': { seenBy: 'late frames lie on the surviving history', options: { leases: { unasked: true } } },
};
