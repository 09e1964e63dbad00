/*
 * Self-tests of what several CPUs promise each other. With one CPU they hold as well, and say less.
 */
#include "smp.h"

#include "descriptors.h"
#include "tsc_bounds.h"
#include "x86.h"

#include <arch/boot.h>
#include <arch/clock.h>
#include <arch/paging.h>
#include <arch/trap.h>
#include <lib/atomic.h>
#include <lib/selftest.h>
#include <lib/string.h>

/* Plenty for a host that has better things to do. */
#define GIVE_UP_NS (20 * NSEC_PER_SEC)

#define wait_until(condition)                                                                      \
	({                                                                                         \
		uint64_t _end_ns = clock_ns() + GIVE_UP_NS;                                        \
                                                                                                   \
		while (!(condition) && clock_ns() < _end_ns)                                       \
			cpu_relax();                                                               \
		(condition);                                                                       \
	})

struct visit {
	cpuset_t seen;     /* atomic */
	uint64_t nvisits;  /* atomic */
	bool as_interrupt; /* atomic: false if one of them was not */
};

static void visit(void *argument)
{
	struct visit *visit = argument;

	atomic_fetch_or_full(&visit->seen, cpuset_of(cpu_id()));
	atomic_fetch_add_full(&visit->nvisits, 1);
	if (!irqs_off() || !in_interrupt())
		write_once(&visit->as_interrupt, false);
}

SELFTEST(every_cpu_has_its_copies_where_their_types_want_them)
{
	static PERCPU(char, line) CACHE_ALIGNED;

	for_each_cpu (id)
		selftest_check(IS_ALIGNED((vaddr_t)percpu_of(id, line), 64));
}

SELFTEST(call_reaches_exactly_the_cpus_named)
{
	struct visit all = {.as_interrupt = true};

	cpu_call(cpuset_all(), visit, &all);
	selftest_check(all.seen == cpuset_all());
	selftest_check(all.nvisits == cpu_count());
	selftest_check(all.as_interrupt);
	for_each_cpu (id) {
		struct visit one = {.as_interrupt = true};

		cpu_call(cpuset_of(id), visit, &one);
		selftest_check(one.seen == cpuset_of(id) && one.nvisits == 1);
	}
	all.seen = 0;
	cpu_call(0, visit, &all);
	selftest_check(all.seen == 0);
	cpu_call(~cpuset_all(), visit, &all); /* CPUs that are not there are nobody's loss */
	selftest_check(all.seen == 0);
	selftest_check(!in_interrupt() && !irqs_off());
}

/* ---- the other ways ---- */

static void add_one(void *argument)
{
	atomic_fetch_add_full((uint64_t *)argument, 1);
}

SELFTEST(call_works_with_interrupts_off)
{
	uint64_t ncalled = 0;
	irqflags_t flags = irq_save();

	for (unsigned round = 0; round < 20; round++)
		cpu_call(cpuset_all(), add_one, &ncalled);
	selftest_check(irqs_off());
	irq_restore(flags);
	selftest_check(ncalled == 20 * cpu_count());
}

SELFTEST(requests_arrive_each_once)
{
	static struct cpu_request requests[CPU_MAX];
	struct visit visits = {.as_interrupt = true};

	for (unsigned round = 1; round <= 5; round++) {
		for_each_cpu (id) {
			requests[id].function = visit;
			requests[id].argument = &visits;
			selftest_check(cpu_request(id, &requests[id]));
		}
		if (!selftest_check(wait_until(read_once(&visits.nvisits) == round * cpu_count())))
			return;
	}
	selftest_check(visits.seen == cpuset_all());
	selftest_check(visits.as_interrupt);
}

SELFTEST(kick_interrupts_the_other_cpu)
{
	for_each_cpu (id) {
		uint64_t before = trap_count(id, 0xf1);

		if (id == cpu_id())
			continue;
		cpu_kick(id);
		selftest_check(wait_until(trap_count(id, 0xf1) > before));
	}
}

/* ---- what each CPU has of its own, and what all have in common ---- */

struct inventory {
	struct cpu *cpu;
	uint64_t gs_base;
	uint64_t canary; /* of the thread that was interrupted: its idle thread's, or ours */
	uint64_t cr0, cr4, efer, lstar, star, fmask;
};

static struct inventory inventories[CPU_MAX];

static void take_inventory(void *argument)
{
	(void)argument;
	inventories[cpu_id()] = (struct inventory){
		.cpu = this_cpu(),
		.gs_base = msr_read(MSR_GS_BASE),
		.canary = this_cpu()->stack_canary,
		.cr0 = cr0_read() & ~CR0_TS,
		.cr4 = cr4_read(),
		.efer = msr_read(MSR_EFER),
		.lstar = msr_read(MSR_LSTAR),
		.star = msr_read(MSR_STAR),
		.fmask = msr_read(MSR_FMASK),
	};
}

