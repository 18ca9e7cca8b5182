/* Memory streaming, after McCalpin's STREAM: copy, scale, add and triad over arrays of 8 MiB each, of doubles; then memcpy and
 * memset by the C library. Prints sums, which are exact. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 1 << 20 };
static double a[N], b[N], c[N];

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 1;
  for (int i = 0; i < N; i++) a[i] = i & 1023, b[i] = 2, c[i] = 0;
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < N; i++) c[i] = a[i];
    for (int i = 0; i < N; i++) b[i] = 0.5 * c[i];
    for (int i = 0; i < N; i++) c[i] = a[i] + b[i];
    for (int i = 0; i < N; i++) a[i] = b[i] + 0.25 * c[i];
    memcpy(b, c, sizeof b);
    memset(c, round & 1, sizeof c);
    for (int i = 0; i < N; i++) a[i] = (int)a[i] + (i & 1023);
  }
  double sum = 0;
  for (int i = 0; i < N; i++) sum += a[i] + b[i];
  printf("%.3f\n", sum);
}
