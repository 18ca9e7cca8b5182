# Division never traps: by zero, and of the least number by -1, it gives what the specification says.
entry:
  div   a0, a1, a2
  divu  a3, a1, a2
  rem   a4, a1, a2
  remu  a5, a1, a2
  divw  a6, a1, a2
  remuw a7, a1, a2
