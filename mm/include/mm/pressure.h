/*
 * When memory is short. Three marks of free frames (those in stocks of CPUs do not count):
 *
 *	high	until here is reclaimed
 *	low	below, the thread `memory` begins: it takes back what can be had for nothing
 *	min	below, programs get no memory of their own: who needs some waits here, and if
 *		reclaiming does not help a program is killed
 *
 * What the kernel needs itself may be taken below `min` as well, so that those can end who must;
 * a program that made it do so waits on its way to user mode. Nothing of this is done inside of an
 * allocation: that fails, all locks are let go, and the outermost caller waits and begins anew.
 */
#ifndef MM_PRESSURE_H
#define MM_PRESSURE_H

#include <lib/list.h>
#include <lib/types.h>

/* Who waits for memory; {0} to begin with. */
struct memory_wait {
	unsigned idle; /* how often it failed although there was some */
};

/* After an allocation with FRAME_PROGRAM, or one that consists of several, has failed: sleeps until
 * it is worth to try again. -EINTR: killed; -ENOMEM: it will not help, since there is memory, or
 * nobody left who could be killed for it. Locks that may be held: sleeping ones of classes before
 * LOCK_FLIGHT. */
err_t must_check memory_wait(struct memory_wait *wait);

/* `attempt` is an expression whose result is an err_t: evaluated again as long as it is -ENOMEM and
 * waiting helps. */
#define MEMORY_RETRY(attempt)                                                                      \
	({                                                                                         \
		struct memory_wait memory_wait_ = {0};                                             \
		err_t memory_err_;                                                                 \
		do {                                                                               \
			memory_err_ = (attempt);                                                   \
		} while (unlikely(memory_err_ == -ENOMEM) &&                                       \
			 !(memory_err_ = memory_wait(&memory_wait_)));                             \
		memory_err_;                                                                       \
	})

struct frame;
/* A frame for what a program wants to be kept for it; waits as memory_wait(). */
err_t must_check frame_alloc_waiting(unsigned flags, struct frame **out);

/* On the way to user mode: waits while there is less than `min`, unless killed. */
void memory_throttle(void);

/* Takes back about `nframes` frames that nobody needs, and says how many it was. */
struct memory_reclaimer {
	struct list link;
	const char *name; /* a constant string */
	uint64_t (*reclaim)(uint64_t nframes);
	/* It may wait for locks under which others wait for memory, so it has a thread of its own
	 * with those like it. Others take sleeping locks by trylock alone. */
	bool may_wait;
	uint64_t nreclaimed; /* written by its thread alone; read atomically */
};
/* Once, for good, before the threads are started; those that come first are asked first. */
void memory_register_reclaimer(struct memory_reclaimer *reclaimer);

/* What the thread `memory` runs, and the one for reclaimers that may wait. */
void memory_reclaim_forever(void *argument);
void memory_reclaim_slowly_forever(void *argument);

/* What came of looking for somebody. */
enum memory_kill {
	MEMORY_DYING,  /* somebody is dying, and gives back memory soon */
	MEMORY_NOBODY, /* there is nobody */
};
/* Hook of kernel/, called by the thread `memory` again and again while programs wait: kills one if
 * nobody is dying already. As a reclaimer, it waits for nobody. */
enum memory_kill memory_kill(void);

struct memory_marks {
	uint64_t min, low, high;
};
void memory_marks(struct memory_marks *out);

#endif
