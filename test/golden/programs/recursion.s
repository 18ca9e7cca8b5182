# Fibonacci numbers, with the calls that gcc -O1 leaves in.
entry:
  li    a5, 1
  bleu  a0, a5, done
  addi  sp, sp, -32
  sd    ra, 24(sp)
  sd    s0, 16(sp)
  sd    s1, 8(sp)
  mv    s0, a0
  addi  a0, a0, -1
  jal   ra, entry
  mv    s1, a0
  addi  a0, s0, -2
  jal   ra, entry
  add   a0, a0, s1
  ld    ra, 24(sp)
  ld    s0, 16(sp)
  ld    s1, 8(sp)
  addi  sp, sp, 32
done:
  ret
