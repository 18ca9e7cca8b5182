# if and else, which join again.
entry:
  bltu  a0, a1, less
  sub   a2, a0, a1
  j     join
less:
  sub   a2, a1, a0
join:
  add   a3, a3, a2
  ret
