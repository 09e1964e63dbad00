/*
 * Starts the other CPUs: INIT, start-up interrupt, and the trampoline (trampoline.asm) that leads
 * them here (SDM 3A 8.4.4). One is started at a time; where it has got to stands in `stage`, which
 * both sides move by compare-and-exchange: so a CPU that was given up and comes late stops, and one
 * that came is waited for.
 */
#define LOG_SUBSYSTEM "smp"

#include "smp.h"

#include "acpi/acpi.h"
#include "descriptors.h"
#include "features.h"
#include "interrupts.h"
#include "paging_priv.h"
#include "x86.h"

#include <arch/boot.h>
#include <arch/clock.h>
#include <arch/context.h>
#include <arch/machine.h>
#include <lib/atomic.h>
#include <lib/log.h>
#include <lib/panic.h>
#include <lib/string.h>

#define EFER_LME (UINT64_C(1) << 8)

/* Between INIT and the start-up interrupt, and until that is sent again (SDM 3A 8.4.4.1). Emulated
 * CPUs do not need the first. */
#define INIT_WAIT_NS (10 * NSEC_PER_MSEC)
#define AGAIN_NS     (200 * NSEC_PER_USEC)
/* A CPU answers within microseconds; an emulated one when its host finds time for it. */
#define ANSWER_MAX_NS (3 * NSEC_PER_SEC)

/* In the page (trampoline.asm). */
struct trampoline_block {
	uint32_t offered; /* atomic: 1: the CPU that finds it takes it, and goes on */
	uint32_t cr3;
	uint64_t efer;
	uint64_t stack;
	uint64_t cpu;
	uint64_t entry;
};

extern const char trampoline_start[], trampoline_block[], trampoline_end[];

enum stage {
	STAGE_CALLED,   /* has not answered yet */
	STAGE_CAME,     /* runs C code */
	STAGE_READY,    /* has set itself up and enters itself into the table */
	STAGE_GIVEN_UP, /* took too long: it must stop where it is */
};

static uint32_t stage; /* atomic: enum stage of the CPU that is being started */

static bool stage_move(enum stage from, enum stage to)
{
	uint32_t expected = from;

	return atomic_cas(&stage, &expected, to);
}

static bool is_given_up(void)
{
	return load_acquire(&stage) == STAGE_GIVEN_UP;
}

/* ---- on the CPU that starts ---- */

/* From the trampoline, on its own stack. Has no canary of its own: it begins without GS. */
static __attribute__((no_stack_protector)) noreturn void ap_start(struct cpu *cpu)
{
	vaddr_t stack_top = cpu->kernel_stack_top;

	msr_write(MSR_GS_BASE, (uint64_t)cpu);
	descriptors_init_cpu(cpu);
	features_enable();
	cr3_write(pagetable_kernel()->root); /* the trampoline's tables will be gone */
	apic_init_cpu();
	if (!stage_move(STAGE_CALLED, STAGE_CAME))
		cpu_halt();
	tsc_compare_answer(cpu, is_given_up);
	cpu_main(stack_top - KERNEL_STACK_BYTES, stack_top);
}

void machine_cpu_ready(void)
{
	descriptors_hide(this_cpu());
	if (!stage_move(STAGE_CAME, STAGE_READY))
		cpu_halt();
	cpu_publish(this_cpu());
	/* Who unmaps pages of the kernel asks those that are counted: what this CPU has remembered
	 * until now nobody told it to forget. */
	tlb_flush_everything_local();
}

/* ---- on the one that starts it ---- */

static void wait_ns(uint64_t duration_ns)
{
	uint64_t end_ns = clock_ns() + duration_ns;

	while (clock_ns() < end_ns)
		cpu_relax();
}

/* Until the stage is another one than `from`. */
static bool stage_left(enum stage from, uint64_t max_ns)
{
	uint64_t end_ns = clock_ns() + max_ns;

	while (load_acquire(&stage) == from) {
		if (clock_ns() > end_ns)
			return false;
		cpu_relax();
	}
	return true;
}

static struct trampoline_block *block_in_page(void)
{
	char *page = phys_to_virt(boot_info->start_page);

	return (struct trampoline_block *)(page + (trampoline_block - trampoline_start));
}

static void call_cpu(uint32_t apic_id)
{
	uint32_t startup = IPI_STARTUP | (uint32_t)(boot_info->start_page >> PAGE_SHIFT);

	apic_send(apic_id, IPI_INIT);
	wait_ns(cpu_features()->hypervisor ? 0 : INIT_WAIT_NS);
	apic_send(apic_id, startup);
	if (!stage_left(STAGE_CALLED, AGAIN_NS) && read_once(&block_in_page()->offered))
		apic_send(apic_id, startup);
}

/* Back to where it waits for a start-up interrupt. Its memory stays what it is: it may be using it
 * until the message arrives, unless it never took the offer. */
