# Straight-line arithmetic: registers come into locals once, are written once, and constants are folded into their users.
entry:
  addi  a0, a0, 1
  add   a1, a0, a2
  sub   a1, a1, a3
  xori  a4, a1, -1
  and   a4, a4, a0
  slli  a5, a4, 12
  srai  a5, a5, 3
  srl   a6, a5, a0
  slt   a7, a5, a6
  sltiu t0, a7, 1
  lui   t1, 0x12345
  auipc t2, 0x1
