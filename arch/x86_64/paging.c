/*
 * Page tables: entries, walks, the kernel's half, the TLB. Owns the format of an entry and the
 * kernel's own tree.
 *
 * Trees of programs are changed under their owner's lock (LOCK_PAGETABLE); the kernel's half under
 * `kernel_lock`, except that a page that its caller owns alone is unmapped and protected without
 * it: entries are single words. Hardware facts: SDM 3A, chapter 4.
 */
#include "context_priv.h"
#include "paging_priv.h"
#include "x86.h"

#include <arch/cpu.h>
#include <arch/paging.h>
#include <arch/spin.h>
#include <lib/atomic.h>
#include <lib/panic.h>
#include <lib/string.h>

#include <abi/errno.h>

#define PTE_PRESENT   (UINT64_C(1) << 0)
#define PTE_WRITE     (UINT64_C(1) << 1)
#define PTE_USER      (UINT64_C(1) << 2)
#define PTE_UNCACHED  (UINT64_C(3) << 3) /* PWT and PCD: PAT entry 3, uncacheable after reset */
#define PTE_COMBINING (UINT64_C(1) << 3) /* PWT alone: PAT entry 1, set by features_enable() */
#define PTE_ACCESSED  (UINT64_C(1) << 5)
#define PTE_DIRTY     (UINT64_C(1) << 6)
#define PTE_LARGE     (UINT64_C(1) << 7)
#define PTE_GLOBAL    (UINT64_C(1) << 8)
#define PTE_COW       (UINT64_C(1) << 9) /* 9 to 11 are the software's */
#define PTE_KEEP      (UINT64_C(1) << 10)
#define PTE_COPY      (UINT64_C(1) << 11)
#define PTE_NX        (UINT64_C(1) << 63)
#define PTE_FRAME     UINT64_C(0x000ffffffffff000)

#define TABLE_ENTRIES 512
#define TOP_LEVEL     3
/* Beyond this many pages one reload of CR3 is cheaper than single invalidations. */
#define FLUSH_PAGES_MAX 32

static struct pagetable kernel_table;
/* PTE_NX where the CPU has it, else 0. Constant after paging_detect(); every fault reads it. */
static pte_t no_execute;
static struct spinlock kernel_lock = SPINLOCK_INIT(LOCK_PAGETABLE);

struct pagetable *pagetable_kernel(void)
{
	return &kernel_table;
}

void paging_detect(void)
{
	no_execute = cpu_features()->nx ? PTE_NX : 0;
}

pte_t pte_make(paddr_t frame, unsigned page_flags, unsigned level)
{
	pte_t entry = frame | PTE_PRESENT | PTE_ACCESSED;

	if (page_flags & PAGE_WRITE)
		entry |= PTE_WRITE | PTE_DIRTY;
	if (page_flags & PAGE_USER)
		entry |= PTE_USER;
	if (page_flags & PAGE_GLOBAL)
		entry |= PTE_GLOBAL;
	if (page_flags & PAGE_UNCACHED)
		entry |= PTE_UNCACHED;
	if (page_flags & PAGE_COMBINING)
		entry |= PTE_COMBINING;
	if (page_flags & PAGE_SOFT_COW)
		entry |= PTE_COW;
	if (page_flags & PAGE_SOFT_KEEP)
		entry |= PTE_KEEP;
	if (page_flags & PAGE_SOFT_COPY)
		entry |= PTE_COPY;
	if (!(page_flags & PAGE_EXEC))
		entry |= no_execute;
	if (level > 0)
		entry |= PTE_LARGE;
	return entry;
}

unsigned pte_flags(pte_t entry)
{
	pte_t caching = entry & PTE_UNCACHED;

	return (entry & PTE_WRITE ? PAGE_WRITE : 0) | (entry & PTE_USER ? PAGE_USER : 0) |
	       (entry & PTE_GLOBAL ? PAGE_GLOBAL : 0) |
	       (caching == PTE_UNCACHED ? PAGE_UNCACHED : 0) |
	       (caching == PTE_COMBINING ? PAGE_COMBINING : 0) |
	       (entry & PTE_COW ? PAGE_SOFT_COW : 0) | (entry & PTE_KEEP ? PAGE_SOFT_KEEP : 0) |
	       (entry & PTE_COPY ? PAGE_SOFT_COPY : 0) | (entry & PTE_NX ? 0 : PAGE_EXEC) |
	       (entry & PTE_ACCESSED ? PAGE_ACCESSED : 0) | (entry & PTE_DIRTY ? PAGE_DIRTY : 0);
}

