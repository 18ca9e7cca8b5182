# Zba: addresses of array elements.
entry:
  sh3add a0, a1, a0
  ld    a0, 0(a0)
  sh2add.uw a2, a1, a2
  add.uw a3, a1, a3
  zext.w a4, a4
  slli.uw a5, a5, 4
