# Signed loads whose values are extended again at once, as compilers for word types write them.
entry:
  lw    a0, 0(a1)
  sext.w a0, a0
  addiw a0, a0, 1
  sw    a0, 0(a1)
  lbu   a2, 4(a1)
  andi  a2, a2, 255
