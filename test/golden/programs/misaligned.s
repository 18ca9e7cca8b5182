# An address that is not a multiple of the size: its low bits match no tag, so that the slow path serves it.
entry:
  addi  a0, sp, 1
  ld    a1, 0(a0)
  sd    a1, 3(a0)
  lh    a2, 0(a0)
  lbu   a3, 0(a0)