bool pte_counted(pte_t entry)
{
	return (entry & (PTE_PRESENT | PTE_KEEP)) == PTE_PRESENT;
}

bool pte_copied_first(pte_t entry)
{
	return entry & PTE_COW;
}

pte_t pte_to_copy_first(pte_t entry)
{
	return (entry & ~(pte_t)PTE_WRITE) | PTE_COW;
}

pte_t pte_of_frame(pte_t entry, paddr_t frame)
{
	return (entry & ~(pte_t)PTE_FRAME) | frame;
}

void pte_age(pte_t *entry)
{
	/* The CPU may set bits of it meanwhile. */
	if (pte_read(entry) & PTE_ACCESSED)
		(void)__atomic_fetch_and(entry, ~(pte_t)PTE_ACCESSED, __ATOMIC_RELAXED);
}

bool pte_present(pte_t entry)
{
	return entry & PTE_PRESENT;
}

bool pte_is_leaf(pte_t entry, unsigned level)
{
	return level == 0 || entry & PTE_LARGE;
}

paddr_t pte_frame(pte_t entry)
{
	return entry & PTE_FRAME;
}

pte_t pte_exchange(pte_t *entry, pte_t value)
{
	return atomic_exchange_full(entry, value);
}

pte_t pte_hide(pte_t entry)
{
	return entry & ~PTE_PRESENT;
}

pte_t pte_reveal(pte_t entry)
{
	return entry | PTE_PRESENT;
}

bool pte_hidden(pte_t entry)
{
	return entry && !(entry & PTE_PRESENT);
}

static unsigned level_index(vaddr_t address, unsigned level)
{
	return address >> (PAGE_SHIFT + 9 * level) & (TABLE_ENTRIES - 1);
}

static pte_t *table_at(paddr_t frame)
{
	return phys_to_virt(frame);
}

/* ---- walks ---- */

pte_t *pagetable_walk(const struct pagetable *table, vaddr_t address, unsigned *level)
{
	pte_t *entries = table_at(table->root);

	for (unsigned at = TOP_LEVEL;; at--) {
		pte_t *entry = &entries[level_index(address, at)];
		pte_t value = pte_read(entry);

		*level = at;
		if (at == 0 || (value & PTE_PRESENT && pte_is_leaf(value, at)))
			return entry;
		if (!(value & PTE_PRESENT))
			return NULL;
		entries = table_at(pte_frame(value));
	}
}

/* Rights are decided by the leaf; tables allow everything that their half may have. */
static pte_t table_entry(paddr_t frame, vaddr_t address)
{
	return frame | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | (address < USER_MAX ? PTE_USER : 0);
}

static pte_t *walk_alloc(struct pagetable *table, vaddr_t address, unsigned level,
			 paddr_t (*frame_alloc)(vaddr_t for_address))
{
	pte_t *entries = table_at(table->root);

	for (unsigned at = TOP_LEVEL; at > level; at--) {
		pte_t *entry = &entries[level_index(address, at)];
		pte_t value = pte_read(entry);

		if (!(value & PTE_PRESENT)) {
			paddr_t frame = frame_alloc(address);

			if (!frame)
				return NULL;
			write_once(&table->ntables, table->ntables + 1);
			value = table_entry(frame, address);
			store_release(entry, value); /* its zeros first */
		} else if (pte_is_leaf(value, at)) {
			return NULL;
		}
		entries = table_at(pte_frame(value));
	}
	return &entries[level_index(address, level)];
}

pte_t *pagetable_walk_alloc(struct pagetable *table, vaddr_t address, unsigned level)
{
	return walk_alloc(table, address, level, pagetable_frame_alloc);
}

static paddr_t no_frame(UNUSED vaddr_t for_address)
{
	return 0;
}

pte_t *pagetable_find(struct pagetable *table, vaddr_t address)
{
	return walk_alloc(table, address, 0, no_frame);
}

pte_t *pagetable_walk_early(vaddr_t address, unsigned level,
			    paddr_t (*frame_alloc)(vaddr_t for_address))
{
	return walk_alloc(&kernel_table, address, level, frame_alloc);
}

