# A store that hits translated code leaves before the next instruction: all that was written until then must be flushed, and
# the steps not taken given back.
entry:
  addi  a0, a0, 4
  sw    a1, 0(a0)
  addi  a2, a2, 1
  sw    a1, 4(a0)
  addi  a3, a3, 1
