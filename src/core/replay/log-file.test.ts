import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { LogEntry } from './log-entry.ts';
import { LogError, type LogErrorCode } from './log-error.ts';
import { LogFileReader, LogFileWriter, requireSameMachine } from './log-file.ts';
import { everyKind } from './testing/entries.ts';

const description = '{"memory":536870912,"name":"golden"}';

/** The log of `everyKind`, and the offset at which each frame begins; the last is the length of the file. */
function wholeLog(): { bytes: Uint8Array; frames: number[] } {
  const writer = new LogFileWriter({ description, startPosition: 1000n });
  const frames = [writer.pendingBytes];
  for (const entry of everyKind()) {
    writer.append(entry);
    frames.push(writer.pendingBytes);
  }
  return { bytes: writer.take(), frames };
}

function read(bytes: Uint8Array): LogEntry[] {
  const reader = new LogFileReader();
  const entries = reader.push(bytes);
  reader.finish();
  return entries;
}

const coded = (code: LogErrorCode, offset: number) => (error: unknown) => {
  assert.ok(error instanceof LogError, String(error));
  assert.deepEqual([error.code, error.offset], [code, offset]);
  return true;
};

test('a log comes back as it was written, in chunks of any size', () => {
  const { bytes } = wholeLog();
  for (const size of [1, 7, 64, bytes.length]) {
    const reader = new LogFileReader();
    const entries: LogEntry[] = [];
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.slice(at, at + size), entries);
    assert.deepEqual(entries, everyKind());
    assert.deepEqual(reader.header, { description, startPosition: 1000n });
    assert.deepEqual(reader.finish(), { end: 'recording-ended', wholeBytes: bytes.length, cutBytes: 0 });
  }
});

test('a log of format version 1 stays readable', () => {
  const golden = readFileSync(new URL('testing/golden-v1.bin', import.meta.url));
  assert.deepEqual(read(golden), everyKind());
  assert.deepEqual(Uint8Array.from(golden), wholeLog().bytes);
});

test('a log cut anywhere after its header gives every whole entry, and says how much was cut', () => {
  const { bytes, frames } = wholeLog();
  for (let length = frames[0]!; length < bytes.length; length++) {
    const reader = new LogFileReader();
    const entries = reader.push(bytes.subarray(0, length));
    const whole = frames.filter((start) => start <= length).length - 1;
    assert.deepEqual(entries, everyKind().slice(0, whole));
    const wholeBytes = frames[whole]!;
    assert.deepEqual(reader.finish(), { end: undefined, wholeBytes, cutBytes: length - wholeBytes });
  }
});

test('a log cut inside its header is refused', () => {
  const { bytes, frames } = wholeLog();
  for (let length = 0; length < frames[0]!; length++) {
    const reader = new LogFileReader();
    assert.deepEqual(reader.push(bytes.subarray(0, length)), []);
    assert.throws(() => reader.finish(), coded('log-not-a-log', length));
  }
});

test('a byte changed in an entry is refused at that entry, and the entries before it are good', () => {
  const { bytes, frames } = wholeLog();
  for (let at = frames[0]!; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at] = changed[at]! ^ 0x41;
    const bad = frames.filter((start) => start <= at).length - 1;
    const reader = new LogFileReader();
    const entries: LogEntry[] = [];
    assert.throws(() => reader.push(changed, entries), coded('log-corrupt', frames[bad]!));
    assert.deepEqual(entries, everyKind().slice(0, bad));
    assert.throws(() => reader.finish(), coded('log-corrupt', frames[bad]!));
  }
});

test('an entry taken out of the middle, or bytes after the end, are damage', () => {
  const { bytes, frames } = wholeLog();
  const gap = new Uint8Array([...bytes.subarray(0, frames[3]), ...bytes.subarray(frames[4])]);
  assert.throws(() => read(gap), coded('log-corrupt', frames[3]!));
  assert.throws(() => read(new Uint8Array([...bytes, 0])), coded('log-corrupt', bytes.length));
});

test('a damaged header, another version and another kind of file are told apart', () => {
  const { bytes } = wholeLog();
  const with_ = (at: number, value: number): Uint8Array => {
    const changed = bytes.slice();
    changed[at] = value;
    return changed;
  };
  assert.throws(() => read(with_(30, 0x00)), coded('log-corrupt', 0));
  assert.throws(() => read(with_(23, 0xff)), coded('log-corrupt', 20));
  assert.throws(() => read(with_(8, 2)), coded('log-other-version', 8));
  assert.throws(() => read(new TextEncoder().encode('#!/bin/sh\n')), coded('log-not-a-log', 0));
});

test('a log of another machine is refused', () => {
  requireSameMachine({ description, startPosition: 0n }, description);
  assert.throws(
    () => requireSameMachine({ description, startPosition: 0n }, '{}'),
    (error) => error instanceof LogError && error.code === 'log-other-machine',
  );
});