/* Nothing is mapped while it changes: one address by pages of two sizes at once is not allowed for
 * (SDM 3A 4.10.2.3). */
void pagetable_split(struct pagetable *table, vaddr_t address, paddr_t table_frame)
{
	pte_t *entry = pagetable_walk_alloc(table, address, 1);
	pte_t large = pte_exchange(entry, 0);
	pte_t *small = table_at(table_frame);

	debug_assert(large & PTE_PRESENT && large & PTE_LARGE);
	tlb_flush_range(table, address, 1);
	for (unsigned i = 0; i < TABLE_ENTRIES; i++)
		small[i] = pte_make(pte_frame(large) + i * PAGE_SIZE, pte_flags(large), 0);
	store_release(entry, table_entry(table_frame, address)); /* the entries first */
}

/* ---- trees of programs ---- */

void pagetable_share_kernel(struct pagetable *table)
{
	memcpy(table_at(table->root) + TABLE_ENTRIES / 2,
	       table_at(kernel_table.root) + TABLE_ENTRIES / 2, TABLE_ENTRIES / 2 * sizeof(pte_t));
}

err_t pagetable_init(struct pagetable *table)
{
	*table = (struct pagetable){.root = pagetable_frame_alloc(0), .ntables = 1};
	if (!table->root)
		return -ENOMEM;
	pagetable_share_kernel(table);
	return 0;
}

#define GROUP 16

/* Plain reads: only whether an entry is zero counts, and the CPU, which may set bits of entries
 * that are in use, does not change that. */
static bool group_is_empty(const pte_t *entries)
{
	pte_t any = 0;

#pragma GCC unroll 16
	for (unsigned i = 0; i < GROUP; i++)
		any |= entries[i];
	return !any;
}

/* The first entry of [from, end) that is not empty, or `end`. Tables are mostly empty, so their
 * entries are looked at by groups. */
static unsigned next_used(const pte_t *entries, unsigned from, unsigned end)
{
	for (; from < end; from++) {
		while (from % GROUP == 0 && from + GROUP <= end && group_is_empty(entries + from))
			from += GROUP;
		if (from < end && pte_read(&entries[from]))
			break;
	}
	return MIN(from, end);
}

struct clearing {
	struct pagetable *table;
	vaddr_t start;
	vaddr_t end;
	void (*leaf)(void *argument, vaddr_t address, pte_t entry, unsigned level);
	void *argument;
};

/* Empties the part of one table that [start, end) covers; true if nothing is left in the whole
 * table. */
static bool clear_table(const struct clearing *c, paddr_t frame, vaddr_t base, unsigned level)
{
	pte_t *entries = table_at(frame);
	uint64_t step = UINT64_C(1) << (PAGE_SHIFT + 9 * level);
	unsigned first = c->start > base ? (unsigned)((c->start - base) / step) : 0;
	unsigned end = TABLE_ENTRIES;

	if (c->end - base < step * TABLE_ENTRIES)
		end = (unsigned)((c->end - base + step - 1) / step);
	for (unsigned i = first; (i = next_used(entries, i, end)) < end; i++) {
		vaddr_t address = base + i * step;
		pte_t entry = pte_read(&entries[i]);

		if (!(entry & PTE_PRESENT))
			continue;
		if (pte_is_leaf(entry, level)) {
			entry = pte_exchange(&entries[i], 0);
			c->leaf(c->argument, address, entry, level);
		} else if (clear_table(c, pte_frame(entry), address, level - 1)) {
			pte_exchange(&entries[i], 0);
			write_once(&c->table->ntables, c->table->ntables - 1);
			pagetable_frame_free(pte_frame(entry));
		}
	}
	return next_used(entries, 0, TABLE_ENTRIES) == TABLE_ENTRIES;
}

void pagetable_clear(struct pagetable *table, vaddr_t start, vaddr_t end,
		     void (*leaf)(void *argument, vaddr_t address, pte_t entry, unsigned level),
		     void *argument)
{
	const uint64_t top_step = UINT64_C(1) << (PAGE_SHIFT + 9 * TOP_LEVEL);
	pte_t *entries = table_at(table->root);

	debug_assert(start <= end && end <= USER_MAX + PAGE_SIZE);
	for (vaddr_t base = ALIGN_DOWN(start, top_step); base < end; base += top_step) {
		pte_t *entry = &entries[level_index(base, TOP_LEVEL)];
		struct clearing c = {.table = table,
				     .start = start,
				     .end = end,
				     .leaf = leaf,
				     .argument = argument};
		paddr_t frame = pte_frame(pte_read(entry));

		if (!pte_present(pte_read(entry)))
			continue;
		if (clear_table(&c, frame, base, TOP_LEVEL - 1)) {
			pte_exchange(entry, 0);
			write_once(&table->ntables, table->ntables - 1);
			pagetable_frame_free(frame);
		}
	}
}

