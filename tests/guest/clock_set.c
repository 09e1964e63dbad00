/*
 * Setting the clock, and what goes by it: whoever waits for a time of day, by whatever call, is
 * woken when it is there, and what the clock's keeper had said before is forgotten. Where another
 * may keep the clock it is left alone.
 */
#include <mqueue.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>

#include "as_user.h"
#include "check.h"
#include "ipc_help.h"
#include "signal_help.h"

#define FUTEX_BITSET_BY_DAY (9 | 256)
#define FUTEX_LOCK_PI       6
#define SYS_waitv           449
#define FAR_S               1000 /* how far away the time is that is waited for */

static uint32_t *word; /* shared with children */
static struct timespec until;
static mqd_t queue;

static bool step(long seconds)
{
	struct timex timex = {.modes = ADJ_SETOFFSET, .time.tv_sec = seconds};

	return syscall(SYS_adjtimex, &timex) >= 0;
}

static bool set_tai(long seconds)
{
	struct timex timex = {.modes = ADJ_TAI, .constant = seconds};

	return syscall(SYS_adjtimex, &timex) >= 0;
}

static struct timespec from_now(clockid_t clock, long seconds)
{
	struct timespec time;

	clock_gettime(clock, &time);
	time.tv_sec += seconds;
	return time;
}

static bool has_come(clockid_t clock)
{
	struct timespec now = from_now(clock, 0);

	return now.tv_sec > until.tv_sec ||
	       (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec);
}

/* ---- sleepers ---- */

static int sleep_by_clock(void)
{
	NEED(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL) == 0);
	NEED(has_come(CLOCK_REALTIME));
	return 0;
}

static int sleep_by_tai(void)
{
	NEED(clock_nanosleep(CLOCK_TAI, TIMER_ABSTIME, &until, NULL) == 0);
	NEED(has_come(CLOCK_TAI));
	return 0;
}

static int wait_on_futex(void)
{
	NEED(syscall(SYS_futex, word, FUTEX_BITSET_BY_DAY, 0, &until, NULL, ~0u) == -1);
	NEED(errno == ETIMEDOUT && has_come(CLOCK_REALTIME));
	return 0;
}

static int wait_on_futexes(void)
{
	struct {
		uint64_t value, address;
		uint32_t flags, reserved;
	} words[1] = {{0, (uintptr_t)word, 2, 0}};

	NEED(syscall(SYS_waitv, words, 1, 0, &until, CLOCK_REALTIME) == -1);
	NEED(errno == ETIMEDOUT && has_come(CLOCK_REALTIME));
	return 0;
}

static int wait_for_lock(void)
{
	NEED(syscall(SYS_futex, word + 1, FUTEX_LOCK_PI, 0, &until) == -1);
	NEED(errno == ETIMEDOUT && has_come(CLOCK_REALTIME));
	return 0;
}

static int wait_for_message(void)
{
	char bytes[16];

	NEED(syscall(SYS_mq_timedreceive, queue, bytes, sizeof(bytes), NULL, &until) == -1);
	NEED(errno == ETIMEDOUT && has_come(CLOCK_REALTIME));
	return 0;
}

static bool make_things(void)
{
	struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
	char name[32];

	snprintf(name, sizeof(name), "/clock-%d", getpid());
	queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	mq_unlink(name);
	word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return queue >= 0 && word != MAP_FAILED;
}

static void who_waits_for_a_time_of_day_wakes_when_it_is_set(void)
{
	static int (*const bodies[])(void) = {sleep_by_clock, wait_on_futex, wait_on_futexes,
					      wait_for_lock, wait_for_message};
	enum { NBODIES = sizeof(bodies) / sizeof(bodies[0]) };
	pid_t pids[NBODIES];

	if (may_be_restricted())
		return;
	EXPECT(make_things());
	word[1] = (uint32_t)getpid(); /* the lock's owner */
	until = from_now(CLOCK_REALTIME, FAR_S);
	for (int i = 0; i < NBODIES; i++)
		pids[i] = sleeping_child(bodies[i]);
	/* There, back and not far enough: nobody is early. */
	EXPECT(step(-5 * FAR_S) && step(5 * FAR_S + FAR_S / 2) && step(FAR_S));
	for (int i = 0; i < NBODIES; i++)
		EXPECT_EQUAL(end_of(pids[i]), 0);
	EXPECT(step(-FAR_S - FAR_S / 2));
	mq_close(queue);
	munmap(word, 4096);
}

/* ---- TAI ---- */

