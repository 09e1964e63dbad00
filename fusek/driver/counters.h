/*
 * Counting requests: see counters.c. On the way of every answer, so it is short.
 */
#ifndef FUSEK_DRIVER_COUNTERS_H
#define FUSEK_DRIVER_COUNTERS_H

#include "connection.h"

#include <arch/clock.h>
#include <fusek/driver.h>

/* FUSE_COUNTED of them. NULL: no memory. */
struct fuse_counted *fuse_counters_create(void);
/* Takes NULL. */
void fuse_counters_free(struct fuse_counted *counted);

/* Of one that was answered now. */
static inline void fuse_count_locked(struct fuse_connection *connection,
				     const struct fuse_request *request) REQUIRES(connection->lock);
static inline void fuse_count_locked(struct fuse_connection *connection,
				     const struct fuse_request *request)
{
	uint32_t opcode = request->message.opcode;
	struct fuse_counted *counted = &connection->counted[opcode < FUSE_COUNTED ? opcode : 0];
	uint64_t units;
	unsigned bucket;

	units = (clock_ns() - request->asked_ns) >> FUSE_LATENCY_SHIFT;
	bucket = units ? 64 - (unsigned)__builtin_clzll(units) : 0;
	counted->latencies[MIN(bucket, FUSE_LATENCIES - 1u)]++;
	counted->nrequests++;
	counted->nbytes += request->message.payload_bytes + request->reply_bytes;
}

#endif
