/* Marsaglia's xorshift128 on 32-bit words: integer arithmetic in registers only, one long chain of dependences. Prints the last word. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  uint32_t rounds = argc > 1 ? strtoul(argv[1], 0, 10) : 1;
  uint32_t x = 123456789, y = 362436069, z = 521288629, w = 88675123;
  for (uint32_t i = 0; i < rounds; i++) {
    uint32_t t = x ^ (x << 11);
    x = y, y = z, z = w;
    w ^= (w >> 19) ^ t ^ (t >> 8);
  }
  printf("%u\n", w);
}
