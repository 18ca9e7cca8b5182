# A comparison into a register, and a branch on it.
entry:
  sltu  a2, a0, a1
  bnez  a2, out
  slti  a3, a0, 10
  xori  a3, a3, 1
  beqz  a3, out
  seqz  a4, a0
  snez  a5, a4
out:
  ret
