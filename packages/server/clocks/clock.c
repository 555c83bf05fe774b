/*
 * Moves the time of day that a program sees, by CLOCK_OFFSET_SECONDS, when it is loaded before the C library (LD_PRELOAD).
 * Durations are left alone: the monotonic clocks and all waits. Debian's libfaketime does the same and more, but while a
 * program waits it answers signal handlers with the real time, and PostgreSQL, which looks at the clock in them, then never
 * ends a statement that takes too long.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t offset;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

/* All is looked up before main: neither may be done in a signal handler. */
__attribute__((constructor)) static void start(void) {
  const char *seconds = getenv("CLOCK_OFFSET_SECONDS");
  offset = seconds == NULL ? 0 : (time_t)atoll(seconds);
  *(void **)&real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
}

int clock_gettime(clockid_t clock, struct timespec *at) {
  /* Constructors of other libraries may ask before ours has run. */
  int failed = real_clock_gettime == NULL ? (int)syscall(SYS_clock_gettime, clock, at) : real_clock_gettime(clock, at);
  if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += offset;
  return failed;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  struct timespec now;
  (void)zone;
  if (at == NULL) return 0;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *at) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  if (at != NULL) *at = now.tv_sec;
  return now.tv_sec;
}
