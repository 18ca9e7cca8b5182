# Floating point of double precision.
entry:
  fadd.d fa0, fa1, fa2
  fmul.d fa0, fa0, fa3
  fsub.d fa4, fa0, fa1
  fdiv.d fa5, fa4, fa0
  fsqrt.d fa6, fa5
