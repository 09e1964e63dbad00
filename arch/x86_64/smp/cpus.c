/*
 * Owns the table of CPUs. A CPU is entered before it starts, so that it finds itself, and counted,
 * by itself, when everything that others may want of it works; who sees the count sees the entry.
 * What is counted is never taken out, and only one at a time is started: no lock.
 */
#include "smp.h"

#include "descriptors.h"
#include "entropy.h"
#include "x86.h"

#include <arch/context.h>
#include <arch/machine.h>
#include <lib/atomic.h>
#include <lib/panic.h>

static struct cpu *cpus[CPU_MAX] = {&first_cpu};
static uint32_t ncpus = 1; /* atomic: release in cpu_publish(), acquire in cpu_count() */

uint32_t cpu_count(void)
{
	return load_acquire(&ncpus);
}

struct cpu *cpu_by_id(uint32_t id)
{
	debug_assert(id < CPU_MAX && cpus[id]);
	return cpus[id];
}

void cpu_publish(struct cpu *cpu)
{
	debug_assert(cpu->id == ncpus && cpu->id < CPU_MAX);
	store_release(&ncpus, cpu->id + 1);
}

/* One block: struct cpu_arch, which wants page alignment, then struct cpu, then the copy. */
static size_t block_pages(void)
{
	size_t percpu_bytes = (size_t)(percpu_end - percpu_start);

	return (sizeof(struct cpu_arch) + sizeof(struct cpu) + percpu_bytes + PAGE_SIZE - 1) /
	       PAGE_SIZE;
}

struct cpu *cpu_create(uint32_t id, uint32_t apic_id)
{
	char *block = machine_pages_alloc(block_pages());
	char *stack = machine_pages_alloc(KERNEL_STACK_BYTES / PAGE_SIZE);
	struct cpu *cpu;

	if (!block || !stack) {
		machine_pages_free(block);
		machine_pages_free(stack);
		return NULL;
	}
	cpu = (struct cpu *)(block + sizeof(struct cpu_arch));
	*cpu = (struct cpu){
		.self = cpu,
		.kernel_stack_top = (uint64_t)stack + KERNEL_STACK_BYTES,
		.stack_canary = stack_canary_new(),
		.percpu_delta = (uint64_t)(cpu + 1) - (uint64_t)percpu_start,
		.preempt_count = CPU_NO_SWITCH_WANTED | 1,
		.id = id,
		.apic_id = apic_id,
		.arch = (struct cpu_arch *)block,
	};
	cpus[id] = cpu; /* it asks for its own copies before it is counted */
	return cpu;
}

void cpu_destroy(struct cpu *cpu)
{
	cpus[cpu->id] = NULL;
	machine_pages_free((void *)(cpu->kernel_stack_top - KERNEL_STACK_BYTES));
	machine_pages_free(cpu->arch);
}
