/*
 * Leases on regular files, as Linux has them. One mutex, lease_lock (LOCK_LEASE), has all of them;
 * a lease belongs to an open file and ends with it at the latest, so it holds no reference. Who
 * opens a file counts himself first and looks for leases then; who takes a lease makes it visible
 * first and looks at the counts then: one of the two sees the other.
 *
 * A lease that stands in somebody's way gets a time at which it ends, is told (ASYNC_MESSAGE), and
 * the other waits for its end: by its holder, who gives it up or makes it weaker, or by the time.
 */
#include "lease.h"

#include <arch/clock.h>
#include <fusek/file.h>
#include <ipc/async.h>
#include <lib/atomic.h>
#include <mm/slab.h>
#include <sched/lock.h>
#include <sched/wait.h>

/* All fields are under lease_lock. */
struct lease {
	struct lease *next; /* of the node */
	struct file *file;  /* it ends with that */
	int fd;             /* which is told */
	uint16_t type;      /* F_RDLCK, F_WRLCK */
	uint16_t becomes;   /* what is wanted of it; as `type`: nothing */
	uint64_t ends_ns;   /* while something is: when it becomes that by itself */
};

uint32_t lease_break_s = 45;
uint32_t leases_enabled = 1;

static MUTEX(lease_lock, LOCK_LEASE);
static WAITQ(leases_changed);
static uint64_t nchanges; /* lease_lock, read without it: waiters go by it */

static void tell_change(void) REQUIRES(lease_lock);
static void tell_change(void)
{
	write_once(&nchanges, nchanges + 1);
	waitq_wake_all(&leases_changed);
}

static bool is_breaking(const struct lease *lease)
{
	return lease->becomes != lease->type;
}

/* ---- ends ---- */

static void lease_remove(struct lease **link) REQUIRES(lease_lock);
static void lease_remove(struct lease **link)
{
	struct lease *gone = *link;

	write_once(link, gone->next);
	kfree(gone);
	tell_change();
}

/* A weaker one may still be in the way of who writes. */
static void lease_become(struct lease *lease, uint16_t type) REQUIRES(lease_lock);
static void lease_become(struct lease *lease, uint16_t type)
{
	lease->type = type;
	if (lease->becomes != F_UNLCK)
		lease->becomes = type;
	tell_change();
}

/* Those whose time is over. */
static void end_late(struct node *node) REQUIRES(lease_lock);
static void end_late(struct node *node)
{
	struct lease **link = &node->leases;

	while (*link) {
		struct lease *lease = *link;

		bool is_late = is_breaking(lease) && clock_ns() >= lease->ends_ns;

		if (is_late && lease->becomes == F_UNLCK) {
			lease_remove(link);
			continue;
		}
		if (is_late)
			lease_become(lease, lease->becomes);
		link = &lease->next;
	}
}

static struct lease **find(const struct file *file) REQUIRES(lease_lock);
static struct lease **find(const struct file *file)
{
	struct lease **link = &file->node->leases;

	while (*link && (*link)->file != file)
		link = &(*link)->next;
	return link;
}

/* ---- breaking ---- */

/* As Linux: 0 is for ever. */
static uint64_t end_of_break_ns(void)
{
	uint32_t seconds = read_once(&lease_break_s);

	return seconds ? clock_ns() + seconds * NSEC_PER_SEC : UINT64_MAX;
}

/* Tells each that is in the way. The time at which the first of them ends; 0: none is. */
static uint64_t break_all(struct node *node, bool for_writing) REQUIRES(lease_lock);
static uint64_t break_all(struct node *node, bool for_writing)
{
	uint16_t wanted = for_writing ? F_UNLCK : F_RDLCK;
	uint64_t ends_ns = 0;
	struct lease *lease;

	end_late(node);
	for (lease = node->leases; lease; lease = lease->next) {
		bool is_told = is_breaking(lease) && (lease->becomes == F_UNLCK || !for_writing);

		if (!for_writing && lease->type == F_RDLCK)
			continue;
		if (!is_told) {
			lease->becomes = wanted;
			lease->ends_ns = end_of_break_ns();
			async_tell(&lease->file->object, lease->fd, ASYNC_MESSAGE);
		}
		ends_ns = ends_ns ? MIN(ends_ns, lease->ends_ns) : lease->ends_ns;
	}
	return ends_ns;
}

err_t lease_break_slowly(struct node *node, bool for_writing, bool wait)
{
	for (;;) {
		uint64_t ends_ns, seen;
		err_t err;

		mutex_lock(&lease_lock);
		ends_ns = break_all(node, for_writing);
		seen = nchanges;
		mutex_unlock(&lease_lock);
		if (!ends_ns)
			return 0;
		if (!wait)
			return -EAGAIN;
		err = wait_event_interruptible_timeout(&leases_changed,
						       read_once(&nchanges) != seen, ends_ns);
		if (err && err != -ETIMEDOUT)
			return err;
	}
}

/* ---- who has it open ---- */

