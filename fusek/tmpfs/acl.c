/*
 * Access control lists of tmpfs: two of an inode's attributes, which are kept in step with its
 * mode. Who sets one has been asked and the list checked by the layer above. Locks: data_lock for a
 * list and the mode together; of a directory's it is taken under tree_lock.
 */
#include "inode.h"

#include "../acl.h"

#include <lib/string.h>

/* The entries of a list. */
static struct acl_entry *entries_of(struct tmpfs_xattr *xattr, uint32_t *count)
{
	size_t value_bytes;
	char *value = tmpfs_xattr_value(xattr, &value_bytes);

	*count = (uint32_t)((value_bytes - sizeof(uint32_t)) / sizeof(struct acl_entry));
	return (struct acl_entry *)(value + sizeof(uint32_t));
}

static void set_mode_locked(struct tmpfs_inode *inode, uint32_t mode)
{
	spin_lock(&inode->attr_lock);
	inode->mode = mode & 07777;
	inode->ctime = tmpfs_now();
	spin_unlock(&inode->attr_lock);
}

/* ---- what is new ---- */

/* A copy of a directory's default under another name. NULL: it has none. */
static err_t copy_default(struct tmpfs_inode *directory, const char *name, struct tmpfs_xattr **out)
{
	struct tmpfs_xattr *found;
	size_t value_bytes;
	const void *value;
	err_t err = 0;

	*out = NULL;
	mutex_lock(&directory->data_lock);
	found = tmpfs_xattr_find_locked(directory, XATTR_ACL_DEFAULT);
	if (found) {
		value = tmpfs_xattr_value(found, &value_bytes);
		err = tmpfs_xattr_create(name, value, value_bytes, out);
	}
	mutex_unlock(&directory->data_lock);
	return err;
}

/* The attribute goes in. */
static err_t put(struct tmpfs_inode *inode, struct tmpfs_xattr *xattr)
{
	struct tmpfs_xattr *replaced = NULL;
	err_t err;

	mutex_lock(&inode->data_lock);
	err = tmpfs_xattr_put_locked(inode, xattr, 0, &replaced);
	mutex_unlock(&inode->data_lock);
	tmpfs_xattr_free(err ? xattr : replaced);
	return err;
}

/* `access` is a copy of the directory's default, and is consumed. */
static err_t take_access(struct tmpfs_inode *inode, struct tmpfs_xattr *access)
{
	uint32_t count, mode = inode->mode;
	struct acl_entry *entries = entries_of(access, &count);
	bool is_more;
	err_t err = acl_inherit(entries, count, &mode, &is_more);

	if (!err)
		inode->mode = mode; /* nobody knows it yet */
	if (!err && is_more)
		return put(inode, access);
	tmpfs_xattr_free(access);
	return err;
}

err_t tmpfs_acls_inherit(struct tmpfs_inode *directory, struct tmpfs_inode *inode, uint32_t umask)
{
	struct tmpfs_xattr *access = NULL, *further = NULL;
	err_t err = 0;

	/* Without the lock: who sets the first one at this moment may be too late. */
	if (unlikely(read_once(&directory->xattr_names_bytes)))
		err = copy_default(directory, XATTR_ACL_ACCESS, &access);
	if (err)
		return err;
	if (likely(!access)) {
		inode->mode &= ~umask;
		return 0;
	}
	if (inode->type == S_IFDIR)
		err = copy_default(directory, XATTR_ACL_DEFAULT, &further);
	if (!err && further)
		err = put(inode, further);
	if (!err)
		return take_access(inode, access);
	tmpfs_xattr_free(access);
	return err;
}

/* ---- what changes ---- */

void tmpfs_acl_chmod_locked(struct tmpfs_inode *inode, uint32_t mode)
{
	struct tmpfs_xattr *access = tmpfs_xattr_find_locked(inode, XATTR_ACL_ACCESS);
	uint32_t count;

	if (access) {
		struct acl_entry *entries = entries_of(access, &count);

		acl_chmod(entries, count, mode);
	}
	set_mode_locked(inode, mode);
}

/* `fresh` goes in, or, where the mode says all that it does, nothing but the mode. */
static err_t set_locked(struct tmpfs_inode *inode, struct tmpfs_xattr *fresh, unsigned flags,
			struct tmpfs_xattr **unused) REQUIRES(inode->data_lock);
static err_t set_locked(struct tmpfs_inode *inode, struct tmpfs_xattr *fresh, unsigned flags,
			struct tmpfs_xattr **unused)
{
	uint32_t count, mode = read_once(&inode->mode);
	struct acl_entry *entries = entries_of(fresh, &count);
	bool is_more = acl_mode(entries, count, &mode);
	err_t err = 0;

	*unused = fresh;
	if (flags & SERVER_ACL_KILLS_GROUP_ID)
		mode &= ~(uint32_t)S_ISGID;
	err = tmpfs_seals_allow_mode(inode, mode);
	if (!err && is_more)
		err = tmpfs_xattr_put_locked(inode, fresh, 0, unused);
	if (err)
		return err;
	if (!is_more) {
		tmpfs_xattr_free(tmpfs_xattr_take_locked(inode, XATTR_ACL_ACCESS));
	}
	set_mode_locked(inode, mode);
	return 0;
}

err_t tmpfs_set_acl(struct tmpfs_inode *inode, const char *name, const void *value,
		    size_t value_bytes, unsigned flags)
{
	struct tmpfs_xattr *fresh, *unused;
	err_t err = tmpfs_xattr_create(name, value, value_bytes, &fresh);

	if (err)
		return err;
	unused = fresh;
	err = mutex_lock_killable(&inode->data_lock);
	if (!err) {
		if (strcmp(name, XATTR_ACL_ACCESS) == 0)
			err = set_locked(inode, fresh, flags, &unused);
		else
			err = tmpfs_xattr_put_locked(inode, fresh, 0, &unused);
		mutex_unlock(&inode->data_lock);
	}
	if (!err)
		tmpfs_touch(inode, false);
	tmpfs_xattr_free(unused);
	return err;
}
