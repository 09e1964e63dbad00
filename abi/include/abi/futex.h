/*
 * futex's commands and flags, and those of the calls that came after it, as Linux has them.
 */
#ifndef ABI_FUTEX_H
#define ABI_FUTEX_H

#include <stdint.h>

#define FUTEX_WAIT            0
#define FUTEX_WAKE            1
#define FUTEX_REQUEUE         3
#define FUTEX_CMP_REQUEUE     4
#define FUTEX_WAKE_OP         5
#define FUTEX_LOCK_PI         6
#define FUTEX_UNLOCK_PI       7
#define FUTEX_TRYLOCK_PI      8
#define FUTEX_WAIT_BITSET     9
#define FUTEX_WAKE_BITSET     10
#define FUTEX_WAIT_REQUEUE_PI 11
#define FUTEX_CMP_REQUEUE_PI  12
#define FUTEX_LOCK_PI2        13
#define FUTEX_CMD_MASK        0x7f
#define FUTEX_PRIVATE_FLAG    128
#define FUTEX_CLOCK_REALTIME  256

/* Of futex_wait() and its like. */
#define FUTEX2_SIZE_MASK 0x03
#define FUTEX2_SIZE_U32  0x02 /* the only size that there is yet */
#define FUTEX2_PRIVATE   FUTEX_PRIVATE_FLAG

#define FUTEX_WAITV_MAX 128

struct abi_futex_waitv {
	uint64_t val;
	uint64_t uaddr;
	uint32_t flags;
	uint32_t reserved; /* 0 */
};

#endif
