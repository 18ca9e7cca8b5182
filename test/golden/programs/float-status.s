# What programs do with fcsr.
entry:
  frflags a0
  fadd.d fa0, fa1, fa2
  fsflags a0
  fsrmi a1, 1
