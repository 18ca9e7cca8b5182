# Comparisons, and a branch on one.
entry:
  flt.d a0, fa0, fa1
  bnez  a0, less
  feq.d a1, fa0, fa1
  fle.s a2, ft0, ft1
  fclass.d a3, fa0
less:
  fmin.d fa0, fa0, fa1
  ret
