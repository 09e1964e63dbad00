/*
 * Extended attributes of tmpfs: a list at each inode, under its data_lock. As on Linux the spaces
 * "user.", "trusted." and "security." are served, and access control lists (acl.c). All names of an
 * inode together fit into one listxattr, and all attributes together take at most an eighth of what
 * tmpfs may take.
 */
#include "inode.h"

#include <abi/capability.h>
#include <abi/xattr.h>
#include <lib/string.h>
#include <mm/kva.h>

struct tmpfs_xattr {
	struct list link;    /* inode->xattrs */
	size_t total_bytes;  /* of this block */
	uint32_t name_bytes; /* with the NUL */
	uint32_t value_bytes;
	char bytes[]; /* the name, then the value, aligned for numbers */
};
_Static_assert(offsetof(struct tmpfs_xattr, bytes) % sizeof(uint32_t) == 0, "so that it is");

static size_t value_offset(size_t name_bytes)
{
	return ALIGN_UP(name_bytes, sizeof(uint32_t));
}

static uint64_t bytes_used; /* atomic: of all tmpfs together */

/* ---- one attribute ---- */

void tmpfs_xattr_free(struct tmpfs_xattr *xattr)
{
	if (!xattr)
		return;
	(void)atomic_fetch_sub_full(&bytes_used, xattr->total_bytes);
	kvfree(xattr, xattr->total_bytes);
}

err_t tmpfs_xattr_create(const char *name, const void *value, size_t value_bytes,
			 struct tmpfs_xattr **out)
{
	size_t name_bytes = strlen(name) + 1;
	size_t total_bytes = sizeof(**out) + value_offset(name_bytes) + value_bytes;
	struct tmpfs_xattr *xattr;
	err_t err = -ENOSPC;

	if (atomic_fetch_add_full(&bytes_used, total_bytes) + total_bytes >
	    tmpfs_frames_max() * PAGE_SIZE / 8)
		goto uncharge;
	err = -ENOMEM;
	xattr = kvmalloc(total_bytes);
	if (!xattr)
		goto uncharge;
	list_init(&xattr->link);
	xattr->total_bytes = total_bytes;
	xattr->name_bytes = (uint32_t)name_bytes;
	xattr->value_bytes = (uint32_t)value_bytes;
	memcpy(xattr->bytes, name, name_bytes);
	if (value)
		memcpy(xattr->bytes + value_offset(name_bytes), value, value_bytes);
	*out = xattr;
	return 0;

uncharge:
	(void)atomic_fetch_sub_full(&bytes_used, total_bytes);
	return err;
}

void *tmpfs_xattr_value(struct tmpfs_xattr *xattr, size_t *value_bytes)
{
	*value_bytes = xattr->value_bytes;
	return xattr->bytes + value_offset(xattr->name_bytes);
}

struct tmpfs_xattr *tmpfs_xattr_find_locked(struct tmpfs_inode *inode, const char *name)
{
	struct tmpfs_xattr *xattr;

	list_for_each (xattr, &inode->xattrs, link) {
		if (strcmp(xattr->bytes, name) == 0)
			return xattr;
	}
	return NULL;
}

static bool is_trusted(const char *name)
{
	return strncmp(name, "trusted.", 8) == 0;
}

static bool is_acl(const char *name)
{
	return strcmp(name, XATTR_ACL_ACCESS) == 0 || strcmp(name, XATTR_ACL_DEFAULT) == 0;
}

/* -EOPNOTSUPP: of a space that is not served; -EINVAL: a space alone. */
static err_t check_name(const char *name)
{
	static const char *const spaces[] = {"user.", "trusted.", "security."};

	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++) {
		size_t len_bytes = strlen(spaces[i]);

		if (strncmp(name, spaces[i], len_bytes) == 0)
			return name[len_bytes] ? 0 : -EINVAL;
	}
	return is_acl(name) ? 0 : -EOPNOTSUPP;
}

/* ---- the operations ---- */

ssize_t tmpfs_getxattr(struct server *server, UNUSED const struct server_caller *caller,
		       struct nodeid node, const char *name, void *to, size_t to_bytes)
{
	struct tmpfs_inode *inode = tmpfs_inode(server, node);
	const struct tmpfs_xattr *xattr;
	ssize_t result = check_name(name);

