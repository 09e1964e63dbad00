/*
 * Users and groups. Each thread has its own ids, as on Linux; libc changes those of all threads.
 * With CAP_SETUID or CAP_SETGID everything may be changed, else only to what one of the three ids
 * is.
 */
#include "capability.h"
#include "syscall_table.h"
#include "uthread.h"

#include <abi/errno.h>
#include <arch/user.h>
#include <mm/kva.h>

#define KEEP UINT32_MAX /* -1: this one stays as it is */

void uthread_set_ids(struct uthread *self, const struct credentials *ids)
{
	struct process *process = self->process;

	/* As Linux: what others may see of it was made with other rights, and its parent is no
	 * longer one that may end it. */
	if (ids->euid != self->ids.euid || ids->egid != self->ids.egid ||
	    ids->fsuid != self->ids.fsuid || ids->fsgid != self->ids.fsgid ||
	    ids->capabilities.permitted & ~self->ids.capabilities.permitted) {
		write_once(&process->not_dumpable, true);
		write_once(&process->death_signal, 0);
	}
	self->ids = *ids;
	uthread_credentials_to_fs(self);
	write_once(&process->ids.uid, ids->uid);
	write_once(&process->ids.euid, ids->euid);
	write_once(&process->ids.suid, ids->suid);
	write_once(&process->ids.fsuid, ids->fsuid);
	write_once(&process->ids.gid, ids->gid);
	write_once(&process->ids.egid, ids->egid);
	write_once(&process->ids.sgid, ids->sgid);
	write_once(&process->ids.fsgid, ids->fsgid);
	write_once(&process->ids.capabilities.permitted, ids->capabilities.permitted);
	write_once(&process->ids.capabilities.effective, ids->capabilities.effective);
	write_once(&process->ids.capabilities.inheritable, ids->capabilities.inheritable);
	write_once(&process->ids.capabilities.bounding, ids->capabilities.bounding);
	write_once(&process->ids.capabilities.ambient, ids->capabilities.ambient);
}

void uthread_credentials_to_fs(struct uthread *self)
{
	self->fs.uid = self->ids.fsuid;
	self->fs.gid = self->ids.fsgid;
	self->fs.capabilities = self->ids.capabilities.effective;
}

/* Another user: files are looked at as the effective one, and capabilities follow. */
static void change_user(struct uthread *self, struct credentials *ids)
{
	ids->fsuid = ids->euid;
	credentials_ids_changed(ids, &self->ids);
	uthread_set_ids(self, ids);
}

static void change_group(struct uthread *self, struct credentials *ids)
{
	ids->fsgid = ids->egid;
	uthread_set_ids(self, ids);
}

int sys_getuid(void)
{
	return (int)uthread_current()->ids.uid;
}

int sys_geteuid(void)
{
	return (int)uthread_current()->ids.euid;
}

int sys_getgid(void)
{
	return (int)uthread_current()->ids.gid;
}

int sys_getegid(void)
{
	return (int)uthread_current()->ids.egid;
}

static int put_three(uptr_t real, uint32_t first, uptr_t effective, uint32_t second, uptr_t saved,
		     uint32_t third)
{
	if (user_put(real, &first) || user_put(effective, &second))
		return -EFAULT;
	return user_put(saved, &third);
}

int sys_getresuid(uptr_t real, uptr_t effective, uptr_t saved)
{
	const struct credentials *ids = &uthread_current()->ids;

	return put_three(real, ids->uid, effective, ids->euid, saved, ids->suid);
}

int sys_getresgid(uptr_t real, uptr_t effective, uptr_t saved)
{
	const struct credentials *ids = &uthread_current()->ids;

	return put_three(real, ids->gid, effective, ids->egid, saved, ids->sgid);
}

static bool is_one_of(uint32_t id, uint32_t first, uint32_t second, uint32_t third)
{
	return id == KEEP || id == first || id == second || id == third;
}

static uint32_t choose(uint32_t wanted, uint32_t before)
{
	return wanted == KEEP ? before : wanted;
}

int sys_setresuid(unsigned real, unsigned effective, unsigned saved)
{
	struct uthread *self = uthread_current();
	struct credentials ids = self->ids;

	if (!capable(CAP_SETUID) && (!is_one_of(real, ids.uid, ids.euid, ids.suid) ||
				     !is_one_of(effective, ids.uid, ids.euid, ids.suid) ||
				     !is_one_of(saved, ids.uid, ids.euid, ids.suid)))
		return -EPERM;
	ids.uid = choose(real, ids.uid);
	ids.euid = choose(effective, ids.euid);
	ids.suid = choose(saved, ids.suid);
	change_user(self, &ids);
	return 0;
}

int sys_setresgid(unsigned real, unsigned effective, unsigned saved)
{
	struct uthread *self = uthread_current();
	struct credentials ids = self->ids;

	if (!capable(CAP_SETGID) && (!is_one_of(real, ids.gid, ids.egid, ids.sgid) ||
				     !is_one_of(effective, ids.gid, ids.egid, ids.sgid) ||
				     !is_one_of(saved, ids.gid, ids.egid, ids.sgid)))
		return -EPERM;
	ids.gid = choose(real, ids.gid);
	ids.egid = choose(effective, ids.egid);
	ids.sgid = choose(saved, ids.sgid);
	change_group(self, &ids);
	return 0;
}

/* The saved id follows the effective one where the real one is set or the effective one leaves it
 * (setreuid(2)). */
static uint32_t saved_after(uint32_t real, uint32_t effective, uint32_t real_before,
			    uint32_t saved_before, uint32_t effective_now)
{
	if (real != KEEP || (effective != KEEP && effective != real_before))
		return effective_now;
	return saved_before;
}

