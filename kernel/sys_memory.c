/*
 * System calls on the address space. Checks what Linux's calls check and hands the rest to
 * mm/space.h. Owns the break of the process (under process->lock).
 */
#include "process.h"
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
	return process_current()->space;
}

/* ---- mmap ---- */

static bool is_writable(const struct object *object)
{
	return (object_flags(object) & O_ACCMODE) == O_RDWR;
}

/* The pages of what `fd` names; a reference to them in request->object. */
static err_t find_pages(int fd, bool shared, struct space_request *request)
{
	struct object *object = fd_get(process_current()->fds, fd);
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
	const unsigned known = MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_DENYWRITE |
			       MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE |
			       MAP_NONBLOCK | MAP_STACK | MAP_FIXED_NOREPLACE;
	unsigned type = map_flags & MAP_TYPE;

	if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (map_flags & MAP_HUGETLB)
		return -ENOMEM; /* none were set aside */
	if (map_flags & MAP_GROWSDOWN)
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
	if (map_flags & MAP_32BIT)
		request.flags |= SPACE_BELOW_4G;
	if (!(map_flags & MAP_ANONYMOUS)) {
		if (shared)
			request.flags |= SPACE_SHARED;
		err = find_pages(fd, shared, &request);
		if (err)
			return err;
	}
	/* Shared anonymous memory has nobody to be shared with before there is fork. */
	err = space_map(space(), &request, &mapped);
	if (request.object)
		memory_object_put(request.object);
	return err ? err : (int64_t)mapped;
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
		return !len || space_is_mapped(space(), address, len) ? 0 : -ENOMEM;
	default:
		return -EINVAL;
	}
}

/* ---- the break ---- */

static err_t move_break(struct process *process, vaddr_t wanted) REQUIRES(process->lock);
static err_t move_break(struct process *process, vaddr_t wanted)
{
	vaddr_t old_end = ALIGN_UP(process->break_end, PAGE_SIZE);
	vaddr_t new_end = ALIGN_UP(wanted, PAGE_SIZE);
	vaddr_t address;

	if (new_end < old_end)
		return space_unmap(process->space, new_end, old_end - new_end);
	if (new_end == old_end)
		return 0;
	return space_map(process->space,
			 &(struct space_request){
				 .address = old_end,
				 .length_bytes = new_end - old_end,
				 .prot = PROT_READ | PROT_WRITE,
				 .flags = SPACE_FIXED | SPACE_NOREPLACE,
				 .name = "heap",
			 },
			 &address);
}

/* Unlike others it has no errors: the break that there is now says whether it moved. */
int64_t sys_brk(uint64_t address)
{
	struct process *process = process_current();
	int64_t result;

	mutex_lock(&process->lock);
	if (address >= process->break_start && address < USER_MAX &&
	    !move_break(process, address))
		process->break_end = address;
	result = (int64_t)process->break_end;
	mutex_unlock(&process->lock);
	return result;
}
