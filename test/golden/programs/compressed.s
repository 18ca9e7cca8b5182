# Compressed instructions among others: the pc goes on by 2 or 4.
  .option rvc
entry:
  addi  a0, a0, 1
  lui   a1, 0x12345
  add   a0, a0, a1
  ld    s0, 8(a0)
  sd    s0, 0(sp)
  beqz  s0, out
  addi  sp, sp, -16
  j     entry
out:
  jr    ra
