# A long block is cut.
entry:
  .rept 130
  add   a0, a0, a1
  .endr
  ret
