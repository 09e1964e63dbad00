/*
 * Owns the record of CPU features. Written once by features_detect() on the first CPU, constant
 * afterwards. All CPUs are taken to be alike, as every PC's are.
 */
#include "features.h"

#include "fpu.h"
#include "vdso_priv.h"
#include "x86.h"

#include <arch/cpu.h>
#include <lib/string.h>

struct smap_site {
	int32_t distance; /* from here to the three bytes */
	uint32_t kind;    /* 0: stac, 1: clac */
};
extern const struct smap_site smap_sites_start[], smap_sites_end[];

void syscall_entry(void);

static struct cpu_features features;

const struct cpu_features *cpu_features(void)
{
	return &features;
}

static void read_names(uint32_t extended_max)
{
	struct cpuid leaf = cpuid_read(0, 0);

	memcpy(features.vendor, &leaf.ebx, 4);
	memcpy(features.vendor + 4, &leaf.edx, 4);
	memcpy(features.vendor + 8, &leaf.ecx, 4);
	if (extended_max >= 0x80000004) {
		for (uint32_t i = 0; i < 3; i++) {
			leaf = cpuid_read(0x80000002 + i, 0);
			memcpy(features.model + i * 16, &leaf, 16);
		}
	}
}

static void read_version(uint32_t eax)
{
	features.stepping = eax & 0xf;
	features.family = eax >> 8 & 0xf;
	features.model_number = eax >> 4 & 0xf;
	if (features.family == 0x6 || features.family == 0xf)
		features.model_number |= (eax >> 16 & 0xf) << 4;
	if (features.family == 0xf)
		features.family += eax >> 20 & 0xff;
}

/* SMAP's STAC and CLAC are no-ops in the file: the instructions do not exist on CPUs without it. */
static void patch_smap_sites(void)
{
	for (const struct smap_site *site = smap_sites_start; site < smap_sites_end; site++) {
		uint8_t *code = (uint8_t *)site + site->distance;

		code[0] = 0x0f;
		code[1] = 0x01;
		code[2] = site->kind == 0 ? 0xcb : 0xca; /* SDM 2B: STAC, CLAC */
	}
}

void features_detect(void)
{
	uint32_t basic_max = cpuid_read(0, 0).eax;
	uint32_t extended_max = cpuid_read(0x80000000, 0).eax;
	struct cpuid leaf = cpuid_read(1, 0);

	read_names(extended_max);
	read_version(leaf.eax);
	features.leaf1_edx = leaf.edx;
	features.apic = leaf.edx & 1u << 9;
	features.pge = leaf.edx & 1u << 13;
	features.pat = leaf.edx & 1u << 16;
	features.xsave = leaf.ecx & 1u << 26;
	features.rdrand = leaf.ecx & 1u << 30;
	features.hypervisor = leaf.ecx & 1u << 31;
	if (basic_max >= 7) {
		leaf = cpuid_read(7, 0);
		features.fsgsbase = leaf.ebx & 1u << 0;
		features.smep = leaf.ebx & 1u << 7;
		features.erms = leaf.ebx & 1u << 9;
		features.smap = leaf.ebx & 1u << 20;
		features.umip = leaf.ecx & 1u << 2;
	}
	leaf = cpuid_read(0x80000001, 0);
	features.nx = leaf.edx & 1u << 20;
	features.pdpe1gb = leaf.edx & 1u << 26;
	features.physical_bits = 36;
	features.virtual_bits = 48;
	if (extended_max >= 0x80000007)
		features.invariant_tsc = cpuid_read(0x80000007, 0).edx & 1u << 8;
	if (extended_max >= 0x80000008) {
		leaf = cpuid_read(0x80000008, 0);
		features.physical_bits = leaf.eax & 0xff;
		features.virtual_bits = leaf.eax >> 8 & 0xff;
	}
	if (features.smap)
		patch_smap_sites();
	fpu_detect();
}

/* SDM 3A 11.12: as after reset, but for entry 1, which nothing uses yet: write combining instead of
 * write through. */
#define PAT_COMBINING_AT_1 UINT64_C(0x0007040600070106)

void features_enable(void)
{
	uint64_t cr4 = cr4_read() | CR4_OSFXSR | CR4_OSXMM;

	cr0_write((cr0_read() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE | CR0_WP);
	if (features.pge)
		cr4 |= CR4_PGE;
	if (features.smep)
		cr4 |= CR4_SMEP;
	if (features.smap)
		cr4 |= CR4_SMAP;
	if (features.umip)
		cr4 |= CR4_UMIP;
	if (features.fsgsbase)
		cr4 |= CR4_FSGSBASE;
	if (features.xsave)
		cr4 |= CR4_OSXSAVE;
	cr4_write(cr4);
	fpu_enable();
	vdso_init_cpu();

	if (features.pat)
		msr_write(MSR_PAT, PAT_COMBINING_AT_1);
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SCE | (features.nx ? EFER_NXE : 0));
	/* SYSCALL: CS 0x10, SS 0x18. SYSRET: CS 0x23 + 16, SS 0x23 + 8 (SDM 2B). */
	msr_write(MSR_STAR, UINT64_C(0x0023001000000000));
	msr_write(MSR_LSTAR, (uint64_t)syscall_entry);
	msr_write(MSR_FMASK, RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC);
}
