/*
 * The local APIC, in xAPIC mode (SDM 3A, chapter 10). Its registers are the running CPU's own,
 * mapped uncached at one address for all; nothing is shared, so there is no lock.
 */
#include "interrupts.h"

#include "acpi/acpi.h"
#include "paging_priv.h"
#include "x86.h"

#include <arch/cpu.h>
#include <arch/paging.h>

#define APIC_PHYSICAL_MASK UINT64_C(0xfffffffff000)
#define APIC_BASE_ENABLE   (1u << 11)
#define APIC_BASE_X2APIC   (1u << 10)
#define APIC_BYTES         0x400

/* Registers, as offsets (SDM 3A, table 10-1). */
enum apic_register {
	APIC_ID = 0x20,
	APIC_TASK_PRIORITY = 0x80,
	APIC_EOI = 0xb0,
	APIC_SPURIOUS = 0xf0,
	APIC_IN_SERVICE = 0x100, /* 8 registers of 32 vectors each, 16 bytes apart */
	APIC_ICR_LOW = 0x300,
	APIC_ICR_HIGH = 0x310,
	APIC_LVT_TIMER = 0x320,
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360,
	APIC_LVT_ERROR = 0x370,
	APIC_TIMER_INITIAL = 0x380,
	APIC_TIMER_CURRENT = 0x390,
	APIC_TIMER_DIVIDE = 0x3e0,
};

#define SPURIOUS_ENABLE   (1u << 8)
#define LVT_MASKED        (1u << 16)
#define LVT_LEVEL         (1u << 15) /* an NMI comes by edge, whatever this says (SDM 3A 10.5.1) */
#define LVT_LOW_ACTIVE    (1u << 13)
#define LVT_EXTINT        (7u << 8)
#define LVT_NMI           (4u << 8)
#define TIMER_DIVIDE_BY_1 0xb
#define ICR_PENDING       (1u << 12)
/* Sending takes a microsecond; a target that takes nothing must not hold us. */
#define ICR_POLLS_MAX 100000

/* NULL: there is none. Constant after apic_init(). */
static volatile char *registers;

static volatile uint32_t *apic_register(enum apic_register offset)
{
	return (volatile uint32_t *)(registers + offset);
}

bool apic_init(void)
{
	uint64_t base;

	if (!cpu_features()->apic)
		return false;
	base = msr_read(MSR_APIC_BASE);
	if (base & APIC_BASE_X2APIC)
		return false; /* firmware chose x2APIC: the 8259 does until we speak it */
	registers = fixed_map(base & APIC_PHYSICAL_MASK, APIC_BYTES, PAGE_WRITE | PAGE_UNCACHED);
	return registers;
}

/* What the firmware says of this CPU's input. The wiring of every PC, an NMI at the second, where
 * it says nothing. */
static uint32_t lint_entry(unsigned lint)
{
	const struct acpi_madt *madt = &acpi_info()->madt;
	const struct acpi_local_nmi *nmi = acpi_local_nmi(madt, apic_id(), lint);

	if (nmi)
		return LVT_NMI | (nmi->polarity == POLARITY_LOW ? LVT_LOW_ACTIVE : 0) |
		       (nmi->trigger == TRIGGER_LEVEL ? LVT_LEVEL : 0);
	return lint == 1 && !madt->nnmis ? LVT_NMI : LVT_MASKED;
}

void apic_init_cpu(void)
{
	/* The 8259's line leads to the first CPU alone, and only where the 8259 is in charge. */
	bool wants_8259 = cpu_id() == 0 && irq_by_8259();

	msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) | APIC_BASE_ENABLE);
	*apic_register(APIC_TASK_PRIORITY) = 0;
	*apic_register(APIC_SPURIOUS) = SPURIOUS_ENABLE | VECTOR_SPURIOUS;
	*apic_register(APIC_LVT_LINT0) = wants_8259 ? LVT_EXTINT : lint_entry(0);
	*apic_register(APIC_LVT_LINT1) = lint_entry(1);
	*apic_register(APIC_LVT_ERROR) = LVT_MASKED;
	*apic_register(APIC_LVT_TIMER) = LVT_MASKED;
	*apic_register(APIC_TIMER_DIVIDE) = TIMER_DIVIDE_BY_1;
}

bool apic_present(void)
{
	return registers;
}

void apic_end(void)
{
	*apic_register(APIC_EOI) = 0;
}

static uint32_t in_service_word(unsigned word)
{
	return *apic_register(APIC_IN_SERVICE + word * 0x10);
}

bool apic_in_service(unsigned vector)
{
	return in_service_word(vector / 32 % 8) >> vector % 32 & 1;
}

bool apic_any_in_service(void)
{
	for (unsigned word = 0; word < 8; word++) {
		if (in_service_word(word))
			return true;
	}
	return false;
}

uint32_t apic_id(void)
{
	return registers ? *apic_register(APIC_ID) >> 24 : 0;
}

static void wait_until_sent(void)
{
	for (int polls = 0; polls < ICR_POLLS_MAX; polls++) {
		if (!(*apic_register(APIC_ICR_LOW) & ICR_PENDING))
			return;
		cpu_relax();
	}
}

void apic_send(uint32_t target, uint32_t what)
{
	irqflags_t flags = irq_save();

	/* Two halves: an interrupt that sends one of its own must not come between. */
	wait_until_sent();
	*apic_register(APIC_ICR_HIGH) = target << 24;
	*apic_register(APIC_ICR_LOW) = what; /* writing this half sends it */
	irq_restore(flags);
}

void apic_timer_set(uint32_t count)
{
	*apic_register(APIC_LVT_TIMER) = VECTOR_TIMER; /* one-shot */
	*apic_register(APIC_TIMER_INITIAL) = count;
}

void apic_timer_start_free(void)
{
	*apic_register(APIC_LVT_TIMER) = LVT_MASKED;
	*apic_register(APIC_TIMER_INITIAL) = UINT32_MAX;
}

uint32_t apic_timer_remaining(void)
{
	return *apic_register(APIC_TIMER_CURRENT);
}
