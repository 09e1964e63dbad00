/*
 * Scheduling policies and their parameters, as Linux has them.
 */
#ifndef ABI_SCHED_H
#define ABI_SCHED_H

#include <stdint.h>

#define SCHED_OTHER         0
#define SCHED_FIFO          1
#define SCHED_RR            2
#define SCHED_BATCH         3
#define SCHED_IDLE          5
#define SCHED_DEADLINE      6
#define SCHED_RESET_ON_FORK 0x40000000

#define SCHED_RT_PRIORITY_MIN 1
#define SCHED_RT_PRIORITY_MAX 99

struct abi_sched_param {
	int32_t sched_priority;
};

#define SCHED_FLAG_RESET_ON_FORK UINT64_C(0x01)
#define SCHED_FLAG_KEEP_POLICY   UINT64_C(0x08)
#define SCHED_FLAG_KEEP_PARAMS   UINT64_C(0x10)

#define SCHED_ATTR_SIZE_VER0 48u

struct abi_sched_attr {
	uint32_t size;
	uint32_t sched_policy;
	uint64_t sched_flags;
	int32_t sched_nice;
	uint32_t sched_priority;
	uint64_t sched_runtime, sched_deadline, sched_period;
	uint32_t sched_util_min, sched_util_max;
};
_Static_assert(sizeof(struct abi_sched_attr) == 56, "struct sched_attr");

#endif
