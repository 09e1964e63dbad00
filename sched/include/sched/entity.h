/*
 * What a thread is to the scheduler: its policy, its level, its slice.
 *
 * Levels: 64, 0 is the most urgent. POLICY_FIFO and POLICY_RR own levels 0..61: the most urgent
 * ready thread runs. POLICY_OTHER shares the last two: everybody has a slice an epoch, sized by
 * nice; who has used its slice waits until all others have used theirs, then the next epoch begins.
 * A thread that was woken runs one level up (ahead of those who compute) until its slice is spent.
 */
#ifndef SCHED_ENTITY_H
#define SCHED_ENTITY_H

#include <lib/list.h>
#include <lib/types.h>

enum sched_policy {
	POLICY_OTHER, /* slices by nice weight, no starvation */
	POLICY_FIFO,  /* strict; runs until it blocks or yields */
	POLICY_RR,    /* strict; round robin inside its level */
	POLICY_IDLE,  /* the one thread of each CPU that runs when nobody else wants to */
};

#define SCHED_LEVELS        64
#define LEVEL_REALTIME_LAST 61
#define LEVEL_BOOSTED       62 /* POLICY_OTHER, since it was woken until its slice is spent */
#define LEVEL_NORMAL        63
#define LEVEL_IDLE          64 /* in no queue */

/* Of POLICY_FIFO and POLICY_RR: 1 the least, 62 the most urgent. */
#define SCHED_PRIORITY_MIN 1
#define SCHED_PRIORITY_MAX 62

/*
 * The slice of a POLICY_OTHER thread by its nice value: 3 ms at nice 0, a factor of 1.25 a step. On
 * a busy CPU each gets the share that its slice has in the sum of the slices: beside a spinner of
 * nice 0, one of nice 5 gets 24.7 % of the CPU, one of nice 10 9.7 %, one of nice 19 1.4 %.
 *
 *	nice    slice        nice   slice       nice   slice      nice   slice
 *	-20  260.2 ms         -10  27.94 ms        0  3.000 ms      10  0.322 ms
 *	-19  208.2 ms          -9  22.35 ms        1  2.400 ms      11  0.258 ms
 *	-18  166.5 ms          -8  17.88 ms        2  1.920 ms      12  0.206 ms
 *	-17  133.2 ms          -7  14.31 ms        3  1.536 ms      13  0.165 ms
 *	-16  106.6 ms          -6  11.44 ms        4  1.229 ms      14  0.132 ms
 *	-15  85.27 ms          -5  9.155 ms        5  0.983 ms      15  0.106 ms
 *	-14  68.21 ms          -4  7.324 ms        6  0.786 ms      16  0.084 ms
 *	-13  54.57 ms          -3  5.859 ms        7  0.629 ms      17  0.068 ms
 *	-12  43.66 ms          -2  4.688 ms        8  0.503 ms      18  0.054 ms
 *	-11  34.92 ms          -1  3.750 ms        9  0.403 ms      19  0.043 ms
 */
#define NICE_MIN (-20)
#define NICE_MAX 19
uint32_t nice_slice_ns(int nice);

/* The slice of a POLICY_RR thread. */
#define RR_SLICE_NS (10 * NSEC_PER_MSEC)

/*
 * What the run queue needs of a thread; sched/runq.c knows nothing else of it.
 * All [q]: the lock of the CPU that it belongs to, see struct thread.
 */
struct sched_entity {
	struct list run_link;   /* on a level or on the expired list, else linked to itself */
	int64_t slice_left_ns;  /* below 0: it ran over, what it owes comes off the next slice */
	uint32_t slice_full_ns; /* 0: no slices (FIFO, idle) */
	uint32_t epoch;         /* the queue's when the slice was given */
	uint8_t level;
	uint8_t policy;      /* enum sched_policy */
	uint8_t woken_level; /* of POLICY_OTHER: LEVEL_BOOSTED, or LEVEL_NORMAL if waking it is no
				reason to hurry */
	int8_t nice;
};

#endif
