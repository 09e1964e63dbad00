/*
 * The calls that came after futex(): futex_waitv, futex_wait, futex_wake, futex_requeue. Their
 * words have flags of their own. Owns no state.
 */
#include "futex.h"
#include "syscall_table.h"

#include "../namespace/time.h"
#include "../time/clocks.h"

#include <abi/errno.h>
#include <abi/futex.h>
#include <abi/time.h>
#include <arch/clock.h>
#include <arch/user.h>
#include <mm/kva.h>

/* A word of 32 bits, and where its name counts. */
static err_t check_word(uint64_t address, unsigned flags)
{
	if (flags & ~(unsigned)(FUTEX2_SIZE_MASK | FUTEX2_PRIVATE) ||
	    (flags & FUTEX2_SIZE_MASK) != FUTEX2_SIZE_U32)
		return -EINVAL;
	return address % sizeof(uint32_t) ? -EINVAL : 0;
}

/* A time of the clock that is named; NULL: none. */
static err_t read_deadline(uptr_t timeout, int clock, uint64_t *deadline_ns)
{
	struct abi_timespec time;
	uint64_t time_ns;

	*deadline_ns = UINT64_MAX;
	if (uptr_is_null(timeout))
		return 0;
	if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
		return -EINVAL;
	if (user_get(&time, timeout))
		return -EFAULT;
	if (!timespec_is_valid(&time))
		return -EINVAL;
	time_ns = ns_of_timespec(&time);
	if (clock == CLOCK_REALTIME)
		time_ns = clock_deadline_of_day(NULL, time_ns);
	else
		time_ns = time_meant(TIME_MONOTONIC, time_ns);
	*deadline_ns = time_ns;
	return 0;
}

static err_t read_word(uptr_t from, struct futex_wait *word)
{
	struct abi_futex_waitv given;
	err_t err;

	if (user_get(&given, from))
		return -EFAULT;
	err = check_word(given.uaddr, given.flags);
	if (err)
		return err;
	if (given.reserved || given.val > UINT32_MAX)
		return -EINVAL;
	*word = (struct futex_wait){.address = given.uaddr,
				    .is_private = given.flags & FUTEX2_PRIVATE,
				    .expected = (uint32_t)given.val};
	return 0;
}

static err_t read_words(uptr_t from, struct futex_wait *words, unsigned nwords)
{
	for (unsigned i = 0; i < nwords; i++) {
		err_t err =
			read_word(uptr_add(from, i * sizeof(struct abi_futex_waitv)), &words[i]);

		if (err)
			return err;
	}
	return 0;
}

int sys_futex_waitv(uptr_t from, unsigned nwords, unsigned flags, uptr_t timeout, int clock)
{
	size_t len_bytes = nwords * sizeof(struct futex_wait);
	struct futex_wait *words;
	uint64_t deadline_ns;
	err_t result;

	if (flags || !nwords || nwords > FUTEX_WAITV_MAX || uptr_is_null(from))
		return -EINVAL;
	result = read_deadline(timeout, clock, &deadline_ns);
	if (result)
		return result;
	words = kvmalloc(len_bytes);
	result = words ? read_words(from, words, nwords) : -ENOMEM;
	if (!result)
		result = futex_wait_many(words, nwords, deadline_ns);
	if (words)
		kvfree(words, len_bytes);
	return (err_t)clock_day_slept(result);
}

int sys_futex_wait(uptr_t word, uint64_t value, uint64_t bits, unsigned flags, uptr_t timeout,
		   int clock)
{
	struct futex_wait wait = {.address = word.value,
				  .is_private = flags & FUTEX2_PRIVATE,
				  .expected = (uint32_t)value,
				  .bits = (uint32_t)bits};
	err_t err = check_word(word.value, flags);

	if (!err && (value > UINT32_MAX || bits > UINT32_MAX || !bits))
		err = -EINVAL;
	if (!err)
		err = read_deadline(timeout, clock, &wait.deadline_ns);
	if (!err)
		err = futex_wait(&wait);
	return (err_t)clock_day_slept(err);
}

int sys_futex_wake(uptr_t word, uint64_t bits, int nwake, unsigned flags)
{
	err_t err = check_word(word.value, flags);

	if (err)
		return err;
	if (!bits || bits > UINT32_MAX)
		return -EINVAL;
	return futex_wake(word.value, flags & FUTEX2_PRIVATE, (unsigned)MAX(nwake, 0),
			  (uint32_t)bits);
}

int sys_futex_requeue(uptr_t from, unsigned flags, int nwake, int nmove)
{
	struct futex_wait words[2];
	err_t err;

	if (flags || uptr_is_null(from))
		return -EINVAL;
	err = read_words(from, words, ARRAY_SIZE(words));
	if (err)
		return err;
	if (nwake < 0 || nmove < 0)
		return -EINVAL;
	return futex_requeue(&(struct futex_place){words[0].address, words[0].is_private},
			     &(struct futex_place){words[1].address, words[1].is_private},
			     (unsigned)nwake, (unsigned)nmove, &words[0].expected);
}
