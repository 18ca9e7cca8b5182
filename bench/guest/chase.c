/* Pointer chase: a random cycle through 32 MiB of 64-byte nodes, so that nearly each step misses the caches and the TLB. Prints a hash of
 * the path. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct node {
  struct node *next;
  uint32_t value;
} __attribute__((aligned(64)));

enum { NODES = 1 << 19 };
static struct node nodes[NODES];
static uint32_t order[NODES];

int main(int argc, char **argv) {
  int steps = argc > 1 ? atoi(argv[1]) : 1;
  uint32_t state = 1;
  for (uint32_t i = 0; i < NODES; i++) order[i] = i;
  for (uint32_t i = NODES - 1; i > 0; i--) {
    state = state * 1664525u + 1013904223u;
    uint32_t other = (uint32_t)(((uint64_t)state * (i + 1)) >> 32), swap = order[i];
    order[i] = order[other];
    order[other] = swap;
  }
  for (uint32_t i = 0; i < NODES; i++) {
    nodes[order[i]].next = &nodes[order[(i + 1) % NODES]];
    nodes[order[i]].value = i;
  }
  uint32_t hash = 0;
  struct node *at = nodes;
  for (int i = 0; i < steps; i++) {
    hash = hash * 31 + at->value;
    at = at->next;
  }
  printf("%u\n", hash);
}