/* Gives back a table and those below it. Nothing is mapped any more, so the last level's tables
 * need not be read. */
static void free_table(paddr_t frame, unsigned level, unsigned end)
{
	pte_t *entries = table_at(frame);

	for (unsigned i = 0; level > 0 && (i = next_used(entries, i, end)) < end; i++) {
		pte_t entry = pte_read(&entries[i]);

		if (pte_is_leaf(entry, level))
			panic("page table destroyed with a page still mapped (entry %#lx)", entry);
		free_table(pte_frame(entry), level - 1, TABLE_ENTRIES);
	}
	debug_assert(level > 0 || next_used(entries, 0, end) == end);
	pagetable_frame_free(frame);
}

void pagetable_destroy(struct pagetable *table)
{
	context_leave_pagetable(table);
	free_table(table->root, TOP_LEVEL, TABLE_ENTRIES / 2);
	table->root = 0;
}

/* ---- tables of a program that sleeps ---- */

bool pagetable_take_used(struct pagetable *table)
{
	pte_t *entries = table_at(table->root);
	bool was_used = false;

	for (unsigned i = 0; (i = next_used(entries, i, TABLE_ENTRIES / 2)) < TABLE_ENTRIES / 2;
	     i++)
		was_used |= atomic_fetch_and_full(&entries[i], ~PTE_ACCESSED) & PTE_ACCESSED;
	/* A CPU that remembers pages need not walk: it must forget them to mark an entry again. */
	if (was_used)
		tlb_flush_all(table);
	return was_used;
}

struct detaching {
	struct pagetable *table;
	void (*taken)(void *argument, vaddr_t address, paddr_t frame);
	void *argument;
};

/* Empties the table `frame` of `level` > 0, whose entries are [0, end); true if nothing is left. */
static bool detach_below(const struct detaching *d, paddr_t frame, vaddr_t base, unsigned level,
			 unsigned end)
{
	pte_t *entries = table_at(frame);
	bool is_empty = true;

	for (unsigned i = 0; (i = next_used(entries, i, end)) < end; i++) {
		vaddr_t address = base + i * level_bytes(level);
		pte_t entry = pte_read(&entries[i]);
		paddr_t below = pte_frame(entry);

		if (pte_is_leaf(entry, level)) {
			is_empty = false;
		} else if (level == 1) {
			pte_exchange(&entries[i], 0);
			d->taken(d->argument, address, below);
		} else if (detach_below(d, below, address, level - 1, TABLE_ENTRIES)) {
			pte_exchange(&entries[i], 0);
			write_once(&d->table->ntables, d->table->ntables - 1);
			pagetable_frame_free(below);
		} else {
			is_empty = false;
		}
	}
	return is_empty;
}

void pagetable_detach(struct pagetable *table,
		      void (*taken)(void *argument, vaddr_t address, paddr_t frame), void *argument)
{
	struct detaching d = {.table = table, .taken = taken, .argument = argument};

	(void)detach_below(&d, table->root, 0, TOP_LEVEL, TABLE_ENTRIES / 2);
}

err_t pagetable_attach(struct pagetable *table, vaddr_t address, paddr_t frame)
{
	pte_t *entry = pagetable_walk_alloc(table, address, 1);

	if (!entry)
		return -ENOMEM;
	debug_assert(!pte_read(entry));
	store_release(entry, table_entry(frame, address)); /* its entries first */
	return 0;
}

/* ---- TLB ---- */

void tlb_flush_local(vaddr_t address)
{
	__asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
}

/* Toggling CR4.PGE drops everything (SDM 3A 4.10.4.1). */
void tlb_flush_everything_local(void)
{
	irqflags_t flags = irq_save();
	uint64_t cr4 = cr4_read();

	if (cr4 & CR4_PGE) {
		cr4_write(cr4 & ~CR4_PGE);
		cr4_write(cr4);
	} else {
		cr3_write(cr3_read());
	}
	irq_restore(flags);
}

