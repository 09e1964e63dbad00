/*
 * /proc/locks: who has locked which parts of files, and who waits for that. proc(5) has its form.
 * Locks that drivers keep themselves are not there, nor are leases.
 */
#include "procfs.h"

#include "../namespace/pid.h"

#include <abi/fcntl.h>
#include <abi/stat.h>
#include <fusek/figures.h>

struct listing {
	struct text *text;
	const struct pid_namespace *namespace; /* whose numbers are shown */
	unsigned number;                       /* of the last lock */
};

static const char *kind_name(enum object_lock_kind kind)
{
	switch (kind) {
	case OBJECT_LOCK_WHOLE:
		return "FLOCK ";
	case OBJECT_LOCK_OPEN:
		return "OFDLCK";
	default:
		return "POSIX ";
	}
}

static void add_lock(void *argument, const struct lock_info *info)
{
	struct listing *listing = argument;
	const struct object_lock *what = info->what;
	int32_t pid = pid_number_in(listing->namespace, info->pid);

	/* As Linux: locks of those whom the mount does not see are not there. */
	if (!pid && info->pid)
		return;
	listing->number += !info->waits;
	text_add(listing->text, "%u: %s%s ADVISORY  %s %d %02x:%02x:%lu %lu ", listing->number,
		 info->waits ? "-> " : "", kind_name(what->kind),
		 what->type == F_WRLCK ? "WRITE" : "READ", pid, abi_major(info->device),
		 abi_minor(info->device), info->inode, what->start);
	if (what->end == INT64_MAX)
		text_add(listing->text, "EOF\n");
	else
		text_add(listing->text, "%lu\n", what->end);
}

void proc_locks(struct text *text, const struct proc_subject *subject)
{
	struct listing listing = {.text = text, .namespace = subject->namespace};

	locks_visit(add_lock, &listing);
}
