/*
 * memfd_create and the seals of files. Owns no state.
 */
#include "memory.h"

#include "memfd.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/mman.h>
#include <arch/user.h>
#include <fusek/file.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>

static err_t make(const char *name, unsigned flags, struct object **out)
{
	uint32_t mode = flags & MFD_NOEXEC_SEAL ? 0666 : 0777;
	unsigned seals = flags & MFD_ALLOW_SEALING ? 0 : F_SEAL_SEAL;

	if (flags & MFD_NOEXEC_SEAL)
		seals = F_SEAL_EXEC;
	return vfs_memfd(uthread_fs(), name, mode, seals, out);
}

int sys_memfd_create(uptr_t name, unsigned flags)
{
	const unsigned known = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC;
	char text[MFD_NAME_MAX + 2];
	struct object *object;
	ssize_t len;
	err_t err;

	if (flags & MFD_HUGETLB)
		return -ENOSYS;
	if (flags & ~known ||
	    (flags & (MFD_EXEC | MFD_NOEXEC_SEAL)) == (MFD_EXEC | MFD_NOEXEC_SEAL))
		return -EINVAL;
	len = user_copy_string(text, name, sizeof(text));
	if (len == -EFAULT)
		return -EFAULT;
	if (len < 0 || (size_t)len > MFD_NAME_MAX)
		return -EINVAL;
	err = make(text, flags, &object);
	return err ? err : fd_add(current_fds(), object, flags & MFD_CLOEXEC ? O_CLOEXEC : 0);
}

int64_t fcntl_seals(struct object *object, int command, uint64_t argument)
{
	unsigned seals;
	err_t err;

	if (command == F_ADD_SEALS && argument & ~(uint64_t)F_SEAL_ALL)
		return -EINVAL;
	err = object_seal(object, command == F_ADD_SEALS ? (unsigned)argument : 0, &seals);
	if (err)
		return err;
	return command == F_ADD_SEALS ? 0 : (int64_t)seals;
}
