/** The network of a machine that runs alone: a hub in a process of its own, which joins passt or the socket described. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Description } from '../description/description.ts';
import { openStreamUplink, type Uplink } from '../net/uplink.ts';
import { startChild } from '../processes.ts';

export interface MachineUplinkEvents {
  readonly onFrame: (frame: Uint8Array) => void;
  /** The hub has ended, and the way out with it. */
  readonly onLost: (why: string) => void;
}

export async function openMachineUplink(
  description: Description,
  events: MachineUplinkEvents,
): Promise<{ readonly uplink: Uplink; close(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-'));
  const path = join(directory, 'hub');
  const network = JSON.stringify({ mac: description.mac, network: description.network });
  let closing = false;
  const complaints: string[] = [];
  try {
    const hub = await startChild(['hub', '--listen', `unix:${path}`, '--network-json', network], {
      onError: (line) => complaints.push(line),
    });
    void hub.ended.then(() => {
      if (!closing) events.onLost(complaints.at(-1) ?? 'the hub process ended');
    });
    const up = Promise.withResolvers<void>();
    const uplink = openStreamUplink(
      { address: { path } },
      {
        onFrame: events.onFrame,
        onState: (state) => {
          if (state === 'up') up.resolve();
        },
      },
    );
    await up.promise;
    return {
      uplink,
      close: async () => {
        closing = true;
        await uplink.close();
        await hub.stop();
        await rm(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}
