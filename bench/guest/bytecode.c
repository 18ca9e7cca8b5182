/* An interpreter of a small bytecode that runs a Collatz search: one indirect jump for each operation. Prints what the program finds. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum operation { SET, MOVE, ADD_CONSTANT, HALVE, TRIPLE_PLUS_ONE, JUMP, JUMP_IF_ODD, JUMP_UNLESS_ONE, JUMP_IF_NOT_LESS, JUMP_IF_LESS, HALT };

struct instruction {
  uint8_t operation, a, b;
  int32_t c;
};

/* r0: start, r1: value, r2: steps, r3: most steps, r4: limit, r5: sum of the steps */
static const struct instruction program[] = {
    {SET, 0, 0, 1},           /*  0 */
    {SET, 3, 0, 0},           /*  1 */
    {MOVE, 1, 0, 0},          /*  2: next start */
    {SET, 2, 0, 0},           /*  3 */
    {JUMP_UNLESS_ONE, 1, 0, 6},  /*  4: next step */
    {JUMP, 0, 0, 11},         /*  5 */
    {ADD_CONSTANT, 2, 0, 1},  /*  6 */
    {JUMP_IF_ODD, 1, 0, 9},   /*  7 */
    {HALVE, 1, 0, 0},         /*  8 */
    {JUMP_IF_ODD, 1, 0, 16},  /*  9 */
    {JUMP, 0, 0, 4},          /* 10 */
    {JUMP_IF_NOT_LESS, 3, 2, 13}, /* 11 */
    {MOVE, 3, 2, 0},          /* 12 */
    {ADD_CONSTANT, 0, 0, 1},  /* 13 */
    {JUMP_IF_LESS, 0, 4, 2},  /* 14 */
    {HALT, 0, 0, 0},          /* 15 */
    {JUMP_UNLESS_ONE, 1, 0, 18}, /* 16 */
    {JUMP, 0, 0, 11},         /* 17 */
    {TRIPLE_PLUS_ONE, 1, 0, 0},  /* 18 */
    {ADD_CONSTANT, 2, 0, 1},  /* 19 */
    {JUMP, 0, 0, 8},          /* 20 */
};

/* Not inlined, so that the program is not known where it is interpreted. */
__attribute__((noinline)) static uint32_t interpret(const struct instruction *code, uint32_t limit) {
  uint32_t r[8] = {0, 0, 0, 0, limit};
  const struct instruction *at = code;
  for (;;) {
    struct instruction i = *at++;
    switch (i.operation) {
      case SET: r[i.a] = i.c; break;
      case MOVE: r[i.a] = r[i.b]; break;
      case ADD_CONSTANT: r[i.a] += i.c; break;
      case HALVE: r[i.a] >>= 1; break;
      case TRIPLE_PLUS_ONE: r[i.a] = 3 * r[i.a] + 1; break;
      case JUMP: at = code + i.c; break;
      case JUMP_IF_ODD: if (r[i.a] & 1) at = code + i.c; break;
      case JUMP_UNLESS_ONE: if (r[i.a] != 1) at = code + i.c; break;
      case JUMP_IF_NOT_LESS: if (r[i.a] >= r[i.b]) at = code + i.c; break;
      case JUMP_IF_LESS: if (r[i.a] < r[i.b]) at = code + i.c; break;
      case HALT: return r[3];
    }
  }
}

int main(int argc, char **argv) {
  printf("%u\n", interpret(program, argc > 1 ? atoi(argv[1]) : 10));
}
