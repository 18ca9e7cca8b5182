/* Page faults: maps 8 MiB, touches each page, and unmaps them, again and again. Prints how many pages were zero, as they must be. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { BYTES = 8 << 20, PAGE = 4096 };

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 1;
  int zero = 0;
  for (int round = 0; round < rounds; round++) {
    volatile char *memory = mmap(0, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return perror("mmap"), 1;
    /* Page by page, also where the kernel would rather have given large ones. */
    madvise((void *)memory, BYTES, MADV_NOHUGEPAGE);
    for (int at = 0; at < BYTES; at += PAGE) {
      zero += memory[at] == 0;
      memory[at] = 1;
    }
    munmap((void *)memory, BYTES);
  }
  printf("%d\n", zero);
}
