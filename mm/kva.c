/*
 * Kernel areas of whole pages. Owns KVA_BASE..KVA_END. An area takes a piece of address space of a
 * power of two pages, larger than what is mapped in it, so that unmapped pages lie between any two;
 * pieces of one size are reused last in first out and never joined: there are 512 GiB, and a piece
 * that comes back finds its page tables still there.
 *
 * Invariant: an area is in use (its first frame's record names it), or its piece is on free[] with
 * nothing mapped. Lists are under kva_lock. Stacks are areas like any other; each CPU keeps a few
 * of them mapped for the next thread, with preemption off.
 */
#include <mm/kva.h>

#include "kva_priv.h"

#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/machine.h>
#include <arch/paging.h>
#include <arch/spin.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/slab.h>

#define PIECE_ORDERS     32
#define STACK_PAGES      (KERNEL_STACK_BYTES / PAGE_SIZE)
#define STACKS_STOCK_MAX 4
#define STACK_MARKS      16 /* words */
#define STACK_MARK       UINT64_C(0x6b6e656420656854)

/*
 *   [c] constant while the area is in use
 *   [l] kva_lock
 */
struct kva_area {
	struct list link; /* [l] on free[], while free */
	vaddr_t piece;    /* [c] lowest address of the piece; its first page is never mapped */
	size_t npages;    /* [c] mapped, from the second page on */
	unsigned order;   /* [c] the piece has 1 << order pages */
};

SLAB_CACHE_KEPT(area_cache, struct kva_area);

static struct spinlock kva_lock = SPINLOCK_INIT(LOCK_KVA);
static struct list free_pieces[PIECE_ORDERS]; /* under kva_lock; all zeros: empty, not set up */
static uint64_t used_bytes;    /* under kva_lock: behind them nothing was ever used */
static uint64_t nareas;        /* under kva_lock */
static uint64_t npages_mapped; /* under kva_lock */

struct stack_stock {
	uint32_t count;
	vaddr_t stacks[STACKS_STOCK_MAX];
};
static PERCPU(struct stack_stock, stack_stock);

/* ---- pieces of address space ---- */

/* The unmapped page below, and at least one behind. */
static unsigned piece_order(size_t npages)
{
	return 64 - (unsigned)__builtin_clzll(npages + 1);
}

static struct kva_area *area_get(size_t npages)
{
	unsigned order = piece_order(npages);
	struct kva_area *area = NULL;
	struct kva_area *made;

	if (!npages || order >= PIECE_ORDERS)
		return NULL;
	made = slab_alloc(&area_cache);
	spin_lock(&kva_lock);
	if (free_pieces[order].next && !list_empty(&free_pieces[order])) {
		area = list_first_entry(&free_pieces[order], struct kva_area, link);
		list_del(&area->link);
	} else if (made && KVA_BYTES - used_bytes >= PAGE_SIZE << order) {
		area = made;
		made = NULL;
		*area = (struct kva_area){.piece = KVA_BASE + used_bytes, .order = order};
		used_bytes += PAGE_SIZE << order;
	}
	if (area) {
		area->npages = npages;
		nareas++;
		npages_mapped += npages;
	}
	spin_unlock(&kva_lock);
	slab_free(&area_cache, made);
	return area;
}

static void area_put(struct kva_area *area)
{
	struct list *pieces = &free_pieces[area->order];

	spin_lock(&kva_lock);
	nareas--;
	npages_mapped -= area->npages;
	if (!pieces->next)
		list_init(pieces);
	list_add_head(pieces, &area->link);
	spin_unlock(&kva_lock);
}

static vaddr_t area_start(const struct kva_area *area)
{
	return area->piece + PAGE_SIZE;
}

/* ---- areas ---- */

static struct frame *frame_behind(vaddr_t address)
{
	paddr_t phys;

	if (!kernel_translate(address, &phys))
		panic("kva: nothing is mapped at %#lx", address);
	return frame_from_phys(phys);
}

/* Unmaps the first `npages` pages of the area and frees their frames, a batch a flush. */
static void unmap_pages(const struct kva_area *area, size_t npages)
{
	struct frame *batch[32];
	vaddr_t start = area_start(area);

	for (size_t done = 0; done < npages;) {
		size_t count = MIN(npages - done, ARRAY_SIZE(batch));

		for (size_t i = 0; i < count; i++)
			batch[i] = frame_behind(start + (done + i) * PAGE_SIZE);
		kernel_unmap(start + done * PAGE_SIZE, count);
		for (size_t i = 0; i < count; i++) {
			batch[i]->state = FRAME_USED;
			frame_free(batch[i], 0);
		}
		done += count;
	}
}

static void *area_alloc(size_t npages, unsigned frame_flags)
{
	struct kva_area *area = area_get(npages);

	if (!area)
		return NULL;
	for (size_t i = 0; i < npages; i++) {
		struct frame *frame = frame_alloc(0, frame_flags);

		if (!frame) {
			unmap_pages(area, i);
			area_put(area);
			return NULL;
		}
		if (kernel_map(area_start(area) + i * PAGE_SIZE, frame_phys(frame), 1,
			       PAGE_WRITE)) {
			frame_free(frame, 0);
			unmap_pages(area, i);
			area_put(area);
			return NULL;
		}
		if (i == 0) {
			frame->state = FRAME_KVA;
			frame->owner = area;
		}
	}
	return (void *)area_start(area);
}

