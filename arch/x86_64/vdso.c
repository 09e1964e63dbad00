/*
 * Owns the page that the vDSO reads. Its readers, in user mode, look at the sequence number before
 * and behind and try again if it was odd or has changed.
 */
#include "vdso_priv.h"

#include "vdso/data.h"
#include "x86.h"

#include <arch/cpu.h>
#include <arch/paging.h>
#include <arch/vdso.h>
#include <lib/atomic.h>
#include <lib/panic.h>

extern const char vdso_image_start[], vdso_image_end[];

/* A page of its own: programs see all of it. */
static union {
	struct vdso_data data;
	char page[PAGE_SIZE];
} vvar __attribute__((aligned(4096)));

void vdso_set_clock(const struct vdso_clock *clock)
{
	struct vdso_data *data = &vvar.data;

	/* Stores are seen in their order (SDM 3A 8.2.2); full barriers all the same, it is rare. */
	atomic_fetch_add_full(&data->sequence, 1);
	data->tsc = clock->tsc_trusted;
	data->tsc_start = clock->tsc_start;
	data->ns_mult = clock->ns_mult;
	data->wall_offset_ns = clock->wall_offset_ns;
	data->wall_rate = clock->wall_rate;
	data->wall_base_ns = clock->wall_base_ns;
	atomic_fetch_add_full(&data->sequence, 1);
}

void vdso_init_cpu(void)
{
	bool rdpid = cpuid_read(0, 0).eax >= 7 && cpuid_read(7, 0).ecx & 1u << 22;

	if (rdpid || cpuid_read(0x80000001, 0).edx & 1u << 27)
		msr_write(MSR_TSC_AUX, cpu_id()); /* RDTSCP shows it as well */
	if (rdpid)
		write_once(&vvar.data.rdpid, 1);
}

void vdso_namespace_page(void *page, int64_t monotonic_offset_ns, int64_t boot_offset_ns)
{
	struct vdso_data *data = page;

	*data = (struct vdso_data){.namespaced = 1,
				   .monotonic_offset_ns = monotonic_offset_ns,
				   .boot_offset_ns = boot_offset_ns};
}

void vdso_pages(struct vdso_pages *out)
{
	bool there = kernel_translate((vaddr_t)&vvar, &out->data) &&
		     kernel_translate((vaddr_t)vdso_image_start, &out->image);

	assert(there); /* parts of the image */
	out->image_pages = (unsigned)((vdso_image_end - vdso_image_start) / (long)PAGE_SIZE);
}
