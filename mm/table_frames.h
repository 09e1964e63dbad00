/*
 * Frames of page tables that other CPUs might still walk: they wait until the TLBs were flushed.
 */
#ifndef MM_TABLE_FRAMES_H
#define MM_TABLE_FRAMES_H

#include <lib/list.h>
#include <lib/types.h>

/* For the calling CPU, before it changes any tables. */
void table_frames_init_cpu(void);

/* From here to table_limbo_end(), tables that this CPU gives back are kept on `limbo`. Preemption
 * is off between the two, so the stretch must be short. */
void table_limbo_begin(struct list *limbo);
void table_limbo_end(void);
/* After the flush: really frees them. Returns how many. */
uint64_t table_limbo_free(struct list *limbo);

#endif
