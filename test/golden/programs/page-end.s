# Code that runs into the end of its page goes on in the next one.
  .org 0xff4
entry:
  addi  a0, a0, 1
  addi  a0, a0, 2
  addi  a0, a0, 3
