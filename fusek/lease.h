/*
 * Leases (fcntl's F_SETLEASE): who holds one on a file is told before somebody opens it in a way
 * that does not go with it, or truncates it, and has a while to get ready. See lease.c.
 */
#ifndef FUSEK_LEASE_H
#define FUSEK_LEASE_H

#include "open_file.h"

/* A regular file is about to be open: counts it, and waits for leases to end. On an error it is
 * counted all the same, until lease_file_released(). -EAGAIN: it shall not wait (O_NONBLOCK);
 * -EINTR. Sleeps. */
err_t must_check lease_file_opened(struct file *file);
/* It has no descriptors any more. */
void lease_file_released(struct file *file);

err_t must_check lease_break_slowly(struct node *node, bool for_writing, bool wait);
static inline err_t must_check lease_break(struct node *node, bool for_writing, bool wait)
{
	return likely(!read_once(&node->leases)) ? 0 : lease_break_slowly(node, for_writing, wait);
}

/* Somebody truncates it who does not have it open for writing: until the end no lease is taken that
 * does not go with a writer. Errors as above; there is nothing to end then. */
err_t must_check lease_write_begin(struct node *node, bool wait);
void lease_write_end(struct node *node);

#endif
