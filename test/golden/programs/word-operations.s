# 32-bit arithmetic: results are sign-extended, and what needs only the low halves of its operands takes no more.
entry:
  addw  a0, a0, a1
  addiw a0, a0, 1
  sext.w a2, a0
  subw  a3, a2, a1
  sllw  a4, a3, a0
  srlw  a5, a4, a0
  sraw  a6, a5, a0
  slliw a7, a6, 3
  srliw t0, a7, 4
  sraiw t1, t0, 5
