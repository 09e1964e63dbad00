/*
 * posix_spawn() in one call of the kernel: what musl keeps of attributes, file actions and the
 * search for a program becomes a struct abi_spawn. ENOSYS: on Linux, and for what is more than a
 * stack should hold; musl's own way, by vfork, does it then.
 *
 * Nothing has to be blocked or locked meanwhile: the new process never runs in the caller's memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fuselage/spawn.h>
#include <fuselage/syscall.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "../process/fdop.h"
#include "syscall.h"

#define ACTIONS_MAX 32
#define PATHS_MAX   32
#define TEXT_BYTES  1024

#define DEFAULT_PATH "/usr/local/bin:/bin:/usr/bin" /* execvp()'s */

struct search {
	uint64_t paths[PATHS_MAX + 1];
	char text[TEXT_BYTES];
};

static int fill_actions(struct abi_spawn_action *actions, const posix_spawn_file_actions_t *fa)
{
	struct fdop *op = fa ? fa->__actions : NULL;
	int n = 0;

	/* The last one comes first there. */
	while (op && op->next)
		op = op->next;
	for (; op; op = op->prev) {
		if (n == ACTIONS_MAX)
			return -1;
		actions[n++] = (struct abi_spawn_action){
			.kind = (uint32_t)op->cmd,
			.fd = op->fd,
			.source = op->srcfd,
			.flags = (uint32_t)op->oflag,
			.mode = op->mode,
			.path = (uint64_t)op->path,
		};
	}
	return n;
}

/* One name for each folder of PATH, which may be empty: the working directory. ENOSYS: too many. */
static int fill_search(struct search *search, const char *file)
{
	const char *folder = getenv("PATH");
	size_t name_bytes = strnlen(file, NAME_MAX + 1);
	size_t used = 0;

	if (name_bytes > NAME_MAX)
		return ENAMETOOLONG;
	if (!folder)
		folder = DEFAULT_PATH;
	for (int n = 0; n < PATHS_MAX; n++) {
		const char *end = strchrnul(folder, ':');
		size_t len = (size_t)(end - folder);

		if (used + len + 1 + name_bytes + 1 > TEXT_BYTES)
			break;
		search->paths[n] = (uint64_t)(search->text + used);
		memcpy(search->text + used, folder, len);
		used += len;
		if (len)
			search->text[used++] = '/';
		memcpy(search->text + used, file, name_bytes + 1);
		used += name_bytes + 1;
		if (!*end) {
			search->paths[n + 1] = 0;
			return 0;
		}
		folder = end + 1;
	}
	return ENOSYS;
}

static int fill_paths(struct search *search, const char *path, const posix_spawnattr_t *attr)
{
	int is_plain = !attr || !attr->__fn || strchr(path, '/');

	if (!is_plain && *path)
		return fill_search(search, path);
	search->paths[0] = is_plain ? (uint64_t)path : 0;
	search->paths[1] = 0;
	return 0;
}

static void fill_attributes(struct abi_spawn *request, const posix_spawnattr_t *attr)
{
	static const struct {
		short theirs;
		uint32_t ours;
	} flags[] = {
		{POSIX_SPAWN_RESETIDS, SPAWN_RESET_IDS},
		{POSIX_SPAWN_SETPGROUP, SPAWN_GROUP},
		{POSIX_SPAWN_SETSIGDEF, SPAWN_SIG_DEFAULT},
		{POSIX_SPAWN_SETSIGMASK, SPAWN_SIG_MASK},
		{POSIX_SPAWN_SETSCHEDPARAM, SPAWN_SCHED_PARAM},
		{POSIX_SPAWN_SETSCHEDULER, SPAWN_SCHEDULER},
		{POSIX_SPAWN_SETSID, SPAWN_SESSION},
	};

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		if (attr->__flags & flags[i].theirs)
			request->flags |= flags[i].ours;
	}
	request->group = attr->__pgrp;
	memcpy(&request->defaults, &attr->__def, sizeof request->defaults);
	memcpy(&request->mask, &attr->__mask, sizeof request->mask);
	request->policy = attr->__pol;
	request->parameters = (uint64_t)&attr->__prio;
}

/* 0, an error as posix_spawn() returns it, or ENOSYS: not in this way. */
hidden int __fuselage_spawn(pid_t *res, const char *path, const posix_spawn_file_actions_t *fa,
			    const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	struct abi_spawn_action actions[ACTIONS_MAX];
	struct search search;
	struct abi_spawn request = {
		.dirfd = AT_FDCWD,
		.actions = (uint64_t)actions,
		.paths = (uint64_t)search.paths,
		.argv = (uint64_t)argv,
		.envp = (uint64_t)envp,
	};
	int nactions = fill_actions(actions, fa);
	int error = fill_paths(&search, path, attr);
	long pid;

	if (nactions < 0 || error)
		return error ? error : ENOSYS;
	request.nactions = (uint32_t)nactions;
	if (attr)
		fill_attributes(&request, attr);
	pid = __syscall(SYS_fuselage_spawn, &request, sizeof request);
	if (pid < 0)
		return (int)-pid;
	if (res)
		*res = (pid_t)pid;
	return 0;
}
