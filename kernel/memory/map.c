/*
 * System calls that map, unmap and protect memory, and the break. Checks what Linux's calls check
 * and hands the rest to mm/space.h. Owns no state.
 */
#include "memory.h"

#include "../process/uthread.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/mman.h>
#include <abi/personality.h>
#include <arch/paging.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>
#include <mm/commit.h>
#include <mm/object.h>
#include <mm/pressure.h>
#include <mm/space.h>

#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)
_Static_assert(SPACE_READ == PROT_READ && SPACE_WRITE == PROT_WRITE && SPACE_EXEC == PROT_EXEC,
	       "protections are passed on as they are");

/* ---- mmap ---- */

static bool is_writable(const struct object *object)
{
	return (object_flags(object) & O_ACCMODE) == O_RDWR;
}

/* The pages of what `fd` names; a reference to them in request->object. */
static err_t find_pages(int fd, bool shared, struct space_request *request)
{
	struct object *object = fd_get(current_fds(), fd);
	struct object_map_request map = {.offset_bytes = request->offset_bytes,
					 .len_bytes = request->length_bytes,
					 .shared = shared,
					 .exec = request->prot & PROT_EXEC};
	err_t err;

	if (!object)
		return -EBADF;
	/* What mprotect may allow later has to be allowed now. */
	map.write = (request->prot & PROT_WRITE) || (shared && is_writable(object));
	if (shared && !is_writable(object))
		request->max_prot = PROT_READ | PROT_EXEC;
	err = object_map(object, &map, &request->object);
	if ((err == -EPERM || err == -ENODEV) && map.write && !(request->prot & PROT_WRITE)) {
		/* Sealed against writing, or a driver's, to whom nobody writes pages back: to be
		 * read only, for good. */
		map.write = false;
		request->max_prot = PROT_READ | PROT_EXEC;
		err = object_map(object, &map, &request->object);
	}
	object_put(object);
	return err;
}

/* Which of mmap's flags ask for something else than others do; the rest are hints. */
static err_t check_map_flags(unsigned map_flags)
{
	const unsigned known = MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE |
			       MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE |
			       MAP_NONBLOCK | MAP_STACK | MAP_FIXED_NOREPLACE | MAP_32BIT;
	unsigned type = map_flags & MAP_TYPE;

	if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (map_flags & MAP_HUGETLB)
		return -ENOMEM; /* none were set aside */
	/* A stack is nobody else's, and no file's. */
	if (map_flags & MAP_GROWSDOWN && (type != MAP_PRIVATE || !(map_flags & MAP_ANONYMOUS)))
		return -EINVAL;
	/* Linux ignores unknown flags but with MAP_SHARED_VALIDATE. */
	if (type == MAP_SHARED_VALIDATE && (map_flags & ~known))
		return -EOPNOTSUPP;
	return 0;
}

