/*
 * The native call spawn: a new process that runs a program, in one step. What posix_spawn() says of
 * it lies in a structure; the new process does all of it, in the order of the flags below, then the
 * actions, then the mask and the program, as POSIX wants it. What fails there is the call's result,
 * and nobody has ever been the caller's child.
 */
#ifndef ABI_SPAWN_H
#define ABI_SPAWN_H

#include <stdint.h>

#define SPAWN_SIG_DEFAULT (1u << 0) /* the signals of `defaults` are not ignored */
#define SPAWN_SCHEDULER   (1u << 1) /* policy `policy`, with what is at `parameters` */
#define SPAWN_SCHED_PARAM (1u << 2) /* the struct sched_param at `parameters` */
#define SPAWN_SESSION     (1u << 3) /* into a session of its own */
#define SPAWN_GROUP       (1u << 4) /* into process group `group`; 0: one of its own */
#define SPAWN_RESET_IDS   (1u << 5) /* the effective ids become the real ones */
#define SPAWN_SIG_MASK    (1u << 6) /* `mask` is blocked, else what the caller blocks */

#define SPAWN_ACTION_CLOSE  1 /* fd; one that is not open is none to close */
#define SPAWN_ACTION_DUP2   2 /* source as fd; the same: it stays open in the program */
#define SPAWN_ACTION_OPEN   3 /* path as fd, with flags and mode */
#define SPAWN_ACTION_CHDIR  4 /* path */
#define SPAWN_ACTION_FCHDIR 5 /* fd */

/* More actions, or more paths, than this are -E2BIG. */
#define SPAWN_ACTIONS_MAX 4096
#define SPAWN_PATHS_MAX   4096

struct abi_spawn_action {
	uint32_t kind;
	int32_t fd;
	int32_t source;
	uint32_t flags;
	uint32_t mode;
	uint32_t reserved; /* 0 */
	uint64_t path;
};

struct abi_spawn {
	uint32_t flags;
	int32_t group;
	uint64_t defaults;
	uint64_t mask;
	int32_t policy;
	int32_t dirfd; /* where relative paths begin: AT_FDCWD, or a descriptor */
	uint64_t parameters;
	uint64_t actions; /* of struct abi_spawn_action */
	uint32_t nactions;
	uint32_t at_flags; /* execveat's: with AT_EMPTY_PATH and a path "" the program is dirfd */
	uint64_t
		paths; /* of pointers to names, the last one null: the first that is there is run */
	uint64_t argv;
	uint64_t envp;
};

#define SPAWN_BYTES_VER0 80

#endif
