/** The float unit over a machine's memory: (operation, single?, rounding mode, a, b, c) → bits; flags accrue in fcsr. */
import { buildFloatUnit } from './float/unit.ts';

export type FloatUnit = (operation: number, single: number, rm: number, a: bigint, b: bigint, c: bigint) => bigint;

/** What generated modules import as `softfloat`: a function of WebAssembly itself, so that a call costs a few nanoseconds. */
export function softfloatImport(memory: WebAssembly.Memory): FloatUnit {
  const pages = memory.buffer.byteLength / 65536;
  const unit = buildFloatUnit({ initialPages: pages, maximumPages: pages, shared: true });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(unit), { env: { memory } });
  return exports.compute as FloatUnit;
}
