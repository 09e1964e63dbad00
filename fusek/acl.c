/*
 * POSIX access control lists as data, by Linux's rules. A value is a version and entries, both
 * little-endian. No state, no locks.
 */
#include "acl.h"

#include <abi/errno.h>
#include <ipc/user_namespace.h>
#include <lib/string.h>
#include <mm/slab.h>

_Static_assert(sizeof(struct acl_entry) == 8, "an entry of a value");

/* A little fewer than fit into a page, so that a list can be freed anywhere. */
#define ENTRIES_MAX ((KMALLOC_MAX - sizeof(struct acl)) / sizeof(struct acl_entry))

/* ---- values ---- */

/* ID_NONE: this namespace has no such id. */
static bool map_id(struct acl_entry *entry, const struct user_namespace *user)
{
	enum id_kind kind = entry->tag == ACL_USER ? ID_USER : ID_GROUP;

	switch (entry->tag) {
	case ACL_USER:
	case ACL_GROUP:
		entry->id = id_to_global(user, kind, entry->id);
		return entry->id != ID_NONE;
	case ACL_USER_OBJ:
	case ACL_GROUP_OBJ:
	case ACL_MASK:
	case ACL_OTHER:
		entry->id = ACL_NO_ID;
		return true;
	default:
		return false;
	}
}

err_t acl_parse(const void *bytes, size_t len_bytes, const struct user_namespace *user,
		struct acl **out)
{
	size_t entries_bytes = len_bytes - sizeof(uint32_t);
	struct acl *acl;
	uint32_t version;

	*out = NULL;
	if (len_bytes < sizeof(version))
		return -EINVAL;
	memcpy(&version, bytes, sizeof(version));
	if (version != ACL_VERSION)
		return -EOPNOTSUPP;
	if (entries_bytes % sizeof(struct acl_entry))
		return -EINVAL;
	if (!entries_bytes)
		return 0;
	if (entries_bytes / sizeof(struct acl_entry) > ENTRIES_MAX)
		return -E2BIG;
	acl = kmalloc(sizeof(*acl) + entries_bytes);
	if (!acl)
		return -ENOMEM;
	acl->count = (uint32_t)(entries_bytes / sizeof(struct acl_entry));
	memcpy(acl->entries, (const char *)bytes + sizeof(version), entries_bytes);
	for (uint32_t i = 0; i < acl->count; i++) {
		if (!map_id(&acl->entries[i], user)) {
			acl_free(acl);
			return -EINVAL;
		}
	}
	*out = acl;
	return 0;
}

void acl_free(struct acl *acl)
{
	kfree(acl);
}

static void free_now(struct rcu_head *head)
{
	acl_free(container_of(head, struct acl, rcu));
}

void acl_free_later(struct acl *acl)
{
	if (acl)
		rcu_call(&acl->rcu, free_now);
}

void acl_write(const struct acl *acl, const struct user_namespace *user, void *to)
{
	const uint32_t version = ACL_VERSION;
	char *next = to;

	memcpy(next, &version, sizeof(version));
	next += sizeof(version);
	for (uint32_t i = 0; i < acl->count; i++) {
		struct acl_entry entry = acl->entries[i];

		if (entry.tag == ACL_USER || entry.tag == ACL_GROUP)
			entry.id =
				id_in(user, entry.tag == ACL_USER ? ID_USER : ID_GROUP, entry.id);
		memcpy(next, &entry, sizeof(entry));
		next += sizeof(entry);
	}
}

/* What may stand behind an entry: 0 if this one must not stand here at all. */
static unsigned tags_behind(unsigned tag, unsigned allowed, bool is_masked)
{
	if (!(tag & allowed))
		return 0;
	switch (tag) {
	case ACL_USER_OBJ:
	case ACL_USER:
		return ACL_USER | ACL_GROUP_OBJ;
	case ACL_GROUP_OBJ:
	case ACL_GROUP:
		return ACL_GROUP | ACL_MASK | (is_masked ? 0 : ACL_OTHER);
	case ACL_MASK:
		return ACL_OTHER;
	default:
		return ~0u; /* ACL_OTHER is the last */
	}
}

err_t acl_check(const struct acl *acl)
{
	unsigned allowed = ACL_USER_OBJ;
	bool is_masked = false; /* names in it: there has to be a mask */

	for (uint32_t i = 0; i < acl->count; i++) {
		unsigned tag = acl->entries[i].tag;

		if (acl->entries[i].permissions & ~7u || allowed == ~0u)
			return -EINVAL;
		is_masked = is_masked || tag == ACL_USER || tag == ACL_GROUP;
		allowed = tags_behind(tag, allowed, is_masked);
		if (!allowed)
			return -EINVAL;
	}
	return allowed == ~0u ? 0 : -EINVAL;
}

