/*
 * Segments, task state and interrupt gates of one CPU.
 */
#ifndef ARCH_DESCRIPTORS_H
#define ARCH_DESCRIPTORS_H

#include "x86.h"

#include <arch/cpu.h>
#include <lib/types.h>

#define IST_STACK_BYTES (8 * KIB)

/* Entries of the interrupt stack table (SDM 3A 6.14.5), counted from 1. */
enum ist { IST_NONE, IST_DOUBLE_FAULT, IST_NMI, IST_MACHINE_CHECK, IST_DEBUG, IST_COUNT };

struct PACKED tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t iomap_base;
};

/* Each CPU's own, page-aligned: the only kernel data that user page tables would map if they were
 * split. */
struct cpu_arch {
	alignas(4096) uint64_t gdt[GDT_ENTRIES];
	struct tss tss;
	alignas(4096) char ist_stacks[IST_COUNT - 1][IST_STACK_BYTES];
};

/* Makes and loads GDT, TSS and IDT for the running CPU, and points GS at `cpu`. */
void descriptors_init_cpu(struct cpu *cpu);
/* Loads GDT and IDT of the running CPU by addresses that tell nothing and cannot be written by.
 * Once, when kernel_map() works. */
void descriptors_hide(const struct cpu *cpu);
/* The stack on which a trap from user mode begins. */
void descriptors_set_kernel_stack(struct cpu *cpu, uint64_t top);
/* True if `address` lies on one of the IST stacks of this CPU. */
bool descriptors_on_ist_stack(const struct cpu *cpu, uint64_t address, uint64_t *top);

#endif
