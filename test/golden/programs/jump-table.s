# A switch: a jump whose target comes from a table.
  .globl case_1, case_2
entry:
  sltiu a2, a0, 3
  beqz  a2, out
  slli  a0, a0, 3
  add   a1, a1, a0
  ld    a1, 0(a1)
  jr    a1
case_1:
  addi  a3, a3, 1
  ret
case_2:
  addi  a3, a3, 2
out:
  ret