struct flush {
	struct pagetable *table;
	vaddr_t start;
	uint64_t npages;
};

static void flush_here(void *argument)
{
	const struct flush *flush = argument;
	bool kernel = flush->table == &kernel_table;
	irqflags_t flags;

	/* A thread of the kernel's that found this tree loaded does not need it: it gets rid of all
	 * of its entries, and is not asked again. */
	if (!kernel && context_leave_if_lazy(flush->table))
		return;
	if (flush->npages > FLUSH_PAGES_MAX) {
		flags = irq_save(); /* nobody leaves the tree between reading and writing CR3 */
		if (kernel)
			tlb_flush_everything_local();
		else
			cr3_write(cr3_read());
		irq_restore(flags);
		return;
	}
	for (uint64_t i = 0; i < flush->npages; i++)
		tlb_flush_local(flush->start + i * PAGE_SIZE);
}

void tlb_flush_range(struct pagetable *table, vaddr_t start, uint64_t npages)
{
	struct flush flush = {.table = table, .start = start, .npages = npages};
	cpuset_t cpus;

	preempt_disable();
	/* The entries were changed by full barriers, so a CPU that is not named yet will read them
	 * as they are now. */
	cpus = table == &kernel_table ? cpuset_all() : read_once(&table->cpus);
	if (cpus == cpuset_of(cpu_id()))
		flush_here(&flush);
	else if (cpus)
		cpu_call(cpus, flush_here, &flush);
	preempt_enable();
}

void tlb_flush_all(struct pagetable *table)
{
	tlb_flush_range(table, 0, UINT64_MAX);
}

/* ---- the kernel's half ---- */

static void unmap_locked(vaddr_t address, uint64_t npages)
{
	for (uint64_t i = 0; i < npages; i++) {
		unsigned level;
		pte_t *entry = pagetable_walk(&kernel_table, address + i * PAGE_SIZE, &level);

		if (entry && level == 0)
			pte_exchange(entry, 0);
	}
}

err_t kernel_map(vaddr_t address, paddr_t frame, uint64_t npages, unsigned page_flags)
{
	irqflags_t flags = spin_lock_irqsave(&kernel_lock);
	err_t err = 0;

	for (uint64_t i = 0; i < npages; i++) {
		pte_t *entry = pagetable_walk_alloc(&kernel_table, address + i * PAGE_SIZE, 0);

		if (!entry) {
			unmap_locked(address, i);
			err = -ENOMEM;
			break;
		}
		debug_assert(!pte_present(pte_read(entry)));
		pte_exchange(entry, pte_make(frame + i * PAGE_SIZE, page_flags | PAGE_GLOBAL, 0));
	}
	spin_unlock_irqrestore(&kernel_lock, flags);
	return err;
}

void kernel_unmap(vaddr_t address, uint64_t npages)
{
	irqflags_t flags = spin_lock_irqsave(&kernel_lock);

	unmap_locked(address, npages);
	spin_unlock_irqrestore(&kernel_lock, flags);
	tlb_flush_range(&kernel_table, address, npages);
}

void kernel_protect(vaddr_t address, uint64_t npages, unsigned page_flags)
{
	irqflags_t flags = spin_lock_irqsave(&kernel_lock);

	for (uint64_t i = 0; i < npages; i++) {
		unsigned level;
		pte_t *entry = pagetable_walk(&kernel_table, address + i * PAGE_SIZE, &level);

		if (entry && level == 0 && pte_present(pte_read(entry)))
			pte_exchange(entry, pte_make(pte_frame(pte_read(entry)),
						     page_flags | PAGE_GLOBAL, 0));
	}
	spin_unlock_irqrestore(&kernel_lock, flags);
	tlb_flush_range(&kernel_table, address, npages);
}

bool kernel_translate(vaddr_t address, paddr_t *out)
{
	unsigned level;
	pte_t *entry = pagetable_walk(&kernel_table, address, &level);
	pte_t value = entry ? pte_read(entry) : 0;
	uint64_t offset_mask = (UINT64_C(1) << (PAGE_SHIFT + 9 * level)) - 1;

	if (!(value & PTE_PRESENT))
		return false;
	*out = (pte_frame(value) & ~offset_mask) | (address & offset_mask);
	return true;
}
