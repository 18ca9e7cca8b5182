/** From a checked description to what the core builds a machine of: the files' bytes, and the seed that the name gives. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { OperatingError } from '../../core/base/error.ts';
import { isElf } from '../../core/vm/elf.ts';
import { type MachineConfig, UART_DEVICE, type VirtioConfig, virtioDevice } from '../../core/vm/machine-config.ts';
import type { Description } from '../description/description.ts';

export interface LoadedMachine {
  readonly config: MachineConfig;
  /** The device behind the user's terminal. */
  readonly console: number;
}

export function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16));
}

async function contents(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new OperatingError(
      'file-unreadable',
      `${path} cannot be read: ${why}`,
      'Put the file back, or name another.',
    );
  }
}

/** `diskBytes`: the size of the disk, from whoever holds it; undefined for a machine without one. */
export async function loadMachine(description: Description, diskBytes: number | undefined): Promise<LoadedMachine> {
  const { name, disk, network } = description;
  const virtio: VirtioConfig[] = [];
  if (disk !== undefined && diskBytes !== undefined) {
    virtio.push({ kind: 'block', capacityBytes: diskBytes, readOnly: disk.readOnly, serial: name });
  }
  if (network !== undefined) virtio.push({ kind: 'net', mac: macBytes(description.mac) });
  virtio.push({ kind: 'entropy' });
  let console = UART_DEVICE;
  if (description.console === 'virtio') {
    console = virtioDevice(virtio.length);
    virtio.push({ kind: 'console' });
  }
  const kernel = await contents(description.kernel);
  const initramfs = description.initramfs === undefined ? undefined : await contents(description.initramfs);
  const config: MachineConfig = {
    ramBytes: description.memoryBytes,
    firmware: description.firmware,
    boot: isElf(kernel)
      ? { kind: 'elf', file: kernel }
      : {
          kind: 'linux',
          image: kernel,
          initramfs,
          commandLine: description.commandLine,
          rngSeed: createHash('sha256').update(`rng-seed ${name}`).digest(),
        },
    virtio,
    clock: { kind: 'input' },
  };
  return { config, console };
}
