# The inner loop of a hash: FNV-1a over bytes.
entry:
  lbu   a3, 0(a0)
  addi  a0, a0, 1
  xor   a1, a1, a3
  mul   a1, a1, a4
  bne   a0, a2, entry
  mv    a0, a1
  ret
