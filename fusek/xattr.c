/*
 * Extended attributes by name: who may see and change which, as Linux's rules for their name spaces
 * say; what there is, the server knows. No state, no locks.
 */
#include <fusek/file.h>

#include "acl.h"
#include "mount_tree.h"
#include "notify.h"
#include "open_file.h"

#include <abi/xattr.h>
#include <lib/string.h>
#include <mm/kva.h>

#define MODE_TRIES 4 /* to get it, while others change the directory */

static bool in_space(const char *attribute, const char *space)
{
	return strncmp(attribute, space, strlen(space)) == 0;
}

/* What a server makes of attributes of its own: the owner's to set. */
static err_t check_owner(const struct node *node, const struct vfs_context *context)
{
	return context->uid == read_once(&node->attr.uid) || node_capable(node, context, CAP_FOWNER)
		       ? 0
		       : -EPERM;
}

/* "user." is for files and directories only, and in a directory like /tmp its owner's; "trusted."
 * is for those with CAP_SYS_ADMIN. What nobody may have is not there for who reads. */
static err_t check_space(struct node *node, const struct vfs_context *context,
			 const char *attribute, bool write)
{
	uint32_t mode = read_once(&node->attr.mode);

	if (in_space(attribute, "security."))
		return write && !vfs_capable(context, CAP_SYS_ADMIN) ? -EPERM : 0;
	if (in_space(attribute, "system."))
		return write ? check_owner(node, context) : 0;
	if (in_space(attribute, "trusted."))
		return vfs_capable(context, CAP_SYS_ADMIN) ? 0 : write ? -EPERM : -ENODATA;
	if (in_space(attribute, "user.")) {
		if (!S_ISREG(mode) && !S_ISDIR(mode))
			return write ? -EPERM : -ENODATA;
		if (S_ISDIR(mode) && (mode & S_ISVTX) && write && check_owner(node, context))
			return -EPERM;
	}
	return node_may(node, context, write ? W_OK : R_OK);
}

