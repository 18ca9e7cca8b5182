# A loop that is left in three ways.
entry:
  lw    a2, 0(a0)
  beqz  a2, none
  beq   a2, a1, found
  addi  a0, a0, 4
  j     entry
found:
  mv    a0, a2
  ret
none:
  li    a0, 0
  ret
