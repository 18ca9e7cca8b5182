/** What the redis benchmark loads: a demo guest, run in one of the ways that are compared. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { loadDescription } from '../../src/host/description/load.ts';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { Pair } from '../../src/host/pair/pair.ts';
import { startChild } from '../../src/host/processes.ts';
import { READY, startUnderstudy } from '../../test/integration/support/guest.ts';
import { type MachineDirectory, makeMachineDirectory } from '../../test/integration/support/machine-directory.ts';
import { startQemu } from './qemu.ts';

export const SUBJECTS = ['plain', 'recorded', 'pair', 'qemu-user', 'qemu-hub'] as const;
export type SubjectKind = (typeof SUBJECTS)[number];

export interface Subject {
  readonly redisPort: number;
  /** The processes whose threads are counted, without their children. */
  readonly pids: readonly number[];
  /** Bytes of log so far; undefined where there is no log. */
  logBytes(): Promise<number | undefined>;
  stop(): Promise<void>;
}

/** Boots the guest and waits until it is ready. */
export async function startSubject(kind: SubjectKind, image: BuiltImage): Promise<Subject> {
  const machine = await makeMachineDirectory(image);
  try {
    switch (kind) {
      case 'plain':
      case 'recorded':
        return await startAlone(kind, machine);
      case 'pair':
        return await startPair(machine);
      case 'qemu-user':
        return await startQemuUser(image, machine);
      case 'qemu-hub':
        return await startQemuHub(image, machine);
    }
  } catch (error) {
    await machine.remove();
    throw error;
  }
}

async function startAlone(kind: 'plain' | 'recorded', machine: MachineDirectory): Promise<Subject> {
  const log = join(machine.path, 'run.log');
  const { descriptionFile, redisPort } = machine;
  const words = kind === 'plain' ? ['run', descriptionFile] : ['record', descriptionFile, '--log', log];
  const guest = startUnderstudy(words);
  await guest.ready();
  return {
    redisPort,
    pids: [guest.pid],
    logBytes: async () => (kind === 'plain' ? undefined : (await stat(log)).size),
    stop: async () => {
      await guest.powerOff();
      await machine.remove();
    },
  };
}

async function startPair(machine: MachineDirectory): Promise<Subject> {
  const { descriptionFile, path, redisPort } = machine;
  const ready = Promise.withResolvers<void>();
  let console = '';
  let logBytes = 0;
  let paired = false;
  const pair = await Pair.start({
    descriptionFile,
    description: await loadDescription(descriptionFile),
    stateDirectory: join(path, 'state'),
    onStatus: (member, line) => {
      if (line.type === 'console') {
        console += line.data;
        if (console.includes(READY)) ready.resolve();
      } else if (line.type === 'status' && member === 'primary') {
        logBytes = line.logBytes;
        paired = line.phase === 'paired';
      } else if (line.type === 'halt') ready.reject(new Error(`the ${member} has ended: ${line.message}`));
    },
    onNotice: () => {},
    onReplicaEnd: () => {},
  });
  await ready.promise;
  const pids = (['primary', 'backup', 'hub', 'disk'] as const).flatMap((member) => pair.pid(member) ?? []);
  return {
    redisPort,
    pids,
    logBytes: async () => {
      if (!paired) throw new Error('the pair is a pair no longer: its figures would be those of one machine');
      return logBytes;
    },
    stop: async () => {
      await pair.stop();
      await machine.remove();
    },
  };
}

async function startQemuUser(image: BuiltImage, machine: MachineDirectory): Promise<Subject> {
  const guest = startQemu(image, machine, { kind: 'user' });
  await guest.ready();
  return {
    redisPort: machine.redisPort,
    pids: [guest.pid],
    logBytes: async () => undefined,
    stop: async () => {
      await guest.kill();
      await machine.remove();
    },
  };
}

/** QEMU behind our hub and passt: the same way from the client to the guest as ours. */
async function startQemuHub(image: BuiltImage, machine: MachineDirectory): Promise<Subject> {
  const path = join(machine.path, 'hub');
  const hub = await startChild(['hub', machine.descriptionFile, '--listen', `unix:${path}`]);
  const guest = startQemu(image, machine, { kind: 'hub', path });
  await guest.ready();
  return {
    redisPort: machine.redisPort,
    pids: [guest.pid, hub.pid],
    logBytes: async () => undefined,
    stop: async () => {
      await guest.kill();
      await hub.stop();
      await machine.remove();
    },
  };
}
