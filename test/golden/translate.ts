/** What the translator makes of a program, as text. */

import { hostFuses } from '../../src/core/engine/float/fusion.ts';
import { buildRegions } from '../../src/core/engine/translator/compile.ts';
import { floatRegisterNames, registerNames } from '../../src/core/isa/disassembler.ts';
import { F, hart, X } from '../../src/core/machine/hart.ts';
import { PAGE_BYTES } from '../../src/core/machine/memory-map.ts';
import type { ModuleBuilder } from '../../src/core/wasm/module.ts';
import { printModule } from '../../src/core/wasm/wat.ts';
import { listingOf, type Program } from './program.ts';

/** Some machine's; the numbers show in the code. */
const layout = { memoryPages: 2048, ramOffset: 0x200_0000 };
const decoded = 0x100_0000;

export function translate({ labels, image }: Program): ModuleBuilder {
  const reached = new Uint8Array(PAGE_BYTES / 16).fill(0xff);
  for (const { offset, role } of labels) if (role === 'cold') reached[offset >>> 4] &= ~(1 << ((offset >>> 1) & 7));
  const entries = labels.filter(({ role }) => role === 'entered').map(({ offset }) => offset);
  const request = { number: 7, decoded, page: image.slice(0, PAGE_BYTES), entries, reached };
  return buildRegions([request], layout).m;
}

/** Why the translation differs on this host, if it does: the golden files are those of a host that fuses. */
export function otherHere(program: Program): string | undefined {
  const fuses = /\bfn?m(add|sub)\b/.test(listingOf(program));
  return fuses && !hostFuses() ? 'this host has no fused multiply-add' : undefined;
}

/** The contents of a program's golden file. */
export function goldenText(program: Program): string {
  return listingOf(program) + printModule(translate(program), { usedOnly: true, nameAddress });
}

const names = new Map<number, string>([
  ...registerNames.map((name, i) => [X + i * 8, name] as const),
  ...floatRegisterNames.map((name, i) => [F + i * 8, name] as const),
  ...Object.entries(hart).map(([name, { offset }]) => [offset, name] as const),
]);

function nameAddress(address: number): string | undefined {
  const name = names.get(address);
  if (name !== undefined) return name;
  const field = names.get(address & -8);
  return field === undefined ? undefined : `${field}+${address & 7}`;
}
