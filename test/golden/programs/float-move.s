# Signs, and bits moved between the register files, without arithmetic.
entry:
  fmv.d.x fa0, a0
  fneg.d fa1, fa0
  fabs.d fa2, fa1
  fsgnj.d fa3, fa0, fa1
  fmv.x.d a1, fa3
  fmv.w.x ft0, a2
  fsgnjn.s ft1, ft0, ft0
  fmv.x.w a3, ft1