static uint32_t *count_of(struct file *file)
{
	return (object_flags(&file->object) & O_ACCMODE) == O_RDONLY ? &file->node->nreaders
								     : &file->node->nwriters;
}

err_t lease_file_opened(struct file *file)
{
	unsigned flags = object_flags(&file->object);

	file->counted = true;
	(void)atomic_fetch_add_full(count_of(file), 1); /* before the look at the leases */
	return lease_break(file->node, (flags & O_ACCMODE) != O_RDONLY, !(flags & O_NONBLOCK));
}

err_t lease_write_begin(struct node *node, bool wait)
{
	err_t err;

	(void)atomic_fetch_add_full(&node->nwriters, 1); /* before the look at the leases */
	err = lease_break(node, true, wait);
	if (err)
		lease_write_end(node);
	return err;
}

void lease_write_end(struct node *node)
{
	(void)atomic_fetch_add_full(&node->nwriters, UINT32_MAX);
}

void lease_file_released(struct file *file)
{
	if (unlikely(read_once(&file->node->leases))) {
		struct lease **link;

		mutex_lock(&lease_lock);
		link = find(file);
		if (*link)
			lease_remove(link);
		mutex_unlock(&lease_lock);
	}
	(void)atomic_fetch_add_full(count_of(file), UINT32_MAX);
}

/* Somebody else has it open in a way that does not go with such a lease; or, of one that reads,
 * anybody. */
static bool is_in_use(struct file *file, uint16_t type)
{
	bool writes = (object_flags(&file->object) & O_ACCMODE) != O_RDONLY;
	uint32_t nwriters = read_once(&file->node->nwriters);
	uint32_t nreaders = read_once(&file->node->nreaders);

	if (type == F_RDLCK)
		return nwriters != 0;
	return nwriters != (writes ? 1 : 0) || nreaders != (writes ? 0 : 1);
}

/* ---- taking ---- */

static bool others_are_in_the_way(const struct file *file, uint16_t type) REQUIRES(lease_lock);
static bool others_are_in_the_way(const struct file *file, uint16_t type)
{
	const struct lease *lease;

	for (lease = file->node->leases; lease; lease = lease->next) {
		if (lease->file == file)
			continue;
		if (type == F_WRLCK || (is_breaking(lease) && lease->becomes == F_UNLCK))
			return true;
	}
	return false;
}

static err_t take_locked(struct file *file, uint16_t type, struct lease **fresh)
	REQUIRES(lease_lock);
static err_t take_locked(struct file *file, uint16_t type, struct lease **fresh)
{
	struct lease **link;

	end_late(file->node);
	if (is_in_use(file, type) || others_are_in_the_way(file, type))
		return -EAGAIN;
	link = find(file);
	if (*link) {
		lease_become(*link, type);
		return 0;
	}
	(*fresh)->next = file->node->leases;
	write_once(&file->node->leases, *fresh);
	memory_barrier();
	if (is_in_use(file, type)) { /* somebody who has not seen it */
		write_once(&file->node->leases, (*fresh)->next);
		return -EAGAIN;
	}
	*fresh = NULL;
	return 0;
}

static err_t lease_take(struct file *file, int fd, uint16_t type)
{
	struct lease *fresh = kzalloc(sizeof(*fresh));
	err_t err;

	if (!fresh)
		return -ENOMEM;
	*fresh = (struct lease){.file = file, .fd = fd, .type = type, .becomes = type};
	mutex_lock(&lease_lock);
	err = take_locked(file, type, &fresh);
	mutex_unlock(&lease_lock);
	kfree(fresh);
	return err;
}

static err_t lease_give_up(struct file *file)
{
	struct lease **link;
	err_t err = -EAGAIN;

	mutex_lock(&lease_lock);
	link = find(file);
	if (*link) {
		lease_remove(link);
		err = 0;
	}
	mutex_unlock(&lease_lock);
	return err;
}

/* ---- for fcntl ---- */

static struct file *leasable(struct object *object)
{
	return object->ops == &file_ops && node_type(file_of(object)->node) == S_IFREG &&
			       file_of(object)->counted
		       ? file_of(object)
		       : NULL;
}

err_t file_set_lease(struct object *object, const struct vfs_context *context, int fd, int type)
{
	struct file *file = leasable(object);
	err_t err;

	if (!file)
		return -EINVAL;
	if (type == F_UNLCK)
		return lease_give_up(file);
	if ((type != F_RDLCK && type != F_WRLCK) || !read_once(&leases_enabled))
		return -EINVAL;
	err = node_may_own(file->node, context, CAP_LEASE);
	if (err)
		return err == -EPERM ? -EACCES : err;
	return lease_take(file, fd, (uint16_t)type);
}

int file_lease(struct object *object)
{
	struct file *file = leasable(object);
	struct lease **link;
	int type = F_UNLCK;

	if (!file)
		return F_UNLCK;
	mutex_lock(&lease_lock);
	end_late(file->node);
	link = find(file);
	if (*link)
		type = (*link)->becomes;
	mutex_unlock(&lease_lock);
	return type;
}
