/*
 * /proc/cpuinfo: as far as the kernel knows its CPUs, which are all alike.
 */
#include "procfs.h"

#include <arch/clock.h>
#include <arch/cpu.h>

/* By Linux's names. */
static void add_flags(struct text *text, const struct cpu_features *features)
{
	const struct {
		bool there;
		const char *name;
	} flags[] = {
		{features->apic, "apic"},
		{features->pge, "pge"},
		{features->pat, "pat"},
		{features->nx, "nx"},
		{features->pdpe1gb, "pdpe1gb"},
		{features->invariant_tsc, "constant_tsc nonstop_tsc"},
		{features->xsave, "xsave"},
		{features->rdrand, "rdrand"},
		{features->hypervisor, "hypervisor"},
		{features->fsgsbase, "fsgsbase"},
		{features->smep, "smep"},
		{features->erms, "erms"},
		{features->smap, "smap"},
		{features->umip, "umip"},
	};

	text_add(text, "flags\t\t:");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (flags[i].there)
			text_add(text, " %s", flags[i].name);
	}
	text_add(text, "\n");
}

void proc_cpuinfo(struct text *text, UNUSED const struct proc_subject *subject)
{
	const struct cpu_features *features = cpu_features();
	uint64_t khz = clock_cycles_hz() / 1000;

	for_each_cpu (cpu) {
		text_add(text, "processor\t: %u\nvendor_id\t: %s\n", cpu, features->vendor);
		text_add(text, "cpu family\t: %u\nmodel\t\t: %u\n", features->family,
			 features->model_number);
		text_add(text, "model name\t: %s\nstepping\t: %u\n",
			 features->model[0] ? features->model : "unknown", features->stepping);
		text_add(text, "cpu MHz\t\t: %lu.%03lu\n", khz / 1000, khz % 1000);
		text_add(text, "apicid\t\t: %u\n", cpu_by_id(cpu)->apic_id);
		add_flags(text, features);
		text_add(text, "address sizes\t: %u bits physical, %u bits virtual\n\n",
			 features->physical_bits, features->virtual_bits);
	}
}
