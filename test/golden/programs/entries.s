# Two functions of one page that have nothing to do with each other.
  .globl second
entry:
  addi  a0, a0, 1
  ret
  .balign 64
second:
  addi  a0, a0, 2
  ret
