/*
 * Between context.c and the rest of arch/.
 */
#ifndef ARCH_CONTEXT_PRIV_H
#define ARCH_CONTEXT_PRIV_H

struct pagetable;

/* Makes this CPU forget `table`, if it still has it loaded for want of another. */
void context_leave_pagetable(struct pagetable *table);

#endif
