/*
 * POSIX message queues as Linux has them (mq_overview(7)).
 */
#ifndef ABI_MQUEUE_H
#define ABI_MQUEUE_H

#include <stdint.h>

#define MQ_PRIO_MAX 32768u /* priorities are below */

struct abi_mq_attr {
	int64_t mq_flags; /* O_NONBLOCK */
	int64_t mq_maxmsg;
	int64_t mq_msgsize;
	int64_t mq_curmsgs;
	int64_t reserved[4];
};

_Static_assert(sizeof(struct abi_mq_attr) == 64, "Linux's mq_attr");

#endif
