# The inner loop of a bytecode interpreter: a byte, a table, a jump.
entry:
  lbu   a5, 0(s0)
  addi  s0, s0, 1
  sh3add a5, a5, s1
  ld    a5, 0(a5)
  jr    a5
  .globl op_add
op_add:
  ld    a0, 0(s2)
  ld    a1, 8(s2)
  addi  s2, s2, 8
  add   a0, a0, a1
  sd    a0, 0(s2)
  j     entry
