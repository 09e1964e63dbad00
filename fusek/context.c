/*
 * Who asks: the kernel itself, or a program with its groups, and how long he waits. No state.
 */
#include "names.h"

#include <arch/clock.h>
#include <fusek/mount.h>
#include <ipc/user_namespace.h>

#define PATIENCE_NS (10 * NSEC_PER_SEC)

struct vfs_context vfs_kernel_context(void)
{
	const struct path root = mount_root();

	return (struct vfs_context){.root = root,
				    .cwd = root,
				    .capabilities = CAPABILITIES_ALL,
				    .own_capabilities = CAPABILITIES_ALL,
				    .user = &user_namespace_first,
				    .umask = 022};
}

struct vfs_context vfs_caller_context(void)
{
	const struct server_caller caller = server_caller_current();
	struct vfs_context context = vfs_kernel_context();

	context.uid = caller.uid;
	context.gid = caller.gid;
	context.pid = caller.pid;
	context.umask = caller.umask;
	context.capabilities = server_caller_capabilities(&context.own_capabilities);
	context.user = user_namespace_caller();
	return context;
}

bool vfs_capable_in(const struct vfs_context *context, const struct user_namespace *over,
		    unsigned capability)
{
	if (over == context->user)
		return context->own_capabilities & CAP_BIT(capability);
	return user_namespace_caller_capable(over, capability);
}

bool vfs_capable_of_ids(const struct vfs_context *context, uint32_t uid, uint32_t gid,
			unsigned capability)
{
	if (likely(context->user == &user_namespace_first))
		return vfs_capable(context, capability);
	return context->own_capabilities & CAP_BIT(capability) &&
	       id_is_mapped(context->user, ID_USER, uid) &&
	       id_is_mapped(context->user, ID_GROUP, gid);
}

bool vfs_in_group(const struct vfs_context *context, uint32_t gid)
{
	const struct vfs_groups *groups = context->groups;
	uint32_t low = 0;
	uint32_t high = groups ? groups->count : 0;

	if (context->gid == gid)
		return true;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (groups->gids[middle] == gid)
			return true;
		if (groups->gids[middle] < gid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

struct server_caller server_caller_of(const struct vfs_context *context)
{
	return (struct server_caller){.uid = context->uid,
				      .gid = context->gid,
				      .pid = context->pid,
				      .umask = context->umask};
}

uint64_t server_deadline_ns(void)
{
	return server_caller_current().pid ? UINT64_MAX : clock_ns() + PATIENCE_NS;
}
