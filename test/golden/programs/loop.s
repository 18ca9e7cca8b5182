# A counted loop of one block.
entry:
  li    a1, 0
again:
  add   a1, a1, a0
  addi  a0, a0, -1
  bnez  a0, again
  ret
