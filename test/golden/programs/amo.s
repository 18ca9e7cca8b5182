# Atomic memory operations.
entry:
  amoadd.w a0, a1, (a2)
  amoswap.d.aqrl a3, a1, (a2)
  amoor.d zero, a4, (a2)
  amomax.w a5, a1, (a2)
