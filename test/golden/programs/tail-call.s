# Tail calls: within the page, and through a register.
entry:
  beqz  a0, other
  ld    t1, 0(a0)
  jr    t1
other:
  addi  a0, a0, 1
  j     last
  nop
last:
  auipc t1, 2
  jr    16(t1)
