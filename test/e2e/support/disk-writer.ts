/**
 * A small guest that holds its disk to account: it writes a number to one of 64 regions after the other, flushes, and only
 * then prints the number, in eight hexadecimal digits. So whatever it has printed must be on every image that may go on. After
 * `last` numbers it powers off. One that goes on has a single number, in the first region, and counts on from what it finds there.
 */
import { assemble } from '../../conformance/testing/assembler.ts';
import { makeElf } from '../../conformance/testing/elf.ts';

export const REGION_BYTES = 256 * 1024;
export const REGIONS = 64;
export const DISK_BYTES = REGIONS * REGION_BYTES;

/** Where `number` is written. */
export function offsetOf(number: number): number {
  return (number % REGIONS) * REGION_BYTES;
}

/** What the image has where `number` belongs. */
export function numberAt(image: Buffer, number: number): number {
  return image.readUInt32LE(offsetOf(number));
}

/** Reads what the last life has written. */
const READ_NUMBER = `
  li t0, 0x00020003        # 1: the device writes the data
  sw t0, 28(s1)
  sw zero, 0(s4)
  sw zero, 4(s4)
  sd zero, 8(s4)
  li a0, 0
  call request
  lwu s2, 0x200(s4)
  li t0, 0x00020001
  sw t0, 28(s1)
`;

/** An ELF file. `pause`: turns of an idle loop after each number. `goesOn`: from the number on the disk. */
export function diskWriter(last: number, pause: number, { goesOn = false } = {}): Uint8Array {
  return makeElf(
    assemble(`
_start:
  li s0, 0x10001000        # the virtio device in slot 0
  li s1, 0x80200000        # descriptors; available at +0x1000, used at +0x2000, buffers at +0x3000
  li s2, 0                 # the number
  li s3, 0                 # requests made

  sw zero, 0x70(s0)
  li t0, 3
  sw t0, 0x70(s0)
  sw zero, 0x24(s0)
  li t0, 0x200             # VIRTIO_BLK_F_FLUSH
  sw t0, 0x20(s0)
  li t0, 1
  sw t0, 0x24(s0)
  sw t0, 0x20(s0)          # VIRTIO_F_VERSION_1
  li t0, 11
  sw t0, 0x70(s0)
  sw zero, 0x30(s0)
  li t0, 8
  sw t0, 0x38(s0)
  sw s1, 0x80(s0)
  sw zero, 0x84(s0)
  li t0, 0x1000
  add t0, s1, t0
  sw t0, 0x90(s0)
  sw zero, 0x94(s0)
  li t0, 0x2000
  add t0, s1, t0
  sw t0, 0xa0(s0)
  sw zero, 0xa4(s0)
  li t0, 1
  sw t0, 0x44(s0)
  li t0, 15
  sw t0, 0x70(s0)

  li s4, 0x3000
  add s4, s1, s4           # header; status at +0x40, data at +0x200
  sd s4, 0(s1)             # 0: header -> 1
  li t0, 16
  sw t0, 8(s1)
  li t0, 0x00010001
  sw t0, 12(s1)
  addi t1, s4, 0x200
  sd t1, 16(s1)            # 1: data -> 2
  li t0, 512
  sw t0, 24(s1)
  li t0, 0x00020001
  sw t0, 28(s1)
  addi t1, s4, 0x40
  sd t1, 32(s1)            # 2: status
  li t0, 1
  sw t0, 40(s1)
  li t0, 2
  sw t0, 44(s1)
  sd s4, 48(s1)            # 3: header -> 4
  li t0, 16
  sw t0, 56(s1)
  li t0, 0x00040001
  sw t0, 60(s1)
  sd t1, 64(s1)            # 4: status
  li t0, 1
  sw t0, 72(s1)
  li t0, 2
  sw t0, 76(s1)

${goesOn ? READ_NUMBER : ''}
next:
  addi s2, s2, 1
  li t0, 1
  sw t0, 0(s4)             # write
  sw zero, 4(s4)
  andi t1, s2, ${goesOn ? 0 : 63}
  slli t1, t1, 9           # 512 sectors a region
  sd t1, 8(s4)
  sw s2, 0x200(s4)
  li a0, 0
  call request
  li t0, 4
  sw t0, 0(s4)             # flush
  sd zero, 8(s4)
  li a0, 3
  call request

  li t1, 0x10000000
  li t2, 28
digit:
  srl t0, s2, t2
  andi t0, t0, 15
  addi t0, t0, 48
  li t3, 58
  blt t0, t3, print
  addi t0, t0, 39
print:
  sb t0, 0(t1)
  addi t2, t2, -4
  bgez t2, digit
  li t0, 10
  sb t0, 0(t1)

  li t0, ${last}
  beq s2, t0, off
  li t0, ${pause}
idle:
  addi t0, t0, -1
  bnez t0, idle
  j next

off:
  li a7, 0x53525354        # SBI: system reset
  li a6, 0
  li a0, 0
  li a1, 0
  ecall
  j off

request:
  li t0, 255
  sb t0, 0x40(s4)
  li t1, 0x1000
  add t1, s1, t1
  andi t2, s3, 7
  slli t2, t2, 1
  add t2, t2, t1
  sh a0, 4(t2)
  addi s3, s3, 1
  sh s3, 2(t1)
  sw zero, 0x50(s0)
  li t1, 0x2000
  add t1, s1, t1
wait:
  lhu t2, 2(t1)
  slli t3, s3, 48
  srli t3, t3, 48
  bne t2, t3, wait
  lbu t0, 0x40(s4)
  bnez t0, failed
  ret

failed:
  li t1, 0x10000000
  li t0, 88
  sb t0, 0(t1)
  li t0, 10
  sb t0, 0(t1)
  j off
`),
  );
}
