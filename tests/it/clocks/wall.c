// Preloaded into a server, this sets its wall clock ahead (or back) by what a file says, in milliseconds, from one
// moment to the next. The monotonic clock stays as it is, as when somebody sets the machine's time.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead_ms;

__attribute__((constructor)) static void open_file(void) {
    const char *path = getenv("WALL_AHEAD_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *ahead_ms, PROT_READ, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) abort();
    close(file);
    ahead_ms = mapped;
}

static int wall(clockid_t clock, struct timespec *now) {
    int answer = (int)syscall(SYS_clock_gettime, clock, now);
    // Others may ask before this library is ready.
    int64_t ahead = ahead_ms ? *ahead_ms : 0;
    if (answer != 0 || ahead == 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return answer;
    int64_t nanoseconds = now->tv_nsec + ahead % 1000 * 1000000;
    int64_t carry = nanoseconds < 0 ? -1 : nanoseconds >= 1000000000 ? 1 : 0;
    now->tv_sec += ahead / 1000 + carry;
    now->tv_nsec = nanoseconds - carry * 1000000000;
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    return wall(clock, now);
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec precise;
    if (wall(CLOCK_REALTIME, &precise) != 0) return -1;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec precise;
    if (wall(CLOCK_REALTIME, &precise) != 0) return -1;
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}
