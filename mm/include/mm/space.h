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
	SPACE_FIXED = 1 << 0,       /* exactly there; what is there goes */
	SPACE_NOREPLACE = 1 << 1,   /* exactly there; -EEXIST if something is */
	SPACE_SHARED = 1 << 2,      /* writes reach the object */
	SPACE_STACK = 1 << 3,       /* grows downwards where it is touched below; a gap is kept */
	SPACE_POPULATE = 1 << 4,    /* pages now, as far as memory goes */
	SPACE_HEAP = 1 << 5,        /* grown and cut by space_brk() */
	SPACE_LOCKED = 1 << 6,      /* its pages stay; counts against the limit of those */
	SPACE_NO_FORK = 1 << 7,     /* a copy of the space does not have it */
	SPACE_WIPE_FORK = 1 << 8,   /* a copy has zeros there */
	SPACE_NO_DUMP = 1 << 9,     /* not for core files */
	SPACE_LOW = 1 << 10,        /* below SPACE_LOW_END; of space_map() alone */
	SPACE_HUGE = 1 << 11,       /* pages of 2 MiB where they fit, if they are only on advice */
	SPACE_NO_HUGE = 1 << 12,    /* never */
	SPACE_UNPROMISED = 1 << 13, /* does not count as promised (mm/commit.h) */
};
/* Those that a region keeps. */
#define SPACE_LASTING                                                                              \
	(SPACE_SHARED | SPACE_STACK | SPACE_HEAP | SPACE_LOCKED | SPACE_NO_FORK |                  \
	 SPACE_WIPE_FORK | SPACE_NO_DUMP | SPACE_HUGE | SPACE_NO_HUGE | SPACE_UNPROMISED)
#define SPACE_LOW_START (UINT64_C(1) << 30) /* as Linux: where MAP_32BIT looks */
#define SPACE_LOW_END   (UINT64_C(1) << 31)

#define SPACE_REGIONS_MAX     65530 /* as Linux: vm.max_map_count */
#define SPACE_STACK_BYTES     (8 * MIB)
#define SPACE_STACK_GUARD_GAP MIB /* as Linux: stack_guard_gap */

struct region;

#define HUGE_PAGE_BYTES (2 * MIB)

/* Where anonymous memory gets pages of 2 MiB (mm/huge.c); as Linux's transparent_hugepage. */
enum space_huge { SPACE_HUGE_ALWAYS, SPACE_HUGE_ADVISED, SPACE_HUGE_NEVER };
void space_set_huge_mode(enum space_huge mode);
enum space_huge space_huge_mode(void);
/* How many there are. */
uint64_t space_huge_pages(void);

/* What the calls that map refuse to go beyond; UINT64_MAX: nothing. */
struct space_limits {
	uint64_t mapped_pages; /* RLIMIT_AS */
	uint64_t data_pages;   /* RLIMIT_DATA: private and writable, but for stacks */
	uint64_t locked_pages; /* RLIMIT_MEMLOCK */
	uint64_t stack_bytes;  /* RLIMIT_STACK: how far one grows */
};

/* What may not be executed (PR_SET_MDWE). */
enum exec_refusal {
	REFUSE_EXEC_GAIN =
		1 << 0, /* what can be written, or could not be executed before: EACCES */
	REFUSE_NO_INHERIT = 1 << 1, /* copies and new programs are not bound */
};

/*
 *   [c] constant after space_create()
 *   [l] lock
 */
struct space {
	struct refcount refs;
	struct mutex lock;          /* LOCK_SPACE; serialises the page tables as well */
	struct pagetable pagetable; /* [l] its entries */
	struct list parked;         /* [l] tables that are not in the tree (mm/parking.c) */
	struct list watched_link;   /* the lock of mm/parking.c */
	bool watched;               /* [l] it is on its list */
	struct tree regions; /* [l] struct region by address, augmented with the largest gap */
	struct region *last_found; /* [l] where the last fault was; NULL: nowhere */
	uint32_t nregions;         /* [l] */
	vaddr_t map_top;           /* [c] mappings without an address go below, from the top down */
	vaddr_t brk_start;         /* [l] 0: no heap */
	vaddr_t brk_end;           /* [l] as the program asked, not rounded */
	uint32_t barriers;         /* atomic: which ones kernel/ may raise for it (membarrier) */
	uint64_t mapped_pages;     /* [l] sum of all regions */
	uint64_t mapped_peak_pages; /* [l] the most that it was */
	uint64_t data_pages;        /* [l] of those: private and writable, but for stacks */
	uint64_t committed_pages;   /* [l] of those: promised */
	uint64_t locked_pages;      /* [l] of those: locked */
	struct space_limits limits; /* [l] */
	bool no_huge;               /* atomic: no pages of 2 MiB, whatever its regions say */
	bool reaped;             /* [l] its private pages were taken: all that use it are killed */
	uint8_t exec_refusal;    /* [l] enum exec_refusal: bits are set once */
	unsigned future_flags;   /* [l] what later mappings get (mlockall): SPACE_LOCKED,
				    SPACE_POPULATE */
	uint64_t resident_pages; /* [l] counted frames that are mapped here */
	uint64_t peak_pages;     /* [l] the most that there were before some went */
	uint64_t in_place_pages; /* [l] mapped pages of ramdisks and devices */
	uint64_t faults;         /* [l] */
	uint64_t major_faults;   /* atomic: of those, that waited for a page */
};

