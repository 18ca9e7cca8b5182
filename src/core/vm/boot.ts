/** Puts kernel, initramfs, device tree or ELF into RAM, and the hart where the firmware would leave it (MACHINE.md, 19). */
import { OperatingError } from '../base/error.ts';
import { hart, PRIVILEGE_M, PRIVILEGE_S } from '../machine/hart.ts';
import { RAM_BASE } from '../machine/memory-map.ts';
import type { GuestRam } from '../machine/ram.ts';
import type { HartViews } from '../machine/views.ts';
import { describeMachine } from './device-tree.ts';
import { type Elf, parseElf } from './elf.ts';
import type { MachineConfig } from './machine-config.ts';

export type BootErrorCode = 'kernel-wrong-kind' | 'memory-too-small';

const MiB = 1024 * 1024;
const KERNEL_OFFSET = 2 * MiB;
/** "RSC\x05" at offset 56 of a RISC-V Linux Image (Documentation/arch/riscv/boot-image-header.rst). */
const IMAGE_MAGIC = 0x05435352;

/** Where things are in RAM, and what an ELF says about itself. */
export interface Booted {
  readonly elf: Elf | undefined;
}

export function bootMachine(config: MachineConfig, ram: GuestRam, views: HartViews): Booted {
  const { boot } = config;
  let entry = BigInt(RAM_BASE + KERNEL_OFFSET);
  let elf: Elf | undefined;
  let initramfs: { start: number; end: number } | undefined;
  const treeAddress = RAM_BASE + config.ramBytes - 2 * MiB;
  if (boot.kind === 'elf') {
    elf = parseElf(boot.file);
    entry = elf.entry;
    loadElf(elf, ram, config.ramBytes);
  } else {
    loadImage(boot.image, ram, config.ramBytes);
    initramfs = loadInitramfs(boot.initramfs, boot.image, treeAddress, ram, config.ramBytes);
  }
  const tree = describeMachine(config, initramfs);
  const loaded = boot.kind === 'elf' || ram.write(treeAddress, tree);
  if (!loaded) throw tooSmall(config.ramBytes, 'the device tree');
  resetHart(config, views, entry, boot.kind === 'elf' ? 0 : treeAddress);
  return { elf };
}

function tooSmall(ramBytes: number, what: string): OperatingError<BootErrorCode> {
  return new OperatingError(
    'memory-too-small',
    `${what} does not fit into the machine's ${ramBytes / MiB} MiB of memory at 0x80000000`,
    'Give the machine more memory.',
  );
}

function loadElf(elf: Elf, ram: GuestRam, ramBytes: number): void {
  for (const segment of elf.segments) {
    const end = segment.physicalAddress + segment.memoryBytes;
    const fits = segment.physicalAddress >= RAM_BASE && end <= RAM_BASE + ramBytes;
    if (!fits || !ram.write(segment.physicalAddress, segment.content)) {
      throw tooSmall(
        ramBytes,
        `the segment at 0x${segment.physicalAddress.toString(16)} of ${segment.memoryBytes} bytes`,
      );
    }
  }
}

function loadImage(image: Uint8Array, ram: GuestRam, ramBytes: number): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  if (image.length < 64 || view.getUint32(56, true) !== IMAGE_MAGIC) {
    throw new OperatingError(
      'kernel-wrong-kind',
      'the kernel is not a RISC-V Linux Image',
      'Use the uncompressed arch/riscv/boot/Image; Debian ships it as /boot/vmlinux-*-riscv64.',
    );
  }
  if (!ram.write(RAM_BASE + KERNEL_OFFSET, image)) throw tooSmall(ramBytes, 'the kernel');
}

function loadInitramfs(
  initramfs: Uint8Array | undefined,
  image: Uint8Array,
  treeAddress: number,
  ram: GuestRam,
  ramBytes: number,
): { start: number; end: number } | undefined {
  if (initramfs === undefined) return undefined;
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  // image_size in the header counts .bss too.
  const kernelEnd = RAM_BASE + KERNEL_OFFSET + Math.max(image.length, Number(view.getBigUint64(16, true)));
  const start = Math.floor((treeAddress - initramfs.length) / 4096) * 4096;
  if (start < kernelEnd || !ram.write(start, initramfs)) throw tooSmall(ramBytes, 'the initramfs behind the kernel');
  return { start, end: start + initramfs.length };
}

const ALL_ONES = (1n << 64n) - 1n;

function resetHart(config: MachineConfig, views: HartViews, entry: bigint, treeAddress: number): void {
  views.set64(hart.pc, entry);
  views.set64(hart.stimecmp, ALL_ONES);
  views.set64(hart.mtimecmp, ALL_ONES);
  views.setX(10, 0n);
  views.setX(11, BigInt(treeAddress));
  if (config.firmware === 'none') {
    views.set32(hart.firmware, 0);
    views.set32(hart.privilege, PRIVILEGE_M);
    return;
  }
  // As OpenSBI leaves the hart: everything delegated that S can take, but for the ecall that calls it.
  views.set32(hart.firmware, 1);
  views.set32(hart.privilege, PRIVILEGE_S);
  views.set64(hart.medeleg, 0xb1ffn);
  views.set64(hart.mideleg, 0x222n);
  views.set64(hart.mcounteren, 7n);
  views.set64(hart.scounteren, 7n);
  views.set64(hart.menvcfg, 1n << 63n);
  views.set64(hart.pmpcfg0, 0x1fn);
  views.setPmpaddr(0, (1n << 54n) - 1n);
}
