/*
 * The address space of a program: regions in address order, each with its rights and with what is
 * behind it, and the page tables that follow from them on demand.
 *
 * All of it may sleep, but for space_get(). A space is not bound to the running thread: its pages
 * can be filled from outside (space_write) before it ever runs. Errors are those of Linux's mmap,
 * munmap, mprotect and brk.
 */
#ifndef MM_SPACE_H
#define MM_SPACE_H

#include <arch/paging.h>
#include <lib/refcount.h>
#include <lib/tree.h>
#include <lib/types.h>
#include <mm/object.h>
#include <sched/lock.h>

/* The numbers of Linux's PROT_*. */
enum space_prot { SPACE_READ = 1, SPACE_WRITE = 2, SPACE_EXEC = 4 };
#define SPACE_PROT_ALL (SPACE_READ | SPACE_WRITE | SPACE_EXEC)

enum space_flags {
	SPACE_FIXED = 1 << 0,     /* exactly there; what is there goes */
	SPACE_NOREPLACE = 1 << 1, /* exactly there; -EEXIST if something is */
	SPACE_SHARED = 1 << 2,    /* writes reach the object */
	SPACE_STACK = 1 << 3,     /* a gap is kept free below it */
	SPACE_POPULATE = 1 << 4,  /* pages now, as far as memory goes */
	SPACE_HEAP = 1 << 5,      /* grown and cut by space_brk() */
};

#define SPACE_REGIONS_MAX     65530 /* as Linux: vm.max_map_count */
#define SPACE_STACK_BYTES     (8 * MIB)
#define SPACE_STACK_GUARD_GAP MIB /* as Linux: stack_guard_gap */

struct region;

/*
 *   [c] constant after space_create()
 *   [l] lock
 */
struct space {
	struct refcount refs;
	struct mutex lock;          /* LOCK_SPACE; serialises the page tables as well */
	struct pagetable pagetable; /* [l] its entries */
	struct tree regions; /* [l] struct region by address, augmented with the largest gap */
	struct region *last_found; /* [l] where the last fault was; NULL: nowhere */
	uint32_t nregions;         /* [l] */
	vaddr_t map_top;           /* [c] mappings without an address go below, from the top down */
	vaddr_t brk_start;         /* [l] 0: no heap */
	vaddr_t brk_end;           /* [l] as the program asked, not rounded */
	uint64_t mapped_pages;     /* [l] sum of all regions */
	uint64_t limit_pages;      /* [l] RLIMIT_AS; UINT64_MAX: none */
	uint64_t resident_pages;   /* [l] counted frames that are mapped here */
	uint64_t in_place_pages;   /* [l] mapped pages of ramdisks and devices */
	uint64_t faults;           /* [l] */
};

/* An empty space, whose mappings without an address go below `map_top`; the caller holds the first
 * reference. */
err_t must_check space_create(struct space **out, vaddr_t map_top);
static inline struct space *space_get(struct space *space)
{
	refcount_get(&space->refs);
	return space;
}
/* The last one unmaps and frees everything. No thread runs in it any more. */
void space_put(struct space *space);

struct space_request {
	vaddr_t address; /* SPACE_FIXED, SPACE_NOREPLACE: there; else a hint, 0: none */
	uint64_t length_bytes;
	unsigned prot;
	unsigned max_prot; /* what space_protect() may ever give; 0: everything */
	unsigned flags;
	struct memory_object *object; /* NULL: anonymous. The space takes a reference of its own */
	uint64_t offset_bytes;        /* into the object; a multiple of the page size */
	const char *name;             /* a constant string for `vm`, e.g. "[stack]"; or NULL */
};

err_t must_check space_map(struct space *space, const struct space_request *request,
			   vaddr_t *address);
/* What is not mapped in the range is passed over. */
err_t must_check space_unmap(struct space *space, vaddr_t start, uint64_t length_bytes);
/* -ENOMEM if part of the range is not mapped (what stands before has been changed), -EACCES beyond
 * max_prot. */
