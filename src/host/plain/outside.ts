/**
 * The world of a machine that runs alone: performs each output at once, and turns answers into inputs. (A replica's outputs
 * go through the replication protocol instead.)
 */
import { randomBytes } from 'node:crypto';
import type { Input, Output } from '../../core/machine/doors.ts';
import type { Disk } from '../disk/disk.ts';
import type { Uplink } from '../net/uplink.ts';

export interface OutsideDeps {
  readonly disk: Disk | undefined;
  readonly uplink: () => Uplink | undefined;
  /** Console bytes of any device. */
  readonly console: (device: number, data: Uint8Array) => void;
  readonly input: (input: Input) => void;
}

/** Starts what the output asks for; never waits. */
export function performOutput(output: Output, deps: OutsideDeps): void {
  const { device } = output.kind === 'power' ? { device: 0 } : output;
  switch (output.kind) {
    case 'net-tx':
      deps.uplink()?.send(output.frame);
      return;
    case 'console-out':
      deps.console(device, output.data);
      return;
    case 'entropy':
      deps.input({ kind: 'entropy', device, id: output.id, data: randomBytes(output.length) });
      return;
    case 'block': {
      const { id } = output.request;
      void deps.disk?.request(output.request).then((result) => {
        if (!result.ok && (result.error === 'closed' || result.error === 'fenced')) return;
        const data = result.ok ? result.data : undefined;
        deps.input({ kind: 'block-done', device, id, ok: result.ok, ...(data === undefined ? {} : { data }) });
      });
      return;
    }
    case 'power':
      return;
  }
}