/* An empty space, whose mappings without an address go below `map_top`; the caller holds the first
 * reference. */
err_t must_check space_create(struct space **out, vaddr_t map_top);
static inline struct space *space_get(struct space *space)
{
	refcount_get(&space->refs);
	return space;
}
/* From then on tables of programs that sleep are given back. Once, when tasks can be started. */
void parking_start(void);
/* The last one unmaps and frees everything. No thread runs in it any more. */
void space_put(struct space *space);

/* The heap begins or ends elsewhere from now on, whatever is mapped there: it ends where it begins,
 * or later (-EINVAL), and has no more than RLIMIT_DATA. */
err_t must_check space_move_brk(struct space *space, bool start, vaddr_t to);
void space_heap(struct space *space, vaddr_t *start, vaddr_t *end);
/* -EPERM: it refuses something already, and not that. Copies and the program that comes next
 * inherit it. */
err_t must_check space_refuse_exec(struct space *space, unsigned refusal);
unsigned space_exec_refusal(struct space *space);
void space_inherit_refusal(struct space *space, struct space *from);

/* Of a space all of whose processes are ending: takes the anonymous memory out of it before they
 * have come to their end. What is touched there from now on is not mapped. -EINTR: killed. */
err_t must_check space_reap(struct space *space);
/* The same without sleeping, but for the flush of TLBs. False: somebody has the space locked. */
bool must_check space_try_reap(struct space *space);

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
/* mremap: grows, cuts or moves [start, start + old) to `new` bytes; old 0: a second view of shared
 * memory. flags: Linux's MREMAP_MAYMOVE (1), MREMAP_FIXED (2): `wanted` says where,
 * MREMAP_DONTUNMAP (4): the old place stays mapped, and is empty. */
err_t must_check space_remap(struct space *space, vaddr_t start, uint64_t old_bytes,
			     uint64_t new_bytes, unsigned flags, vaddr_t wanted, vaddr_t *address);

/* ---- advice and locking (space_advice.c, space_lock.c) ---- */

/* Sets and clears flags of SPACE_LASTING. -ENOMEM: part of the range is not mapped; the rest is
 * done all the same. -EINVAL: a region is not private and anonymous, and `anonymous_only`. */
err_t must_check space_change_flags(struct space *space, vaddr_t start, uint64_t length_bytes,
				    unsigned set, unsigned clear, bool anonymous_only);
/* All of the range is mapped, and none of it has one of `unwanted` flags. -ENOMEM, -EINVAL. */
err_t must_check space_check_flags(struct space *space, vaddr_t start, uint64_t length_bytes,
				   unsigned unwanted);
/* Makes each page usable for `fault_access`; SPACE_AS_MAPPED: for writing where that is private and
 * allowed, else for reading. -EFAULT: not mapped, -EACCES: not allowed, -EIO, -ENOMEM, -EINTR. */
#define SPACE_AS_MAPPED (~0u)
err_t must_check space_populate(struct space *space, vaddr_t start, uint64_t length_bytes,
				unsigned fault_access);
/* For each page of [start, end) one byte: 1 if an access need not wait for a disk. -ENOMEM: part of
 * the range is not mapped. */
err_t must_check space_residence(struct space *space, vaddr_t start, vaddr_t end, uint8_t *pages);
/* Calls `sync` (or `punch`) of the objects behind the parts of the range that are mapped shared,
 * without locks. -ENOMEM: part is not mapped; the rest is done all the same. */
err_t must_check space_sync(struct space *space, vaddr_t start, uint64_t length_bytes);
/* -EINVAL: no object behind it, -EACCES: not shared and writable. */
err_t must_check space_punch(struct space *space, vaddr_t start, uint64_t length_bytes);
/* flags: SPACE_LOCKED or 0 (unlock), SPACE_POPULATE. -ENOMEM: part of the range is not mapped, or
 * the limit is met; -EAGAIN: not all pages could be had. */
err_t must_check space_lock(struct space *space, vaddr_t start, uint64_t length_bytes,
			    unsigned flags);
/* The same for all that is mapped (`now`) and what will be (`future`); both 0: unlocks all. */
err_t must_check space_lock_all(struct space *space, unsigned now, unsigned future);

/* Hook of kernel/: the running program may lock beyond the limit. */
bool space_lock_is_unlimited(void);

/* From now on; what is there stays. */
void space_set_limits(struct space *space, const struct space_limits *limits);

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
 * copied) even if the region is read-only (exec, debugger), and all that is mapped can be read. 0,
 * -EFAULT, -EIO, -ENOMEM, -EINTR. */