err_t must_check space_protect(struct space *space, vaddr_t start, uint64_t length_bytes,
			       unsigned prot);
/* Drops the pages, keeps the regions: private memory reads as zeros or as the file again
 * (MADV_DONTNEED). -ENOMEM if part of the range is not mapped. */
err_t must_check space_discard(struct space *space, vaddr_t start, uint64_t length_bytes);
/* mremap: grows, cuts or moves [start, start + old) to `new` bytes. flags: Linux's MREMAP_MAYMOVE
 * (1) and MREMAP_FIXED (2), then `wanted` says where. */
err_t must_check space_remap(struct space *space, vaddr_t start, uint64_t old_bytes,
			     uint64_t new_bytes, unsigned flags, vaddr_t wanted, vaddr_t *address);

/* Where the heap begins, once, by exec. */
void space_set_brk(struct space *space, vaddr_t start);
/* Moves the heap's end if it can, and says where it is now (Linux's brk: that is how it fails). */
vaddr_t space_brk(struct space *space, vaddr_t end);

/* What mm lacks to go on, when a fault ends in MM_WAIT. */
struct page_wait {
	struct memory_object *object; /* holds a reference, which page_wait() drops */
	uint64_t page_index;
};
/* Sleeps until the page may be there. 0 or -EINTR. No locks are held. */
err_t must_check page_wait(struct page_wait *wait);

/* Makes the page at `address` usable for fault_access (enum fault_access). 0; MM_WAIT with `wait`
 * filled; -EFAULT: nothing is mapped there; -EACCES: it does not allow this; -EIO: the page cannot
 * be had; -ENOMEM. */
err_t must_check space_fault(struct space *space, vaddr_t address, unsigned fault_access,
			     struct page_wait *wait);

/* Copies to and from a space that need not be the current one, through the kernel's own map of
 * memory. The space's rights are obeyed, unless `force`: then a private page is written (and
 * copied) even if the region is read-only (exec, debugger). 0, -EFAULT, -EIO, -ENOMEM, -EINTR. */
err_t must_check space_read(struct space *space, vaddr_t address, void *to, size_t len_bytes);
err_t must_check space_write(struct space *space, vaddr_t address, const void *from,
			     size_t len_bytes, bool force);

/* What is behind an address for all who map it: *object (a reference) and the place in it, if it is
 * mapped shared; else *object is NULL, *offset is not touched, and only this space knows it.
 * -EFAULT: nothing is mapped there. */
err_t must_check space_shared_place(struct space *space, vaddr_t address,
				    struct memory_object **object, uint64_t *offset_bytes);

struct region_info {
	vaddr_t start;
	vaddr_t end;
	unsigned prot;
	unsigned flags;
	uint64_t offset_bytes;
	uint64_t resident_pages;
	uint64_t device, inode; /* of a file, as stat tells them */
	bool anonymous;
	char name[64]; /* cut to fit */
};
/* The region at `address`, or the first one behind it (space_next). False: there is none. */
bool space_find(struct space *space, vaddr_t address, struct region_info *out);
bool space_next(struct space *space, vaddr_t address, struct region_info *out);
/* The same with a name of any length in `name` instead, and without counting the pages. */
bool space_next_named(struct space *space, vaddr_t address, struct region_info *out, char *name,
		      size_t name_bytes);

struct space_stats {
	uint64_t mapped_pages;
	uint64_t resident_pages;
	uint64_t in_place_pages;
	uint64_t faults;
	uint32_t nregions;
};
void space_stats(struct space *space, struct space_stats *out);
/* Mapped pages by what they are for. */
struct space_kinds {
	uint64_t code_pages; /* that can be executed and not written */
	uint64_t data_pages; /* private and writable, the stack with them */
};
void space_kinds(struct space *space, struct space_kinds *out);

/* A copy whose private pages are shared until one side writes. */
err_t must_check space_fork(struct space *parent, struct space **out);

#endif
