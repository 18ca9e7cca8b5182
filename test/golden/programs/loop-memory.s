# A loop that copies 8 bytes at a time.
entry:
  ld    a3, 0(a1)
  sd    a3, 0(a0)
  addi  a0, a0, 8
  addi  a1, a1, 8
  bltu  a0, a2, entry
  ret
