/*
 * Capabilities (capabilities(7)). No state: the sets are a thread's own, in its credentials. Files
 * have none, so a program gets what user 0 gets, or what is ambient.
 */
#include "capability.h"

#include "../namespace/pid.h"

#include "syscall_table.h"
#include "uthread.h"

#include <abi/errno.h>
#include <arch/user.h>
#include <sched/rcu.h>

/* Those that the user for files carries with him (CAP_FS_MASK). */
#define FS_CAPABILITIES                                                                            \
	(CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_DAC_READ_SEARCH) |           \
	 CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID) | CAP_BIT(CAP_LINUX_IMMUTABLE) |                \
	 CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_MAC_OVERRIDE))

bool capable(unsigned capability)
{
	return capable_in(&user_namespace_first, capability);
}

bool credentials_capable(const struct credentials *ids, const struct user_namespace *over,
			 unsigned capability)
{
	while (over != ids->user) {
		if (over->level <= ids->user->level)
			return false;
		if (over->parent == ids->user && over->owner == ids->euid)
			return true;
		over = over->parent;
	}
	return ids->capabilities.effective & CAP_BIT(capability);
}

bool capable_in(const struct user_namespace *over, unsigned capability)
{
	return !process_current() || credentials_capable(&uthread_current()->ids, over, capability);
}

bool capable_over(const struct process *process, unsigned capability)
{
	bool result;

	rcu_read_lock();
	result = capable_in(read_once(&process->ids.user), capability);
	rcu_read_unlock();
	return result;
}

/* As Linux: all that is in a namespace which he made, he might before. */
bool credentials_are_within(const struct credentials *ids, const struct credentials *before)
{
	const struct user_namespace *user;

	if (ids->user == before->user)
		return !(ids->capabilities.permitted & ~before->capabilities.permitted);
	for (user = ids->user; user->parent; user = user->parent) {
		if (user->parent == before->user && user->owner == before->euid)
			return true;
	}
	return false;
}

struct credentials credentials_of_user_0(void)
{
	return (struct credentials){.capabilities = {.permitted = CAPABILITIES_ALL,
						     .effective = CAPABILITIES_ALL,
						     .bounding = CAPABILITIES_ALL},
				    .user = &user_namespace_first};
}

/* Whom their namespace calls 0; ID_NONE, as which nobody runs: it has none. */
static uint32_t user_0_of(const struct credentials *ids)
{
	return id_to_global(ids->user, ID_USER, 0);
}

static bool has_user_0(const struct credentials *ids)
{
	uint32_t user_0 = user_0_of(ids);

	return ids->uid == user_0 || ids->euid == user_0 || ids->suid == user_0;
}

