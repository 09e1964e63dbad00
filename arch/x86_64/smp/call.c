/*
 * What one CPU asks of others by interrupt: look at your run queue (kick), run this function now
 * (call, request).
 *
 * A call lives in the caller's slot `outgoing`, of which each CPU has one: the caller keeps
 * preemption off until all have answered. Its bit in a target's `callers` says that the slot is to
 * be read. A request is its owner's memory and lies in a lock-free stack of the target's.
 *
 * An interrupt is sent only by who finds the target's word empty: whoever filled it before has sent
 * one that the target has not answered yet, since it empties the word first of all.
 */
#include "smp.h"

#include "interrupts.h"

#include <lib/atomic.h>
#include <lib/panic.h>

_Static_assert(CPU_MAX <= 64, "a set of CPUs is one word");

struct outgoing {
	void (*function)(void *argument);
	void *argument;
	cpuset_t left; /* atomic: who has not answered */
};

static PERCPU(struct outgoing, outgoing);
static PERCPU(cpuset_t, callers);              /* atomic: bit n: CPU n's slot is to be read */
static PERCPU(struct cpu_request *, requests); /* atomic: the newest first */

cpuset_t cpuset_all(void)
{
	return UINT64_MAX >> (64 - cpu_count());
}

void cpu_kick(uint32_t id)
{
	if (id != cpu_id())
		apic_send(cpu_by_id(id)->apic_id, IPI_FIXED | VECTOR_KICK);
	else
		cpu_want_switch();
}

static void send_call(uint32_t id)
{
	apic_send(cpu_by_id(id)->apic_id, IPI_FIXED | VECTOR_CALL);
}

/* Like an interrupt's handler, whoever calls it: interrupts are off. */
static void run_function(void (*function)(void *argument), void *argument)
{
	struct cpu *cpu = this_cpu();

	cpu->interrupt_depth++;
	preempt_disable();
	function(argument);
	preempt_enable_no_switch();
	cpu->interrupt_depth--;
}

static void run_calls(void)
{
	/* Full: empties the word before the slots are read; pairs with the one in cpu_call(). */
	cpuset_t from = atomic_exchange_full(this_percpu(callers), 0);

	while (from) {
		struct outgoing *call = percpu_of((uint32_t)__builtin_ctzll(from), outgoing);

		from &= from - 1;
		run_function(call->function, call->argument);
		/* Full, so release: what the function did is seen by who waits. The slot may be
		 * used anew from here on. */
		atomic_fetch_and_full(&call->left, ~cpuset_of(cpu_id()));
	}
}

static void run_requests(void)
{
	struct cpu_request *newest = atomic_exchange_full(this_percpu(requests), NULL);
	struct cpu_request *oldest = NULL;

	while (newest) {
		struct cpu_request *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	while (oldest) {
		struct cpu_request *next = oldest->next;
		void (*function)(void *argument) = oldest->function;
		void *argument = oldest->argument;

		/* From here on it may be queued again, or be gone. */
		(void)atomic_exchange_full(&oldest->queued, false);
		run_function(function, argument);
		oldest = next;
	}
}

void cpu_calls_run(void)
{
	run_calls();
	run_requests();
}

static void wait_for_answers(struct outgoing *call)
{
	/* Acquire: pairs with the answer in run_calls(). */
	while (load_acquire(&call->left)) {
		/* Who we wait for may wait for us; with interrupts on it comes by itself. */
		if (irqs_off())
			run_calls();
		cpu_relax();
	}
}

void cpu_call(cpuset_t cpus, void (*function)(void *argument), void *argument)
{
	struct outgoing *call;
	cpuset_t others;
	irqflags_t flags;

	debug_assert(!in_interrupt());
	preempt_disable();
	call = this_percpu(outgoing);
	cpus &= cpuset_all();
	others = cpus & ~cpuset_of(cpu_id());
	*call = (struct outgoing){.function = function, .argument = argument, .left = others};
	for (cpuset_t rest = others; rest; rest &= rest - 1) {
		uint32_t id = (uint32_t)__builtin_ctzll(rest);

		/* Full, so release: the slot is filled. */
		if (!atomic_fetch_or_full(percpu_of(id, callers), cpuset_of(cpu_id())))
			send_call(id);
	}
	if (cpus != others) {
		flags = irq_save();
		run_function(function, argument);
		irq_restore(flags);
	}
	wait_for_answers(call);
	preempt_enable();
}

bool cpu_request(uint32_t id, struct cpu_request *request)
{
	struct cpu_request **queue = percpu_of(id, requests);
	struct cpu_request *newest;
	irqflags_t flags;

	if (atomic_exchange_full(&request->queued, true))
		return false;
	newest = read_once(queue);
	do {
		request->next = newest;
	} while (!atomic_cas(queue, &newest, request));
	if (newest)
		return true;
	if (apic_present()) {
		send_call(id);
		return true;
	}
	/* One CPU, and nothing that could interrupt it. */
	flags = irq_save();
	run_requests();
	irq_restore(flags);
	return true;
}
