# A branch that nobody has been seen to take is not translated behind: it leaves the region.
entry:
  beqz  a0, cold_error
  addi  a1, a1, 1
  ret
cold_error:
  li    a0, -1
  li    a1, -2
  ret
