/**
 * Whether the host's relaxed multiply-add rounds once. WebAssembly leaves that to the host ("relaxed SIMD"); V8 takes the
 * fused instruction in both of its compilers where the processor has it, and multiplies and adds elsewhere. The guest sees
 * the same bits either way: on a host that does not fuse, the float unit computes.
 */
import { ModuleBuilder } from '../../wasm/module.ts';
import { type Host, hosts } from './host.ts';

interface Probe {
  readonly host: Host;
  readonly operands: readonly [bigint, bigint, bigint];
  /** Of a * b + c, rounded once. Rounded twice, it is 0. */
  readonly fused: bigint;
}

/** (1 + 2^-30) * (1 - 2^-30) - 1 = -2^-60 in doubles, and (1 + 2^-13) * (1 - 2^-13) - 1 = -2^-26 in singles. */
const probes: Readonly<Record<'d' | 's', Probe>> = {
  d: {
    host: hosts.d,
    operands: [0x3ff0_0000_0040_0000n, 0x3fef_ffff_ff80_0000n, 0xbff0_0000_0000_0000n],
    fused: 0xbc30_0000_0000_0000n,
  },
  s: { host: hosts.s, operands: [0x3f80_0400n, 0x3f7f_f800n, 0xbf80_0000n], fused: 0xb280_0000n },
};

let known: boolean | undefined;

/** Asks the host, the first time. A module that uses the answer is for this host alone. */
export function hostFuses(): boolean {
  known ??= Object.values(probes).every(isFused);
  return known;
}

function isFused({ host, operands, fused }: Probe): boolean {
  const m = new ModuleBuilder({ initialPages: 0, maximumPages: 0, shared: true });
  const f = m.function('multiplyAdd', ['i64', 'i64', 'i64'], ['i64']);
  f.return(host.multiplyAdd(f.param(0), f.param(1), f.param(2)));
  m.export(f);
  const memory = new WebAssembly.Memory({ initial: 0, maximum: 0, shared: true });
  const code = m.encode();
  // A processor may be too old for vectors altogether.
  if (!WebAssembly.validate(code)) return false;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  const multiplyAdd = exports.multiplyAdd as (a: bigint, b: bigint, c: bigint) => bigint;
  return BigInt.asUintN(64, multiplyAdd(...operands)) === fused;
}
