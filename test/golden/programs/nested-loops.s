# A loop in a loop.
entry:
  li    a2, 0
outer:
  mv    a3, a1
inner:
  add   a2, a2, a3
  addi  a3, a3, -1
  bnez  a3, inner
  addi  a0, a0, -1
  bnez  a0, outer
  ret
