# Compare and swap with a reservation.
entry:
  lr.w.aq a3, (a0)
  bne   a3, a1, out
  sc.w.rl a4, a2, (a0)
  bnez  a4, entry
out:
  mv    a0, a3
  ret
