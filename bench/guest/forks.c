/* fork, exit and wait, with 1 MiB of touched memory to copy page tables for. Prints the sum of the children's exit codes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char memory[1 << 20];

int main(int argc, char **argv) {
  int forks = argc > 1 ? atoi(argv[1]) : 1;
  long sum = 0;
  memset(memory, 1, sizeof memory);
  for (int i = 0; i < forks; i++) {
    pid_t child = fork();
    if (child < 0) return perror("fork"), 1;
    if (child == 0) {
      memory[i * 4096 % sizeof memory] = 2;
      _exit(i & 63);
    }
    int status;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return perror("waitpid"), 1;
    sum += WEXITSTATUS(status);
  }
  printf("%ld\n", sum);
}
