/*
 * What was asked of each driver and answered, by kind of request: how often, how many bytes, how
 * long it took. A connection owns its counters, which connection->lock guards; fuse_count_locked()
 * (counters.h) counts. Requests that want no answer (FORGET, INTERRUPT) are not among them.
 */
#include "counters.h"

#include "server.h"

#include <abi/errno.h>
#include <abi/fuse.h>
#include <fusek/driver.h>
#include <lib/string.h>
#include <mm/kva.h>

#define NCOUNTED_BYTES (FUSE_COUNTED * sizeof(struct fuse_counted))

static const char *const names[FUSE_COUNTED] = {
	[0] = "other",
	[FUSE_LOOKUP] = "LOOKUP",
	[FUSE_FORGET] = "FORGET",
	[FUSE_GETATTR] = "GETATTR",
	[FUSE_SETATTR] = "SETATTR",
	[FUSE_READLINK] = "READLINK",
	[FUSE_SYMLINK] = "SYMLINK",
	[FUSE_MKNOD] = "MKNOD",
	[FUSE_MKDIR] = "MKDIR",
	[FUSE_UNLINK] = "UNLINK",
	[FUSE_RMDIR] = "RMDIR",
	[FUSE_RENAME] = "RENAME",
	[FUSE_LINK] = "LINK",
	[FUSE_OPEN] = "OPEN",
	[FUSE_READ] = "READ",
	[FUSE_WRITE] = "WRITE",
	[FUSE_STATFS] = "STATFS",
	[FUSE_RELEASE] = "RELEASE",
	[FUSE_FSYNC] = "FSYNC",
	[FUSE_SETXATTR] = "SETXATTR",
	[FUSE_GETXATTR] = "GETXATTR",
	[FUSE_LISTXATTR] = "LISTXATTR",
	[FUSE_REMOVEXATTR] = "REMOVEXATTR",
	[FUSE_FLUSH] = "FLUSH",
	[FUSE_INIT] = "INIT",
	[FUSE_OPENDIR] = "OPENDIR",
	[FUSE_READDIR] = "READDIR",
	[FUSE_RELEASEDIR] = "RELEASEDIR",
	[FUSE_FSYNCDIR] = "FSYNCDIR",
	[FUSE_GETLK] = "GETLK",
	[FUSE_SETLK] = "SETLK",
	[FUSE_SETLKW] = "SETLKW",
	[FUSE_ACCESS] = "ACCESS",
	[FUSE_CREATE] = "CREATE",
	[FUSE_INTERRUPT] = "INTERRUPT",
	[FUSE_BMAP] = "BMAP",
	[FUSE_DESTROY] = "DESTROY",
	[FUSE_IOCTL] = "IOCTL",
	[FUSE_POLL] = "POLL",
	[FUSE_NOTIFY_REPLY] = "NOTIFY_REPLY",
	[FUSE_BATCH_FORGET] = "BATCH_FORGET",
	[FUSE_FALLOCATE] = "FALLOCATE",
	[FUSE_READDIRPLUS] = "READDIRPLUS",
	[FUSE_RENAME2] = "RENAME2",
	[FUSE_LSEEK] = "LSEEK",
	[FUSE_COPY_FILE_RANGE] = "COPY_FILE_RANGE",
	[FUSE_TMPFILE] = "TMPFILE",
	[FUSE_STATX] = "STATX",
	[FUSE_COPY_FILE_RANGE_64] = "COPY_FILE_RANGE_64",
};

struct fuse_counted *fuse_counters_create(void)
{
	struct fuse_counted *counted = kvmalloc(NCOUNTED_BYTES);

	if (counted)
		memset(counted, 0, NCOUNTED_BYTES);
	return counted;
}

void fuse_counters_free(struct fuse_counted *counted)
{
	if (counted)
		kvfree(counted, NCOUNTED_BYTES);
}

const char *fuse_opcode_name(uint32_t opcode)
{
	const char *name = opcode < FUSE_COUNTED ? names[opcode] : NULL;

	return name ? name : names[0];
}

err_t fuse_control_counted(uint32_t number, uint32_t opcode, struct fuse_counted *out)
{
	struct fuse_connection *connection = fuse_connection_find(number);

	if (!connection)
		return -ENOENT;
	spin_lock(&connection->lock);
	*out = connection->counted[opcode];
	spin_unlock(&connection->lock);
	fuse_connection_put(connection);
	return 0;
}
