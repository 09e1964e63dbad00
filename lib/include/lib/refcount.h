/*
 * Reference counts. A count starts at 1, never rises from 0, and the one who takes it to 0 frees
 * the object. They saturate instead of wrapping: an overflow leaks the object, it never frees one
 * in use.
 */
#ifndef LIB_REFCOUNT_H
#define LIB_REFCOUNT_H

#include <lib/atomic.h>
#include <lib/panic.h>
#include <lib/types.h>

struct refcount {
	int32_t count; /* atomic */
};

#define REFCOUNT_SATURATED INT32_C(0x40000000)

#define REFCOUNT_INIT                                                                              \
	{                                                                                          \
		1                                                                                  \
	}

static inline void refcount_init(struct refcount *ref)
{
	write_once(&ref->count, 1);
}

/* The caller holds a reference already, so the count cannot be 0. */
static inline void refcount_get(struct refcount *ref)
{
	int32_t before = __atomic_fetch_add(&ref->count, 1, __ATOMIC_RELAXED);

	debug_assert(before > 0);
	if (unlikely(before >= REFCOUNT_SATURATED))
		write_once(&ref->count, REFCOUNT_SATURATED);
}

/* For look-ups without a lock: takes a reference unless the object is on its way out. */
static inline bool must_check refcount_try_get(struct refcount *ref)
{
	int32_t count = read_once(&ref->count);

	while (count > 0) {
		if (atomic_cas(&ref->count, &count, count + 1))
			return true;
	}
	return false;
}

/* True if that was the last one: the caller frees the object. Release: what was done to it happens
 * before; acquire for the one who frees. */
static inline bool must_check refcount_put(struct refcount *ref)
{
	int32_t before = read_once(&ref->count);

	if (unlikely(before >= REFCOUNT_SATURATED))
		return false;
	before = __atomic_fetch_sub(&ref->count, 1, __ATOMIC_ACQ_REL);
	debug_assert(before > 0);
	return before == 1;
}

/* Gives up a reference unless it is the last one: then false, and the caller still has it. */
static inline bool must_check refcount_put_unless_last(struct refcount *ref)
{
	int32_t count = read_once(&ref->count);

	while (count > 1) {
		if (count >= REFCOUNT_SATURATED || atomic_cas(&ref->count, &count, count - 1))
			return true;
	}
	return false;
}

#endif
