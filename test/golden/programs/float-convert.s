# Conversions between integers and floating point.
entry:
  fcvt.d.l fa0, a0
  fcvt.d.w fa1, a1
  fcvt.s.d fa2, fa0
  fcvt.d.s fa3, fa2
  fcvt.l.d a2, fa0, rtz
  fcvt.w.d a3, fa0, rtz
  fcvt.lu.d a4, fa0, rtz
