import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Output } from '../machine/doors.ts';
import { UART_INPUT_BYTES, Uart } from './uart.ts';

const IER = 1;
const IIR = 2;
const FCR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;
const MSR = 6;

interface Rig {
  readonly uart: Uart;
  readonly world: { line: boolean };
  readonly chunks: string[];
  in(register: number): number;
  out(register: number, value: number): void;
}

function rig(): Rig {
  const world = { line: false };
  const chunks: string[] = [];
  const emit = (output: Output): void => {
    assert.equal(output.kind, 'console-out');
    if (output.kind === 'console-out') chunks.push(new TextDecoder().decode(output.data));
  };
  const interrupt = (asserted: boolean): void => {
    world.line = asserted;
  };
  const uart = new Uart({ device: 0 }, { interrupt, emit });
  return {
    uart,
    world,
    chunks,
    in: (register) => uart.read(register, 1),
    out: (register, value) => uart.write(register, 1, value),
  };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function print(r: Rig, text: string): void {
  for (const byte of bytes(text)) r.out(0, byte);
}

function drain(r: Rig): string {
  let text = '';
  while ((r.in(LSR) & 1) !== 0) text += String.fromCharCode(r.in(0));
  return text;
}

test('output leaves at a newline, at 256 bytes, and when it is flushed', () => {
  const r = rig();
  print(r, 'one\ntwo');
  assert.deepEqual(r.chunks, ['one\n']);
  r.uart.flushOutput();
  r.uart.flushOutput();
  assert.deepEqual(r.chunks, ['one\n', 'two']);
  print(r, 'x'.repeat(300));
  assert.equal(r.chunks[2], 'x'.repeat(256));
  assert.equal(r.chunks.length, 3);
});

test('the probes of an 8250 driver find a 16550A', () => {
  const r = rig();
  r.out(IER, 0);
  assert.equal(r.in(IER), 0);
  r.out(IER, 0xff);
  assert.equal(r.in(IER), 0x0f);
  r.out(IER, 0);
  r.out(MCR, 0x10 | 0x0a);
  assert.equal(r.in(MSR) & 0xf0, 0x90);
  r.out(MCR, 0);
  r.out(FCR, 0x01);
  assert.equal(r.in(IIR) >>> 6, 3);
  for (const mode of [0x80, 0xbf]) {
    r.out(LCR, mode);
    assert.notEqual(r.in(2), 0, 'no enhanced features register');
  }
  r.out(LCR, 0x80);
  r.out(FCR, 0x21);
  assert.equal(r.in(IIR) >>> 5, 6, 'no 64-byte FIFO');
  r.out(LCR, 0);
  r.out(7, 0xa5);
  assert.equal(r.in(7), 0xa5);
});

test('the divisor latch hides the data and interrupt enable registers', () => {
  const r = rig();
  r.out(LCR, 0x83);
  r.out(0, 0x34);
  r.out(1, 0x12);
  assert.deepEqual([r.in(0), r.in(1)], [0x34, 0x12]);
  r.out(LCR, 0x03);
  assert.deepEqual([r.in(0), r.in(1)], [0, 0]);
  r.uart.flushOutput();
  assert.deepEqual(r.chunks, []);
});

test('enabling the transmit interrupt raises it each time, and reading it clears it', () => {
  const r = rig();
  for (let round = 0; round < 2; round++) {
    r.out(IER, 0x02);
    assert.equal(r.world.line, true);
    assert.equal(r.in(IIR), 0x02);
    assert.equal(r.world.line, false);
    assert.equal(r.in(IIR), 0x01);
    r.out(IER, 0);
  }
  r.out(IER, 0x02);
  r.in(IIR);
  print(r, 'x');
  assert.equal(r.world.line, true);
  assert.equal(r.in(LSR) & 0x60, 0x60);
});

test('received bytes interrupt at once: below the trigger level as a time-out, from it on as data', () => {
  const r = rig();
  r.out(FCR, 0x01 | 0x40);
  r.out(IER, 0x03);
  r.uart.input(bytes('abc'));
  assert.equal(r.in(IIR), 0xcc);
  r.uart.input(bytes('d'));
  assert.equal(r.in(IIR), 0xc4);
  assert.equal(drain(r), 'abcd');
  assert.equal(r.in(IIR), 0xc2, 'the transmit interrupt was behind it');
});

test('a long paste passes through the FIFO whole, and the bound drops what is beyond', () => {
  const r = rig();
  r.out(FCR, 0x01);
  const text = 'understudy '.repeat(6000);
  r.uart.input(bytes(text));
  assert.equal(drain(r), text.slice(0, UART_INPUT_BYTES));
  assert.equal(r.in(LSR) & 2, 0);
});

test('without its FIFO the port holds one byte, and clearing the FIFO keeps what waits outside', () => {
  const r = rig();
  r.uart.input(bytes('ab'));
  r.out(FCR, 0x01);
  assert.equal(drain(r), 'b');
  r.uart.input(bytes('0123456789abcdefREST'));
  r.out(FCR, 0x01 | 0x02);
  assert.equal(drain(r), 'REST');
});

test('in loopback mode the port hears itself, overruns when full, and the world waits', () => {
  const r = rig();
  r.out(FCR, 0x01);
  r.out(MCR, 0x10);
  r.uart.input(bytes('world'));
  print(r, 'x'.repeat(17));
  r.out(IER, 0x04);
  assert.equal(r.in(IIR), 0xc6);
  assert.equal(r.in(LSR) & 3, 3);
  assert.equal(r.in(LSR) & 2, 0);
  assert.equal(drain(r), 'x'.repeat(16));
  r.out(MCR, 0);
  assert.equal(drain(r), 'world');
  r.uart.flushOutput();
  assert.deepEqual(r.chunks, []);
});

test('a change of a modem line interrupts until the status is read', () => {
  const r = rig();
  r.out(IER, 0x08);
  r.out(MCR, 0x10);
  assert.equal(r.world.line, true);
  assert.equal(r.in(IIR), 0x00);
  assert.equal(r.in(MSR), 0x0b);
  assert.equal(r.world.line, false);
  assert.equal(r.in(MSR), 0x00);
});

test('a saved port goes on in a copy, in the middle of input and output', () => {
  const r = rig();
  r.out(FCR, 0x81);
  r.out(IER, 0x0f);
  r.uart.input(bytes('some input that is longer than the FIFO'));
  print(r, 'half a li');
  r.in(0);
  const state = structuredClone(r.uart.save());
  const copy = rig();
  copy.uart.restore(state);
  assert.deepEqual(copy.uart.save(), state);
  for (const each of [r, copy]) print(each, 'ne\n');
  assert.equal(drain(copy), drain(r));
  assert.deepEqual(copy.chunks, r.chunks);
  assert.deepEqual(copy.chunks, ['half a line\n']);
  assert.deepEqual(copy.uart.save(), r.uart.save());
});
