/*
 * Flags and arguments of clone and clone3, as Linux has them.
 */
#ifndef ABI_CLONE_H
#define ABI_CLONE_H

#include <stdint.h>

#define CSIGNAL              UINT64_C(0x000000ff) /* clone: the signal of its end */
#define CLONE_NEWTIME        UINT64_C(0x00000080) /* of clone3() and unshare() */
#define CLONE_VM             UINT64_C(0x00000100)
#define CLONE_FS             UINT64_C(0x00000200)
#define CLONE_FILES          UINT64_C(0x00000400)
#define CLONE_SIGHAND        UINT64_C(0x00000800)
#define CLONE_PIDFD          UINT64_C(0x00001000)
#define CLONE_PTRACE         UINT64_C(0x00002000)
#define CLONE_VFORK          UINT64_C(0x00004000)
#define CLONE_PARENT         UINT64_C(0x00008000)
#define CLONE_THREAD         UINT64_C(0x00010000)
#define CLONE_NEWNS          UINT64_C(0x00020000)
#define CLONE_SYSVSEM        UINT64_C(0x00040000)
#define CLONE_SETTLS         UINT64_C(0x00080000)
#define CLONE_PARENT_SETTID  UINT64_C(0x00100000)
#define CLONE_CHILD_CLEARTID UINT64_C(0x00200000)
#define CLONE_DETACHED       UINT64_C(0x00400000)
#define CLONE_UNTRACED       UINT64_C(0x00800000)
#define CLONE_CHILD_SETTID   UINT64_C(0x01000000)
#define CLONE_NEWCGROUP      UINT64_C(0x02000000)
#define CLONE_NEWUTS         UINT64_C(0x04000000)
#define CLONE_NEWIPC         UINT64_C(0x08000000)
#define CLONE_NEWUSER        UINT64_C(0x10000000)
#define CLONE_NEWPID         UINT64_C(0x20000000)
#define CLONE_NEWNET         UINT64_C(0x40000000)
#define CLONE_IO             UINT64_C(0x80000000)
#define CLONE_CLEAR_SIGHAND  UINT64_C(0x100000000) /* clone3 alone */

struct abi_clone_args {
	uint64_t flags;
	uint64_t pidfd;
	uint64_t child_tid;
	uint64_t parent_tid;
	uint64_t exit_signal;
	uint64_t stack; /* its lowest address; clone: the stack pointer */
	uint64_t stack_size;
	uint64_t tls;
	uint64_t set_tid; /* of int32_t: one for each nested namespace */
	uint64_t set_tid_size;
	uint64_t cgroup;
};

#define CLONE_ARGS_SIZE_VER0 64
#define CLONE_SET_TID_MAX    32 /* MAX_PID_NS_LEVEL */

#endif
