/**
 * The guests that are measured: the demo's, with the benchmark's agent, alone (`understudy run`) and as a pair of two processes on this host. Both
 * are reached the same way: passt, the hub, virtio-net.
 */
import { join } from 'node:path';
import { loadDescription } from '../../src/host/description/load.ts';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { parseAddress } from '../../src/host/net/address.ts';
import { Pair } from '../../src/host/pair/pair.ts';
import type { StatusLine } from '../../src/host/replica/status.ts';
import { READY, startUnderstudy } from '../../test/integration/support/guest.ts';
import {
  freePort,
  type MachineDirectory,
  makeMachineDirectory,
} from '../../test/integration/support/machine-directory.ts';
import { AGENT_PORT } from './guest-image.ts';
import { LogLink } from './log-link.ts';

/** Told, before anything runs, how to stop it: the benchmark may be interrupted at any moment. May be called twice. */
export type Own = (stop: () => Promise<void>) => void;

export interface MeasuredGuest {
  /** Ports of this host. */
  readonly redisPort: number;
  readonly agentPort: number;
  /** Throws unless it still is what it was started as. */
  check(): void;
  readonly stop: () => Promise<void>;
}

export interface MeasuredPair extends MeasuredGuest {
  /** Between the replicas, if it was asked for. */
  readonly link: LogLink | undefined;
}

const BOOT_LIMIT_MS = 90_000;
const STOP_LIMIT_MS = 10_000;

interface Place {
  readonly machine: MachineDirectory;
  readonly redisPort: number;
  readonly agentPort: number;
}

/** A directory of its own, with its disk and description, and ports. */
export async function makePlace(image: BuiltImage, more: object = {}): Promise<Place> {
  const [redisPort, agentPort] = [await freePort(), await freePort()];
  const forwards = [`127.0.0.1:${redisPort}:6379`, `127.0.0.1:${agentPort}:${AGENT_PORT}`];
  const machine = await makeMachineDirectory(image, {
    description: { network: { uplink: 'passt', forwards }, ...more },
  });
  return { machine, redisPort, agentPort };
}

export async function startAlone(image: BuiltImage, own: Own): Promise<MeasuredGuest> {
  const { machine, ...ports } = await makePlace(image);
  const guest = startUnderstudy(['run', machine.descriptionFile]);
  const stop = async (): Promise<void> => {
    const late = setTimeout(() => void guest.kill(), STOP_LIMIT_MS);
    guest.type('poweroff\n');
    await guest.ended;
    clearTimeout(late);
    await machine.remove();
  };
  own(stop);
  let ended = false;
  void guest.ended.then(() => {
    ended = true;
  });
  try {
    await inTime(guest.ready(), BOOT_LIMIT_MS, 'the guest has not booted');
  } catch (error) {
    await stop();
    throw error;
  }
  const check = (): void => {
    if (ended) throw new Error(`the guest has ended: ${guest.complaints.slice(-500)}`);
  };
  return { ...ports, check, stop };
}

/** `relayed`: with a `LogLink` between the replicas. `more`: keys of the description. */
export async function startPair(
  image: BuiltImage,
  own: Own,
  { relayed, more = {} }: { readonly relayed: boolean; readonly more?: object },
): Promise<MeasuredPair> {
  const { machine, ...ports } = await makePlace(image, more);
  let link: LogLink | undefined;
  let pair: Pair | undefined;
  const stop = async (): Promise<void> => {
    await pair?.stop();
    link?.close();
    await machine.remove();
  };
  own(stop);
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {});
  let console = '';
  let wrong: string | undefined;
  const failed = (why: string): void => {
    wrong ??= why;
    ready.reject(new Error(why));
  };
  const heard = (member: string, line: StatusLine): void => {
    if (line.type === 'console') {
      console = (console + line.data).slice(-10_000);
      if (console.includes(READY)) ready.resolve();
    } else if (line.type === 'halt') failed(`the ${member} has halted: ${line.message}`);
    // Alone it would be a plain run with a primary's costs.
    else if (line.type === 'phase' && /^(leaving|alone)$/.test(line.phase))
      failed(`the ${member} is ${line.phase}: ${line.why}`);
  };
  try {
    pair = await Pair.start({
      descriptionFile: machine.descriptionFile,
      description: await loadDescription(machine.descriptionFile),
      stateDirectory: join(machine.path, 'state'),
      onStatus: heard,
      onNotice: () => {},
      onReplicaEnd: (member) => failed(`the process of the ${member} has ended`),
      engines: { primary: 'translator', backup: 'translator' },
      between: async (_, service, address) => {
        if (service !== 'log' || !relayed) return address;
        const path = join(machine.path, 'log-link');
        link = await LogLink.open({ path }, parseAddress(address));
        return `unix:${path}`;
      },
    });
    await inTime(ready.promise, BOOT_LIMIT_MS, 'the guest has not booted');
  } catch (error) {
    await stop();
    throw error;
  }
  const check = (): void => {
    if (wrong !== undefined) throw new Error(`the pair is a pair no longer: ${wrong}`);
  };
  return { ...ports, link, check, stop };
}

/** Rejects with `what` if it takes longer. */
export async function inTime<Result>(work: Promise<Result>, limitMs: number, what: string): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${limitMs / 1000} s`)), limitMs);
  });
  // What is given up goes on for a while, and its end is nobody's.
  work.catch(() => {});
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
