# Multiply and add, rounded once.
entry:
  fmadd.d fa0, fa1, fa2, fa0
  fnmsub.d fa0, fa3, fa4, fa0
  fmadd.s ft0, ft1, ft2, ft3
