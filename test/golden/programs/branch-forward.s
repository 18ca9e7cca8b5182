# A branch over a few instructions.
entry:
  beqz  a0, skip
  addi  a1, a1, 1
  slli  a1, a1, 1
skip:
  add   a2, a2, a1
  ret
