# A loop that is entered in the middle too: no compiler of structured code makes it, but it must work.
entry:
  bnez  a2, middle
head:
  addi  a0, a0, 1
middle:
  addi  a1, a1, -1
  bnez  a1, head
  ret