err_t must_check space_read(struct space *space, vaddr_t address, void *to, size_t len_bytes);
err_t must_check space_read_forced(struct space *space, vaddr_t address, void *to,
				   size_t len_bytes);
err_t must_check space_write(struct space *space, vaddr_t address, const void *from,
			     size_t len_bytes, bool force);

/* What is behind an address for all who map it: *object (a reference) and the place in it, if it is
 * mapped shared; else *object is NULL, *offset is not touched, and only this space knows it.
 * -EFAULT: nothing is mapped there. */
err_t must_check space_shared_place(struct space *space, vaddr_t address,
				    struct memory_object **object, uint64_t *offset_bytes);

/* ---- objects that are taken away by where they were put (space_objects.c) ---- */

/* The object with these operations whose beginning was mapped at `start`, if any of it still is; a
 * reference. NULL: none. */
struct memory_object *space_find_object(struct space *space, vaddr_t start,
					const struct memory_object_ops *ops);
/* Unmaps what is left of such a mapping of `len_bytes`, wherever it was cut. -EINVAL: nothing. */
err_t must_check space_unmap_object(struct space *space, vaddr_t start, uint64_t len_bytes,
				    const struct memory_object *object);

/* What is mapped of `from` is of `to` from now on, the same pages of it; private copies stay. Both
 * without `places`. The caller has references to both, and nobody else maps `from` here. */
void space_exchange_object(struct space *space, struct memory_object *from,
			   struct memory_object *to);

struct region_info {
	vaddr_t start;
	vaddr_t end;
	unsigned prot;
	unsigned max_prot;
	unsigned flags;
	uint64_t offset_bytes;
	uint64_t resident_pages;
	uint64_t device, inode; /* of a file, as stat tells them */
	bool anonymous;
	bool is_device; /* memory of one, which others cannot read */
	char name[64];  /* cut to fit */
};
/* The region at `address`, or the first one behind it (space_next). False: there is none. */
bool space_find(struct space *space, vaddr_t address, struct region_info *out);
bool space_next(struct space *space, vaddr_t address, struct region_info *out);
/* The same with a name of any length in `name` instead, and without counting the pages. */
bool space_next_named(struct space *space, vaddr_t address, struct region_info *out, char *name,
		      size_t name_bytes);

/* The first address of [from, end) whose page is there; `end`: none is. */
vaddr_t space_next_page(struct space *space, vaddr_t from, vaddr_t end);

/* What the pages of a region are, or of all regions; in pages. A page of a ramdisk or device is not
 * counted by anybody, so it passes for shared, and is whole in `proportional`. */
struct space_usage {
	uint64_t resident;
	uint64_t shared_clean, shared_dirty;   /* others map it as well */
	uint64_t private_clean, private_dirty; /* nobody else does */
	uint64_t anonymous;                    /* zeros to begin with, or a copy of a file's page */
	uint64_t file;                         /* a file's own */
	uint64_t shmem;                        /* of shared memory that belongs to no file */
	uint64_t huge;                         /* of `anonymous`: in pages of 2 MiB */
	/* Of each page the part that falls to this space; and of certain ones. */
	uint64_t proportional_bytes;
	uint64_t proportional_dirty_bytes;
	uint64_t proportional_locked_bytes;
	uint64_t proportional_anonymous_bytes;
	uint64_t proportional_file_bytes;
	uint64_t proportional_shmem_bytes;
	bool huge_eligible; /* one of 2 MiB may come into being */
};
/* Adds to *sum what the region around or behind `address` has, and says which one it is. `name` as
 * in space_next_named(). False: there is none. */
bool space_next_usage(struct space *space, vaddr_t address, struct region_info *out, char *name,
		      size_t name_bytes, struct space_usage *sum);

/* The sum of proportional_bytes, in pages. False: the space is locked, *pages is not touched. */
bool must_check space_try_proportional(struct space *space, uint64_t *pages);

struct space_stats {
	uint64_t mapped_pages;
	uint64_t mapped_peak_pages; /* the most that were mapped */
	uint64_t data_pages;
	uint64_t locked_pages;
	uint64_t resident_pages;
	uint64_t in_place_pages;
	uint64_t table_pages; /* page tables */
	uint64_t peak_pages;  /* the most that were resident */
	uint64_t faults;
	uint64_t major_faults;
	uint32_t nregions;
};
void space_stats(struct space *space, struct space_stats *out);
/* Mapped pages by what they are for. */
struct space_kinds {
	uint64_t code_pages; /* that can be executed and not written */
	uint64_t data_pages; /* private and writable, the stack with them */
	uint64_t stack_pages;
	uint64_t library_pages; /* of code_pages: of files other than the first one mapped so */
};
void space_kinds(struct space *space, struct space_kinds *out);

/* A copy whose private pages are shared until one side writes. */
err_t must_check space_fork(struct space *parent, struct space **out);

#endif
