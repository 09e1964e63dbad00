/*
 * The fake kernel's knobs and gauges.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include <lib/types.h>

#define FAKE_LOG_BYTES 16384

extern char fake_log[FAKE_LOG_BYTES]; /* all that was logged */
extern unsigned fake_locks_held;      /* mutexes */
extern uint64_t fake_bad_address;     /* program memory that faults; 0: none */
extern uint64_t fake_live_blocks;     /* of the heap */
extern uint64_t fake_frames_left;
extern int64_t fake_committed_pages;        /* that were promised */
extern uint64_t fake_fail_allocation_after; /* so many work, then none does */
extern uint64_t fake_now_ns;                /* clock_ns() */

extern int32_t fake_caller_pid;  /* of the one thread; 0: the kernel's own */
extern uint32_t fake_caller_uid; /* and gid; without capabilities unless it is 0 */
extern unsigned fake_pending;    /* enum thread_pending of the one thread */
/* Called where the thread would sleep: it does what wakes it. NULL: nothing may sleep. */
extern void (*fake_block)(void);

void fake_init(void);

/* Page-aligned memory for good. */
paddr_t fake_memory_take(size_t len_bytes);

/* What mapped_places_unmap() was last told. */
extern uint64_t fake_unmapped_first, fake_unmapped_end;
extern bool fake_unmapped_copies;

/* A page that is mapped, with its reference: mapped_places_reclaim() takes it out. NULL: none. */
extern struct frame *fake_mapped;
extern bool fake_mapped_is_used;

/* The last queue of which all were woken. */
extern struct waitq *fake_woken;

#endif
