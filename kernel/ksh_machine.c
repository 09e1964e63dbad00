/*
 * Snapshots of the machine for ksh: memory, interrupts, processors, clocks, the log.
 */
#include "ksh_session.h"

#include "ksh.h"
#include "log.h"
#include "percent.h"

#include <abi/errno.h>
#include <arch/boot.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <sched/thread.h>

#define FUSELAGE_VERSION "0.1"
#define VECTORS          256

/* ---- memory ---- */

static uint64_t ramdisk_bytes(void)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < boot_info->nmodules; i++)
		bytes += ALIGN_UP(boot_info->modules[i].end, PAGE_SIZE) -
			 ALIGN_DOWN(boot_info->modules[i].start, PAGE_SIZE);
	return bytes;
}

static void add_slab_bytes(void *argument, const struct slab_stats *stats)
{
	*(uint64_t *)argument += stats->nframes * PAGE_SIZE;
}

void ksh_memory_info(struct ksh_memory *out)
{
	uint64_t kernel_bytes = boot_info->kernel_end - boot_info->kernel_start;
	struct frame_stats stats;

	frame_stats(&stats);
	/* The frame allocator never sees the image and the modules: they count as used here. */
	*out = (struct ksh_memory){
		.total_bytes = stats.total * PAGE_SIZE + kernel_bytes + ramdisk_bytes(),
		.free_bytes = stats.free * PAGE_SIZE,
		.ramdisk_bytes = ramdisk_bytes(),
		.kernel_bytes = kernel_bytes,
		.tables_bytes = stats.records * PAGE_SIZE,
		.norders = MIN((size_t)FRAME_ORDER_MAX + 1, ARRAY_SIZE(out->free_blocks)),
	};
	for (uint32_t order = 0; order < out->norders; order++)
		out->free_blocks[order] = stats.blocks[order];
	slab_for_each(add_slab_bytes, &out->slab_bytes);
}

struct slab_table {
	struct ksh_slab *out;
	size_t max;
	size_t count;
};

static void add_slab(void *argument, const struct slab_stats *stats)
{
	struct slab_table *table = argument;
	struct ksh_slab *out = table->out + table->count;

	if (table->count++ >= table->max)
		return;
	*out = (struct ksh_slab){
		.object_bytes = stats->object_bytes,
		.live = stats->live,
		.stocked = stats->stocked,
		.bytes = stats->nframes * PAGE_SIZE,
	};
	string_copy(out->name, sizeof(out->name), stats->name);
}

long ksh_slab_list(struct ksh_slab *out, size_t max)
{
	struct slab_table table = {.out = out, .max = max};

	slab_for_each(add_slab, &table);
	return (long)table.count;
}

/* ---- interrupts, processors ---- */

static bool vector_is_silent(unsigned vector)
{
	for_each_cpu (cpu) {
		if (trap_count(cpu, vector))
			return false;
	}
	return true;
}

long ksh_irq_list(struct ksh_irq *out, size_t max)
{
	size_t count = 0;

	for (unsigned vector = 0; vector < VECTORS; vector++) {
		struct trap_vector_info info;

		trap_vector_info(vector, &info);
		if (vector_is_silent(vector) && info.line < 0)
			continue;
		if (count < max) {
			out[count] = (struct ksh_irq){
				.vector = vector, .line = info.line, .cpu = info.cpu};
			string_copy(out[count].name, sizeof(out[count].name), info.owner);
			if (info.controller)
				string_copy(out[count].controller, sizeof(out[count].controller),
					    info.controller);
			for_each_cpu (cpu)
				out[count].count[cpu] = trap_count(cpu, vector);
		}
		count++;
	}
	return (long)count;
}

long ksh_cpu_list(struct ksh_cpu *out, size_t max)
{
	for_each_cpu (cpu) {
		struct sched_stats stats;

		if (cpu >= max)
			break;
		sched_stats(cpu, &stats);
		out[cpu] = (struct ksh_cpu){
			.id = cpu,
			.apic_id = cpu_by_id(cpu)->apic_id,
			.idle_ns = stats.idle_ns,
			.switches = stats.nswitches,
			.direct_switches = stats.ndirect,
			.ready = stats.nready,
		};
	}
	return cpu_count();
}

static void features_text(char *to, size_t to_bytes)
{
	const struct cpu_features *features = cpu_features();
	const struct {
		bool there;
		const char *name;
	} names[] = {
		{features->nx, "nx"},
		{features->smep, "smep"},
		{features->smap, "smap"},
		{features->umip, "umip"},
		{features->pge, "pge"},
		{features->pdpe1gb, "1gb-pages"},
		{features->xsave, "xsave"},
		{features->fsgsbase, "fsgsbase"},
		{features->rdrand, "rdrand"},
		{features->erms, "erms"},
		{features->invariant_tsc, "invariant-tsc"},
		{features->hypervisor, "hypervisor"},
		{features->apic, "apic"},
	};
	size_t len = 0;

	to[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(names) && len < to_bytes; i++) {
		if (names[i].there)
			len += kernel_format(to + len, to_bytes - len, "%s%s", len ? " " : "",
					     names[i].name);
	}
}

void ksh_machine_info(struct ksh_machine *out)
{
	const struct cpu_features *features = cpu_features();

	*out = (struct ksh_machine){
		.ncpus = cpu_count(),
		.cycles_hz = clock_cycles_hz(),
		.uptime_ns = clock_ns(),
		.wall_ns = clock_wall_ns(),
		.restarts = ksh_restarts(),
	};
	string_copy(out->version, sizeof(out->version), FUSELAGE_VERSION);
	string_copy(out->build, sizeof(out->build), IS_ON(FUSELAGE_DEBUG) ? "debug" : "release");
	string_copy(out->cpu_vendor, sizeof(out->cpu_vendor), features->vendor);
	string_copy(out->cpu_model, sizeof(out->cpu_model), features->model);
	features_text(out->features, sizeof(out->features));
	string_copy(out->clock_source, sizeof(out->clock_source), clock_source_name());
	string_copy(out->timer, sizeof(out->timer), clock_timer_name());
	string_copy(out->loader, sizeof(out->loader), boot_info->loader);
}

long ksh_boot_option(const char *name, char *to, size_t to_bytes)
{
	size_t len;
	err_t err;

	if (!to_bytes || !boot_option(name, to, to_bytes))
		return -ENOENT;
	len = strlen(to);
	if (len == to_bytes - 1)
		return -E2BIG; /* it was cut, or there is no telling */
	err = percent_decode(to, &len);
	return err ? err : (long)len;
}

/* ---- the log ---- */

/* abi/ksh.h's numbers. A trace that somebody asked for is information. */
static uint32_t level_of(uint8_t level)
{
	static const uint8_t numbers[] = {
		[LOG_ERR] = 0, [LOG_WARN] = 1, [LOG_TRACE] = 2, [LOG_INFO] = 2, [LOG_DEBUG] = 3};

	return level < ARRAY_SIZE(numbers) ? numbers[level] : 3;
}

int ksh_log_line(uint64_t *cursor, struct ksh_log_line *out)
{
	struct log_line line;

	if (!log_read(*cursor, &line))
		return -ENOENT;
	*cursor = line.sequence + 1;
	*out = (struct ksh_log_line){
		.time_ns = line.time_ns,
		.level = level_of(line.level),
		.cpu = line.cpu,
	};
	string_copy(out->text, sizeof(out->text), line.text);
	return 0;
}

void ksh_log_write(const char *text)
{
	log_emit(LOG_INFO, "ksh", "%s", text);
}
