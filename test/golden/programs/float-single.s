# Floating point of single precision: operands must be boxed properly, results are boxed.
entry:
  flw   fa0, 0(a0)
  flw   fa1, 4(a0)
  fadd.s fa2, fa0, fa1
  fmul.s fa2, fa2, fa0
  fsw   fa2, 8(a0)
