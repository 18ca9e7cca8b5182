/* Not measured: writes KIB kibibytes that compress about as written language does (words by Zipf's law), for gzip and sha256sum. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORDS = 4096 };
static char words[WORDS][12];
static uint32_t state = 42;

static uint32_t below(uint32_t limit) {
  state = state * 1664525u + 1013904223u;
  return (uint32_t)(((uint64_t)state * limit) >> 32);
}

int main(int argc, char **argv) {
  long left = (argc > 1 ? atol(argv[1]) : 1) * 1024;
  for (int i = 0; i < WORDS; i++) {
    int length = 2 + below(9);
    for (int k = 0; k < length; k++) words[i][k] = "etaoinshrdlucmfwypvbgkqjxz"[below(1 + below(26))];
  }
  for (int column = 0; left > 0; left--, column++) {
    static const char *at = "";
    if (*at == 0) {
      putchar(column > 70 ? (column = 0, '\n') : ' ');
      /* The product of two uniform numbers prefers the small ones, as Zipf's law does. */
      at = words[below(1 + below(1 + below(WORDS)))];
    } else {
      putchar(*at++);
    }
  }
}