SELFTEST(all_cpus_are_set_up_alike)
{
	const struct inventory *first = &inventories[0];

	cpu_call(cpuset_all(), take_inventory, NULL);
	for_each_cpu (id) {
		const struct inventory *other = &inventories[id];

		selftest_check(other->cpu == cpu_by_id(id) && other->cpu->id == id);
		selftest_check(other->gs_base == (uint64_t)other->cpu);
		selftest_check(other->canary && !(other->canary & 0xff));
		selftest_check(other->cr0 == first->cr0 && other->cr4 == first->cr4);
		selftest_check(other->efer == first->efer && other->lstar == first->lstar);
		selftest_check(other->star == first->star && other->fmask == first->fmask);
		for (uint32_t before = 0; before < id; before++) {
			selftest_check(other->cpu->arch != cpu_by_id(before)->arch);
			selftest_check(other->cpu->apic_id != cpu_by_id(before)->apic_id);
			selftest_check(other->canary != inventories[before].canary);
			selftest_check(other->cpu->percpu_delta != cpu_by_id(before)->percpu_delta);
		}
	}
}

SELFTEST(the_trampoline_is_not_left_mapped)
{
	unsigned level;
	pte_t *entry = boot_info->start_page
			       ? pagetable_walk(pagetable_kernel(), boot_info->start_page, &level)
			       : NULL;

	selftest_check(!entry || !pte_present(pte_read(entry)));
}

/* ---- time ---- */

struct relay {
	uint64_t last_ns; /* of whoever was last */
	uint64_t nbackwards;
};

static void relay_step(void *argument)
{
	struct relay *relay = argument;
	uint64_t now_ns = clock_ns();

	if (now_ns < relay->last_ns)
		relay->nbackwards++;
	relay->last_ns = now_ns;
}

SELFTEST(clock_goes_forward_from_cpu_to_cpu)
{
	struct relay relay = {0};

	for (unsigned round = 0; round < 50; round++) {
		for_each_cpu (id)
			cpu_call(cpuset_of(id), relay_step, &relay);
		relay_step(&relay);
	}
	selftest_check(relay.nbackwards == 0);
}

/* ---- the TLB ---- */

static alignas(4096) char page_a[PAGE_SIZE];
static alignas(4096) char page_b[PAGE_SIZE];

struct look {
	const volatile char *at;
	char expected;
	cpuset_t wrong; /* atomic */
};

static void look_at(void *argument)
{
	struct look *look = argument;

	if (*look->at != look->expected)
		atomic_fetch_or_full(&look->wrong, cpuset_of(cpu_id()));
}

SELFTEST(unmapped_kernel_pages_are_forgotten_by_every_cpu)
{
	const vaddr_t at = MODULE_END - 32 * PAGE_SIZE;
	struct look look = {.at = (const char *)at};
	paddr_t frames[2];

	page_a[0] = 'a';
	page_b[0] = 'b';
	if (!selftest_check(kernel_translate((vaddr_t)page_a, &frames[0])) ||
	    !selftest_check(kernel_translate((vaddr_t)page_b, &frames[1])))
		return;
	for (unsigned round = 0; round < 20; round++) {
		if (!selftest_check(!kernel_map(at, frames[round % 2], 1, PAGE_WRITE)))
			return;
		look.expected = round % 2 ? 'b' : 'a';
		cpu_call(cpuset_all(), look_at, &look);
		kernel_unmap(at, 1);
	}
	selftest_check(look.wrong == 0);
}

/* ---- looking at others ---- */

struct deaf {
	bool entered; /* atomic */
	bool leave;   /* atomic */
};

static NOINLINE void spin_with_interrupts_off(void *argument)
{
	struct deaf *deaf = argument;

	store_release(&deaf->entered, true);
	while (!load_acquire(&deaf->leave))
		cpu_relax();
}

static bool names(const struct cpu_snapshot *snapshot, const char *function)
{
	uint64_t offset;
	const char *name = symbol_find(snapshot->frame.rip, &offset);

	if (name && strcmp(name, function) == 0)
		return true;
	for (unsigned i = 0; i < snapshot->naddresses; i++) {
		name = symbol_find(snapshot->addresses[i] - 1, &offset);
		if (name && strcmp(name, function) == 0)
			return true;
	}
	return false;
}

SELFTEST(a_look_shows_what_a_cpu_does_with_interrupts_off)
{
	static struct cpu_request request;
	static struct deaf deaf;
	struct cpu_snapshot snapshot;
	uint32_t self;

	preempt_disable();
	self = cpu_id();
	selftest_check(!cpu_look(self, &snapshot));
	for_each_cpu (id) {
		if (id == self)
			continue;
		deaf = (struct deaf){.entered = false};
		request.function = spin_with_interrupts_off;
		request.argument = &deaf;
		selftest_check(cpu_request(id, &request));
		if (selftest_check(wait_until(load_acquire(&deaf.entered))) &&
		    selftest_check(cpu_look(id, &snapshot))) {
			selftest_check(snapshot.has_frame && snapshot.thread);
			selftest_check(names(&snapshot, "spin_with_interrupts_off"));
		}
		store_release(&deaf.leave, true);
	}
	preempt_enable();
}
