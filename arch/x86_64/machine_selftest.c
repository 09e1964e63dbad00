/*
 * Self-tests of what arch/ promises the rest: copies, faults that are fixed up, page rights, time,
 * interrupts, FPU state.
 */
#include "x86.h"

#include <arch/boot.h>
#include <arch/clock.h>
#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/paging.h>
#include <arch/spin.h>
#include <arch/trap.h>
#include <arch/user.h>
#include <lib/selftest.h>
#include <lib/string.h>

#include <abi/errno.h>

static void fill_counting(uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)(i + 1);
}

SELFTEST(memcpy_copies_each_length)
{
	uint8_t from[100];
	uint8_t to[100];

	fill_counting(from, sizeof(from));
	for (size_t len = 0; len <= 80; len++) {
		memset(to, 0, sizeof(to));
		memcpy(to + 3, from + 5, len);
		selftest_check(memcmp(to + 3, from + 5, len) == 0);
		selftest_check(to[2] == 0 && to[3 + len] == 0);
	}
}

SELFTEST(memmove_overlaps_both_ways)
{
	uint8_t bytes[160];

	for (int distance = -40; distance <= 40; distance++) {
		for (size_t len = 0; len <= 70; len++) {
			bool right = true;

			fill_counting(bytes, sizeof(bytes));
			memmove(bytes + 45 + distance, bytes + 45, len);
			for (size_t i = 0; i < len; i++)
				right &= bytes[45 + distance + (int)i] == 46 + i;
			selftest_check(right);
		}
	}
}

SELFTEST(memset_fills_exactly)
{
	uint8_t bytes[80];

	for (size_t len = 0; len <= 70; len++) {
		bool right = true;

		memset(bytes, 0, sizeof(bytes));
		memset(bytes + 1, 0xa5, len);
		for (size_t i = 0; i < len; i++)
			right &= bytes[1 + i] == 0xa5;
		selftest_check(right && bytes[0] == 0 && bytes[1 + len] == 0);
	}
}

SELFTEST(breakpoint_resumes)
{
	uint64_t before = trap_count(cpu_id(), TRAP_BREAKPOINT);

	__asm__ volatile("int3");
	selftest_check(trap_count(cpu_id(), TRAP_BREAKPOINT) == before + 1);
}

SELFTEST(user_copy_of_unmapped_memory_is_an_error)
{
	char byte = 0;
	char text[16];

	selftest_check(user_copy_in(&byte, uptr(USER_MIN), 1) == -EFAULT);
	selftest_check(user_copy_out(uptr(USER_MIN), &byte, 1) == -EFAULT);
	selftest_check(user_clear(uptr(USER_MIN), 100) == -EFAULT);
	selftest_check(user_copy_string(text, uptr(USER_MIN), sizeof(text)) == -EFAULT);
	selftest_check(user_copy_in_partial(text, uptr(USER_MIN), 16) == 16);
}

SELFTEST(user_copy_never_reaches_the_kernel)
{
	static char secret[16] = "unchanged";
	char text[16] = "x";

	selftest_check(user_copy_in(text, uptr((uint64_t)secret), 8) == -EFAULT);
	selftest_check(user_copy_out(uptr((uint64_t)secret), text, 8) == -EFAULT);
	selftest_check(user_copy_in(text, uptr(USER_MAX - 4), 8) == -EFAULT);
	selftest_check(user_copy_in(text, uptr(UINT64_MAX - 3), 8) == -EFAULT);
	selftest_check(user_copy_in(text, uptr(0), UINT64_MAX) == -EFAULT);
	selftest_check(user_copy_string(text, uptr((uint64_t)secret), 16) == -EFAULT);
	selftest_check(strcmp(secret, "unchanged") == 0 && text[0] == 'x');
}

/* What the leaf of a kernel address allows. */
static unsigned rights_of(const void *address)
{
	unsigned level;
	pte_t *entry = pagetable_walk(pagetable_kernel(), (vaddr_t)address, &level);

	return entry && pte_present(pte_read(entry)) ? pte_flags(pte_read(entry)) : 0;
}

SELFTEST(nothing_is_writable_and_executable)
{
	static int variable;
	const void *direct = phys_to_virt(boot_info->kernel_start);

	selftest_check(!(rights_of(kernel_text_start) & PAGE_WRITE));
	selftest_check(rights_of(kernel_text_start) & PAGE_EXEC);
	selftest_check(!(rights_of(kernel_rodata_start) & PAGE_WRITE));
	selftest_check(rights_of(&variable) & PAGE_WRITE);
	if (cpu_features()->nx) {
		selftest_check(!(rights_of(kernel_rodata_start) & PAGE_EXEC));
		selftest_check(!(rights_of(&variable) & PAGE_EXEC));
		selftest_check(!(rights_of(direct) & PAGE_EXEC));
	}
}

SELFTEST(boot_stack_has_a_guard)
{
	paddr_t frame;

	selftest_check(!kernel_translate((vaddr_t)boot_stack_guard, &frame));
	selftest_check(kernel_translate((vaddr_t)boot_stack_base, &frame));
}

SELFTEST(direct_map_shows_the_image)
{
	static const char text[] = "the same bytes by two ways";
	paddr_t frame;

	if (!selftest_check(kernel_translate((vaddr_t)text, &frame)))
		return;
	selftest_check(memcmp(phys_to_virt(frame), text, sizeof(text)) == 0);
	selftest_check(direct_to_phys(phys_to_virt(frame)) == frame);
}