static void give_up(struct cpu *cpu, const char *why)
{
	bool never_came = atomic_exchange_full(&block_in_page()->offered, 0);

	apic_send(cpu->apic_id, IPI_INIT);
	log_err("the CPU with APIC id %u %s: it is left out", cpu->apic_id, why);
	if (never_came)
		cpu_destroy(cpu);
}

/* False: there is no memory for more. */
static bool start_cpu(uint32_t apic_id)
{
	struct trampoline_block *block = block_in_page();
	struct cpu *cpu = cpu_create(cpu_count(), apic_id);

	if (!cpu) {
		log_err("no memory for the CPU with APIC id %u: it is left out", apic_id);
		return false;
	}
	store_release(&stage, STAGE_CALLED);
	block->stack = cpu->kernel_stack_top;
	block->cpu = (uint64_t)cpu;
	block->entry = (uint64_t)ap_start;
	store_release(&block->offered, 1);
	call_cpu(apic_id);
	if (!stage_left(STAGE_CALLED, ANSWER_MAX_NS) && stage_move(STAGE_CALLED, STAGE_GIVEN_UP)) {
		give_up(cpu, "does not answer");
		return true;
	}
	if (!tsc_compare(cpu) || !stage_left(STAGE_CAME, ANSWER_MAX_NS)) {
		if (stage_move(STAGE_CAME, STAGE_GIVEN_UP)) {
			give_up(cpu, "answered, but does not get ready");
			return true;
		}
	}
	while (cpu_count() <= cpu->id) /* it is entering itself */
		cpu_relax();
	return true;
}

/* How many CPUs the command line allows. */
static uint32_t cpus_allowed(void)
{
	char text[16];
	uint64_t number;

	if (!boot_option("smp", text, sizeof(text)))
		return CPU_MAX;
	if (!string_to_u64(text, &number) && number >= 1)
		return (uint32_t)MIN(number, (uint64_t)CPU_MAX);
	log_warn("smp=%s: say how many CPUs, from 1 on", text);
	return CPU_MAX;
}

/* A tree for the way from the page at its own address to the kernel's half: what is loaded by
 * 32-bit code lies in the image. Nobody keeps it, so nothing of it has to be flushed. */
static alignas(PAGE_SIZE) pte_t trampoline_root[PAGETABLE_ENTRIES];
static struct pagetable trampoline_table;

static bool trampoline_map(void)
{
	struct trampoline_block *block = block_in_page();
	paddr_t page = boot_info->start_page;
	pte_t *entry;

	if (!kernel_translate((vaddr_t)trampoline_root, &trampoline_table.root))
		panic("the image is not mapped");
	pagetable_share_kernel(&trampoline_table);
	entry = pagetable_walk_alloc(&trampoline_table, page, 0);
	if (!entry)
		return false;
	pte_exchange(entry, pte_make(page, PAGE_EXEC, 0));
	memcpy(phys_to_virt(page), trampoline_start, (size_t)(trampoline_end - trampoline_start));
	block->cr3 = (uint32_t)trampoline_table.root;
	block->efer = EFER_LME | (cpu_features()->nx ? EFER_NXE : 0);
	return true;
}

static void leaf_gone(void *argument, vaddr_t address, pte_t entry, unsigned level)
{
	(void)argument, (void)address, (void)entry, (void)level;
}

static void trampoline_unmap(void)
{
	paddr_t page = boot_info->start_page;

	pagetable_clear(&trampoline_table, page, page + PAGE_SIZE, leaf_gone, NULL);
}

static const char *why_not(const struct acpi_madt *madt)
{
	if (!apic_present())
		return "this one has no local APIC that we can use";
	if (!boot_info->start_page)
		return "there is no free page below 640 KiB to start them in";
	if (!madt->found)
		return "ACPI has no list of CPUs";
	return NULL;
}

void machine_start_cpus(void)
{
	const struct acpi_madt *madt = &acpi_info()->madt;
	const char *problem = why_not(madt);
	uint32_t allowed = cpus_allowed();

	if (madt->ncpus <= 1 || allowed == 1)
		return;
	if (problem || !trampoline_map()) {
		log_warn("the other CPUs are not started: %s", problem ? problem : "no memory");
		return;
	}
	for (uint32_t i = 0; i < madt->ncpus && cpu_count() < allowed; i++) {
		uint32_t apic_id = madt->apic_ids[i];

		if (apic_id == first_cpu.apic_id)
			continue;
		if (apic_id > IPI_TARGET_MAX)
			log_warn("the CPU with APIC id %u is left out: only x2APIC could reach it",
				 apic_id);
		else if (!start_cpu(apic_id))
			break;
	}
	trampoline_unmap();
	log_info("%u CPUs", cpu_count());
}
