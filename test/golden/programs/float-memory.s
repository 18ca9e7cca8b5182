# Loads and stores of floating-point registers: no rounding, bits go as they are.
entry:
  fld   fa0, 0(sp)
  fsd   fa0, 8(sp)
  flw   ft0, 16(sp)
  fsw   ft0, 20(sp)
