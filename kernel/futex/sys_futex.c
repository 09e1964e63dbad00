/*
 * The futex calls: checks their arguments and hands the rest to futex.c. Owns no state.
 */
#include "../namespace/pid.h"
#include "../namespace/time.h"
#include "../process/capability.h"
#include "../process/inspect.h"
#include "../process/uthread.h"
#include "../time/clocks.h"
#include "futex.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/futex.h>
#include <abi/time.h>
#include <arch/clock.h>
#include <arch/user.h>

#define ROBUST_LIST_BYTES 24

struct until {
	uint64_t ns;
	bool by_day; /* of the day, else of clock_ns() */
};

static uint64_t deadline_of(const struct until *until)
{
	return until->by_day ? clock_deadline_of_day(NULL, until->ns) : until->ns;
}

/* WAIT counts from now, LOCK_PI names a time of day, the others one of the clock that the flag
 * chooses. */
static err_t read_deadline(uint64_t timeout, int futex_op, struct until *until)
{
	struct abi_timespec time;
	uint64_t time_ns;

	*until = (struct until){.ns = UINT64_MAX};
	if (!timeout)
		return 0;
	if (user_get(&time, uptr(timeout)))
		return -EFAULT;
	if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec >= (int64_t)NSEC_PER_SEC)
		return -EINVAL;
	if ((uint64_t)time.tv_sec >= UINT64_MAX / NSEC_PER_SEC / 2)
		return 0;
	time_ns = (uint64_t)time.tv_sec * NSEC_PER_SEC + (uint64_t)time.tv_nsec;
	until->ns = time_ns;
	if ((futex_op & FUTEX_CMD_MASK) == FUTEX_WAIT)
		until->ns += clock_ns();
	else
		until->by_day = futex_op & FUTEX_CLOCK_REALTIME ||
				(futex_op & FUTEX_CMD_MASK) == FUTEX_LOCK_PI;
	if (!until->by_day && (futex_op & FUTEX_CMD_MASK) != FUTEX_WAIT)
		until->ns = time_meant(TIME_MONOTONIC, time_ns);
	return 0;
}

static int wait(struct futex_wait *wait, const struct until *until)
{
	struct uthread *self = uthread_current();
	err_t err;

	if (!wait->bits)
		return -EINVAL;
	wait->deadline_ns = deadline_of(until);
	err = futex_wait(wait);
	(void)clock_day_slept(0);
	/* One that counts time must not begin to count anew. When the clock was set, it asks anew
	 * how long it is. */
	if (err == -EINTR && until->ns != UINT64_MAX)
		self->restart = (struct restart){.kind = RESTART_FUTEX,
						 .deadline_ns = until->ns,
						 .by_day = until->by_day,
						 .address = wait->address,
						 .value = wait->expected,
						 .bits = wait->bits,
						 .is_private = wait->is_private};
	return err;
}

int futex_wait_again(const struct restart *restart)
{
	struct until until = {.ns = restart->deadline_ns, .by_day = restart->by_day};

	return wait(&(struct futex_wait){.address = restart->address,
					 .is_private = restart->is_private,
					 .expected = restart->value,
					 .bits = restart->bits},
		    &until);
}

static int futex_wait_call(uint64_t word, int futex_op, unsigned value, uint64_t timeout,
			   uint32_t bits)
{
	struct futex_wait request = {.address = word,
				     .is_private = futex_op & FUTEX_PRIVATE_FLAG,
				     .expected = value,
				     .bits = bits};
	struct until until;
	err_t err = read_deadline(timeout, futex_op, &until);

	return err ? err : wait(&request, &until);
}

static int lock_pi(uint64_t word, int futex_op, uint64_t timeout)
{
	struct futex_lock request = {.address = word,
				     .is_private = futex_op & FUTEX_PRIVATE_FLAG,
				     .only_try = (futex_op & FUTEX_CMD_MASK) == FUTEX_TRYLOCK_PI};
	struct until until = {.ns = UINT64_MAX};
	err_t err = 0;

	if (!request.only_try)
		err = read_deadline(timeout, futex_op, &until);
	if (err)
		return err;
	request.deadline_ns = deadline_of(&until);
	return (err_t)clock_day_slept(futex_lock_pi(&request));
}

