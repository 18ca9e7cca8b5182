# Fences order nothing on one hart; fence.i and sfence.vma do something.
entry:
  fence rw, rw
  addi  a0, a0, 1
  fence.i
  addi  a0, a0, 2
  sfence.vma
  addi  a0, a0, 3
  .word 0x0100000f # pause
  ret
