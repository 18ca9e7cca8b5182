/**
 * The i386 guest on v86, in a process of its own: node bench/speed/v86-guest.ts KERNEL INITRAMFS COMMAND_LINE. Standard output is the guest's
 * serial console. v86 has no power switch that this guest could use, so the end of the benchmark is the end of the process.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { V86 } from 'v86';

/** From Debian's package seabios. */
const FIRMWARE = '/usr/share/seabios';
const LAST_LINE = 'bench: done';

const image = async (file: string): Promise<{ buffer: ArrayBuffer }> => {
  const bytes = await readFile(file);
  return { buffer: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) };
};
const [kernel, initramfs, commandLine] = process.argv.slice(2);
const machine = new V86({
  wasm_path: createRequire(import.meta.url).resolve('v86/build/v86.wasm'),
  bios: await image(`${FIRMWARE}/bios.bin`),
  vga_bios: await image(`${FIRMWARE}/vgabios-stdvga.bin`),
  bzimage: await image(kernel),
  initrd: await image(initramfs),
  cmdline: commandLine,
  memory_size: 512 << 20,
  vga_memory_size: 2 << 20,
  autostart: true,
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
});
let line = '';
machine.add_listener('serial0-output-byte', (byte: number) => {
  const character = String.fromCharCode(byte);
  line += character;
  if (character !== '\n') return;
  const end = line.startsWith(LAST_LINE);
  process.stdout.write(line, () => end && process.exit(0));
  line = '';
});
