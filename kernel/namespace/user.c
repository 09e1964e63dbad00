/*
 * User namespaces: how one is made, entered, and has its maps written (user_namespaces(7)). A
 * process is in one with all its threads, since only a process of one thread changes it; it has a
 * reference, its threads borrow that. Whoever looks at another process's does so under RCU.
 *
 * `maps_lock` (LOCK_IDMAP, sleeping): who writes maps, and whether groups may be set; one at a
 * time, of all namespaces.
 */
#include "user.h"

#include "../process/capability.h"
#include "../procfs/procfs.h"

#include <abi/errno.h>
#include <fusek/mount.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <sched/lock.h>

#define FIRST_NUMBER UINT64_C(0xeffffffd) /* of its file, as on Linux */

struct user_namespace_file {
	struct namespace head;
	struct user_namespace user;
	struct rcu_head rcu;
};

static struct mutex maps_lock = MUTEX_INIT(maps_lock, LOCK_IDMAP);

/* Of the first one there is no struct around: its head alone. */
static struct namespace first = {
	.references = {.count = 1}, .kind = NAMESPACE_USER, .number = FIRST_NUMBER};

struct namespace *const user_namespace_first_head = &first;

struct user_namespace *user_namespace_of(struct namespace *namespace)
{
	if (namespace == &first)
		return &user_namespace_first;
	return &container_of(namespace, struct user_namespace_file, head)->user;
}

struct namespace *user_namespace_head(struct user_namespace *user)
{
	if (user == &user_namespace_first)
		return &first;
	return &container_of(user, struct user_namespace_file, user)->head;
}

/* The first one lives for good, and nearly everything is its: nobody counts. */
struct user_namespace *user_namespace_get(struct user_namespace *user)
{
	if (user != &user_namespace_first)
		(void)namespace_get(user_namespace_head(user));
	return user;
}

void user_namespace_put(struct user_namespace *user)
{
	if (user && user != &user_namespace_first)
		namespace_put(user_namespace_head(user));
}

struct user_namespace *user_namespace_caller(void)
{
	return process_current() ? uthread_current()->ids.user : &user_namespace_first;
}

bool user_namespace_caller_capable(const struct user_namespace *over, unsigned capability)
{
	return capable_in(over, capability);
}

struct user_namespace *namespaces_user(const struct namespaces *namespaces)
{
	return user_namespace_of(namespaces->of[NAMESPACE_USER]);
}

struct user_namespace *namespace_owner(const struct namespace *namespace)
{
	return namespace->owner ? namespace->owner : &user_namespace_first;
}

/* ---- a new one ---- */

/* Who has changed his root could get out by what he may do inside. */
static bool has_changed_root(void)
{
	struct path root = mount_tree_root(vfs_caller_mounts());
	bool changed = !path_equal(&root, &uthread_fs()->root);

	path_put(&root);
	return changed;
}

static err_t user_copy(struct namespace *from, struct namespace **out)
{
	const struct credentials *ids = &uthread_current()->ids;
	struct user_namespace *parent = user_namespace_of(from);
	struct user_namespace_file *made;

	if (parent->level > USER_NAMESPACE_DEPTH_MAX)
		return -ENOSPC;
	if (has_changed_root() || !id_is_mapped(parent, ID_USER, ids->euid) ||
	    !id_is_mapped(parent, ID_GROUP, ids->egid))
		return -EPERM;
	made = kzalloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	namespace_init(&made->head, NAMESPACE_USER);
	made->head.owner = user_namespace_get(parent);
	made->user = (struct user_namespace){.parent = parent,
					     .level = parent->level + 1,
					     .owner = ids->euid,
					     .owner_group = ids->egid,
					     .maker_could_set_root = ids->capabilities.effective &
								     CAP_BIT(CAP_SETFCAP),
					     .groups_denied = read_once(&parent->groups_denied)};
	*out = &made->head;
	return 0;
}

static void free_after_grace(struct rcu_head *head)
{
	struct user_namespace_file *file = container_of(head, struct user_namespace_file, rcu);

	for (unsigned i = 0; i < ID_KINDS; i++)
		kfree(file->user.maps[i].extents);
	kfree(file);
}

static void user_free(struct namespace *namespace)
{
	rcu_call(&container_of(namespace, struct user_namespace_file, head)->rcu, free_after_grace);
}

const struct namespace_kind_ops user_namespace_ops = {
	.name = "user",
	.flag = CLONE_NEWUSER,
	.copy = user_copy,
	.free = user_free,
};

/* ---- going there ---- */

void credentials_enter(struct credentials *ids, struct user_namespace *user)
{
	ids->user = user;
	ids->capabilities = (struct capability_sets){.permitted = CAPABILITIES_ALL,
						     .effective = CAPABILITIES_ALL,
						     .bounding = CAPABILITIES_ALL};
}