int sys_setreuid(unsigned real, unsigned effective)
{
	struct uthread *self = uthread_current();
	struct credentials ids = self->ids;

	if (!capable(CAP_SETUID) && (!is_one_of(real, ids.uid, ids.euid, KEEP) ||
				     !is_one_of(effective, ids.uid, ids.euid, ids.suid)))
		return -EPERM;
	ids.uid = choose(real, ids.uid);
	ids.euid = choose(effective, ids.euid);
	ids.suid = saved_after(real, effective, self->ids.uid, ids.suid, ids.euid);
	change_user(self, &ids);
	return 0;
}

int sys_setregid(unsigned real, unsigned effective)
{
	struct uthread *self = uthread_current();
	struct credentials ids = self->ids;

	if (!capable(CAP_SETGID) && (!is_one_of(real, ids.gid, ids.egid, KEEP) ||
				     !is_one_of(effective, ids.gid, ids.egid, ids.sgid)))
		return -EPERM;
	ids.gid = choose(real, ids.gid);
	ids.egid = choose(effective, ids.egid);
	ids.sgid = saved_after(real, effective, self->ids.gid, ids.sgid, ids.egid);
	change_group(self, &ids);
	return 0;
}

int sys_setuid(unsigned uid)
{
	struct uthread *self = uthread_current();
	struct credentials ids = self->ids;

	if (uid == KEEP)
		return -EINVAL;
	if (capable(CAP_SETUID))
		ids.uid = ids.suid = uid;
	else if (uid != ids.uid && uid != ids.suid)
		return -EPERM;
	ids.euid = uid;
	change_user(self, &ids);
	return 0;
}

int sys_setgid(unsigned gid)
{
	struct uthread *self = uthread_current();
	struct credentials ids = self->ids;

	if (gid == KEEP)
		return -EINVAL;
	if (capable(CAP_SETGID))
		ids.gid = ids.sgid = gid;
	else if (gid != ids.gid && gid != ids.sgid)
		return -EPERM;
	ids.egid = gid;
	change_group(self, &ids);
	return 0;
}

/* ---- the ids for files ---- */

/* The result is who it was before, whatever comes of it. */
int sys_setfsuid(unsigned uid)
{
	struct uthread *self = uthread_current();
	struct credentials ids = self->ids;
	uint32_t before = ids.fsuid;

	if (uid == KEEP ||
	    (uid != before && !is_one_of(uid, ids.uid, ids.euid, ids.suid) && !capable(CAP_SETUID)))
		return (int)before;
	ids.fsuid = uid;
	credentials_fs_user_changed(&ids, before);
	uthread_set_ids(self, &ids);
	return (int)before;
}

int sys_setfsgid(unsigned gid)
{
	struct uthread *self = uthread_current();
	struct credentials ids = self->ids;
	uint32_t before = ids.fsgid;

	if (gid == KEEP ||
	    (gid != before && !is_one_of(gid, ids.gid, ids.egid, ids.sgid) && !capable(CAP_SETGID)))
		return (int)before;
	ids.fsgid = gid;
	uthread_set_ids(self, &ids);
	return (int)before;
}

/* ---- supplementary groups ---- */

static size_t groups_bytes(uint32_t count)
{
	return sizeof(struct vfs_groups) + count * sizeof(uint32_t);
}

static struct vfs_groups *groups_alloc(uint32_t count)
{
	struct vfs_groups *groups = kvmalloc(groups_bytes(count));

	if (!groups)
		return NULL;
	refcount_init(&groups->references);
	groups->count = count;
	return groups;
}

struct vfs_groups *groups_get(struct vfs_groups *groups)
{
	if (groups)
		refcount_get(&groups->references);
	return groups;
}

void groups_put(struct vfs_groups *groups)
{
	if (groups && refcount_put(&groups->references))
		kvfree(groups, groups_bytes(groups->count));
}

/* Shell sort: short, and fast enough for what one may have. */
static void sort(uint32_t *gids, uint32_t count)
{
	for (uint32_t gap = count / 2; gap; gap /= 2) {
		for (uint32_t i = gap; i < count; i++) {
			uint32_t gid = gids[i];
			uint32_t at = i;

			for (; at >= gap && gids[at - gap] > gid; at -= gap)
				gids[at] = gids[at - gap];
			gids[at] = gid;
		}
	}
}

int sys_getgroups(int ngroups, uptr_t out)
{
	const struct vfs_groups *groups = uthread_current()->fs.groups;
	uint32_t count = groups ? groups->count : 0;

	if (ngroups < 0)
		return -EINVAL;
	if (!ngroups || !count)
		return (int)count;
	if ((uint32_t)ngroups < count)
		return -EINVAL;
	return user_copy_out(out, groups->gids, count * sizeof(uint32_t)) ? -EFAULT : (int)count;
}

int sys_setgroups(int ngroups, uptr_t from)
{
	struct uthread *self = uthread_current();
	struct vfs_groups *groups = NULL;

	if (!capable(CAP_SETGID))
		return -EPERM;
	if (ngroups < 0 || (uint32_t)ngroups > GROUPS_MAX)
		return -EINVAL;
	if (ngroups) {
		groups = groups_alloc((uint32_t)ngroups);
		if (!groups)
			return -ENOMEM;
		if (user_copy_in(groups->gids, from, groups->count * sizeof(uint32_t))) {
			groups_put(groups);
			return -EFAULT;
		}
		sort(groups->gids, groups->count);
	}
	groups_put(self->fs.groups);
	self->fs.groups = groups;
	return 0;
}
