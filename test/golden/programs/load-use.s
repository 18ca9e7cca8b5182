# A chain of loads, each the address of the next.
entry:
  ld    a0, 0(a0)
  ld    a0, 8(a0)
  lw    a1, 16(a0)
  add   a2, a2, a1
  bnez  a0, entry
