/*
 * Asking another CPU by NMI what it does, and stopping it: neither needs its interrupts on. What is
 * wanted of a CPU lies in its `wanted`; it answers into its own `snapshot`, which is the asker's to
 * read from then on. One look is under way at a time; a stop waits for nobody.
 *
 * An NMI that nobody of us sent is a person's (a button, an emulator's monitor). Ours are counted
 * before they are sent, so one that comes late is still known as ours.
 */
#include "smp.h"

#include "interrupts.h"

#include <arch/clock.h>
#include <arch/trap.h>
#include <lib/atomic.h>

enum wanted {
	WANT_LOOK = 1 << 0,
	WANT_STOP = 1 << 1,
	WANT_HANG = 1 << 2, /* arch/triggers.h */
};

#define LOOK_MAX_NS (500 * NSEC_PER_MSEC)
#define STOP_MAX_NS (2 * NSEC_PER_SEC)
/* Should the clock stand still as well. */
#define POLLS_MAX 2000000000

static PERCPU(uint32_t, wanted);    /* atomic: enum wanted */
static PERCPU(uint32_t, nexpected); /* atomic: NMIs sent to this CPU and not come yet */
static PERCPU(bool, answered);      /* atomic: release with the snapshot of a look */
static PERCPU(bool, stopped);       /* atomic: release with that of its end */
static PERCPU(struct cpu_snapshot, snapshot);

static uint32_t looking; /* atomic: 1: somebody looks */
static uint32_t stopper; /* atomic: number + 1 of the CPU that stops the others; 0: none */

static void fill_snapshot(const struct trap_frame *frame, uint64_t fp)
{
	struct cpu_snapshot *own = this_percpu(snapshot);

	*own = (struct cpu_snapshot){.thread = current_thread()};
	if (frame) {
		own->frame = *frame;
		own->has_frame = true;
		fp = trap_from_user(frame) ? 0 : frame->rbp;
	}
	own->naddresses = backtrace_collect(fp, own->addresses, ARRAY_SIZE(own->addresses));
}

static noreturn void hang(void)
{
	for (;;)
		cpu_relax();
}

bool nmi_answer(const struct trap_frame *frame)
{
	uint32_t *expected = this_percpu(nexpected);
	uint32_t what;

	if (!read_once(expected))
		return false;
	(void)atomic_fetch_sub_full(expected, 1);
	what = atomic_exchange_full(this_percpu(wanted), 0);
	if (what & WANT_HANG)
		hang();
	if (what & (WANT_LOOK | WANT_STOP)) {
		fill_snapshot(frame, 0);
		store_release(this_percpu(answered), true);
	}
	if (what & WANT_STOP) {
		store_release(this_percpu(stopped), true);
		cpu_halt();
	}
	return true;
}

static void ask(uint32_t id, enum wanted what)
{
	(void)atomic_fetch_or_full(percpu_of(id, wanted), (uint32_t)what);
	(void)atomic_fetch_add_full(percpu_of(id, nexpected), 1);
	apic_send(cpu_by_id(id)->apic_id, IPI_NMI);
}

/* Until the CPUs of the set have answered what was asked, or the time is over: those that have
 * not. */
static cpuset_t wait_for_answers(cpuset_t cpus, enum wanted what, uint64_t max_ns)
{
	uint64_t end_ns = clock_ns() + max_ns;

	for (unsigned polls = 0; cpus && polls < POLLS_MAX && clock_ns() < end_ns; polls++) {
		for (cpuset_t rest = cpus; rest; rest &= rest - 1) {
			uint32_t id = (uint32_t)__builtin_ctzll(rest);

			if (load_acquire(what == WANT_STOP ? percpu_of(id, stopped)
							   : percpu_of(id, answered)))
				cpus &= ~cpuset_of(id);
		}
		cpu_relax();
	}
	return cpus;
}

bool cpu_look(uint32_t id, struct cpu_snapshot *out)
{
	bool answers;

	if (id == cpu_id() || atomic_exchange_full(&looking, 1))
		return false;
	write_once(percpu_of(id, answered), false);
	ask(id, WANT_LOOK);
	answers = !wait_for_answers(cpuset_of(id), WANT_LOOK, LOOK_MAX_NS);
	if (answers)
		*out = *percpu_of(id, snapshot);
	store_release(&looking, 0);
	return answers;
}

bool cpus_stop(void)
{
	uint32_t none = 0;
	cpuset_t others;

	irq_disable();
	if (!atomic_cas(&stopper, &none, cpu_id() + 1))
		return none == cpu_id() + 1;
	others = cpuset_all() & ~cpuset_of(cpu_id());
	for (cpuset_t rest = others; rest; rest &= rest - 1) {
		uint32_t id = (uint32_t)__builtin_ctzll(rest);

		/* One that stops by itself has answered already, and would not hear us. */
		ask(id, WANT_STOP);
	}
	(void)wait_for_answers(others, WANT_STOP, STOP_MAX_NS);
	return true;
}

noreturn void cpu_stop_here(const struct trap_frame *frame, uint64_t fp)
{
	irq_disable();
	fill_snapshot(frame, fp);
	store_release(this_percpu(stopped), true);
	cpu_halt();
}

const struct cpu_snapshot *cpu_stopped(uint32_t id)
{
	return load_acquire(percpu_of(id, stopped)) ? percpu_of(id, snapshot) : NULL;
}

void nmi_trigger_hang(uint32_t id)
{
	ask(id, WANT_HANG);
}
