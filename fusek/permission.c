/*
 * Who may do what with a node: by its mode bits, or by its access control list where the server has
 * such (SERVER_HAS_ACLS), or by what the server says itself. Owns the lists that are kept with
 * nodes: written under attr_lock, read under RCU.
 */
#include "acl.h"
#include "names.h"

#include <mm/kva.h>

const struct acl acl_unknown;

bool node_capable(const struct node *node, const struct vfs_context *context, unsigned capability)
{
	if (likely(context->user == &user_namespace_first))
		return vfs_capable(context, capability);
	return vfs_capable_of_ids(context, read_once(&node->attr.uid), read_once(&node->attr.gid),
				  capability);
}

/* Who may do all may run only what somebody may run; who may read all may enter directories. */
static bool may_override(const struct node *node, const struct vfs_context *context, uint32_t mode,
			 unsigned mask)
{
	unsigned reading = S_ISDIR(mode) ? R_OK | X_OK : R_OK;

	if (node_capable(node, context, CAP_DAC_OVERRIDE))
		return !(mask & X_OK) || S_ISDIR(mode) || (mode & 0111);
	return !(mask & ~reading & 7) && node_capable(node, context, CAP_DAC_READ_SEARCH);
}

bool node_old_mode_holds(const struct node *node)
{
	unsigned flags = node_server(node)->flags;

	return !(flags & SERVER_MODES_EXPIRE) || node_is_checked_by_server(node) ||
	       still_valid(read_once(&node->attr_valid_until_ns));
}

err_t node_know_mode(struct node *node)
{
	struct server_attr attr;

	return likely(node_mode_holds(node)) ? 0 : node_attr(node, &attr);
}

err_t node_know_owner(struct node *node)
{
	struct server_attr attr;

	return node_server(node)->flags & SERVER_MODES_EXPIRE ? node_attr(node, &attr) : 0;
}

/* ---- lists of who may ---- */

void node_forget_acl(struct node *node)
{
	struct acl *old;

	if (read_once(&node->acl) == ACL_UNKNOWN)
		return;
	spin_lock(&node->attr_lock);
	old = node->acl;
	rcu_assign(&node->acl, ACL_UNKNOWN);
	spin_unlock(&node->attr_lock);
	if (old != ACL_UNKNOWN)
		acl_free_later(old);
}

/* What the server said when it was asked after `version`; consumes it. */
static void keep_acl(struct node *node, struct acl *acl, uint64_t version)
{
	spin_lock(&node->attr_lock);
	if (node->acl == ACL_UNKNOWN && node->attr_version <= version) {
		rcu_assign(&node->acl, acl);
		acl = NULL;
	}
	spin_unlock(&node->attr_lock);
	acl_free(acl);
}

err_t node_read_acl(const struct node *node, const char *attribute, struct acl **out)
{
	const struct server_caller caller = server_caller_current();
	struct server *server = node_server(node);
	ssize_t len_bytes;
	void *bytes;
	err_t err = 0;

	*out = NULL;
	if (!server->ops->getxattr)
		return 0;
	bytes = kvmalloc(ACL_ROOM_BYTES);
	if (!bytes)
		return -ENOMEM;
	len_bytes =
		server->ops->getxattr(server, &caller, node->id, attribute, bytes, ACL_ROOM_BYTES);
	if (len_bytes > 0)
		err = acl_parse(bytes, (size_t)len_bytes, &user_namespace_first, out);
	else if (len_bytes == -ERANGE)
		err = -E2BIG;
	else if (len_bytes != -ENODATA && len_bytes != -ENOSYS)
		err = (err_t)len_bytes;
	kvfree(bytes, ACL_ROOM_BYTES);
	return err;
}

/* ---- who may ---- */

/* Whether the list decides, and not the mode's bits. */
static bool asks_acl(const struct node *node, const struct vfs_context *context, uint32_t mode)
{
	return context->uid != read_once(&node->attr.uid) && mode & 070 && !S_ISLNK(mode) &&
	       node_has_acls(node);
}