static unsigned space_flags_of(unsigned map_flags)
{
	unsigned flags = 0;

	if (map_flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
		flags |= SPACE_FIXED;
	if (map_flags & MAP_FIXED_NOREPLACE)
		flags |= SPACE_NOREPLACE;
	if (map_flags & (MAP_POPULATE | MAP_LOCKED))
		flags |= SPACE_POPULATE;
	if (map_flags & MAP_LOCKED)
		flags |= SPACE_LOCKED;
	if (map_flags & MAP_GROWSDOWN)
		flags |= SPACE_STACK;
	if (map_flags & MAP_32BIT)
		flags |= SPACE_LOW;
	/* As Linux: but where all that is promised has a limit, it is promised as well. */
	if (map_flags & MAP_NORESERVE && commit_get().mode != COMMIT_LIMIT)
		flags |= SPACE_UNPROMISED;
	/* As Linux since 6.7: most stacks are touched in a few pages at their end. */
	if (map_flags & MAP_STACK)
		flags |= SPACE_NO_HUGE;
	if ((map_flags & MAP_TYPE) != MAP_PRIVATE)
		flags |= SPACE_SHARED;
	return flags;
}

/* READ_IMPLIES_EXEC: nobody asked for it, so where it may not be it is not. */
static bool implies_exec(unsigned prot)
{
	return prot & PROT_READ && !(prot & PROT_EXEC) &&
	       read_once(&process_current()->personality) & READ_IMPLIES_EXEC;
}

static err_t find_pages_to_run(int fd, bool shared, struct space_request *request)
{
	err_t err;

	request->prot |= PROT_EXEC;
	err = find_pages(fd, shared, request);
	if (err != -EPERM && err != -EACCES)
		return err;
	request->prot &= ~(unsigned)PROT_EXEC;
	return find_pages(fd, shared, request);
}

int64_t sys_mmap(uint64_t address, size_t len, unsigned prot, unsigned map_flags, int fd,
		 uint64_t offset)
{
	struct space_request request = {.address = ALIGN_DOWN(address, PAGE_SIZE),
					.length_bytes = len,
					.prot = prot & PROT_ALL,
					.flags = space_flags_of(map_flags),
					.offset_bytes = offset};
	bool fixed = map_flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
	bool shared = (map_flags & MAP_TYPE) != MAP_PRIVATE;
	vaddr_t mapped;
	err_t err;

	err = check_map_flags(map_flags);
	if (err)
		return err;
	if (len == 0 || (offset & PAGE_MASK) || (fixed && (address & PAGE_MASK)))
		return -EINVAL;
	if (len > USER_MAX)
		return -ENOMEM;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (offset + len < offset)
		return -EOVERFLOW;
	request.length_bytes = len;
	if (map_flags & MAP_LOCKED && !may_lock())
		return -EPERM;
	if (!(map_flags & MAP_ANONYMOUS))
		err = implies_exec(prot) ? find_pages_to_run(fd, shared, &request)
					 : find_pages(fd, shared, &request);
	else if (shared)
		err = memory_object_anonymous(len, &request.object);
	if (err)
		return err;
	if (map_flags & MAP_ANONYMOUS && implies_exec(prot))
		request.prot |= PROT_EXEC;
	err = space_map(current_space(), &request, &mapped);
	memory_object_put(request.object);
	return err ? err : (int64_t)mapped;
}

int64_t sys_mremap(uint64_t address, size_t old_len, size_t len, unsigned flags,
		   uint64_t new_address)
{
	vaddr_t moved;
	err_t err;

	if ((flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)) ||
	    (address & PAGE_MASK) || !len || ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE)))
		return -EINVAL;
	if (len > USER_MAX || old_len > USER_MAX)
		return -EINVAL;
	err = MEMORY_RETRY(space_remap(current_space(), address, ALIGN_UP(old_len, PAGE_SIZE),
				       ALIGN_UP(len, PAGE_SIZE), flags, new_address, &moved));
	return err ? err : (int64_t)moved;
}

err_t check_range(uint64_t address, size_t *len)
{
	if ((address & PAGE_MASK) || *len > USER_MAX || address > USER_MAX - *len)
		return -EINVAL;
	*len = ALIGN_UP(*len, PAGE_SIZE);
	return 0;
}

int sys_munmap(uint64_t address, size_t len)
{
	err_t err = check_range(address, &len);

	if (err || len == 0)
		return -EINVAL;
	return space_unmap(current_space(), address, len);
}

/* PROT_GROWSDOWN: from the beginning of the stack that the range lies in. */
static err_t extend_down(uint64_t *address, size_t *len)
{
	struct region_info region;

	if (!space_find(current_space(), *address, &region))
		return -ENOMEM;
	if (!(region.flags & SPACE_STACK))
		return -EINVAL;
	*len += *address - region.start;
	*address = region.start;
	return 0;
}

int sys_mprotect(uint64_t address, size_t len, unsigned prot)
{
	err_t err = check_range(address, &len);

	/* Nothing here grows upwards. */
	if (prot & ~(PROT_ALL | PROT_GROWSDOWN))
		return -EINVAL;
	if (err)
		return address & PAGE_MASK ? -EINVAL : -ENOMEM;
	if (!len)
		return 0;
	if (prot & PROT_GROWSDOWN)
		err = extend_down(&address, &len);
	if (err)
		return err;
	prot &= PROT_ALL;
	if (implies_exec(prot)) {
		err = space_protect(current_space(), address, len, prot | PROT_EXEC);
		if (err != -EACCES)
			return err;
	}
	return space_protect(current_space(), address, len, prot);
}

/* ---- the break ---- */

/* Unlike others it has no errors: the break that there is now says whether it moved. */
int64_t sys_brk(uint64_t address)
{
	return (int64_t)space_brk(current_space(), address);
}
