/*
 * System calls on the address space. Checks what Linux's calls check and hands the rest to
 * mm/space.h. Owns no state.
 */
#include "process/uthread.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/mman.h>
#include <arch/paging.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>
#include <mm/object.h>
#include <mm/space.h>

#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)
_Static_assert(SPACE_READ == PROT_READ && SPACE_WRITE == PROT_WRITE && SPACE_EXEC == PROT_EXEC,
	       "protections are passed on as they are");

static struct space *space(void)
{
	return uthread_current()->space;
}

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
	object_put(object);
	return err;
}

/* Which of mmap's flags ask for something else than others do; the rest are hints. */
static err_t check_map_flags(unsigned map_flags)
{
	const unsigned known = MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE |
			       MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE |
			       MAP_NONBLOCK | MAP_STACK | MAP_FIXED_NOREPLACE;
	unsigned type = map_flags & MAP_TYPE;

	if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (map_flags & MAP_HUGETLB)
		return -ENOMEM; /* none were set aside */
	if (map_flags & (MAP_GROWSDOWN | MAP_32BIT))
		return -EOPNOTSUPP;
	/* Linux ignores unknown flags but with MAP_SHARED_VALIDATE. */
	if (type == MAP_SHARED_VALIDATE && (map_flags & ~known))
		return -EOPNOTSUPP;
	return 0;
}

int64_t sys_mmap(uint64_t address, size_t len, unsigned prot, unsigned map_flags, int fd,
		 uint64_t offset)
{
	struct space_request request = {.address = ALIGN_DOWN(address, PAGE_SIZE),
					.length_bytes = len,
					.prot = prot & PROT_ALL,
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
	if (fixed)
		request.flags |= SPACE_FIXED;
	if (map_flags & MAP_FIXED_NOREPLACE)
		request.flags |= SPACE_NOREPLACE;
	if (map_flags & (MAP_POPULATE | MAP_LOCKED))
		request.flags |= SPACE_POPULATE;
	if (shared)
		request.flags |= SPACE_SHARED;
	if (!(map_flags & MAP_ANONYMOUS))
		err = find_pages(fd, shared, &request);
	else if (shared)
		err = memory_object_anonymous(len, &request.object);
	if (err)
		return err;
	err = space_map(space(), &request, &mapped);
	memory_object_put(request.object);
	return err ? err : (int64_t)mapped;
}

int64_t sys_mremap(uint64_t address, size_t old_len, size_t len, unsigned flags,
		   uint64_t new_address)
{
	vaddr_t moved;
	err_t err;

	/* A length of 0 for a second view of shared memory is not served. */
	if ((flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED)) || (address & PAGE_MASK) || !len ||
	    !old_len || ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE)))
		return -EINVAL;
	if (len > USER_MAX || old_len > USER_MAX)
		return -EINVAL;
	err = space_remap(space(), address, ALIGN_UP(old_len, PAGE_SIZE), ALIGN_UP(len, PAGE_SIZE),
			  flags, new_address, &moved);
	return err ? err : (int64_t)moved;
}

/* The length in whole pages; -EINVAL: the start is not a page's, or the range leaves the program's
 * half. */
static err_t check_range(uint64_t address, size_t *len)
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
	return space_unmap(space(), address, len);
}

int sys_mprotect(uint64_t address, size_t len, unsigned prot)
{
	err_t err = check_range(address, &len);

	if (prot & ~PROT_ALL)
		return -EINVAL;
	if (err)
		return address & PAGE_MASK ? -EINVAL : -ENOMEM;
	return len ? space_protect(space(), address, len, prot) : 0;
}

static bool is_mapped(uint64_t start, size_t len)
{
	uint64_t end = start + len;
	struct region_info region;

	for (; start < end; start = region.end) {
		if (!space_find(space(), start, &region))
			return false;
	}
	return true;
}

int sys_madvise(uint64_t address, size_t len, int advice)
{
	err_t err = check_range(address, &len);

	if (err)
		return err;
	switch (advice) {
	case MADV_DONTNEED:
		return len ? space_discard(space(), address, len) : 0;
	/* Advice that may be followed or not; the pages stay as they are. */
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_FREE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
		return is_mapped(address, len) ? 0 : -ENOMEM;
	default:
		return -EINVAL;
	}
}

/* ---- the break ---- */

/* Unlike others it has no errors: the break that there is now says whether it moved. */
int64_t sys_brk(uint64_t address)
{
	return (int64_t)space_brk(space(), address);
}