static inline err_t by_mode(const struct node *node, const struct vfs_context *context,
			    uint32_t mode, unsigned mask)
{
	unsigned granted = mode;

	if (context->uid == read_once(&node->attr.uid))
		granted = mode >> 6;
	else if (vfs_in_group(context, read_once(&node->attr.gid)))
		granted = mode >> 3;
	return (mask & ~granted & 7) && !may_override(node, context, mode, mask) ? -EACCES : 0;
}

/* `acl` NULL: it has none. */
static err_t by_acl(const struct node *node, const struct vfs_context *context, uint32_t mode,
		    const struct acl *acl, unsigned mask)
{
	err_t err;

	if (!acl || !asks_acl(node, context, mode))
		return by_mode(node, context, mode, mask);
	err = acl_permits(acl, context, read_once(&node->attr.gid), mask);
	return err == -EACCES && may_override(node, context, mode, mask) ? 0 : err;
}

/* A server that decides itself has somebody who may run a program, or nobody. */
static err_t by_server(uint32_t mode, unsigned mask)
{
	return (mask & X_OK) && S_ISREG(mode) && !(mode & 0111) ? -EACCES : 0;
}

err_t node_may_rcu(const struct node *node, const struct vfs_context *context, unsigned mask)
{
	uint32_t mode = read_once(&node->attr.mode);
	const struct acl *acl = rcu_dereference(&node->acl);

	if (node_is_checked_by_server(node))
		return by_server(mode, mask);
	if (acl == ACL_UNKNOWN)
		return asks_acl(node, context, mode) ? -EAGAIN : by_mode(node, context, mode, mask);
	return by_acl(node, context, mode, acl, mask);
}

/* Of a server that answers at once: walks through the directory need not ask whose it is then. */
static bool is_asked_early(const struct node *node, uint32_t mode)
{
	return read_once(&node->acl) == ACL_UNKNOWN && S_ISDIR(mode) && node_has_acls(node) &&
	       !(node_server(node)->flags & SERVER_MODES_EXPIRE);
}

/* There may be a list. */
static NOINLINE err_t may_by_acl(struct node *node, const struct vfs_context *context,
				 unsigned mask)
{
	uint64_t version;
	struct acl *acl;
	err_t err;

	rcu_read_lock();
	err = node_may_rcu(node, context, mask);
	rcu_read_unlock();
	if (likely(err != -EAGAIN) && !is_asked_early(node, read_once(&node->attr.mode)))
		return err;
	version = filesystem_attr_version(node->fs);
	err = node_read_acl(node, XATTR_ACL_ACCESS, &acl);
	if (err == -EOPNOTSUPP)
		err = 0; /* there are none */
	if (err)
		return err;
	err = by_acl(node, context, read_once(&node->attr.mode), acl, mask);
	keep_acl(node, acl, version);
	return err;
}

err_t node_may(struct node *node, const struct vfs_context *context, unsigned mask)
{
	uint32_t mode = read_once(&node->attr.mode);

	if (node_is_checked_by_server(node))
		return by_server(mode, mask);
	if (likely(!read_once(&node->acl) || (!S_ISDIR(mode) && !asks_acl(node, context, mode))))
		return by_mode(node, context, mode, mask);
	return may_by_acl(node, context, mask);
}

err_t node_may_own(struct node *node, const struct vfs_context *context, unsigned capability)
{
	err_t err;

	if (vfs_capable(context, capability))
		return 0;
	err = node_know_owner(node);
	if (err)
		return err;
	if (context->uid == read_once(&node->attr.uid))
		return 0;
	/* A lease is asked of everybody, so that nobody's namespace is enough. */
	return capability == CAP_FOWNER && node_capable(node, context, capability) ? 0 : -EPERM;
}
