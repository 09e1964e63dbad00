/*
 * Page tables and the kernel's map of virtual memory. Knows entries and levels, not regions: mm/
 * says what goes where.
 *
 * One struct pagetable is one tree of tables. Its lower half is a program's; the upper half is the
 * same in all, made once at boot: every top-level entry of the kernel exists from then on, so that
 * nothing has to be copied around. Callers serialise changes of one tree (a lock of class
 * LOCK_PAGETABLE, kept beside the tree by its owner).
 */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include <lib/types.h>

/* ---- the map (docs/architecture.md has the picture) ---- */

#define USER_MIN UINT64_C(0x10000) /* nothing is mapped below: a null pointer's field faults */
#define USER_MAX                                                                                   \
	UINT64_C(0x00007ffffffff000) /* exclusive; the page above keeps SYSRET's trap away */

/* The areas of the kernel's half. Where in its area each part begins is drawn at every start
 * (layout.c), or is the area's own start with `nokaslr`. */
#define DIRECT_AREA_START UINT64_C(0xffff888000000000)
#define DIRECT_AREA_BYTES (UINT64_C(64) << 40)
#define KVA_AREA_START    UINT64_C(0xffffc90000000000)
#define KVA_AREA_BYTES    (UINT64_C(16) << 40)
#define FRAME_AREA_START  UINT64_C(0xffffea0000000000)
#define FRAME_AREA_BYTES  (UINT64_C(1) << 40)
#define FRAME_AREA_SLACK  (FRAME_AREA_BYTES / 4) /* the table of 64 TiB takes half */
/* Read-only views of what programs can ask the address of (SGDT, SIDT): always the same, so it
 * tells nothing. As on Linux. */
#define ENTRY_AREA_START      UINT64_C(0xfffffe0000000000)
#define KERNEL_BASE           UINT64_C(0xffffffff80000000) /* the image: 512 MiB */
#define KERNEL_PHYSICAL_START UINT64_C(0x100000)           /* as kernel.ld has it */
#define MODULE_BASE           UINT64_C(0xffffffffa0000000) /* ksh and modules: 512 MiB */
#define MODULE_END            UINT64_C(0xffffffffc0000000)

/* Constant from before the first C code at the kernel's own addresses on, so it costs a load where
 * a fixed base would cost a 64-bit constant: one instruction each. */
struct kernel_layout {
	vaddr_t direct_map;
	vaddr_t frame_table;
	vaddr_t kva;
	uint64_t image_slide; /* the image runs this much above where it is linked */
};

#ifdef FUSELAGE_HOST /* where a test on the host can have memory */
#define DIRECT_MAP_BASE  UINT64_C(0x200000000000)
#define FRAME_TABLE_BASE UINT64_C(0x300000000000)
#else
extern const struct kernel_layout kernel_layout;
/* All of physical memory, 64 TiB at most. */
#define DIRECT_MAP_BASE  (kernel_layout.direct_map)
/* Each frame's struct frame, made on demand. */
#define FRAME_TABLE_BASE (kernel_layout.frame_table)
/* Stacks and whole pages, each with guard pages. */
#define KVA_BASE         (kernel_layout.kva)
#define KVA_END          (KVA_BASE + KVA_BYTES)
/* What the start maps for good. */
#define FIXED_BASE       KVA_END
#define FIXED_END        (FIXED_BASE + FIXED_BYTES)
#endif
#define KVA_BYTES   (UINT64_C(511) << 30)
#define FIXED_BYTES (UINT64_C(1) << 30)

static inline void *phys_to_virt(paddr_t address)
{
	return (void *)(DIRECT_MAP_BASE + address);
}

/* Of an address in the direct map. */
static inline paddr_t direct_to_phys(const void *address)
{
	return (uint64_t)address - DIRECT_MAP_BASE;
}

/* ---- entries ---- */

typedef uint64_t pte_t;

/* What a mapping allows. Readable is implied. */
enum page_flags {
	PAGE_WRITE = 1 << 0,
	PAGE_EXEC = 1 << 1,
	PAGE_USER = 1 << 2,
	PAGE_GLOBAL = 1 << 3,     /* the same in every space */
	PAGE_UNCACHED = 1 << 4,   /* device registers */
	PAGE_COMBINING = 1 << 9,  /* video memory: writes are gathered, where the CPU can */
	PAGE_SOFT_COW = 1 << 5,   /* for mm/ alone: the frame is shared, a write must copy it */
	PAGE_SOFT_KEEP = 1 << 6,  /* for mm/ alone: the frame is not counted (ramdisk, device) */
	PAGE_SOFT_COPY = 1 << 10, /* for mm/ alone: a private copy of an object's page */
	/* reported by pte_flags(), ignored by pte_make() */
	PAGE_ACCESSED = 1 << 7,
	PAGE_DIRTY = 1 << 8,
};

pte_t pte_make(paddr_t frame, unsigned page_flags,
	       unsigned level); /* level 0: 4 KiB, 1: 2 MiB, 2: 1 GiB */
unsigned pte_flags(pte_t entry);
bool pte_present(pte_t entry);
/* A page that is there whose frame is counted: neither PAGE_SOFT_KEEP nor hidden. */
bool pte_counted(pte_t entry);
/* PAGE_SOFT_COW; and the same entry with it, and without the right to write. */
bool pte_copied_first(pte_t entry);
pte_t pte_to_copy_first(pte_t entry);
/* The same entry for another frame. */
pte_t pte_of_frame(pte_t entry, paddr_t frame);
bool pte_is_leaf(pte_t entry, unsigned level);
paddr_t pte_frame(pte_t entry);
/* The same entry, kept in the table but not followed by the machine (no access at all, the frame is
 * still named); and back. pte_hidden(): it is one of these. */
