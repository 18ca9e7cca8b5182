# An instruction that lies in two pages is left to the interpreter.
  .option rvc
  .org 0xffa
entry:
  addi  a0, a0, 1
  addi  a0, a0, 2
  .option norvc
  addi  a0, a0, 3