/* Finds what the call is about; *out is a reference. */
static err_t find(const struct vfs_context *context, struct object *at, const char *name,
		  unsigned at_flags, struct path *out)
{
	struct server_attr attr;
	err_t err;

	if (at_flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = vfs_resolve(context, at, name, at_flags,
			  (at_flags & AT_SYMLINK_NOFOLLOW) ? 0 : WALK_FOLLOW, out);
	if (err)
		return err;
	err = node_attr(out->dentry->node, &attr);
	if (err)
		path_put(out);
	return err;
}

/* What an attribute becomes; of one that is removed there is none. */
struct xattr_value {
	const void *bytes;
	size_t len_bytes;
	unsigned flags;
};

/* ---- access control lists ---- */

static bool is_acl(const char *attribute)
{
	return strcmp(attribute, XATTR_ACL_ACCESS) == 0 ||
	       strcmp(attribute, XATTR_ACL_DEFAULT) == 0;
}

/* As Linux: links have none. */
static err_t check_has_acls(const struct node *node)
{
	const struct server *server = node_server(node);

	return (server->flags & SERVER_TAKES_ACLS) && node_type(node) != S_IFLNK ? 0 : -EOPNOTSUPP;
}

/* Everybody may read it. */
static ssize_t get_acl(const struct node *node, const struct vfs_context *context,
		       const char *attribute, void *to, size_t to_bytes)
{
	struct acl *acl;
	ssize_t result = check_has_acls(node);

	if (!result)
		result = node_read_acl(node, attribute, &acl);
	if (result)
		return result;
	if (!acl)
		return -ENODATA;
	result = (ssize_t)acl_bytes(acl->count);
	if (to_bytes && (size_t)result > to_bytes)
		result = -ERANGE;
	else if (to_bytes)
		acl_write(acl, context->user, to);
	acl_free(acl);
	return result;
}

/* To `acl`, or (NULL) away. */
static err_t put_acl(const struct node *node, const struct vfs_context *context,
		     const char *attribute, const struct acl *acl)
{
	struct server_caller caller = server_caller_of(context);
	struct server *server = node_server(node);
	unsigned flags = 0;
	size_t len_bytes;
	void *bytes;
	err_t err;

	if (!acl)
		return server->ops->removexattr(server, &caller, node->id, attribute);
	len_bytes = acl_bytes(acl->count);
	if (node_has_acls(node) && !vfs_in_group(context, read_once(&node->attr.gid)) &&
	    !node_capable(node, context, CAP_FSETID))
		flags = SERVER_ACL_KILLS_GROUP_ID;
	bytes = kvmalloc(len_bytes);
	if (!bytes)
		return -ENOMEM;
	acl_write(acl, &user_namespace_first, bytes);
	err = server->ops->setxattr(server, &caller, node->id, attribute, bytes, len_bytes, flags);
	kvfree(bytes, len_bytes);
	return err;
}

/* What Linux asks before, in its order. */
static err_t check_acl_change(const struct node *node, const struct vfs_context *context,
			      const char *attribute, const struct acl *acl)
{
	err_t err = check_has_acls(node);

	if (err)
		return err;
	if (strcmp(attribute, XATTR_ACL_DEFAULT) == 0 && node_type(node) != S_IFDIR)
		return acl ? -EACCES : 1;
	err = check_owner(node, context);
	return err || !acl ? err : acl_check(acl);
}

/* A list in the value's bytes; none: it goes. */
static err_t change_acl(struct node *node, const struct vfs_context *context, const char *attribute,
			const struct xattr_value *value)
{
	struct server_attr attr;
	struct acl *acl = NULL;
	err_t err = 0;

	if (value && value->len_bytes)
		err = acl_parse(value->bytes, value->len_bytes, context->user, &acl);
	if (!err)
		err = check_acl_change(node, context, attribute, acl);
	if (!err)
		err = put_acl(node, context, attribute, acl);
	acl_free(acl);
	if (err)
		return err > 0 ? 0 : err;
	node_attr_status_changed(node);
	node_forget_acl(node);
	/* The mode may be another one, and walks do not look how old it is. It is done in any case;
	 * an answer that another change has overtaken was not kept. */
	for (unsigned i = 0; i < MODE_TRIES && !read_once(&node->attr_valid_until_ns); i++)
		(void)!node_attr(node, &attr);
	return 0;
}

/* ---- the calls ---- */

ssize_t vfs_getxattr(const struct vfs_context *context, struct object *at, const char *name,
		     unsigned at_flags, const char *attribute, void *to, size_t to_bytes)
{
	struct server_caller caller = server_caller_of(context);
	struct server *server;
	struct path path;
	ssize_t result = find(context, at, name, at_flags, &path);

	if (result)
		return result;
	server = node_server(path.dentry->node);
	if (is_acl(attribute)) {
		result = get_acl(path.dentry->node, context, attribute, to, to_bytes);
		goto put_path;
	}
	result = check_space(path.dentry->node, context, attribute, false);
	if (!result)
		result = server->ops->getxattr
				 ? server->ops->getxattr(server, &caller, path.dentry->node->id,
							 attribute, to, to_bytes)
				 : -ENOSYS;
put_path:
	path_put(&path);
	return result == -ENOSYS ? -EOPNOTSUPP : result;
}

ssize_t vfs_listxattr(const struct vfs_context *context, struct object *at, const char *name,
		      unsigned at_flags, char *to, size_t to_bytes)
{
	struct server_caller caller = server_caller_of(context);
	struct server *server;
	struct path path;
	ssize_t result = find(context, at, name, at_flags, &path);

	if (result)
		return result;
	server = node_server(path.dentry->node);
	if (server->ops->listxattr)
		result = server->ops->listxattr(server, &caller, path.dentry->node->id, to,
						to_bytes);
	path_put(&path);
	return result == -ENOSYS ? -EOPNOTSUPP : result;
}

static err_t check_change(const struct path *path, const struct vfs_context *context,
			  const char *attribute)
{
	err_t err = path_may_change(path);

	if (err || is_acl(attribute)) /* lists have rules of their own */
		return err;
	return check_space(path->dentry->node, context, attribute, true);
}

static err_t change(const struct vfs_context *context, struct object *at, const char *name,
		    unsigned at_flags, const char *attribute, const struct xattr_value *value)
{
	struct server_caller caller = server_caller_of(context);
	const struct server_ops *ops;
	struct server *server;
	struct path path;
	struct node *node;
	err_t err = find(context, at, name, at_flags, &path);

	if (err)
		return err;
	node = path.dentry->node;
	server = node_server(node);
	ops = server->ops;
	err = check_change(&path, context, attribute);
	if (!err)
		err = mount_write_begin(&path);
	if (err)
		goto put_path;
	if (is_acl(attribute))
		err = change_acl(node, context, attribute, value);
	else if (value && ops->setxattr)
		err = ops->setxattr(server, &caller, node->id, attribute, value->bytes,
				    value->len_bytes, value->flags);
	else if (!value && ops->removexattr)
		err = ops->removexattr(server, &caller, node->id, attribute);
	else
		err = -ENOSYS;
	mount_write_end(path.mount);
	if (!err) {
		node_attr_status_changed(node);
		notify(path.dentry, IN_ATTRIB);
	}
put_path:
	path_put(&path);
	return err == -ENOSYS ? -EOPNOTSUPP : err;
}

err_t vfs_setxattr(const struct vfs_context *context, struct object *at, const char *name,
		   unsigned at_flags, const char *attribute, const void *value, size_t value_bytes,
		   unsigned flags)
{
	const struct xattr_value becomes = {
		.bytes = value, .len_bytes = value_bytes, .flags = flags};

	return change(context, at, name, at_flags, attribute, &becomes);
}

err_t vfs_removexattr(const struct vfs_context *context, struct object *at, const char *name,
		      unsigned at_flags, const char *attribute)
{
	return change(context, at, name, at_flags, attribute, NULL);
}
