# Every condition of a branch.
entry:
  beq   a0, a1, out
  bne   a0, a2, out
  blt   a0, a3, out
  bge   a0, a4, out
  bltu  a0, a5, out
  bgeu  a0, a6, out
  bltz  a1, out
  blez  a2, out
  bnez  a3, out
out:
  ret
