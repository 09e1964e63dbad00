/*
 * Between context.c and the rest of arch/.
 */
#ifndef ARCH_CONTEXT_PRIV_H
#define ARCH_CONTEXT_PRIV_H

#include <lib/types.h>

struct pagetable;

/* Makes every CPU forget `table`, which no thread uses any more, where it is still loaded for want
 * of another. As cpu_call(). */
void context_leave_pagetable(struct pagetable *table);
/* True: this CPU had it loaded only for want of another, and forgets it. */
bool context_leave_if_lazy(struct pagetable *table);

/* #GP in the running program. True: this CPU still forbade it the time stamp counter, for another
 * thread's sake, and does so no more. Interrupts are off. */
bool context_timestamp_fault(void);

#endif
