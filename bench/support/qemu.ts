/** The peer: QEMU's `virt` machine with the same kernel, initramfs, disk and command line, translating on one thread. */

import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { Guest } from '../../test/integration/support/guest.ts';
import type { MachineDirectory } from '../../test/integration/support/machine-directory.ts';

export const QEMU = 'qemu-system-riscv64';

/** How the guest's network leaves: QEMU's own user network with a forwarded port, or the hub's socket. */
export type QemuNetwork = { readonly kind: 'user' } | { readonly kind: 'hub'; readonly path: string };

export function qemuWords(image: BuiltImage, machine: MachineDirectory, network: QemuNetwork): string[] {
  const netdev =
    network.kind === 'user'
      ? `user,id=net,hostfwd=tcp:127.0.0.1:${machine.redisPort}-:6379`
      : `stream,id=net,server=off,addr.type=unix,addr.path=${network.path}`;
  return [
    ...['-M', 'virt', '-m', '512', '-smp', '1', '-nographic', '-monitor', 'none', '-serial', 'stdio'],
    ...['-accel', 'tcg,thread=single', '-kernel', image.kernel, '-initrd', image.initramfs],
    ...['-append', machine.commandLine],
    ...['-drive', `file=${machine.disk},format=raw,if=none,id=disk`, '-device', 'virtio-blk-device,drive=disk'],
    ...['-netdev', netdev, '-device', 'virtio-net-device,netdev=net'],
    ...['-device', 'virtio-rng-device'],
  ];
}

export function startQemu(image: BuiltImage, machine: MachineDirectory, network: QemuNetwork): Guest {
  return new Guest(QEMU, qemuWords(image, machine, network));
}