/* ---- permissions ---- */

static const struct acl_entry *find_tag(const struct acl *acl, unsigned tag)
{
	for (uint32_t i = 0; i < acl->count; i++) {
		if (acl->entries[i].tag == tag)
			return &acl->entries[i];
	}
	return NULL;
}

static err_t by_mask(const struct acl *acl, const struct acl_entry *entry, unsigned want)
{
	const struct acl_entry *mask = find_tag(acl, ACL_MASK);
	unsigned granted = entry->permissions & (mask ? mask->permissions : 7u);

	return want & ~granted ? -EACCES : 0;
}

err_t acl_permits(const struct acl *acl, const struct vfs_context *context, uint32_t gid,
		  unsigned want)
{
	bool in_some_group = false;

	want &= 7;
	for (uint32_t i = 0; i < acl->count; i++) {
		const struct acl_entry *entry = &acl->entries[i];

		switch (entry->tag) {
		case ACL_USER:
			if (entry->id == context->uid)
				return by_mask(acl, entry, want);
			break;
		case ACL_GROUP_OBJ:
		case ACL_GROUP:
			if (!vfs_in_group(context, entry->tag == ACL_GROUP ? entry->id : gid))
				break;
			in_some_group = true;
			if (!(want & ~(unsigned)entry->permissions))
				return by_mask(acl, entry, want);
			break;
		case ACL_OTHER:
			return in_some_group || want & ~(unsigned)entry->permissions ? -EACCES : 0;
		default:
			break;
		}
	}
	return -EIO;
}

/* ---- modes ---- */

bool acl_mode(const struct acl_entry *entries, uint32_t count, uint32_t *mode)
{
	uint32_t bits = 0;
	bool is_more = false;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t permissions = entries[i].permissions & 7u;

		switch (entries[i].tag) {
		case ACL_USER_OBJ:
			bits |= permissions << 6;
			break;
		case ACL_GROUP_OBJ:
			bits |= permissions << 3;
			break;
		case ACL_OTHER:
			bits |= permissions;
			break;
		case ACL_MASK:
			bits = (bits & ~070u) | permissions << 3;
			is_more = true;
			break;
		default:
			is_more = true;
			break;
		}
	}
	*mode = (*mode & ~0777u) | bits;
	return is_more;
}

/* The entry that the mode's bits of the group stand for. NULL: the list is none. */
static struct acl_entry *group_class(struct acl_entry *entries, uint32_t count)
{
	struct acl_entry *group = NULL;

	for (uint32_t i = 0; i < count; i++) {
		if (entries[i].tag == ACL_MASK)
			return &entries[i];
		if (entries[i].tag == ACL_GROUP_OBJ)
			group = &entries[i];
	}
	return group;
}

void acl_chmod(struct acl_entry *entries, uint32_t count, uint32_t mode)
{
	struct acl_entry *group = group_class(entries, count);

	for (uint32_t i = 0; i < count; i++) {
		if (entries[i].tag == ACL_USER_OBJ)
			entries[i].permissions = mode >> 6 & 7;
		else if (entries[i].tag == ACL_OTHER)
			entries[i].permissions = mode & 7;
	}
	if (group)
		group->permissions = mode >> 3 & 7;
}

err_t acl_inherit(struct acl_entry *entries, uint32_t count, uint32_t *mode, bool *is_more)
{
	struct acl_entry *group = group_class(entries, count);
	uint32_t left = *mode & 0777;

	*is_more = false;
	if (!group)
		return -EIO;
	for (uint32_t i = 0; i < count; i++) {
		struct acl_entry *entry = &entries[i];

		if (entry->tag == ACL_USER_OBJ) {
			entry->permissions &= left >> 6;
			left = (left & ~0700u) | (uint32_t)entry->permissions << 6;
		} else if (entry->tag == ACL_OTHER) {
			entry->permissions &= left & 7;
			left = (left & ~7u) | entry->permissions;
		} else if (entry->tag != ACL_GROUP_OBJ) {
			*is_more = true;
		}
	}
	group->permissions &= left >> 3 & 7;
	left = (left & ~070u) | (uint32_t)group->permissions << 3;
	*mode = (*mode & ~0777u) | left;
	return 0;
}
