/*
 * Watching a driver: a line in the log for each request that is over. See trace.c.
 */
#ifndef FUSEK_DRIVER_TRACE_H
#define FUSEK_DRIVER_TRACE_H

#include "reader.h"

/* Atomic: of some connection requests are shown; of all of them. */
extern bool fuse_trace_any, fuse_trace_everything;

static inline bool fuse_is_traced(const struct fuse_connection *connection)
{
	return unlikely(read_once(&fuse_trace_any)) &&
	       (read_once(&fuse_trace_everything) || read_once(&connection->traced));
}

/* `request` is over, with its reply in place: nobody else touches it any more. No lock is held. */
void fuse_trace(struct fuse_connection *connection, const struct fuse_request *request,
		err_t error);
/* The reader has taken something: if that wants no answer, there is nothing else to wait for. */
void fuse_trace_told(struct fuse_connection *connection, const struct fuse_reader *reader);

#endif
