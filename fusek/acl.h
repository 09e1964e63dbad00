/*
 * POSIX access control lists as data: what the bytes of the two attributes mean, and what they do
 * with modes. Nothing here locks or sleeps, but that acl_parse() allocates.
 */
#ifndef FUSEK_ACL_H
#define FUSEK_ACL_H

#include <abi/xattr.h>
#include <fusek/path.h>
#include <lib/types.h>
#include <sched/rcu.h>

struct user_namespace;

/* Checked: acl_check() is content with it. Constant once others can find it. */
struct acl {
	struct rcu_head rcu;
	uint32_t count;
	struct acl_entry entries[];
};

/* The room for a value when it is read. */
#define ACL_ROOM_BYTES PAGE_SIZE

static inline size_t acl_bytes(uint32_t count)
{
	return sizeof(uint32_t) + count * sizeof(struct acl_entry);
}

/* From a value; the caller's, for acl_free(). Not checked yet. NULL: it has no entries. `user`:
 * whose names the ids are. -EINVAL, -EOPNOTSUPP: another version; -E2BIG: more
 * entries than fit into a page; -ENOMEM. */
err_t must_check acl_parse(const void *bytes, size_t len_bytes, const struct user_namespace *user,
			   struct acl **out);
/* Takes NULL. */
void acl_free(struct acl *acl);
/* The same when nobody reads it any more. */
void acl_free_later(struct acl *acl);
/* The value, acl_bytes(acl->count) long. */
void acl_write(const struct acl *acl, const struct user_namespace *user, void *to);
/* -EINVAL: not all entries that there must be, or not in their order. */
err_t must_check acl_check(const struct acl *acl);

/* What `want` of R_OK | W_OK | X_OK comes to for who does not own the file, of the group `gid`:
 * 0, -EACCES; -EIO: the list is none. */
err_t must_check acl_permits(const struct acl *acl, const struct vfs_context *context, uint32_t gid,
			     unsigned want);

/* The permission bits that show the list. False: they say all that it does. */
bool acl_mode(const struct acl_entry *entries, uint32_t count, uint32_t *mode);
/* The list becomes what chmod says. */
void acl_chmod(struct acl_entry *entries, uint32_t count, uint32_t mode);
/* A directory's default becomes the list of what is made in it with *mode, and *mode what is left.
 * False: *mode says all. -EIO: the list is none. */
err_t must_check acl_inherit(struct acl_entry *entries, uint32_t count, uint32_t *mode,
			     bool *is_more);

#endif
