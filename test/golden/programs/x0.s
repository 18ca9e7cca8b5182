# x0 reads as the constant 0, and what is written to it is nowhere; a load into it is still made, because it may trap.
entry:
  add   a0, zero, zero
  sub   a1, zero, a2
  addi  zero, a0, 5
  or    a3, a4, zero
  sltu  a5, zero, a6
  ld    zero, 0(a7)
  bne   zero, zero, entry
  beq   t0, zero, entry
