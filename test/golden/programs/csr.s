# CSR accesses in the midst of other code.
entry:
  addi  a0, a0, 1
  csrrs a1, sstatus, a0
  addi  a2, a2, 1
  csrw  sscratch, a2
  rdtime a3
  addi  a3, a3, 1
  ret
