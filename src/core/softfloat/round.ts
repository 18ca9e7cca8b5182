/**
 * Rounding: the one place where an exact result becomes a number of a format. The operations compute exactly, as
 * integers, and come here; overflow, underflow and inexactness are decided here and nowhere else.
 *
 * A significand may carry a *sticky* last bit: a 1 that stands for "and something more, less than one unit". That is
 * as good as the exact value as long as the bit lies below the half of the result's last place, which the callers see to.
 *
 * Sources: IEEE 754-2008, 4.3 (rounding) and 7.4 to 7.6 (overflow, underflow, inexact); RISC-V unprivileged
 * specification, "F": tininess is detected after rounding.
 */
import { Flag, type Format, Rounding, type RoundingMode, type Status } from './format.ts';
import { bitLength } from './operand.ts';

/** What a right shift loses, measured against half of the last place kept. */
const Lost = { nothing: 0, belowHalf: 1, half: 2, aboveHalf: 3 } as const;
type Lost = (typeof Lost)[keyof typeof Lost];

function lostBy(shift: number, significand: bigint): Lost {
  const lost = BigInt.asUintN(shift, significand);
  if (lost === 0n) return Lost.nothing;
  const half = 1n << BigInt(shift - 1);
  if (lost < half) return Lost.belowHalf;
  return lost === half ? Lost.half : Lost.aboveHalf;
}

/** Whether the magnitude kept goes up by one unit. */
function goesUp(rm: RoundingMode, lost: Lost, negative: boolean, kept: bigint): boolean {
  if (lost === Lost.nothing) return false;
  switch (rm) {
    case Rounding.RNE:
      return lost === Lost.half ? (kept & 1n) === 1n : lost === Lost.aboveHalf;
    case Rounding.RTZ:
      return false;
    case Rounding.RDN:
      return negative;
    case Rounding.RUP:
      return !negative;
    case Rounding.RMM:
      return lost >= Lost.half;
  }
}

/**
 * The pattern of (-1)^negative * significand * 2^exponent, rounded to `format`. The significand is positive.
 * Raises OF, UF and NX in `status`.
 */
export function round(
  format: Format,
  status: Status,
  negative: boolean,
  exponent: number,
  significand: bigint,
  rm: RoundingMode,
): bigint {
  const length = bitLength(significand);
  const normalQuantum = exponent + length - format.precision;
  const quantum = Math.max(normalQuantum, format.minQuantum);
  const shift = quantum - exponent;
  let kept: bigint;
  if (shift <= 0) {
    kept = shift === 0 ? significand : significand << BigInt(-shift);
  } else {
    // A longer shift loses everything, and that is less than half.
    const nothingKept = shift > length;
    const lost = nothingKept ? Lost.belowHalf : lostBy(shift, significand);
    kept = nothingKept ? 0n : significand >> BigInt(shift);
    if (lost !== Lost.nothing) {
      status.flags |= Flag.NX;
      if (normalQuantum < quantum && isTiny(format, negative, exponent, significand, rm, length)) {
        status.flags |= Flag.UF;
      }
      if (goesUp(rm, lost, negative, kept)) kept += 1n;
    }
  }
  // The quantum's distance from the least one, times the implicit bit, plus the significand: the implicit bit of a
  // normal number, or of a subnormal one that was rounded up to normal, adds the 1 that its exponent field lacks.
  const binade = quantum - format.minQuantum;
  if (binade >= format.maxField - 2) {
    const tooLarge = binade > format.maxField - 2 || kept >> BigInt(format.precision) !== 0n;
    if (tooLarge) return overflow(format, status, negative, rm);
  }
  const signAndBinade = negative ? binade + format.maxField + 1 : binade;
  return (BigInt(signAndBinade) << format.fractionShift) + kept;
}

/**
 * Whether a magnitude that starts below the least normal number stays there when it is rounded as if exponents had
 * no lower bound. It can only leave from the binade just below, by rounding up a significand that is all ones.
 */
function isTiny(
  format: Format,
  negative: boolean,
  exponent: number,
  significand: bigint,
  rm: RoundingMode,
  length: number,
): boolean {
  if (exponent + length - format.precision < format.minQuantum - 1) return true;
  const shift = length - format.precision;
  if (shift <= 0) return true;
  const kept = significand >> BigInt(shift);
  const allOnes = kept + 1n === format.implicitBit << 1n;
  return !(allOnes && goesUp(rm, lostBy(shift, significand), negative, kept));
}

/** Infinity, or the largest finite number where the mode rounds away from infinity (IEEE 754-2008, 7.4). */
function overflow(format: Format, status: Status, negative: boolean, rm: RoundingMode): bigint {
  status.flags |= Flag.OF | Flag.NX;
  const staysFinite = rm === Rounding.RTZ || rm === (negative ? Rounding.RUP : Rounding.RDN);
  const magnitude = staysFinite ? format.infinity - 1n : format.infinity;
  return negative ? magnitude | format.signBit : magnitude;
}

/**
 * The integer nearest to significand * 2^exponent in the sense of `rm`, as a magnitude. The significand is positive,
 * the exponent at most some hundreds. Sets NX in `status`, which the caller drops if the integer is out of range.
 */
export function roundToInteger(
  status: Status,
  negative: boolean,
  exponent: number,
  significand: bigint,
  rm: RoundingMode,
): bigint {
  if (exponent >= 0) return significand << BigInt(exponent);
  const shift = Math.min(-exponent, bitLength(significand) + 1);
  const lost = lostBy(shift, significand);
  const kept = significand >> BigInt(shift);
  if (lost !== Lost.nothing) status.flags |= Flag.NX;
  return goesUp(rm, lost, negative, kept) ? kept + 1n : kept;
}
