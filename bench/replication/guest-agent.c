/*
 * In the guest of the replication benchmark: does what the benchmark asks by TCP, and says how long the guest itself has stood still. Every
 * connection is a process of its own and begins with a line:
 *
 *     run COMMAND     a shell runs it; the connection is its output, and ends with it
 *     watch           from now on a thread of the highest priority wakes up each millisecond; for each byte that comes, a line of numbers: the time,
 *                     how often it has woken up since the line before, and when it woke up late and how late, for each time; all in us
 *
 * Who stands still sees it by the guest's own clock, which goes on with the host's. Without a watch nothing of this takes any time.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PERIOD_US = 1000, LATE_US = 2000, MOST = 2048 };

static long now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

static void watch(int connection) {
  struct sched_param highest = {.sched_priority = sched_get_priority_max(SCHED_FIFO)};
  if (sched_setscheduler(0, SCHED_FIFO, &highest) != 0) return;
  struct pollfd asked = {.fd = connection, .events = POLLIN};
  struct timespec period = {.tv_nsec = PERIOD_US * 1000};
  static struct { long end, late; } found[MOST];
  long count = 0, wakes = 0, last = now_us();
  for (;;) {
    int ready = ppoll(&asked, 1, &period, NULL);
    long now = now_us(), late = now - last - PERIOD_US;
    last = now;
    wakes++;
    if (late >= LATE_US && count < MOST) {
      found[count].end = now;
      found[count++].late = late;
    }
    if (ready <= 0) continue;
    char byte;
    if (read(connection, &byte, 1) <= 0) return;
    dprintf(connection, "%ld %ld", now, wakes);
    for (long i = 0; i < count; i++) dprintf(connection, " %ld %ld", found[i].end, found[i].late);
    dprintf(connection, "\n");
    count = wakes = 0;
    last = now_us();
  }
}

static void serve(int connection) {
  char line[4096];
  size_t length = 0;
  while (length < sizeof line - 1 && read(connection, line + length, 1) == 1 && line[length] != '\n') length++;
  line[length] = '\0';
  if (strcmp(line, "watch") == 0) watch(connection);
  if (strncmp(line, "run ", 4) != 0) return;
  for (int to = 0; to < 3; to++) dup2(connection, to);
  execl("/bin/sh", "sh", "-c", line + 4, (char *)NULL);
}

int main(int count, char **words) {
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(count > 1 ? atoi(words[1]) : 7100)};
  int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr *)&here, sizeof here) != 0 || listen(listener, 16) != 0) {
    perror("the benchmark's agent");
    return 1;
  }
  signal(SIGCHLD, SIG_IGN);
  for (;;) {
    int connection = accept(listener, NULL, NULL);
    if (connection < 0) continue;
    if (fork() == 0) {
      signal(SIGCHLD, SIG_DFL);
      close(listener);
      serve(connection);
      _exit(0);
    }
    close(connection);
  }
}
