/* Eratosthenes' sieve over bytes: short loops with strided stores. Prints the number of primes below N, for each round the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 1000000 };
static unsigned char composite[N];

static int primes(void) {
  memset(composite, 0, sizeof composite);
  int count = 0;
  for (int i = 2; i < N; i++) {
    if (composite[i]) continue;
    count++;
    for (int k = 2 * i; k < N; k += i) composite[k] = 1;
  }
  return count;
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 1;
  unsigned sum = 0;
  for (int i = 0; i < rounds; i++) sum = sum * 31 + primes();
  printf("%u\n", sum);
}