static int wait_requeue_pi(uint64_t word, int futex_op, unsigned value, uint64_t timeout,
			   uint64_t lock)
{
	bool is_private = futex_op & FUTEX_PRIVATE_FLAG;
	struct futex_wait wait = {.address = word, .is_private = is_private, .expected = value};
	struct futex_lock request = {.address = lock, .is_private = is_private};
	struct until until;
	err_t err = read_deadline(timeout, futex_op, &until);

	if (err)
		return err;
	request.deadline_ns = wait.deadline_ns = deadline_of(&until);
	return (err_t)clock_day_slept(futex_wait_requeue_pi(&wait, &request));
}

static bool knows_clock(int command)
{
	return command == FUTEX_WAIT_BITSET || command == FUTEX_LOCK_PI2 ||
	       command == FUTEX_WAIT_REQUEUE_PI;
}

int sys_futex(uptr_t word, int futex_op, unsigned value, uint64_t timeout, uptr_t word2,
	      unsigned value3)
{
	const unsigned second = (unsigned)timeout; /* of the calls that have no time */
	bool is_private = futex_op & FUTEX_PRIVATE_FLAG;
	int command = futex_op & FUTEX_CMD_MASK;

	if ((futex_op & ~(FUTEX_CMD_MASK | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)) ||
	    ((futex_op & FUTEX_CLOCK_REALTIME) && !knows_clock(command)))
		return -ENOSYS;
	if (word.value % sizeof(uint32_t))
		return -EINVAL;
	switch (command) {
	case FUTEX_WAIT:
		return futex_wait_call(word.value, futex_op, value, timeout, FUTEX_BITS_ALL);
	case FUTEX_WAIT_BITSET:
		return futex_wait_call(word.value, futex_op, value, timeout, value3);
	case FUTEX_WAKE:
		/* As Linux: who wakes none wakes one. */
		return futex_wake(word.value, is_private, MAX(value, 1u), FUTEX_BITS_ALL);
	case FUTEX_WAKE_BITSET:
		if (!value3)
			return -EINVAL;
		return futex_wake(word.value, is_private, MAX(value, 1u), value3);
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
		if ((int)value < 0 || (int)second < 0 || word2.value % sizeof(uint32_t))
			return -EINVAL;
		return futex_requeue(&(struct futex_place){word.value, is_private},
				     &(struct futex_place){word2.value, is_private}, value, second,
				     command == FUTEX_CMP_REQUEUE ? &value3 : NULL);
	case FUTEX_WAIT_REQUEUE_PI:
		if (word2.value % sizeof(uint32_t))
			return -EINVAL;
		return wait_requeue_pi(word.value, futex_op, value, timeout, word2.value);
	case FUTEX_CMP_REQUEUE_PI:
		/* Who is woken has the lock, so it can only be one. */
		if (value != 1 || (int)second < 0 || word2.value % sizeof(uint32_t))
			return -EINVAL;
		return futex_requeue_pi(&(struct futex_place){word.value, is_private},
					&(struct futex_place){word2.value, is_private}, second,
					value3);
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
	case FUTEX_TRYLOCK_PI:
		return lock_pi(word.value, futex_op, timeout);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(word.value, is_private);
	case FUTEX_WAKE_OP:
		if (word2.value % sizeof(uint32_t))
			return -EINVAL;
		return futex_wake_op(word.value, word2.value, is_private, value, second, value3);
	default:
		return -ENOSYS;
	}
}

/* ---- robust lists ---- */

int sys_set_robust_list(uint64_t head, size_t len)
{
	if (len != ROBUST_LIST_BYTES)
		return -EINVAL;
	uthread_current()->robust_list = head;
	return 0;
}

static err_t read_robust_list(struct uthread *uthread, void *argument)
{
	uint64_t *head = argument;

	if (!process_may_trace(uthread->process, &uthread->process->ids))
		return -EPERM;
	*head = read_once(&uthread->robust_list);
	return 0;
}

int sys_get_robust_list(int tid, uptr_t head, uptr_t len)
{
	const uint64_t len_bytes = ROBUST_LIST_BYTES;
	uint64_t list;
	err_t err = uthread_visit(tid ? pid_meant(tid) : uthread_current()->tid, read_robust_list,
				  &list);

	if (err)
		return err;
	return user_put(head, &list) || user_put(len, &len_bytes) ? -EFAULT : 0;
}
