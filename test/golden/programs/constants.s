# How compilers make constants: lui with addiw, and shifts for the large ones.
entry:
  lui   a0, 0xdead
  addiw a0, a0, -273
  li    a1, 0x123456789abcdef0
  li    a2, -1
  srli  a2, a2, 32
  and   a0, a0, a2
