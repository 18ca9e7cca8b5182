# Registers saved in a frame and restored from it: neighbouring accesses with the same base.
entry:
  addi  sp, sp, -32
  sd    ra, 24(sp)
  sd    s0, 16(sp)
  sd    s1, 8(sp)
  mv    s0, a0
  addi  s1, s0, 1
  mv    a0, s1
  ld    ra, 24(sp)
  ld    s0, 16(sp)
  ld    s1, 8(sp)
  addi  sp, sp, 32
  ret
