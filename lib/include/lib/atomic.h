/*
 * Atomic access to plain objects, with the memory order in the name. Every use of acquire or
 * release says what it pairs with. A field that several CPUs touch without a lock is only ever read
 * and written through these.
 */
#ifndef LIB_ATOMIC_H
#define LIB_ATOMIC_H

#define read_once(pointer)            __atomic_load_n((pointer), __ATOMIC_RELAXED)
#define write_once(pointer, value)    __atomic_store_n((pointer), (value), __ATOMIC_RELAXED)
#define load_acquire(pointer)         __atomic_load_n((pointer), __ATOMIC_ACQUIRE)
#define store_release(pointer, value) __atomic_store_n((pointer), (value), __ATOMIC_RELEASE)

/* Read-modify-write: fully ordered, they return the value before. */
#define atomic_fetch_add_full(pointer, n) __atomic_fetch_add((pointer), (n), __ATOMIC_SEQ_CST)
#define atomic_fetch_sub_full(pointer, n) __atomic_fetch_sub((pointer), (n), __ATOMIC_SEQ_CST)
#define atomic_fetch_or_full(pointer, n)  __atomic_fetch_or((pointer), (n), __ATOMIC_SEQ_CST)
#define atomic_fetch_and_full(pointer, n) __atomic_fetch_and((pointer), (n), __ATOMIC_SEQ_CST)
#define atomic_exchange_full(pointer, v)  __atomic_exchange_n((pointer), (v), __ATOMIC_SEQ_CST)

/* Counters that order nothing. */
#define atomic_add_relaxed(pointer, n) ((void)__atomic_fetch_add((pointer), (n), __ATOMIC_RELAXED))

/* True if *pointer was *expected and is now desired; else *expected holds what was there. Fully
 * ordered. */
#define atomic_cas(pointer, expected, desired)                                                     \
	__atomic_compare_exchange_n((pointer), (expected), (desired), false, __ATOMIC_SEQ_CST,     \
				    __ATOMIC_RELAXED)

#define memory_barrier()   __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define compiler_barrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)

#endif
