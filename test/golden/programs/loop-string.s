# strlen: a loop with its test at the top.
entry:
  mv    a1, a0
again:
  lbu   a2, 0(a1)
  beqz  a2, done
  addi  a1, a1, 1
  j     again
done:
  sub   a0, a1, a0
  ret