/* The process's reference; what it had is put by the caller. */
static struct user_namespace *exchange(struct process *process, struct user_namespace *user)
{
	struct user_namespace *before = process->ids.user;

	write_once(&process->ids.user, user_namespace_get(user));
	return before;
}

void user_namespace_enter(struct user_namespace *user)
{
	struct uthread *self = uthread_current();
	struct user_namespace *before;
	struct credentials ids = self->ids;

	credentials_enter(&ids, user);
	before = exchange(self->process, user);
	uthread_set_ids(self, &ids);
	user_namespace_put(before);
}

void user_namespace_begin(struct uthread *child, struct user_namespace *user)
{
	struct process *process = child->process;
	struct user_namespace *before = exchange(process, user);

	credentials_enter(&child->ids, user);
	process->ids.capabilities = child->ids.capabilities;
	uthread_credentials_to_fs(child);
	user_namespace_put(before);
}

/* ---- maps ---- */

/* A number, and the blanks before it; false: there is none, or one too large. */
static bool take_number(const char **text, uint32_t *out)
{
	const char *at = *text;
	uint64_t value = 0;

	while (*at == ' ' || *at == '\t')
		at++;
	if (*at < '0' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9' && value <= UINT32_MAX; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	*text = at;
	*out = (uint32_t)value;
	return value <= UINT32_MAX;
}

static bool overlap(uint32_t a, uint32_t b, uint32_t a_count, uint32_t b_count)
{
	return a <= b + (b_count - 1) && b <= a + (a_count - 1);
}

/* It is a range of ids, and shares none with those before. `global` is the parent's id still. */
static bool fits(const struct id_extent *extents, uint32_t nextents, const struct id_extent *fresh)
{
	if (fresh->inside == ID_NONE || fresh->global == ID_NONE || !fresh->count ||
	    fresh->inside + fresh->count <= fresh->inside ||
	    fresh->global + fresh->count <= fresh->global)
		return false;
	for (uint32_t i = 0; i < nextents; i++) {
		if (overlap(extents[i].inside, fresh->inside, extents[i].count, fresh->count) ||
		    overlap(extents[i].global, fresh->global, extents[i].count, fresh->count))
			return false;
	}
	return true;
}

/* Lines of three numbers. */
static err_t parse(const char *text, struct id_extent *extents, uint32_t *nextents)
{
	*nextents = 0;
	while (*text) {
		struct id_extent fresh;

		if (!take_number(&text, &fresh.inside) || !take_number(&text, &fresh.global) ||
		    !take_number(&text, &fresh.count))
			return -EINVAL;
		while (*text == ' ' || *text == '\t')
			text++;
		if (*text && *text++ != '\n')
			return -EINVAL;
		if (!fits(extents, *nextents, &fresh) || *nextents == ID_EXTENTS_MAX)
			return -EINVAL;
		extents[(*nextents)++] = fresh;
	}
	return *nextents ? 0 : -EINVAL;
}

/* User 0 of the parent, inside: programs there could give files capabilities that count outside. */
static bool may_map_root(const struct user_namespace *user, const struct credentials *opener,
			 const struct id_extent *extents, uint32_t nextents)
{
	for (uint32_t i = 0; i < nextents; i++) {
		if (extents[i].global == 0)
			return opener->user == user
				       ? user->maker_could_set_root
				       : credentials_capable(opener, user->parent, CAP_SETFCAP);
	}
	return true;
}

/* user_namespaces(7): oneself alone, or what one could take on outside as well; both who opened the
 * file and who writes. */
static bool may_map(const struct user_namespace *user, enum id_kind kind,
		    const struct credentials *opener, const struct id_extent *extents,
		    uint32_t nextents)
{
	unsigned capability = kind == ID_USER ? CAP_SETUID : CAP_SETGID;
	uint32_t own = kind == ID_USER ? opener->euid : opener->egid;

	if (kind == ID_USER && !may_map_root(user, opener, extents, nextents))
		return false;
	if (nextents == 1 && extents->count == 1 && user->owner == opener->euid &&
	    id_to_global(user->parent, kind, extents->global) == own &&
	    (kind == ID_USER || user->groups_denied))
		return true;
	return capable_in(user->parent, capability) &&
	       credentials_capable(opener, user->parent, capability);
}

/* What the parent calls ids becomes what they are. */
static bool make_global(const struct user_namespace *user, enum id_kind kind,
			struct id_extent *extents, uint32_t nextents)
{
	for (uint32_t i = 0; i < nextents; i++) {
		extents[i].global = id_map_range_to_global(user->parent, kind, extents[i].global,
							   extents[i].count);
		if (extents[i].global == ID_NONE)
			return false;
	}
	return true;
}

static err_t set_map_locked(struct user_namespace *user, enum id_kind kind,
			    const struct credentials *opener, const char *text,
			    struct id_extent *extents) REQUIRES(maps_lock);
static err_t set_map_locked(struct user_namespace *user, enum id_kind kind,
			    const struct credentials *opener, const char *text,
			    struct id_extent *extents)
{
	uint32_t nextents;
	err_t err;

	if (user->maps[kind].nextents)
		return -EPERM; /* once */
	if (!credentials_capable(opener, user, CAP_SYS_ADMIN))
		return -EPERM;
	err = parse(text, extents, &nextents);
	if (err)
		return err;
	if (!may_map(user, kind, opener, extents, nextents) ||
	    !make_global(user, kind, extents, nextents))
		return -EPERM;
	user->maps[kind].extents = extents;
	store_release(&user->maps[kind].nextents, nextents);
	return 0;
}

static err_t set_map(struct user_namespace *user, enum id_kind kind,
		     const struct credentials *opener, const char *text)
{
	struct id_extent *extents;
	err_t err;

	if (!user->parent || (opener->user != user && opener->user != user->parent))
		return -EPERM;
	extents = kmalloc(ID_EXTENTS_MAX * sizeof(*extents));
	if (!extents)
		return -ENOMEM;
	mutex_lock(&maps_lock);
	err = set_map_locked(user, kind, opener, text, extents);
	mutex_unlock(&maps_lock);
	if (err)
		kfree(extents);
	return err;
}

/* ---- /proc/PID/uid_map, gid_map, setgroups ---- */

/* With a reference to `*head`; NULL: the process has gone. */
static struct user_namespace *of_subject(const struct proc_subject *subject,
					 struct namespace **head)
{
	*head = namespace_of(subject->process, subject->tid, NAMESPACE_USER);
	return *head ? user_namespace_of(*head) : NULL;
}

/* As who reads calls the ids outside; who is inside reads the parent's. */
static void show_map(struct text *text, const struct proc_subject *subject, enum id_kind kind)
{
	struct namespace *head;
	const struct user_namespace *user = of_subject(subject, &head);
	const struct user_namespace *reader = user_namespace_caller();
	uint32_t nextents = user ? load_acquire(&user->maps[kind].nextents) : 0;

	if (reader == user && user->parent)
		reader = user->parent;
	for (uint32_t i = 0; i < nextents; i++) {
		const struct id_extent *extent = &user->maps[kind].extents[i];

		text_add(text, "%10u %10u %10u\n", extent->inside,
			 id_in(reader, kind, extent->global), extent->count);
	}
	namespace_put(head);
}

void proc_uid_map(struct text *text, const struct proc_subject *subject)
{
	show_map(text, subject, ID_USER);
}

void proc_gid_map(struct text *text, const struct proc_subject *subject)
{
	show_map(text, subject, ID_GROUP);
}

static err_t write_map(const struct proc_subject *subject, enum id_kind kind, const char *text)
{
	struct namespace *head;
	struct user_namespace *user = of_subject(subject, &head);
	err_t err = user ? set_map(user, kind, subject->opener, text) : -EINVAL;

	namespace_put(head);
	return err;
}

err_t proc_uid_map_write(const struct proc_subject *subject, const char *text)
{
	return write_map(subject, ID_USER, text);
}

err_t proc_gid_map_write(const struct proc_subject *subject, const char *text)
{
	return write_map(subject, ID_GROUP, text);
}

void proc_setgroups(struct text *text, const struct proc_subject *subject)
{
	struct namespace *head;
	const struct user_namespace *user = of_subject(subject, &head);

	text_add(text, "%s\n", user && read_once(&user->groups_denied) ? "deny" : "allow");
	namespace_put(head);
}

/* Once denied, denied; and who may set groups by his map keeps that. */
static err_t deny_groups(struct user_namespace *user, bool deny)
{
	err_t err = 0;

	mutex_lock(&maps_lock);
	if (deny ? user->maps[ID_GROUP].nextents != 0 : user->groups_denied)
		err = -EPERM;
	else
		write_once(&user->groups_denied, deny);
	mutex_unlock(&maps_lock);
	return err;
}

err_t proc_setgroups_write(const struct proc_subject *subject, const char *text)
{
	bool deny = strcmp(text, "deny") == 0;
	struct namespace *head;
	struct user_namespace *user;
	err_t err;

	if (!deny && strcmp(text, "allow") != 0)
		return -EINVAL;
	user = of_subject(subject, &head);
	if (!user)
		err = -EINVAL;
	else if (!credentials_capable(subject->opener, user, CAP_SYS_ADMIN))
		err = -EACCES; /* Linux says so at open(2) */
	else
		err = deny_groups(user, deny);
	namespace_put(head);
	return err;
}
