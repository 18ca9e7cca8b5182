/* The Mandelbrot set in doubles, without fused multiply-add (compiled with -ffp-contract=off: the count of steps would depend on it). Prints
 * the sum of all points' steps. */
#include <stdio.h>
#include <stdlib.h>

enum { LIMIT = 100 };

int main(int argc, char **argv) {
  int size = argc > 1 ? atoi(argv[1]) : 10;
  unsigned sum = 0;
  for (int row = 0; row < size; row++) {
    for (int column = 0; column < size; column++) {
      double cr = 3.0 * column / size - 2.0, ci = 2.0 * row / size - 1.0, zr = 0, zi = 0;
      int step = 0;
      while (step < LIMIT && zr * zr + zi * zi <= 4.0) {
        double next = zr * zr - zi * zi + cr;
        zi = 2 * zr * zi + ci;
        zr = next;
        step++;
      }
      sum += step;
    }
  }
  printf("%u\n", sum);
}
