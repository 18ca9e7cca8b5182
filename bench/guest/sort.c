/* Quicksort of 32-bit integers that compares through a function pointer, as libraries' sorts do: calls, recursion, branches that
 * cannot be predicted. Prints a hash of the sorted array. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef int (*compare_function)(const int32_t *, const int32_t *);

static int ascending(const int32_t *a, const int32_t *b) { return (*a > *b) - (*a < *b); }
static int descending(const int32_t *a, const int32_t *b) { return ascending(b, a); }

static void sort(int32_t *from, int32_t *to, compare_function compare) {
  while (to - from > 8) {
    int32_t pivot = from[(to - from) / 2], *low = from, *high = to - 1;
    while (low <= high) {
      while (compare(low, &pivot) < 0) low++;
      while (compare(high, &pivot) > 0) high--;
      if (low > high) break;
      int32_t swap = *low;
      *low++ = *high;
      *high-- = swap;
    }
    sort(from, high + 1, compare);
    from = low;
  }
  for (int32_t *at = from + 1; at < to; at++) {
    int32_t value = *at, *hole = at;
    for (; hole > from && compare(&value, hole - 1) < 0; hole--) *hole = hole[-1];
    *hole = value;
  }
}

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 1000;
  /* Not known to the compiler, so that the comparison is not inlined. */
  compare_function volatile compares[] = {ascending, descending};
  int32_t *values = malloc(count * sizeof *values);
  uint32_t hash = 0;
  for (int round = 0; round < 2; round++) {
    uint32_t state = 12345 + round;
    for (int i = 0; i < count; i++) values[i] = (int32_t)(state = state * 1664525u + 1013904223u);
    sort(values, values + count, compares[round]);
    for (int i = 0; i < count; i++) hash = hash * 31 + (uint32_t)values[i];
  }
  printf("%u\n", hash);
}
