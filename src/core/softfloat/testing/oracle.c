/*
 * The oracle for softfloat: arithmetic that we did not write, fed with operands chosen to be nasty.
 *
 * Compiled for the host it asks the host's floating-point unit through <fenv.h>; compiled for RISC-V, and run by an
 * emulator or a real machine, it asks the RISC-V instructions themselves. Usage: oracle SEED COUNT. For each case it
 * writes one little-endian record of 40 bytes: operation, rounding mode, flags (as in fflags), format (0 = f32, 1 =
 * f64), 4 bytes of padding; then a, b, c and the result, 64 bits each (an f32 in the low half).
 */
#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADD, SUB, MUL, DIV, SQRT, FMA, MIN, MAX, EQ, LT, LE, CLASS, TO_W, TO_WU, TO_L, TO_LU, FROM_W, FROM_WU, FROM_L, FROM_LU, CONVERT, OPS };
enum { RNE, RTZ, RDN, RUP, RMM };

typedef uint64_t u64;
typedef union { u64 bits; double value; } D;
typedef union { uint32_t bits; float value; } S;

static u64 state;

/* splitmix64 */
static u64 next(void) {
  u64 z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static unsigned below(unsigned n) { return (unsigned)((next() >> 33) % n); }

/* ---- operands ---- */

typedef struct { int exponentBits, fractionBits; } Format;
static const Format formats[2] = {{8, 23}, {11, 52}};

static u64 pack(const Format *f, unsigned negative, long field, u64 fraction) {
  long max = (1L << f->exponentBits) - 1;
  if (field < 0) field = 0;
  if (field > max) field = max;
  fraction &= (1ull << f->fractionBits) - 1;
  return ((u64)negative << (f->exponentBits + f->fractionBits)) | ((u64)field << f->fractionBits) | fraction;
}

static long field_of(const Format *f, u64 bits) { return (bits >> f->fractionBits) & ((1L << f->exponentBits) - 1); }

/* Few bits, runs of ones, or anything: products of short ones are exact or half-way. */
static u64 fraction(const Format *f) {
  u64 all = (1ull << f->fractionBits) - 1, x;
  switch (below(8)) {
    case 0: return 0;
    case 1: return all;
    case 2: return 1ull << below(f->fractionBits);
    case 3: return (1ull << below(f->fractionBits)) | (1ull << below(f->fractionBits));
    case 4: return all << below(f->fractionBits);
    case 5: return all >> below(f->fractionBits);
    case 6: x = next() & all; return x >> below(f->fractionBits) << below(f->fractionBits);
    default: return next() & all;
  }
}

static u64 special(const Format *f) {
  long max = (1L << f->exponentBits) - 1, bias = max / 2;
  unsigned s = below(2);
  switch (below(12)) {
    case 0: case 1: return pack(f, s, 0, 0);
    case 2: return pack(f, s, 0, 1 + below(3));
    case 3: return pack(f, s, 0, -1 - (u64)below(3));
    case 4: return pack(f, s, 1, below(3));
    case 5: return pack(f, s, max - 1, -1 - (u64)below(3));
    case 6: case 7: return pack(f, s, max, 0);
    case 8: return pack(f, s, max, (1ull << (f->fractionBits - 1)) | (below(2) ? next() : 0));
    case 9: return pack(f, s, max, 1 + (next() & ((1ull << (f->fractionBits - 1)) - 2)));
    case 10: return pack(f, s, bias, below(3));
    default: return pack(f, s, bias - 1 + (long)below(3), -(u64)below(3));
  }
}

static u64 any(const Format *f) {
  long max = (1L << f->exponentBits) - 1, field;
  switch (below(16)) {
    case 0: return special(f);
    case 1: return next() & (f->fractionBits == 52 ? ~0ull : 0xffffffffu);
    case 2: case 3: field = 0; break;
    case 4: field = 1 + below(3); break;
    case 5: field = max - 1 - below(3); break;
    case 6: case 7: field = below(max + 1); break;
    default: field = max / 2 - 70 + (long)below(140); break;
  }
  return pack(f, below(2), field, fraction(f));
}

/* An operand that belongs to another one: as large, nearly equal, or some places away. */
static u64 near(const Format *f, u64 a) {
  u64 sign = (u64)below(2) << (f->exponentBits + f->fractionBits);
  u64 mask = f->fractionBits == 52 ? ~0ull : 0xffffffffu;
  switch (below(4)) {
    case 0: return (a + below(5) - 2) & mask;
    case 1: return ((a + below(5) - 2) & mask) ^ sign;
    case 2: return pack(f, below(2), field_of(f, a) + (long)below(5) - 2, fraction(f));
    default: return pack(f, below(2), field_of(f, a) + (long)below(2 * f->fractionBits + 12) - f->fractionBits - 6, fraction(f));
  }
}

/* An operand that brings a product, or with `quotient` a quotient, to one end of the range. */
static u64 at_the_edge(const Format *f, u64 a, int quotient) {
  long max = (1L << f->exponentBits) - 1, bias = max / 2;
  long target = below(3) ? -(long)below(f->fractionBits + 4) + 2 : max - 2 + (long)below(4);
  long field = quotient ? field_of(f, a) - target + bias : target - field_of(f, a) + bias;
  return pack(f, below(2), field, fraction(f));
}

/* A power of two, give or take some last places: two of them make a result at the edge of the normal numbers. */
static u64 near_power(const Format *f, long power) {
  long bias = ((1L << f->exponentBits) - 1) / 2;
  if (bias + power < 1) power = 1 - bias;
  return pack(f, 0, bias + power, 0) + below(9) - 4 + ((u64)below(2) << (f->exponentBits + f->fractionBits));
}

/* A number close to an end of an integer type's range, or a small one, with a fraction. */
static u64 near_integer(const Format *f) {
  static const int powers[] = {31, 32, 63, 64, 0, 1, 2, 52, 53, 24};
  long bias = ((1L << f->exponentBits) - 1) / 2;
  int power = powers[below(10)];
  u64 a = pack(f, below(2), bias + power - (long)below(2), fraction(f));
  if (below(2)) a = pack(f, below(2), bias + power, 0) + below(9) - 4;
  if (below(2) && power < f->fractionBits) {
    u64 half = 1ull << (f->fractionBits - power - (power < f->fractionBits));
    a = pack(f, below(2), bias + power, 0) + (u64)((long)below(9) - 4) * half + below(3) - 1;
  }
  return a & (f->fractionBits == 52 ? ~0ull : 0xffffffffu);
}

static u64 integer(void) {
  u64 x = next();
  switch (below(6)) {
    case 0: return x;
    case 1: return (u64)((int64_t)x >> below(64));
    case 2: return (1ull << below(64)) + below(5) - 2;
    case 3: return (~0ull << below(64)) + below(5) - 2;
    case 4: { int s = 24 + below(40); return (((x >> 1) | (1ull << 62)) >> (63 - s - 1 < 0 ? 0 : 62 - s)) + below(3) - 1; }
    default: { u64 half = 1ull << below(40); return ((x & 0xffffffffffffffu) << below(8) & ~(half - 1)) + (half >> 1) + below(3) - 1; }
  }
}

/* ---- the operations ---- */

#ifdef __riscv

/* One instruction with its dynamic rounding mode, between clearing and reading the flags. */
#define RUN(instruction, out, ...)                                                                            \
  __asm__ volatile("fsrm %1\n fsflags x0\n" instruction "\n frflags %2" : out, "+r"(mode), "=&r"(raised) : __VA_ARGS__)
#define ARITHMETIC(t, A, B, C, R)                                                                             \
  case ADD: RUN("fadd." t " %0,%3,%4", "=&f"(R), "f"(A), "f"(B)); break;                                      \
  case SUB: RUN("fsub." t " %0,%3,%4", "=&f"(R), "f"(A), "f"(B)); break;                                      \
  case MUL: RUN("fmul." t " %0,%3,%4", "=&f"(R), "f"(A), "f"(B)); break;                                      \
  case DIV: RUN("fdiv." t " %0,%3,%4", "=&f"(R), "f"(A), "f"(B)); break;                                      \
  case SQRT: RUN("fsqrt." t " %0,%3", "=&f"(R), "f"(A)); break;                                               \
  case FMA: RUN("fmadd." t " %0,%3,%4,%5", "=&f"(R), "f"(A), "f"(B), "f"(C)); break;                          \
  case MIN: RUN("fmin." t " %0,%3,%4", "=&f"(R), "f"(A), "f"(B)); break;                                      \
  case MAX: RUN("fmax." t " %0,%3,%4", "=&f"(R), "f"(A), "f"(B)); break;                                      \
  case EQ: RUN("feq." t " %0,%3,%4", "=&r"(*result), "f"(A), "f"(B)); return raised;                          \
  case LT: RUN("flt." t " %0,%3,%4", "=&r"(*result), "f"(A), "f"(B)); return raised;                          \
  case LE: RUN("fle." t " %0,%3,%4", "=&r"(*result), "f"(A), "f"(B)); return raised;                          \
  case CLASS: RUN("fclass." t " %0,%3", "=&r"(*result), "f"(A)); return raised;                               \
  case TO_W: RUN("fcvt.w." t " %0,%3", "=&r"(*result), "f"(A)); return raised;                                \
  case TO_WU: RUN("fcvt.wu." t " %0,%3", "=&r"(*result), "f"(A)); return raised;                              \
  case TO_L: RUN("fcvt.l." t " %0,%3", "=&r"(*result), "f"(A)); return raised;                                \
  case TO_LU: RUN("fcvt.lu." t " %0,%3", "=&r"(*result), "f"(A)); return raised;                              \
  case FROM_L: RUN("fcvt." t ".l %0,%3", "=&f"(R), "r"(a)); break;                                            \
  case FROM_LU: RUN("fcvt." t ".lu %0,%3", "=&f"(R), "r"(a)); break;

static int run(int op, int wide, int rm, u64 a, u64 b, u64 c, u64 *result) {
  u64 mode = rm, raised = 0;
  if (wide) {
    D x = {a}, y = {b}, z = {c}, r = {0};
    float single;
    switch (op) {
      ARITHMETIC("d", x.value, y.value, z.value, r.value)
      case FROM_W: RUN("fcvt.d.w %0,%3", "=&f"(r.value), "r"(a)); break;
      case FROM_WU: RUN("fcvt.d.wu %0,%3", "=&f"(r.value), "r"(a)); break;
      case CONVERT: { S s; RUN("fcvt.s.d %0,%3", "=&f"(single), "f"(x.value)); s.value = single; *result = s.bits; return raised; }
    }
    *result = r.bits;
  } else {
    S x = {a}, y = {b}, z = {c}, r = {0};
    switch (op) {
      ARITHMETIC("s", x.value, y.value, z.value, r.value)
      case FROM_W: RUN("fcvt.s.w %0,%3", "=&f"(r.value), "r"(a)); break;
      case FROM_WU: RUN("fcvt.s.wu %0,%3", "=&f"(r.value), "r"(a)); break;
      case CONVERT: { D d; RUN("fcvt.d.s %0,%3", "=&f"(d.value), "f"(x.value)); *result = d.bits; return raised; }
    }
    *result = r.bits;
  }
  return raised;
}

#define asks(op, wide, rm, a) 1

#else

/* What the host's C has no exact counterpart for: RMM, min and max, class, conversions that saturate. */
static int asks(int op, int wide, int rm, u64 a) {
  if (rm == RMM || op == MIN || op == MAX || op == CLASS || op == TO_WU || op == TO_W || op == TO_LU) return 0;
  if (op != TO_L) return 1;
  double value = wide ? (D){a}.value : (S){(uint32_t)a}.value;
  return value >= -0x1p63 && value < 0x1p63;
}

static int to_riscv(int raised) {
  return (raised & FE_INEXACT ? 1 : 0) | (raised & FE_UNDERFLOW ? 2 : 0) | (raised & FE_OVERFLOW ? 4 : 0) |
         (raised & FE_DIVBYZERO ? 8 : 0) | (raised & FE_INVALID ? 16 : 0);
}

#define ARITHMETIC(X, Y, Z, R, SQUARE_ROOT, FUSED, ROUND, T)                                                  \
  case ADD: R = X + Y; break;                                                                                 \
  case SUB: R = X - Y; break;                                                                                 \
  case MUL: R = X * Y; break;                                                                                 \
  case DIV: R = X / Y; break;                                                                                 \
  case SQRT: R = SQUARE_ROOT(X); break;                                                                       \
  case FMA: R = FUSED(X, Y, Z); break;                                                                        \
  case EQ: *result = X == Y; whole = 1; break;                                                                \
  case LT: *result = X < Y; whole = 1; break;                                                                 \
  case LE: *result = X <= Y; whole = 1; break;                                                                \
  case TO_L: *result = (u64)ROUND(X); whole = 1; break;                                                       \
  case FROM_W: R = (T)(int32_t)integer; break;                                                                \
  case FROM_WU: R = (T)(uint32_t)integer; break;                                                              \
  case FROM_L: R = (T)(int64_t)integer; break;                                                                \
  case FROM_LU: R = (T)integer; break;

static int run(int op, int wide, int rm, u64 a, u64 b, u64 c, u64 *result) {
  static const int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
  int whole = 0, raised;
  volatile u64 integer = a;
  volatile D x = {a}, y = {b}, z = {c}, r = {0};
  volatile S sx, sy, sz, sr;
  sx.bits = a, sy.bits = b, sz.bits = c, sr.bits = 0;
  fesetround(modes[rm]);
  feclearexcept(FE_ALL_EXCEPT);
  if (wide) {
    switch (op) {
      ARITHMETIC(x.value, y.value, z.value, r.value, sqrt, fma, llrint, double)
      case CONVERT: sr.value = (float)x.value; break;
    }
  } else {
    switch (op) {
      ARITHMETIC(sx.value, sy.value, sz.value, sr.value, sqrtf, fmaf, llrintf, float)
      case CONVERT: r.value = (double)sx.value; break;
    }
  }
  raised = fetestexcept(FE_ALL_EXCEPT);
  fesetround(FE_TONEAREST);
  if (!whole) *result = wide == (op != CONVERT) ? r.bits : sr.bits;
  return to_riscv(raised);
}

#endif

/* An addend that nearly cancels a product. */
static u64 cancelling(int wide, u64 a, u64 b) {
  D x = {a}, y = {b};
  S s = {a}, t = {b};
  if (wide) { x.value = -(x.value * y.value); return x.bits + below(5) - 2; }
  s.value = -(s.value * t.value);
  return (uint32_t)(s.bits + below(5) - 2);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  state = strtoull(argv[1], 0, 10);
  for (long count = atol(argv[2]); count > 0;) {
    int op = below(OPS + 4), wide = below(2), rm = below(5);
    if (op >= OPS) op = op == OPS ? ADD : op == OPS + 1 ? MUL : FMA;
    const Format *f = &formats[wide];
    u64 a = any(f), b = any(f), c = any(f), record[5] = {0};
    unsigned taste = below(4);
    if (op >= MIN && op <= LE ? taste < 3 : op <= SUB && taste < 2) b = near(f, a);
    if ((op == MUL || op == DIV || op == FMA) && taste == 0) b = at_the_edge(f, a, op == DIV);
    if ((op == MUL || op == DIV || op == FMA) && below(6) == 0) {
      long least = wide ? -1022 : -126, power = below(wide ? 1000 : 120), target = least + (long)below(4) - 2;
      a = near_power(f, op == DIV ? target + power : -power);
      b = near_power(f, op == DIV ? power : target + power);
      if (op == DIV && below(2)) a = near_power(f, target), b = near_power(f, 0);
    }
    if (op == FMA && below(6) == 0) c = pack(f, below(2), below(3), fraction(f));
    else if (op == FMA && below(3) == 0) c = cancelling(wide, a, b);
    else if (op == FMA && below(2)) c = near(f, cancelling(wide, a, b));
    if (below(12) == 0) b = special(f);
    if (below(12) == 0) c = special(f);
    if (op >= TO_W && op <= TO_LU && taste) a = near_integer(f);
    if (op >= FROM_W && op <= FROM_LU) a = integer();
    if (op == CONVERT && wide && taste)
      a = pack(f, below(2), (taste > 1 ? 1023 - 126 - 25 + (long)below(28) : 1023 + 125 + (long)below(4)),
               below(2) ? (u64)below(16) << 28 : fraction(f) & (below(2) ? ~0ull : ~0ull << 27));
    if (op == CONVERT && wide && below(4) == 0)
      a = pack(f, below(2), 1023 - 126, 0) + ((long)below(65) - 32) * (1ll << (22 + below(8))) + (long)below(3) - 1;
    if (!asks(op, wide, rm, a)) continue;
    record[0] = (u64)op | (u64)rm << 8 | (u64)wide << 24;
    record[0] |= (u64)run(op, wide, rm, a, b, c, &record[4]) << 16;
    record[1] = a, record[2] = b, record[3] = c;
    fwrite(record, sizeof record, 1, stdout);
    count--;
  }
  return 0;
}
