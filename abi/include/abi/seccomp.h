/*
 * seccomp(2): filters of system calls, and their notifications (linux/seccomp.h).
 */
#ifndef ABI_SECCOMP_H
#define ABI_SECCOMP_H

#include <stdint.h>

/* /proc/PID/status, prctl(PR_SET_SECCOMP) */
#define SECCOMP_MODE_DISABLED 0
#define SECCOMP_MODE_STRICT   1
#define SECCOMP_MODE_FILTER   2

/* Operations. */
#define SECCOMP_SET_MODE_STRICT  0
#define SECCOMP_SET_MODE_FILTER  1
#define SECCOMP_GET_ACTION_AVAIL 2
#define SECCOMP_GET_NOTIF_SIZES  3

#define SECCOMP_FILTER_FLAG_TSYNC              0x01u
#define SECCOMP_FILTER_FLAG_LOG                0x02u
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW         0x04u
#define SECCOMP_FILTER_FLAG_NEW_LISTENER       0x08u
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH        0x10u
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV 0x20u
#define SECCOMP_FILTER_FLAGS_KNOWN             0x3fu

/* What a filter returns: the action above, data for it below. Of several filters the action that is
 * the lowest number, with its sign, counts. */
#define SECCOMP_RET_KILL_PROCESS 0x80000000u
#define SECCOMP_RET_KILL_THREAD  0x00000000u
#define SECCOMP_RET_TRAP         0x00030000u
#define SECCOMP_RET_ERRNO        0x00050000u
#define SECCOMP_RET_USER_NOTIF   0x7fc00000u
#define SECCOMP_RET_TRACE        0x7ff00000u
#define SECCOMP_RET_LOG          0x7ffc0000u
#define SECCOMP_RET_ALLOW        0x7fff0000u
#define SECCOMP_RET_ACTION       0xffff0000u
#define SECCOMP_RET_DATA         0x0000ffffu

/* What filters look at. */
struct abi_seccomp_data {
	int32_t number;
	uint32_t arch; /* AUDIT_ARCH_* */
	uint64_t instruction_pointer;
	uint64_t arguments[6];
};

/* ---- notifications ---- */

struct abi_seccomp_notif {
	uint64_t id;
	uint32_t pid; /* of the thread */
	uint32_t flags;
	struct abi_seccomp_data data;
};

#define SECCOMP_USER_NOTIF_FLAG_CONTINUE 0x1u

struct abi_seccomp_notif_resp {
	uint64_t id;
	int64_t value;
	int32_t error;
	uint32_t flags;
};

#define SECCOMP_ADDFD_FLAG_SETFD 0x1u
#define SECCOMP_ADDFD_FLAG_SEND  0x2u

struct abi_seccomp_notif_addfd {
	uint64_t id;
	uint32_t flags;
	uint32_t from;
	uint32_t to;
	uint32_t to_flags;
};

struct abi_seccomp_notif_sizes {
	uint16_t notif, response, data;
};

_Static_assert(sizeof(struct abi_seccomp_data) == 64, "Linux's");
_Static_assert(sizeof(struct abi_seccomp_notif) == 80, "Linux's");
_Static_assert(sizeof(struct abi_seccomp_notif_resp) == 24, "Linux's");
_Static_assert(sizeof(struct abi_seccomp_notif_addfd) == 24, "Linux's");

#define SECCOMP_IOCTL_NOTIF_RECV         0xc0502100u
#define SECCOMP_IOCTL_NOTIF_SEND         0xc0182101u
#define SECCOMP_IOCTL_NOTIF_ID_VALID     0x40082102u
#define SECCOMP_IOCTL_NOTIF_ID_VALID_OLD 0x80082102u /* of the wrong direction */
#define SECCOMP_IOCTL_NOTIF_ADDFD        0x40182103u
/* Its size is the program's, so that the structure can grow. */
#define SECCOMP_IOCTL_SIZE(command)    ((command) >> 16 & 0x3fffu)
#define SECCOMP_IOCTL_NO_SIZE(command) ((command) & ~0x3fff0000u)

#endif