pte_t pte_hide(pte_t entry);
pte_t pte_reveal(pte_t entry);
bool pte_hidden(pte_t entry);

/* One table maps this much of level-0 pages; their entries lie side by side. */
#define PAGETABLE_ENTRIES 512

/* What one entry of a level covers. */
static inline uint64_t level_bytes(unsigned level)
{
	return PAGE_SIZE << (9 * level);
}

struct pagetable {
	paddr_t root;
	uint64_t cpus;    /* atomic: bit n set while CPU n may have entries of it in its TLB */
	uint64_t ntables; /* frames of the tree, less those of the kernel's half. Whoever
			   * serialises changes of the tree does so for this; read atomically */
};

/* Hooks of mm/: a zeroed frame for the table that leads to `address` (0 if there is none), and its
 * return. A table that was visible to a CPU is given back only after it can no longer be walked. */
paddr_t pagetable_frame_alloc(vaddr_t address);
void pagetable_frame_free(paddr_t frame);

err_t must_check pagetable_init(struct pagetable *table);
/* Frees all tables of the lower half; leaves must be gone and no CPU may be using it. */
void pagetable_destroy(struct pagetable *table);

/* The kernel's own tree. */
struct pagetable *pagetable_kernel(void);

/* The entry for `address` at `level`, tables made on the way; NULL: no memory, or a larger page is
 * in the way. */
pte_t *pagetable_walk_alloc(struct pagetable *table, vaddr_t address, unsigned level);
/* The same at level 0 if all tables are there; else NULL. */
pte_t *pagetable_find(struct pagetable *table, vaddr_t address);
/* The entry of 2 MiB at `address` (a multiple of that) becomes a table of 512 with the same rights,
 * in the frame `table_frame`. Flushes; a CPU that comes while it happens faults and comes again. */
void pagetable_split(struct pagetable *table, vaddr_t address, paddr_t table_frame);
/* The entry as it is, without making anything; *level becomes the level where the walk ended. NULL:
 * a table is missing. */
pte_t *pagetable_walk(const struct pagetable *table, vaddr_t address, unsigned *level);

/* Single entries are read and written whole. Returns what was there. */
pte_t pte_exchange(pte_t *entry, pte_t value);
/* PAGE_ACCESSED is said of it only when it is used again; not by a CPU that has it in its TLB. */
void pte_age(pte_t *entry);
static inline pte_t pte_read(const pte_t *entry)
{
	return __atomic_load_n(entry, __ATOMIC_RELAXED);
}

/* Empties [start, end) of the lower half: calls `leaf` for each present leaf that was taken out,
 * frees tables that became empty through pagetable_frame_free(). The caller flushes afterwards,
 * before it frees what the leaves named. */
void pagetable_clear(struct pagetable *table, vaddr_t start, vaddr_t end,
		     void (*leaf)(void *argument, vaddr_t address, pte_t entry, unsigned level),
		     void *argument);

/* True if the lower half was used since the last call: a CPU has walked it, or tables were made. */
bool pagetable_take_used(struct pagetable *table);
/* Takes the tables of level 0 out of the lower half, calls `taken` for each with the address that
 * it begins at, and frees those above that became empty through pagetable_frame_free(). The caller
 * flushes afterwards, before they are really given back. What was taken stays as it is, and counts
 * as one of the tree's. */
void pagetable_detach(struct pagetable *table,
		      void (*taken)(void *argument, vaddr_t address, paddr_t frame),
		      void *argument);
/* Puts one back where it was; there is nothing now. -ENOMEM. */
err_t must_check pagetable_attach(struct pagetable *table, vaddr_t address, paddr_t frame);

/* ---- TLB ---- */

/* Makes every CPU forget what it knows of [start, start + npages * 4 KiB) of this tree. May not be
 * called with interrupts off unless only one CPU runs. */
void tlb_flush_range(struct pagetable *table, vaddr_t start, uint64_t npages);
void tlb_flush_all(struct pagetable *table);
/* Only this CPU, only this page. */
void tlb_flush_local(vaddr_t address);

/* Maps and unmaps 4 KiB pages of the kernel's half. -ENOMEM: nothing was changed. */
err_t must_check kernel_map(vaddr_t address, paddr_t frame, uint64_t npages, unsigned page_flags);
void kernel_unmap(vaddr_t address, uint64_t npages);
/* Changes what existing kernel pages allow. */
void kernel_protect(vaddr_t address, uint64_t npages, unsigned page_flags);
/* The physical address behind any mapped kernel address; false: nothing is mapped there. */
bool kernel_translate(vaddr_t address, paddr_t *out);

/* The parts of the kernel's half, from the lowest on; false: there is none of that number. */
struct kernel_area {
	const char *name;
	vaddr_t start;
	vaddr_t end; /* exclusive */
	unsigned page_flags;
};
bool kernel_area(unsigned number, struct kernel_area *out);
/* How much of [start, end) is mapped. Unserialised: a hint. */
uint64_t kernel_pages_present(vaddr_t start, vaddr_t end);

#endif