	if (result)
		return result;
	result = mutex_lock_killable(&inode->data_lock);
	if (result)
		return result;
	xattr = tmpfs_xattr_find_locked(inode, name);
	if (!xattr) {
		result = -ENODATA;
	} else if (to_bytes && xattr->value_bytes > to_bytes) {
		result = -ERANGE;
	} else {
		result = xattr->value_bytes;
		if (to_bytes)
			memcpy(to, xattr->bytes + value_offset(xattr->name_bytes),
			       xattr->value_bytes);
	}
	mutex_unlock(&inode->data_lock);
	return result;
}

ssize_t tmpfs_listxattr(struct server *server, UNUSED const struct server_caller *caller,
			struct nodeid node, char *to, size_t to_bytes)
{
	bool sees_trusted = server_caller_capabilities(NULL) >> CAP_SYS_ADMIN & 1;
	struct tmpfs_inode *inode = tmpfs_inode(server, node);
	const struct tmpfs_xattr *xattr;
	size_t used_bytes = 0;
	ssize_t result = mutex_lock_killable(&inode->data_lock);

	if (result)
		return result;
	list_for_each (xattr, &inode->xattrs, link) {
		if (is_trusted(xattr->bytes) && !sees_trusted)
			continue;
		if (to_bytes && xattr->name_bytes > to_bytes - used_bytes) {
			result = -ERANGE;
			break;
		}
		if (to_bytes)
			memcpy(to + used_bytes, xattr->bytes, xattr->name_bytes);
		used_bytes += xattr->name_bytes;
	}
	mutex_unlock(&inode->data_lock);
	return result ? result : (ssize_t)used_bytes;
}

err_t tmpfs_xattr_put_locked(struct tmpfs_inode *inode, struct tmpfs_xattr *fresh, unsigned flags,
			     struct tmpfs_xattr **replaced)
{
	struct tmpfs_xattr *old = tmpfs_xattr_find_locked(inode, fresh->bytes);

	if (old && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!old && (flags & XATTR_REPLACE))
		return -ENODATA;
	if (!old && inode->xattr_names_bytes + fresh->name_bytes > XATTR_LIST_MAX)
		return -ENOSPC;
	if (old)
		list_del(&old->link);
	else
		inode->xattr_names_bytes += fresh->name_bytes;
	list_add_tail(&inode->xattrs, &fresh->link);
	*replaced = old;
	return 0;
}

err_t tmpfs_setxattr(struct server *server, UNUSED const struct server_caller *caller,
		     struct nodeid node, const char *name, const void *value, size_t value_bytes,
		     unsigned flags)
{
	struct tmpfs_inode *inode = tmpfs_inode(server, node);
	struct tmpfs_xattr *fresh, *replaced = NULL;
	err_t err = check_name(name);

	if (!err && is_acl(name))
		return tmpfs_set_acl(inode, name, value, value_bytes, flags);
	if (!err)
		err = tmpfs_xattr_create(name, value, value_bytes, &fresh);
	if (err)
		return err;
	err = mutex_lock_killable(&inode->data_lock);
	if (!err) {
		err = tmpfs_xattr_put_locked(inode, fresh, flags, &replaced);
		mutex_unlock(&inode->data_lock);
	}
	if (err)
		replaced = fresh;
	else
		tmpfs_touch(inode, false);
	if (replaced)
		tmpfs_xattr_free(replaced);
	return err;
}

struct tmpfs_xattr *tmpfs_xattr_take_locked(struct tmpfs_inode *inode, const char *name)
{
	struct tmpfs_xattr *xattr = tmpfs_xattr_find_locked(inode, name);

	if (xattr) {
		list_del(&xattr->link);
		inode->xattr_names_bytes -= xattr->name_bytes;
	}
	return xattr;
}

err_t tmpfs_removexattr(struct server *server, UNUSED const struct server_caller *caller,
			struct nodeid node, const char *name)
{
	struct tmpfs_inode *inode = tmpfs_inode(server, node);
	struct tmpfs_xattr *xattr;
	err_t err = check_name(name);

	if (err)
		return err;
	err = mutex_lock_killable(&inode->data_lock);
	if (err)
		return err;
	xattr = tmpfs_xattr_take_locked(inode, name);
	mutex_unlock(&inode->data_lock);
	if (!xattr) /* a list may be taken away as often as one likes */
		return is_acl(name) ? 0 : -ENODATA;
	tmpfs_xattr_free(xattr);
	tmpfs_touch(inode, false);
	return 0;
}

void tmpfs_xattrs_free(struct tmpfs_inode *inode)
{
	struct tmpfs_xattr *xattr, *next;

	list_for_each_safe (xattr, next, &inode->xattrs, link)
		tmpfs_xattr_free(xattr);
}
