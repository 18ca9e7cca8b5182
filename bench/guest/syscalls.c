/* System calls that do nothing: the way into the kernel and back. Prints how often the answer was the expected one. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int calls = argc > 1 ? atoi(argv[1]) : 1;
  long parent = getppid();
  int right = 0;
  for (int i = 0; i < calls; i++) right += syscall(SYS_getppid) == parent;
  printf("%d\n", right);
}
