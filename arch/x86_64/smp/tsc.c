/*
 * Compares the TSC of a CPU that is being started with the first CPU's, so that clock_ns() does not
 * go backwards from one CPU to another. Firmware and emulators start all at zero together; where a
 * difference shows, the other CPU gets an offset, and clock_ns() the longer way.
 *
 * The two sides pass `turn` back and forth. Its numbers are each CPU's own, so that one that comes
 * too late and was given up is not taken for the one that is being started.
 */
#define LOG_SUBSYSTEM "clock"

#include "smp.h"

#include "clock/clock_priv.h"
#include "tsc_bounds.h"
#include "x86.h"

#include <arch/clock.h>
#include <lib/atomic.h>
#include <lib/log.h>

#define ROUNDS        8
#define ANSWER_MAX_NS (3 * NSEC_PER_SEC)

static uint32_t turn;      /* atomic: ours(), theirs() */
static uint64_t other_tsc; /* written in the other's turn, read in ours */

/* No load before it, nothing after it: the order is what is measured (SDM 2B, RDTSC). */
static uint64_t tsc_read_ordered(void)
{
	uint64_t tsc;

	__asm__ volatile("lfence" ::: "memory");
	tsc = tsc_read();
	__asm__ volatile("lfence" ::: "memory");
	return tsc;
}

/* In each round it is first the other's turn, then the first CPU's. */
static uint32_t theirs(const struct cpu *other, uint32_t round)
{
	return (other->apic_id * ROUNDS + round) * 2 + 1;
}

static uint32_t ours(const struct cpu *other, uint32_t round)
{
	return theirs(other, round) + 1;
}

static bool one_round(struct tsc_bounds *bounds, const struct cpu *other, uint32_t round)
{
	uint64_t give_up_ns = clock_ns() + ANSWER_MAX_NS;
	uint64_t before = tsc_read_ordered();

	store_release(&turn, theirs(other, round));
	while (load_acquire(&turn) != ours(other, round)) {
		if (clock_ns() > give_up_ns)
			return false;
		cpu_relax();
	}
	tsc_bounds_add(bounds, before, other_tsc, tsc_read_ordered());
	return true;
}

bool tsc_compare(struct cpu *other)
{
	struct tsc_bounds bounds = TSC_BOUNDS_INIT;
	int64_t difference;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		irqflags_t flags = irq_save();
		bool answered = one_round(&bounds, other, round);

		irq_restore(flags);
		if (!answered)
			return false;
	}
	difference = tsc_bounds_difference(&bounds);
	if (difference) {
		log_warn("the TSC of CPU %u differs by %ld cycles: it is corrected", other->id,
			 difference);
		other->tsc_offset = (uint64_t)-difference;
		clock_tscs_differ();
	}
	return true;
}

void tsc_compare_answer(const struct cpu *self, bool (*given_up)(void))
{
	for (uint32_t round = 0; round < ROUNDS; round++) {
		while (load_acquire(&turn) != theirs(self, round)) {
			if (given_up())
				return;
			cpu_relax();
		}
		other_tsc = tsc_read_ordered();
		store_release(&turn, ours(self, round));
	}
}
