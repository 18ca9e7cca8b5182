/**
 * Bytes for those commands and reports of the CPU thread (cpu-link.ts) that come thousands of times a second: as objects, their structured
 * clones cost a machine that serves a network a tenth of its time. All others travel as objects. The bytes never leave the process, so the
 * numbers below may change with every version.
 *
 * What is decoded holds views of the bytes that were decoded.
 */
import { ByteReader, MalformedError } from '../base/byte-reader.ts';
import type { ByteWriter } from '../base/byte-writer.ts';
import type { BlockRequest, Output, PowerAction } from '../machine/doors.ts';
import { decodeInput, encodeInput, inputBytesAtMost } from '../replay/log-entry.ts';
import type { CpuCommand, CpuReport, NumberedOutput } from './cpu-link.ts';
import { heldBytes } from './output-gate.ts';

/** Longer messages travel as objects: nobody counts thousands of those. */
const MOST_BYTES = 250_000;

const INPUT = 1;
const LIMIT = 2;
const FEED = 3;
const EXECUTABLE = 4;
const PRODUCED = 5;
const PROGRESS = 6;
const REPLAYED = 7;

type Progress = CpuReport & { type: 'progress' };

const PROGRESS_STATES: readonly Progress['state'][] = ['running', 'waiting', 'limited', 'paused', 'starved', 'stopped'];
const OUTPUT_KINDS: readonly Output['kind'][] = ['net-tx', 'block', 'console-out', 'entropy', 'power'];
const REQUEST_TYPES: readonly BlockRequest['type'][] = ['read', 'write', 'flush', 'discard', 'write-zeroes'];
const POWER_ACTIONS: readonly PowerAction[] = ['off', 'reset'];

/** Appends the command's bytes; false, and nothing is written, for a kind that has none. */
export function encodeCommand(writer: ByteWriter, command: CpuCommand): boolean {
  switch (command.type) {
    case 'input':
      if (inputBytesAtMost(command.input) > MOST_BYTES) return false;
      writer.u8(INPUT);
      encodeInput(writer, command.input);
      return true;
    case 'limit':
      writer.u8(LIMIT);
      writer.f64(command.logBytes);
      writer.f64(command.outputBytes);
      return true;
    case 'feed':
      if (command.bytes.length > MOST_BYTES) return false;
      writer.u8(FEED);
      writer.u64(command.base);
      writer.u64(command.position);
      writer.f64(command.arrivedMs);
      writer.raw(command.bytes);
      return true;
    case 'executable':
      writer.u8(EXECUTABLE);
      writer.u64(command.position);
      return true;
    default:
      return false;
  }
}

/** Throws `MalformedError` for what `encodeCommand` cannot have written. */
export function decodeCommand(bytes: Uint8Array): CpuCommand {
  const reader = new ByteReader(bytes);
  const kind = reader.u8();
  switch (kind) {
    case INPUT:
      return { type: 'input', input: decodeInput(reader) };
    case LIMIT:
      return { type: 'limit', logBytes: reader.f64(), outputBytes: reader.f64() };
    case FEED: {
      const base = reader.u64();
      const position = reader.u64();
      return { type: 'feed', base, position, arrivedMs: reader.f64(), bytes: reader.raw(reader.left) };
    }
    case EXECUTABLE:
      return { type: 'executable', position: reader.u64() };
    default:
      throw new MalformedError(0, `there is no kind ${kind} of command`);
  }
}

/** Appends the report's bytes; false, and nothing is written, for a kind that has none. */
export function encodeReport(writer: ByteWriter, report: CpuReport): boolean {
  switch (report.type) {
    case 'produced':
      if (bytesOf(report.outputs) + report.bytes.length > MOST_BYTES) return false;
      writer.u8(PRODUCED);
      writer.u64(report.position);
      writer.u64(report.time);
      writer.u64(report.base);
      encodeOutputs(writer, report.outputs);
      writer.raw(report.bytes);
      return true;
    case 'progress':
      writer.u8(PROGRESS);
      writer.u64(report.position);
      writer.u64(report.time);
      writer.u8(PROGRESS_STATES.indexOf(report.state));
      writer.varint(report.consumed);
      return true;
    case 'replayed':
      if (report.disk !== undefined || bytesOf(report.outputs) > MOST_BYTES) return false;
      writer.u8(REPLAYED);
      writer.u64(report.position);
      encodeOutputs(writer, report.outputs);
      return true;
    default:
      return false;
  }
}

