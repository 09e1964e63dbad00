/*
 * Self-tests of what the processor is told to forbid the kernel: a program's memory outside of the
 * copies (SMAP) and its code (SMEP). And of the canary, which catches what it cannot forbid.
 */
#include "x86.h"

#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/paging.h>
#include <arch/user.h>
#include <lib/atomic.h>
#include <lib/selftest.h>

#include <abi/errno.h>

#define PROBED USER_MIN

/* Reads one byte; false: it faulted, and the exception table (trap.c) says that this is all. */
static NOINLINE bool can_read(vaddr_t address)
{
	bool done = false;

	__asm__ volatile("1:	movb (%1), %%al\n"
			 "	movb $1, %0\n"
			 "2:\n"
			 "	.pushsection .exception_table, \"a\"\n"
			 "	.balign 4\n"
			 "	.long 1b - ., 2b - .\n"
			 "	.popsection"
			 : "+r"(done)
			 : "r"(address)
			 : "al", "memory");
	return done;
}

static uint64_t rflags_read(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags));
	return flags;
}

/* With `table` loaded, interrupts off, so that nothing else runs with it. */
static bool can_read_in(const struct pagetable *table, vaddr_t address, bool lift_smap)
{
	irqflags_t flags = irq_save();
	uint64_t root = cr3_read();
	bool readable;

	cr3_write(table->root);
	if (lift_smap)
		__asm__ volatile("stac" ::: "memory");
	readable = can_read(address);
	if (lift_smap)
		__asm__ volatile("clac" ::: "memory");
	cr3_write(root);
	irq_restore(flags);
	return readable;
}

SELFTEST(kernel_cannot_touch_user_memory)
{
	struct pagetable table;
	paddr_t frame;
	pte_t *entry;

	if (!selftest_check(!pagetable_init(&table)))
		return;
	frame = pagetable_frame_alloc(PROBED);
	entry = pagetable_walk_alloc(&table, PROBED, 0);
	if (selftest_check(frame && entry)) {
		pte_exchange(entry, pte_make(frame, PAGE_USER | PAGE_WRITE, 0));
		selftest_check(can_read_in(&table, PROBED, false) == !cpu_features()->smap);
		if (cpu_features()->smap)
			selftest_check(can_read_in(&table, PROBED, true));
		selftest_check(!can_read_in(&table, PROBED + PAGE_SIZE, false));
		pte_exchange(entry, 0);
		pagetable_clear(&table, PROBED, PROBED + PAGE_SIZE, NULL, NULL);
	}
	if (frame)
		pagetable_frame_free(frame);
	pagetable_destroy(&table);
}

/* Not only in the table: the processor has the page at hand, and must forget it. */
SELFTEST(a_place_mapped_anew_shows_the_new_page)
{
	static alignas(4096) char pages[2][PAGE_SIZE];
	const vaddr_t at = MODULE_END - 32 * PAGE_SIZE;
	paddr_t frames[2];

	preempt_disable(); /* a switch would flush for us, or move us to a CPU that never knew it */
	for (unsigned i = 0; i < 2; i++) {
		pages[i][0] = (char)('a' + i);
		if (!selftest_check(kernel_translate((vaddr_t)pages[i], &frames[i])) ||
		    !selftest_check(kernel_map(at, frames[i], 1, PAGE_WRITE) == 0))
			break;
		selftest_check(read_once((char *)at) == 'a' + (int)i);
		kernel_unmap(at, 1);
	}
	preempt_enable();
}

/* Copies that end well, that end in a fault, and that are refused: each leaves SMAP in force. */
SELFTEST(copies_put_smap_back)
{
	const uint64_t alignment_check = UINT64_C(1) << 18; /* RFLAGS.AC lifts SMAP: SDM 3A 4.6 */
	char text[16];
	uint64_t flags;

	selftest_check(user_copy_in(text, uptr(USER_MIN), sizeof(text)) == -EFAULT);
	flags = rflags_read();
	selftest_check(user_copy_out(uptr(USER_MIN), "x", 1) == -EFAULT);
	flags |= rflags_read();
	selftest_check(user_copy_in(text, uptr(USER_MIN), 0) == 0);
	flags |= rflags_read();
	selftest_check(user_clear(uptr(USER_MIN), 16) == -EFAULT);
	flags |= rflags_read();
	selftest_check(user_copy_string(text, uptr(USER_MIN), sizeof(text)) == -EFAULT);
	flags |= rflags_read();
	selftest_check(!(flags & alignment_check));
}

SELFTEST(what_the_cpu_can_forbid_is_forbidden)
{
	const struct cpu_features *features = cpu_features();
	uint64_t cr4 = cr4_read();

	selftest_check(!features->smep == !(cr4 & CR4_SMEP));
	selftest_check(!features->smap == !(cr4 & CR4_SMAP));
	selftest_check(!features->umip == !(cr4 & CR4_UMIP));
	selftest_check(cr0_read() & CR0_WP);
	selftest_check(!features->nx == !(msr_read(MSR_EFER) & EFER_NXE));
}

SELFTEST(every_thread_has_a_canary_of_its_own)
{
	const struct context *context = (const struct context *)current_thread();
	uint64_t canary;
	struct context other;
	static alignas(16) char stack[1024];

	__asm__ volatile("movq %%gs:40, %0" : "=r"(canary));
	selftest_check(canary == context->stack_canary && canary);
	selftest_check(!(canary & 0xff)); /* a string ends there */
	context_init(&other, (vaddr_t)stack, (vaddr_t)stack + sizeof(stack), NULL, NULL);
	selftest_check(other.stack_canary != canary);
}
