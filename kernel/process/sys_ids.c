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
	    !credentials_are_within(ids, &self->ids)) {
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
	self->fs.user = self->ids.user;
	self->fs.own_capabilities = self->ids.capabilities.effective;
	self->fs.capabilities =
		self->ids.user == &user_namespace_first ? self->fs.own_capabilities : 0;
}

/* What the running program calls an id; what it says it is. */
static uint32_t shown(enum id_kind kind, uint32_t id)
{
	return id_shown_in(uthread_current()->ids.user, kind, id);
}

/* The id that the program names is then the kernel's, KEEP that. False: there is none such. */
static bool take_id(enum id_kind kind, uint32_t *id)
{
	if (*id == KEEP)
		return true;
	*id = id_to_global(uthread_current()->ids.user, kind, *id);
	return *id != ID_NONE;
}

static bool has_own(unsigned capability)
{
	return capable_in(uthread_current()->ids.user, capability);
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
	return (int)shown(ID_USER, uthread_current()->ids.uid);
}

int sys_geteuid(void)
{
	return (int)shown(ID_USER, uthread_current()->ids.euid);
}

int sys_getgid(void)
{
	return (int)shown(ID_GROUP, uthread_current()->ids.gid);
}

int sys_getegid(void)
{
	return (int)shown(ID_GROUP, uthread_current()->ids.egid);
}

static int put_three(enum id_kind kind, const uptr_t to[3], const uint32_t ids[3])
{
	for (unsigned i = 0; i < 3; i++) {
		uint32_t id = shown(kind, ids[i]);

		if (user_put(to[i], &id))
			return -EFAULT;
	}
	return 0;
}

int sys_getresuid(uptr_t real, uptr_t effective, uptr_t saved)
{
	const struct credentials *ids = &uthread_current()->ids;

	return put_three(ID_USER, (const uptr_t[]){real, effective, saved},
			 (const uint32_t[]){ids->uid, ids->euid, ids->suid});
}

int sys_getresgid(uptr_t real, uptr_t effective, uptr_t saved)
{
	const struct credentials *ids = &uthread_current()->ids;

	return put_three(ID_GROUP, (const uptr_t[]){real, effective, saved},
			 (const uint32_t[]){ids->gid, ids->egid, ids->sgid});
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

	if (!take_id(ID_USER, &real) || !take_id(ID_USER, &effective) || !take_id(ID_USER, &saved))
		return -EINVAL;
	if (!has_own(CAP_SETUID) && (!is_one_of(real, ids.uid, ids.euid, ids.suid) ||
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

	if (!take_id(ID_GROUP, &real) || !take_id(ID_GROUP, &effective) ||
	    !take_id(ID_GROUP, &saved))
		return -EINVAL;
	if (!has_own(CAP_SETGID) && (!is_one_of(real, ids.gid, ids.egid, ids.sgid) ||
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

	if (!take_id(ID_USER, &real) || !take_id(ID_USER, &effective))
		return -EINVAL;
	if (!has_own(CAP_SETUID) && (!is_one_of(real, ids.uid, ids.euid, KEEP) ||
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

	if (!take_id(ID_GROUP, &real) || !take_id(ID_GROUP, &effective))
		return -EINVAL;
	if (!has_own(CAP_SETGID) && (!is_one_of(real, ids.gid, ids.egid, KEEP) ||
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

	if (uid == KEEP || !take_id(ID_USER, &uid))
		return -EINVAL;
	if (has_own(CAP_SETUID))
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

	if (gid == KEEP || !take_id(ID_GROUP, &gid))
		return -EINVAL;
	if (has_own(CAP_SETGID))
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

	if (uid == KEEP || !take_id(ID_USER, &uid) ||
	    (uid != before && !is_one_of(uid, ids.uid, ids.euid, ids.suid) && !has_own(CAP_SETUID)))
		return (int)shown(ID_USER, before);
	ids.fsuid = uid;
	credentials_fs_user_changed(&ids, before);
	uthread_set_ids(self, &ids);
	return (int)shown(ID_USER, before);
}

int sys_setfsgid(unsigned gid)
{
	struct uthread *self = uthread_current();
	struct credentials ids = self->ids;
	uint32_t before = ids.fsgid;

	if (gid == KEEP || !take_id(ID_GROUP, &gid) ||
	    (gid != before && !is_one_of(gid, ids.gid, ids.egid, ids.sgid) && !has_own(CAP_SETGID)))
		return (int)shown(ID_GROUP, before);
	ids.fsgid = gid;
	uthread_set_ids(self, &ids);
	return (int)shown(ID_GROUP, before);
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

err_t groups_put_to_program(const struct vfs_groups *groups, uptr_t out)
{
	const struct user_namespace *user = uthread_current()->ids.user;

	if (likely(user == &user_namespace_first))
		return user_copy_out(out, groups->gids, groups->count * sizeof(uint32_t));
	for (uint32_t i = 0; i < groups->count; i++) {
		uint32_t gid = id_shown_in(user, ID_GROUP, groups->gids[i]);

		if (user_put(uptr_add(out, i * sizeof(gid)), &gid))
			return -EFAULT;
	}
	return 0;
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
	return groups_put_to_program(groups, out) ? -EFAULT : (int)count;
}

/* Not before there is a map of groups: dropping one is a gain where a group may do less. */
static bool may_set_groups(const struct user_namespace *user)
{
	return has_own(CAP_SETGID) && load_acquire(&user->maps[ID_GROUP].nextents) &&
	       !read_once(&user->groups_denied);
}

static bool take_groups(struct vfs_groups *groups)
{
	for (uint32_t i = 0; i < groups->count; i++) {
		groups->gids[i] =
			id_to_global(uthread_current()->ids.user, ID_GROUP, groups->gids[i]);
		if (groups->gids[i] == ID_NONE)
			return false;
	}
	return true;
}

int sys_setgroups(int ngroups, uptr_t from)
{
	struct uthread *self = uthread_current();
	struct vfs_groups *groups = NULL;

	if (!may_set_groups(self->ids.user))
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
		if (!take_groups(groups)) {
			groups_put(groups);
			return -EINVAL;
		}
		sort(groups->gids, groups->count);
	}
	groups_put(self->fs.groups);
	self->fs.groups = groups;
	return 0;
}