static void what_goes_by_tai_follows_its_seconds(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	const struct timespec patience = {.tv_sec = 20};
	struct itimerspec at = {0};
	sigset_t set;
	timer_t timer;
	pid_t pid;

	if (may_be_restricted())
		return;
	block(SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	until = from_now(CLOCK_TAI, FAR_S);
	at.it_value = until;
	EXPECT_EQUAL(timer_create(CLOCK_TAI, &event, &timer), 0);
	EXPECT_EQUAL(timer_settime(timer, TIMER_ABSTIME, &at, NULL), 0);
	pid = sleeping_child(sleep_by_tai);
	/* What UTC loses TAI has not lost. */
	EXPECT(set_tai(FAR_S / 2));
	EXPECT_EQUAL(timer_gettime(timer, &at), 0);
	EXPECT(at.it_value.tv_sec > 0 && at.it_value.tv_sec <= FAR_S / 2);
	EXPECT(set_tai(FAR_S));
	EXPECT_EQUAL(sigtimedwait(&set, NULL, &patience), SIGUSR1);
	EXPECT_EQUAL(end_of(pid), 0);
	EXPECT(set_tai(0));
	EXPECT_EQUAL(timer_delete(timer), 0);
}

/* ---- what is forgotten ---- */

static void what_was_said_before_is_forgotten(void)
{
	struct timex timex = {.modes = ADJ_STATUS | ADJ_OFFSET | ADJ_MAXERROR,
			      .status = STA_PLL,
			      .offset = 400000,
			      .maxerror = 1000};

	if (may_be_restricted())
		return;
	EXPECT_EQUAL(syscall(SYS_adjtimex, &timex), TIME_OK);
	EXPECT(timex.offset > 0 && timex.maxerror < 16000000);
	timex = (struct timex){.modes = ADJ_OFFSET_SINGLESHOT, .offset = 400000};
	EXPECT_EQUAL(syscall(SYS_adjtimex, &timex), TIME_OK);
	EXPECT(step(0));
	timex = (struct timex){.modes = ADJ_OFFSET_SS_READ};
	EXPECT_EQUAL(syscall(SYS_adjtimex, &timex), TIME_ERROR);
	EXPECT_EQUAL(timex.offset, 0);
	timex = (struct timex){0};
	EXPECT_EQUAL(syscall(SYS_adjtimex, &timex), TIME_ERROR);
	EXPECT(timex.offset == 0 && timex.status & STA_UNSYNC && timex.maxerror == 16000000);
	timex = (struct timex){.modes = ADJ_STATUS, .status = STA_UNSYNC};
	EXPECT_EQUAL(syscall(SYS_adjtimex, &timex), TIME_ERROR);
}

/* ---- set while it is set ---- */

#define NTIMERS 32
#define NSTEPS  200

static int step_to_and_fro(void)
{
	for (int i = 0; i < NSTEPS; i++)
		NEED(step(FAR_S) && step(-FAR_S));
	return 0;
}

static bool is_right(const struct itimerspec *left)
{
	return left->it_value.tv_sec >= 100 * FAR_S - 100 && left->it_value.tv_sec <= 100 * FAR_S;
}

static void timers_that_are_set_meanwhile_are_right(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec at = {.it_value = from_now(CLOCK_REALTIME, 100 * FAR_S)};
	struct itimerspec left;
	timer_t timers[NTIMERS];
	int fds[NTIMERS], status = -1;
	pid_t pid;

	if (may_be_restricted())
		return;
	for (int i = 0; i < NTIMERS; i++) {
		fds[i] = timerfd_create(CLOCK_REALTIME, 0);
		EXPECT(fds[i] >= 0);
		EXPECT_EQUAL(timer_create(CLOCK_REALTIME, &event, &timers[i]), 0);
	}
	pid = child_of(step_to_and_fro);
	for (int i = 0; waitpid(pid, &status, WNOHANG) == 0; i++) {
		EXPECT_EQUAL(timer_settime(timers[i % NTIMERS], TIMER_ABSTIME, &at, NULL), 0);
		EXPECT_EQUAL(timerfd_settime(fds[i % NTIMERS], TFD_TIMER_ABSTIME, &at, NULL), 0);
	}
	EXPECT_EQUAL(status, 0);
	for (int i = 0; i < NTIMERS; i++) {
		EXPECT_EQUAL(timer_settime(timers[i], TIMER_ABSTIME, &at, &left), 0);
		EXPECT(is_right(&left) || !left.it_value.tv_sec);
		EXPECT_EQUAL(timerfd_gettime(fds[i], &left), 0);
		EXPECT(is_right(&left) || !left.it_value.tv_sec);
		EXPECT_EQUAL(timer_delete(timers[i]), 0);
		close(fds[i]);
	}
}

int main(void)
{
	RUN(who_waits_for_a_time_of_day_wakes_when_it_is_set);
	RUN(what_goes_by_tai_follows_its_seconds);
	RUN(what_was_said_before_is_forgotten);
	RUN(timers_that_are_set_meanwhile_are_right);
	return check_end();
}
