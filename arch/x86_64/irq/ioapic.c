/*
 * The I/O APICs (Intel 82093AA data sheet), as the MADT lists them. Owns their registers, which are
 * reached through a window, so every access is two steps under `ioapic_lock`.
 */
#define LOG_SUBSYSTEM "irq"

#include "irq.h"

#include "acpi/acpi.h"
#include "interrupts.h"
#include "paging_priv.h"

#include <arch/cpu.h>
#include <arch/spin.h>
#include <arch/trap.h>
#include <lib/log.h>

/* The window, as offsets into the registers (in words of 32 bits). */
#define WINDOW_SELECT (0x00 / 4)
#define WINDOW_DATA   (0x10 / 4)
#define WINDOW_BYTES  0x20

#define REGISTER_VERSION     1
#define REGISTER_REDIRECTION 0x10 /* two for each pin */

#define VERSION_LAST_PIN(version) ((version) >> 16 & 0xff)
#define REGISTERS_ABSENT          UINT32_MAX

#define REDIRECTION_LOW_ACTIVE (1u << 13)
#define REDIRECTION_LEVEL      (1u << 15)
#define REDIRECTION_MASKED     (1u << 16)
#define REDIRECTION_TARGET(id) ((id) << 24)

struct ioapic {
	volatile uint32_t *registers;
	uint32_t gsi_base;
	uint32_t npins;
};

static struct spinlock ioapic_lock = SPINLOCK_INIT(LOCK_IRQ);
/* Constant after ioapic_init(). */
static struct ioapic ioapics[ACPI_IOAPICS_MAX];
static uint32_t nioapics;

static uint32_t read_locked(const struct ioapic *ioapic, uint32_t number) REQUIRES(ioapic_lock)
{
	ioapic->registers[WINDOW_SELECT] = number;
	return ioapic->registers[WINDOW_DATA];
}

static void write_locked(const struct ioapic *ioapic, uint32_t number, uint32_t value)
	REQUIRES(ioapic_lock)
{
	ioapic->registers[WINDOW_SELECT] = number;
	ioapic->registers[WINDOW_DATA] = value;
}

/* False: nothing answers there. */
static bool set_up(struct ioapic *ioapic)
{
	irqflags_t flags = spin_lock_irqsave(&ioapic_lock);
	uint32_t version = read_locked(ioapic, REGISTER_VERSION);

	if (version != REGISTERS_ABSENT) {
		ioapic->npins = VERSION_LAST_PIN(version) + 1;
		for (uint32_t pin = 0; pin < ioapic->npins; pin++)
			write_locked(ioapic, REGISTER_REDIRECTION + 2 * pin, REDIRECTION_MASKED);
	}
	spin_unlock_irqrestore(&ioapic_lock, flags);
	return version != REGISTERS_ABSENT;
}

bool ioapic_init(void)
{
	const struct acpi_madt *madt = &acpi_info()->madt;

	for (uint32_t i = 0; i < madt->nioapics; i++) {
		struct ioapic ioapic = {
			.registers = fixed_map(madt->ioapics[i].address, WINDOW_BYTES,
					       PAGE_WRITE | PAGE_UNCACHED),
			.gsi_base = madt->ioapics[i].gsi_base,
		};

		if (!ioapic.registers || !IS_ALIGNED(madt->ioapics[i].address, 16) ||
		    !set_up(&ioapic))
			log_warn("the I/O APIC at %#lx is not there", madt->ioapics[i].address);
		else
			ioapics[nioapics++] = ioapic;
	}
	return nioapics != 0;
}

/* ---- lines ---- */

static uint32_t gsi_of(unsigned line)
{
	return line < ACPI_ISA_LINES ? acpi_info()->madt.isa[line].gsi : line;
}

static const struct ioapic *ioapic_of(uint32_t gsi)
{
	for (uint32_t i = 0; i < nioapics; i++) {
		if (gsi >= ioapics[i].gsi_base && gsi - ioapics[i].gsi_base < ioapics[i].npins)
			return &ioapics[i];
	}
	return NULL;
}

static uint32_t place_of(unsigned line)
{
	return gsi_of(line);
}

static bool leads_here(unsigned line)
{
	return ioapic_of(gsi_of(line));
}

/* ISA's lines are active high and by edge unless the firmware says otherwise, the others are PCI's:
 * active low, by level. */
static uint32_t mode_of(unsigned line)
{
	const struct acpi_isa_line *isa = &acpi_info()->madt.isa[line % ACPI_ISA_LINES];

	if (line >= ACPI_ISA_LINES)
		return REDIRECTION_LOW_ACTIVE | REDIRECTION_LEVEL;
	return (isa->polarity == POLARITY_LOW ? REDIRECTION_LOW_ACTIVE : 0) |
	       (isa->trigger == TRIGGER_LEVEL ? REDIRECTION_LEVEL : 0);
}

static void unmask(unsigned line, uint32_t cpu)
{
	const struct ioapic *ioapic = ioapic_of(gsi_of(line));
	uint32_t number = REGISTER_REDIRECTION + 2 * (gsi_of(line) - ioapic->gsi_base);
	irqflags_t flags = spin_lock_irqsave(&ioapic_lock);

	write_locked(ioapic, number + 1, REDIRECTION_TARGET(cpu_by_id(cpu)->apic_id));
	write_locked(ioapic, number, (VECTOR_IRQ_BASE + line) | mode_of(line));
	spin_unlock_irqrestore(&ioapic_lock, flags);
}

static bool is_real(unsigned line)
{
	(void)line;
	return true; /* spurious ones come with a vector of their own */
}

static void end(unsigned line)
{
	(void)line;
	apic_end();
}

const struct irq_controller ioapic_controller = {
	.name = "I/O APIC",
	.reaches_all_cpus = true,
	.place_of = place_of,
	.leads_here = leads_here,
	.unmask = unmask,
	.is_real = is_real,
	.end = end,
	.in_service = apic_any_in_service,
};