static struct kva_area *area_of(const void *start)
{
	const struct frame *frame = frame_behind((vaddr_t)start);
	struct kva_area *area = frame->owner;

	if (frame->state != FRAME_KVA || area_start(area) != (vaddr_t)start)
		panic("kva: %p is not the start of an area", start);
	return area;
}

void *kva_alloc(size_t npages)
{
	return area_alloc(npages, 0);
}

void *kva_alloc_zeroed(size_t npages)
{
	return area_alloc(npages, FRAME_ZERO);
}

void kva_free(void *start)
{
	struct kva_area *area;

	if (!start)
		return;
	area = area_of(start);
	unmap_pages(area, area->npages);
	area_put(area);
}

size_t kva_npages(const void *start)
{
	return area_of(start)->npages;
}

void *kvmalloc(size_t len_bytes)
{
	return len_bytes <= KMALLOC_MAX ? kmalloc(len_bytes)
					: kva_alloc(ALIGN_UP(len_bytes, PAGE_SIZE) / PAGE_SIZE);
}

void kvfree(void *block, size_t len_bytes)
{
	if (len_bytes <= KMALLOC_MAX)
		kfree(block);
	else
		kva_free(block);
}

void *machine_pages_alloc(size_t npages)
{
	return kva_alloc_zeroed(npages);
}

void machine_pages_free(void *pages)
{
	kva_free(pages);
}

static void *map_device(paddr_t address, size_t len_bytes, unsigned page_flags)
{
	paddr_t first = ALIGN_DOWN(address, PAGE_SIZE);
	size_t npages = (ALIGN_UP(address + len_bytes, PAGE_SIZE) - first) / PAGE_SIZE;
	struct kva_area *area = area_get(npages);

	if (!area)
		return NULL;
	if (kernel_map(area_start(area), first, npages, PAGE_WRITE | page_flags)) {
		area_put(area);
		return NULL;
	}
	return (char *)area_start(area) + (address - first);
}

void *kva_map_device(paddr_t address, size_t len_bytes)
{
	return map_device(address, len_bytes, PAGE_UNCACHED);
}

void *kva_map_combining(paddr_t address, size_t len_bytes)
{
	return map_device(address, len_bytes, PAGE_COMBINING);
}

/* ---- stacks ---- */

/* The highest line of the reserve: calls that go through it write a return address or a saved
 * register there. */
static uint64_t *reserve_marks(vaddr_t stack)
{
	return (uint64_t *)(stack + KERNEL_STACK_RESERVE_BYTES) - STACK_MARKS;
}

static void mark_reserve(vaddr_t stack)
{
	uint64_t *marks = reserve_marks(stack);

	for (unsigned i = 0; i < STACK_MARKS; i++)
		marks[i] = STACK_MARK;
}

bool stack_reserve_is_whole(vaddr_t stack)
{
	const uint64_t *marks = reserve_marks(stack);
	uint64_t changed = 0;

	for (unsigned i = 0; i < STACK_MARKS; i++)
		changed |= marks[i] ^ STACK_MARK;
	return !changed;
}

vaddr_t stack_alloc(void)
{
	struct stack_stock *stock;
	vaddr_t stack = 0;

	preempt_disable();
	stock = this_percpu(stack_stock);
	if (likely(stock->count))
		stack = stock->stacks[--stock->count];
	preempt_enable();
	if (!stack) {
		stack = (vaddr_t)kva_alloc(STACK_PAGES);
		if (stack)
			mark_reserve(stack);
	}
	return stack;
}

void stack_free(vaddr_t stack)
{
	struct stack_stock *stock;

	if (!stack_reserve_is_whole(stack))
		mark_reserve(stack); /* for the next one */
	preempt_disable();
	stock = this_percpu(stack_stock);
	if (likely(stock->count < STACKS_STOCK_MAX)) {
		stock->stacks[stock->count++] = stack;
		stack = 0;
	}
	preempt_enable();
	kva_free((void *)stack);
}

void kva_init_cpu(void)
{
	*this_percpu(stack_stock) = (struct stack_stock){0};
}

void kva_drain_cpu(void)
{
	vaddr_t stacks[STACKS_STOCK_MAX];
	struct stack_stock *stock;
	uint32_t count;

	preempt_disable();
	stock = this_percpu(stack_stock);
	count = stock->count;
	for (uint32_t i = 0; i < count; i++)
		stacks[i] = stock->stacks[i];
	stock->count = 0;
	preempt_enable();
	for (uint32_t i = 0; i < count; i++)
		kva_free((void *)stacks[i]);
}

void kva_stats(struct kva_stats *out)
{
	*out = (struct kva_stats){0};
	for_each_cpu (i)
		out->stacks_stocked += read_once(&percpu_of(i, stack_stock)->count);
	spin_lock(&kva_lock);
	out->areas = nareas;
	out->pages = npages_mapped;
	spin_unlock(&kva_lock);
}