/** Throws `MalformedError` for what `encodeReport` cannot have written. */
export function decodeReport(bytes: Uint8Array<ArrayBuffer>): CpuReport {
  const reader = new ByteReader(bytes);
  const kind = reader.u8();
  const position = reader.u64();
  switch (kind) {
    case PRODUCED: {
      const time = reader.u64();
      const base = reader.u64();
      const outputs = decodeOutputs(reader);
      return { type: 'produced', position, time, base, outputs, bytes: bytes.subarray(reader.offset) };
    }
    case PROGRESS: {
      const time = reader.u64();
      const state = named(reader, PROGRESS_STATES, 'state');
      return { type: 'progress', position, time, state, consumed: reader.varint() };
    }
    case REPLAYED:
      return { type: 'replayed', position, outputs: decodeOutputs(reader) };
    default:
      throw new MalformedError(0, `there is no kind ${kind} of report`);
  }
}

const bytesOf = (outputs: readonly NumberedOutput[]): number =>
  outputs.reduce((sum, output) => sum + heldBytes(output), 0);

function encodeOutputs(writer: ByteWriter, outputs: readonly NumberedOutput[]): void {
  writer.varint(outputs.length);
  for (const { sequence, output } of outputs) {
    writer.varint(sequence);
    encodeOutput(writer, output);
  }
}

function decodeOutputs(reader: ByteReader): NumberedOutput[] {
  const outputs: NumberedOutput[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    outputs.push({ sequence: reader.varint(), output: decodeOutput(reader) });
  }
  return outputs;
}

function encodeOutput(writer: ByteWriter, output: Output): void {
  writer.u8(OUTPUT_KINDS.indexOf(output.kind));
  if (output.kind === 'power') return writer.u8(POWER_ACTIONS.indexOf(output.action));
  writer.varint(output.device);
  switch (output.kind) {
    case 'net-tx':
      return writer.bytes(output.frame);
    case 'console-out':
      return writer.bytes(output.data);
    case 'entropy':
      writer.varint(output.id);
      return writer.varint(output.length);
    case 'block':
      return encodeRequest(writer, output.request);
  }
}

function decodeOutput(reader: ByteReader): Output {
  const kind = named(reader, OUTPUT_KINDS, 'kind of output');
  if (kind === 'power') return { kind, action: named(reader, POWER_ACTIONS, 'power action') };
  const device = reader.varint();
  switch (kind) {
    case 'net-tx':
      return { kind, device, frame: reader.bytes(reader.left) };
    case 'console-out':
      return { kind, device, data: reader.bytes(reader.left) };
    case 'entropy':
      return { kind, device, id: reader.varint(), length: reader.varint() };
    case 'block':
      return { kind, device, request: decodeRequest(reader) };
  }
}

function encodeRequest(writer: ByteWriter, request: BlockRequest): void {
  writer.u8(REQUEST_TYPES.indexOf(request.type));
  writer.varint(request.id);
  if (request.type === 'flush') return;
  writer.varint(request.offset);
  if (request.type === 'write') writer.bytes(request.data);
  else writer.varint(request.length);
}

function decodeRequest(reader: ByteReader): BlockRequest {
  const type = named(reader, REQUEST_TYPES, 'type of disk request');
  const id = reader.varint();
  if (type === 'flush') return { type, id };
  const offset = reader.varint();
  if (type === 'write') return { type, id, offset, data: reader.bytes(reader.left) };
  return { type, id, offset, length: reader.varint() };
}

function named<Name extends string>(reader: ByteReader, names: readonly Name[], what: string): Name {
  const at = reader.offset;
  const number = reader.u8();
  const name = names[number];
  if (name === undefined) throw new MalformedError(at, `there is no ${what} with the number ${number}`);
  return name;
}