SELFTEST(page_entries_keep_what_they_are_told)
{
	static const unsigned cases[] = {0,
					 PAGE_WRITE,
					 PAGE_USER | PAGE_EXEC,
					 PAGE_USER | PAGE_WRITE,
					 PAGE_USER | PAGE_SOFT_COW,
					 PAGE_USER | PAGE_SOFT_COPY,
					 PAGE_GLOBAL | PAGE_UNCACHED,
					 PAGE_USER | PAGE_COMBINING,
					 PAGE_SOFT_KEEP | PAGE_USER};
	const unsigned mask = PAGE_WRITE | PAGE_USER | PAGE_GLOBAL | PAGE_UNCACHED |
			      PAGE_COMBINING | PAGE_SOFT_COW | PAGE_SOFT_KEEP | PAGE_SOFT_COPY |
			      (cpu_features()->nx ? PAGE_EXEC : 0);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		pte_t entry = pte_make(0x123456000, cases[i], 0);

		selftest_check(pte_present(entry) && pte_is_leaf(entry, 0));
		selftest_check(pte_frame(entry) == 0x123456000);
		selftest_check((pte_flags(entry) & mask) == (cases[i] & mask));
	}
	selftest_check(pte_is_leaf(pte_make(0x200000, 0, 1), 1));
}

SELFTEST(kernel_pages_map_protect_and_unmap)
{
	static alignas(4096) char page[PAGE_SIZE];
	const vaddr_t at = MODULE_END - 16 * PAGE_SIZE;
	paddr_t frame;
	paddr_t found;

	page[7] = 42;
	if (!selftest_check(kernel_translate((vaddr_t)page, &frame)) ||
	    !selftest_check(kernel_map(at, frame, 1, PAGE_WRITE) == 0))
		return;
	selftest_check(((char *)at)[7] == 42);
	((char *)at)[8] = 43;
	selftest_check(read_once(&page[8]) == 43);
	kernel_protect(at, 1, 0);
	selftest_check(!(rights_of((void *)at) & PAGE_WRITE));
	selftest_check(kernel_translate(at + 5, &found) && found == frame + 5);
	kernel_unmap(at, 1);
	selftest_check(!kernel_translate(at, &found));
}

SELFTEST(clock_goes_forward)
{
	uint64_t last = clock_ns();

	for (int i = 0; i < 1000; i++) {
		uint64_t now = clock_ns();

		selftest_check(now >= last);
		last = now;
	}
	selftest_check(clock_wall_ns() > UINT64_C(1600000000) * NSEC_PER_SEC); /* after 2020 */
}

/* Ten of them: the controller gives the next one only to who has ended the last. */
SELFTEST(timer_interrupts_come)
{
	unsigned vector = cpu_features()->apic ? 0xf0 : 0x20;
	uint64_t wanted = trap_count(cpu_id(), vector) + 10;
	uint64_t give_up_ns = clock_ns() + 10 * NSEC_PER_SEC;

	/* Whoever owns the timer takes an interrupt too many as nothing due, and arms it again. */
	while (trap_count(cpu_id(), vector) < wanted && clock_ns() < give_up_ns) {
		irqflags_t flags = irq_save();

		clock_set_timer(clock_ns() + NSEC_PER_MSEC);
		irq_restore(flags);
		for (uint64_t end_ns = clock_ns() + 2 * NSEC_PER_MSEC; clock_ns() < end_ns;)
			cpu_relax();
	}
	selftest_check(trap_count(cpu_id(), vector) >= wanted);
}

SELFTEST(symbols_name_functions)
{
	uint64_t offset = 1;
	const char *name = symbol_find((uint64_t)symbol_find, &offset);

	selftest_check(name && strcmp(name, "symbol_find") == 0 && offset == 0);
	name = symbol_find((uint64_t)symbol_find + 3, &offset);
	selftest_check(name && strcmp(name, "symbol_find") == 0 && offset == 3);
	selftest_check(!symbol_find((uint64_t)&offset, &offset));
}

static NOINLINE unsigned collect_from_here(uint64_t *addresses, unsigned max)
{
	return backtrace_collect((uint64_t)__builtin_frame_address(0), addresses, max);
}

SELFTEST(backtraces_name_their_callers)
{
	uint64_t addresses[16];
	uint64_t offset;
	unsigned count = collect_from_here(addresses, ARRAY_SIZE(addresses));
	const char *name;

	if (!selftest_check(count >= 2))
		return;
	name = symbol_find(addresses[0], &offset);
	selftest_check(name && strcmp(name, "selftest_backtraces_name_their_callers") == 0);
}

/* The analysis rightly calls the second attempt a mistake; it is what is tested. */
static bool taken_lock_refuses(struct spinlock *lock, uint32_t depth) NO_THREAD_SAFETY
{
	bool refused;

	spin_lock(lock);
	refused = spin_is_locked(lock) && preempt_depth() == depth + 1 && !spin_trylock(lock);
	spin_unlock(lock);
	return refused;
}

SELFTEST(spinlock_counts_its_holders)
{
	struct spinlock lock = SPINLOCK_INIT(LOCK_TEST);
	uint32_t depth = preempt_depth();

	for (int i = 0; i < 70000; i++) { /* tickets wrap */
		spin_lock(&lock);
		spin_unlock(&lock);
	}
	selftest_check(taken_lock_refuses(&lock, depth));
	selftest_check(!spin_is_locked(&lock));
	selftest_check(preempt_depth() == depth);
	if (spin_trylock(&lock))
		spin_unlock(&lock);
	else
		selftest_check(!"a free lock was refused");
}

SELFTEST(percpu_variables_are_this_cpus)
{
	static PERCPU(int, counter);

	preempt_disable();
	selftest_check(this_percpu(counter) == percpu_of(cpu_id(), counter));
	selftest_check(*this_percpu(counter) == 0);
	preempt_enable();
}

SELFTEST(random_numbers_differ)
{
	uint64_t a = cpu_random();
	uint64_t b = cpu_random();

	selftest_check(a != b && a != 0);
}
