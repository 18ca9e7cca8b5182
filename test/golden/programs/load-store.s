# Loads and stores of every width: the access is in the hit arm of the look-up in the software TLB.
entry:
  ld    a0, 0(sp)
  lw    a1, 8(sp)
  lwu   a2, 12(sp)
  lh    a3, 16(sp)
  lhu   a4, 18(sp)
  lb    a5, 20(sp)
  lbu   a6, 21(sp)
  sd    a0, 24(sp)
  sw    a1, 32(sp)
  sh    a2, 36(sp)
  sb    a3, 38(sp)
