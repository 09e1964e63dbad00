/*
 * The native call of filesystem drivers, and whose memory moves in it. No state.
 */
#include "kthread.h"
#include "memory/memory.h"
#include "process/uthread.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <fusek/by_clock.h>
#include <fusek/driver.h>
#include <ipc/buffer.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>

struct space *vfs_space(void)
{
	return process_current() ? current_space() : NULL;
}

err_t vfs_start_clock(void (*main)(void *argument))
{
	return kthread_start("fuse-clock", main, NULL, NULL);
}

ssize_t sys_fuse_serve(int fd, uptr_t reply, uptr_t request, size_t len, uptr_t window,
		       size_t window_bytes)
{
	const struct fuse_window where = {window, window_bytes};
	struct fd_use use = fd_use(current_fds(), fd);
	struct buffer buffer;
	ssize_t result;

	if (!use.object)
		return -EBADF;
	result = buffer_init_user(&buffer, request, len);
	if (!result)
		result = fuse_serve(use.object, reply, &buffer, &where);
	fd_used(use);
	return result;
}
