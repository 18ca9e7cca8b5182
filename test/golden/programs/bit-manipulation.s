# Zbb and Zbs.
entry:
  andn  a0, a0, a1
  orn   a1, a1, a2
  xnor  a2, a2, a3
  clz   a3, a0
  ctzw  a4, a1
  cpop  a5, a2
  max   a6, a0, a1
  minu  a7, a0, a1
  sext.b t0, a0
  zext.h t1, a1
  rol   t2, a0, a1
  roriw t3, a0, 7
  rev8  t4, a0
  orc.b t5, a0
  bext  t6, a0, a1
  bseti s2, a0, 40
  bclr  s3, a0, a1
  binvi s4, a0, 3
