/*
 * Owns GDT, TSS and IDT. The GDT and TSS belong to their CPU; the one IDT is made by the first CPU
 * and constant afterwards. Hardware facts: SDM 3A, chapters 3, 6 and 7.
 */
#include "descriptors.h"

#include "vdso/data.h"
#include "x86.h"

#include <arch/paging.h>
#include <lib/panic.h>

struct PACKED gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};

struct PACKED table_pointer {
	uint16_t limit;
	uint64_t base;
};

#define GATE_INTERRUPT 0x8e
#define GATE_USER      0x60 /* int3, into: programs may use them */
#define STUB_BYTES     16

extern const char trap_stubs[];
void descriptors_load(const struct table_pointer *gdt, uint16_t tss_selector);

static alignas(4096) struct gate idt[256];

static uint8_t vector_ist(unsigned vector)
{
	switch (vector) {
	case 1:
		return IST_DEBUG;
	case 2:
		return IST_NMI;
	case 8:
		return IST_DOUBLE_FAULT;
	case 18:
		return IST_MACHINE_CHECK;
	default:
		return IST_NONE;
	}
}

static void idt_fill(void)
{
	for (unsigned vector = 0; vector < 256; vector++) {
		uint64_t stub = (uint64_t)trap_stubs + vector * STUB_BYTES;

		idt[vector] = (struct gate){
			.offset_low = (uint16_t)stub,
			.selector = SELECTOR_KERNEL_CODE,
			.ist = vector_ist(vector),
			.type = GATE_INTERRUPT | (vector == 3 || vector == 4 ? GATE_USER : 0),
			.offset_middle = (uint16_t)(stub >> 16),
			.offset_high = (uint32_t)(stub >> 32),
		};
	}
}

static void gdt_fill(struct cpu_arch *arch, uint32_t id)
{
	uint64_t base = (uint64_t)&arch->tss;
	uint64_t limit = sizeof(arch->tss) - 1;

	arch->gdt[0] = 0;
	arch->gdt[SELECTOR_KERNEL_CODE >> 3] = UINT64_C(0x00af9b000000ffff);
	arch->gdt[SELECTOR_KERNEL_DATA >> 3] = UINT64_C(0x00cf93000000ffff);
	arch->gdt[SELECTOR_USER_DATA >> 3] = UINT64_C(0x00cff3000000ffff);
	arch->gdt[SELECTOR_USER_CODE >> 3] = UINT64_C(0x00affb000000ffff);
	/* A 64-bit TSS descriptor takes two entries (SDM 3A 7.2.3). */
	arch->gdt[SELECTOR_TSS >> 3] =
		limit | (base & 0xffffff) << 16 | UINT64_C(0x89) << 40 | (base >> 24 & 0xff) << 56;
	arch->gdt[(SELECTOR_TSS >> 3) + 1] = base >> 32;
	/* Data of nobody's, whose limit programs may ask for: the vDSO's getcpu. */
	arch->gdt[VDSO_CPU_SELECTOR >> 3] = UINT64_C(0x0040f10000000000) | id;
}

void descriptors_init_cpu(struct cpu *cpu)
{
	struct cpu_arch *arch = cpu->arch;
	struct table_pointer gdt = {.limit = sizeof(arch->gdt) - 1, .base = (uint64_t)arch->gdt};
	struct table_pointer idtr = {.limit = sizeof(idt) - 1, .base = (uint64_t)idt};

	if (cpu->id == 0)
		idt_fill();
	for (unsigned i = 0; i < IST_COUNT - 1; i++) {
		/* Above the frame lies what GS should hold, for entry.asm; 16 bytes keep the
		 * alignment. */
		uint64_t top = (uint64_t)arch->ist_stacks[i] + IST_STACK_BYTES - 16;

		*(struct cpu **)top = cpu;
		arch->tss.ist[i] = top;
	}
	arch->tss.iomap_base = sizeof(arch->tss); /* no port is a program's */
	gdt_fill(arch, cpu->id);
	descriptors_load(&gdt, SELECTOR_TSS);
	__asm__ volatile("lidt %0" ::"m"(idtr));
	msr_write(MSR_GS_BASE, (uint64_t)cpu); /* loading the selector cleared it */
	msr_write(MSR_KERNEL_GS_BASE, 0);
}

/* The page with the IDT, then one for each CPU's GDT and TSS. The CPU itself writes to neither any
 * more: TR has been loaded, the descriptors are marked as accessed. */
void descriptors_hide(const struct cpu *cpu)
{
	const vaddr_t idt_view = ENTRY_AREA_START;
	const vaddr_t gdt_view = ENTRY_AREA_START + (1 + cpu->id) * PAGE_SIZE;
	struct table_pointer gdtr = {.limit = sizeof(cpu->arch->gdt) - 1, .base = gdt_view};
	struct table_pointer idtr = {.limit = sizeof(idt) - 1, .base = idt_view};
	paddr_t idt_frame;
	paddr_t gdt_frame;

	if (!kernel_translate((vaddr_t)idt, &idt_frame) ||
	    !kernel_translate((vaddr_t)cpu->arch->gdt, &gdt_frame))
		panic("the descriptor tables of CPU %u are not mapped", cpu->id);
	if ((cpu->id == 0 && kernel_map(idt_view, idt_frame, 1, 0)) ||
	    kernel_map(gdt_view, gdt_frame, 1, 0))
		panic("no memory for the descriptor tables of CPU %u", cpu->id);
	__asm__ volatile("lgdt %0\n\tlidt %1" ::"m"(gdtr), "m"(idtr));
}

void descriptors_set_kernel_stack(struct cpu *cpu, uint64_t top)
{
	cpu->kernel_stack_top = top;
	cpu->arch->tss.rsp[0] = top;
}

bool descriptors_on_ist_stack(const struct cpu *cpu, uint64_t address, uint64_t *top)
{
	for (unsigned i = 0; i < IST_COUNT - 1; i++) {
		uint64_t base = (uint64_t)cpu->arch->ist_stacks[i];

		if (address >= base && address < base + IST_STACK_BYTES) {
			*top = base + IST_STACK_BYTES;
			return true;
		}
	}
	return false;
}
