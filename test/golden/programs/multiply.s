# Products, of which the high halves take more than one multiplication.
entry:
  mul   a0, a1, a2
  mulw  a3, a1, a2
  mulh  a4, a1, a2
  mulhu a5, a1, a2
  mulhsu a6, a1, a2