void credentials_ids_changed(struct credentials *ids, const struct credentials *before)
{
	struct capability_sets *sets = &ids->capabilities;
	uint32_t user_0 = user_0_of(ids);

	if (sets->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (has_user_0(before) && !has_user_0(ids)) {
		if (!(sets->securebits & SECBIT_KEEP_CAPS)) {
			sets->permitted = 0;
			sets->effective = 0;
		}
		sets->ambient = 0;
	}
	if (before->euid == user_0 && ids->euid != user_0)
		sets->effective = 0;
	else if (before->euid != user_0 && ids->euid == user_0)
		sets->effective = sets->permitted;
}

void credentials_fs_user_changed(struct credentials *ids, uint32_t before)
{
	struct capability_sets *sets = &ids->capabilities;
	uint32_t user_0 = user_0_of(ids);

	if (sets->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (before == user_0 && ids->fsuid != user_0)
		sets->effective &= ~FS_CAPABILITIES;
	else if (before != user_0 && ids->fsuid == user_0)
		sets->effective |= sets->permitted & FS_CAPABILITIES;
}

uint64_t credentials_real_capabilities(const struct credentials *ids)
{
	const struct capability_sets *sets = &ids->capabilities;

	if (sets->securebits & SECBIT_NO_SETUID_FIXUP)
		return sets->effective;
	return ids->uid == user_0_of(ids) ? sets->permitted : 0;
}

bool credentials_execute(struct credentials *ids, const struct credentials *before, bool set_id)
{
	struct capability_sets *sets = &ids->capabilities;
	uint32_t user_0 = user_0_of(ids);
	bool by_user_0 = false;

	sets->permitted = 0;
	if (!(sets->securebits & SECBIT_NOROOT) && (ids->uid == user_0 || ids->euid == user_0)) {
		sets->permitted = sets->bounding | sets->inheritable;
		by_user_0 = ids->euid == user_0;
	}
	if (set_id)
		sets->ambient = 0;
	sets->permitted |= sets->ambient;
	sets->effective = by_user_0 ? sets->permitted : sets->ambient;
	sets->securebits &= ~SECBIT_KEEP_CAPS;
	return ids->euid != before->uid || ids->egid != before->gid ||
	       (before->uid != user_0 && (by_user_0 || (sets->permitted & ~sets->ambient)));
}

/* ---- capget, capset ---- */

/* How many words each set has; 0: another version, and the one that is preferred was told. */
static int read_header(uptr_t from, struct abi_capability_header *header)
{
	const unsigned preferred = CAPABILITY_VERSION_3;

	if (user_get(header, from))
		return -EFAULT;
	switch (header->version) {
	case CAPABILITY_VERSION_1:
		return 1;
	case CAPABILITY_VERSION_2:
	case CAPABILITY_VERSION_3:
		return 2;
	default:
		return user_put(from, &preferred) ? -EFAULT : 0;
	}
}

static err_t find_sets(int pid, struct capability_sets *out)
{
	struct process *process;

	if (pid == 0 || pid == uthread_current()->own_tid) {
		*out = uthread_current()->ids.capabilities;
		return 0;
	}
	process = process_find_by_thread(pid_meant(pid));
	if (!process)
		return -ESRCH;
	*out = process->ids.capabilities; /* another's: as it is just now */
	process_put(process);
	return 0;
}

int sys_capget(uptr_t header_at, uptr_t data_at)
{
	struct abi_capability_data data[2];
	struct abi_capability_header header;
	struct capability_sets sets;
	int nwords = read_header(header_at, &header);
	err_t err;

	if (nwords < 0)
		return nwords;
	if (nwords == 0) /* without a place for the sets it was only asked for the version */
		return uptr_is_null(data_at) ? 0 : -EINVAL;
	if (header.pid < 0)
		return -EINVAL;
	err = find_sets(header.pid, &sets);
	if (err || uptr_is_null(data_at))
		return err;
	for (int i = 0; i < nwords; i++)
		data[i] = (struct abi_capability_data){
			.effective = (unsigned)(sets.effective >> (32 * i)),
			.permitted = (unsigned)(sets.permitted >> (32 * i)),
			.inheritable = (unsigned)(sets.inheritable >> (32 * i))};
	return user_copy_out(data_at, data, (size_t)nwords * sizeof(data[0]));
}

static err_t check_sets(const struct capability_sets *before, const struct capability_sets *sets)
{
	uint64_t inheritable = before->inheritable | before->permitted;

	if (!capable_in(user_namespace_caller(), CAP_SETPCAP) && (sets->inheritable & ~inheritable))
		return -EPERM;
	if (sets->inheritable & ~(before->inheritable | before->bounding))
		return -EPERM;
	if (sets->permitted & ~before->permitted)
		return -EPERM;
	return (sets->effective & ~sets->permitted) ? -EPERM : 0;
}

int sys_capset(uptr_t header_at, uptr_t data_at)
{
	struct uthread *self = uthread_current();
	struct abi_capability_data data[2] = {0};
	struct abi_capability_header header;
	struct credentials ids = self->ids;
	struct capability_sets *sets = &ids.capabilities;
	int nwords = read_header(header_at, &header);
	err_t err;

	if (nwords <= 0)
		return nwords ? nwords : -EINVAL;
	if (header.pid != 0 && header.pid != self->own_tid)
		return -EPERM;
	if (user_copy_in(data, data_at, (size_t)nwords * sizeof(data[0])))
		return -EFAULT;
	sets->effective =
		((uint64_t)data[1].effective << 32 | data[0].effective) & CAPABILITIES_ALL;
	sets->permitted =
		((uint64_t)data[1].permitted << 32 | data[0].permitted) & CAPABILITIES_ALL;
	sets->inheritable =
		((uint64_t)data[1].inheritable << 32 | data[0].inheritable) & CAPABILITIES_ALL;
	err = check_sets(&self->ids.capabilities, sets);
	if (err)
		return err;
	sets->ambient &= sets->permitted & sets->inheritable;
	uthread_set_ids(self, &ids);
	return 0;
}

/* ---- prctl ---- */

static int64_t drop_bounding(uint64_t capability)
{
	struct uthread *self = uthread_current();
	struct credentials ids = self->ids;

	if (!capable_in(self->ids.user, CAP_SETPCAP))
		return -EPERM;
	if (capability > CAP_LAST_CAP)
		return -EINVAL;
	ids.capabilities.bounding &= ~CAP_BIT(capability);
	uthread_set_ids(self, &ids);
	return 0;
}

static int64_t set_securebits(uint64_t bits)
{
	struct uthread *self = uthread_current();
	struct credentials ids = self->ids;
	uint32_t before = ids.capabilities.securebits;

	if ((bits & ~(uint64_t)(SECURE_ALL_BITS | SECURE_ALL_LOCKS)) ||
	    !capable_in(self->ids.user, CAP_SETPCAP))
		return -EPERM;
	/* What is locked stays locked, and as it is. */
	if ((before & SECURE_ALL_LOCKS & ~bits) ||
	    (((before & SECURE_ALL_LOCKS) >> 1) & (before ^ bits)))
		return -EPERM;
	ids.capabilities.securebits = (uint32_t)bits;
	uthread_set_ids(self, &ids);
	return 0;
}

static int64_t set_keep(uint64_t keep)
{
	struct uthread *self = uthread_current();
	struct credentials ids = self->ids;

	if (keep > 1)
		return -EINVAL;
	if (ids.capabilities.securebits & (SECBIT_KEEP_CAPS << 1))
		return -EPERM;
	ids.capabilities.securebits &= ~SECBIT_KEEP_CAPS;
	if (keep)
		ids.capabilities.securebits |= SECBIT_KEEP_CAPS;
	uthread_set_ids(self, &ids);
	return 0;
}

static err_t raise_ambient(struct capability_sets *sets, uint64_t bit)
{
	if (!(sets->permitted & sets->inheritable & bit) ||
	    (sets->securebits & SECBIT_NO_CAP_AMBIENT_RAISE))
		return -EPERM;
	sets->ambient |= bit;
	return 0;
}

static int64_t change_ambient(uint64_t operation, uint64_t capability)
{
	struct uthread *self = uthread_current();
	struct credentials ids = self->ids;
	struct capability_sets *sets = &ids.capabilities;
	err_t err = 0;

	if (operation == PR_CAP_AMBIENT_CLEAR_ALL) {
		if (capability)
			return -EINVAL;
		sets->ambient = 0;
	} else if (capability > CAP_LAST_CAP) {
		return -EINVAL;
	} else if (operation == PR_CAP_AMBIENT_IS_SET) {
		return (sets->ambient & CAP_BIT(capability)) != 0;
	} else if (operation == PR_CAP_AMBIENT_RAISE) {
		err = raise_ambient(sets, CAP_BIT(capability));
	} else if (operation == PR_CAP_AMBIENT_LOWER) {
		sets->ambient &= ~CAP_BIT(capability);
	} else {
		return -EINVAL;
	}
	if (!err)
		uthread_set_ids(self, &ids);
	return err;
}

int64_t capability_prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	const struct capability_sets *sets = &uthread_current()->ids.capabilities;

	switch (option) {
	case PR_CAPBSET_READ:
		return a > CAP_LAST_CAP ? -EINVAL : (sets->bounding & CAP_BIT(a)) != 0;
	case PR_CAPBSET_DROP:
		return drop_bounding(a);
	case PR_GET_SECUREBITS:
		return sets->securebits;
	case PR_SET_SECUREBITS:
		return set_securebits(a);
	case PR_GET_KEEPCAPS:
		return (sets->securebits & SECBIT_KEEP_CAPS) != 0;
	case PR_SET_KEEPCAPS:
		return set_keep(a);
	case PR_CAP_AMBIENT:
		return c || d ? -EINVAL : change_ambient(a, b);
	default:
		return -ENODATA;
	}
}
