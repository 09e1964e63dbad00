/*
 * The two 8259 interrupt controllers (Intel 8259A data sheet). Owns their masks; the lock is held
 * for a few port writes.
 */
#include "irq.h"

#include <arch/port.h>
#include <arch/spin.h>

#define PIC1_COMMAND 0x20
#define PIC1_DATA    0x21
#define PIC2_COMMAND 0xa0
#define PIC2_DATA    0xa1

#define PIC_LINES 16

#define ICW1_INIT_ICW4 0x11
#define ICW4_8086      0x01
#define OCW2_EOI       0x20
#define OCW3_READ_ISR  0x0b
#define CASCADE_LINE   2

static struct spinlock pic_lock = SPINLOCK_INIT(LOCK_IRQ);
static uint16_t masked GUARDED_BY(pic_lock) = 0xffff;

static void write_masks(void) REQUIRES(pic_lock)
{
	port_out8(PIC1_DATA, (uint8_t)masked);
	port_out8(PIC2_DATA, (uint8_t)(masked >> 8));
}

void pic_init(unsigned base)
{
	irqflags_t flags = spin_lock_irqsave(&pic_lock);

	port_out8(PIC1_COMMAND, ICW1_INIT_ICW4);
	port_out8(PIC2_COMMAND, ICW1_INIT_ICW4);
	port_out8(PIC1_DATA, (uint8_t)base);
	port_out8(PIC2_DATA, (uint8_t)(base + 8));
	port_out8(PIC1_DATA, 1u << CASCADE_LINE);
	port_out8(PIC2_DATA, CASCADE_LINE);
	port_out8(PIC1_DATA, ICW4_8086);
	port_out8(PIC2_DATA, ICW4_8086);
	masked = (uint16_t) ~(1u << CASCADE_LINE);
	write_masks();
	spin_unlock_irqrestore(&pic_lock, flags);
}

static void unmask(unsigned line, uint32_t cpu)
{
	irqflags_t flags = spin_lock_irqsave(&pic_lock);

	(void)cpu; /* their one output is wired to the first */
	masked &= (uint16_t) ~(1u << line);
	write_masks();
	spin_unlock_irqrestore(&pic_lock, flags);
}

static void end(unsigned line)
{
	if (line >= 8)
		port_out8(PIC2_COMMAND, OCW2_EOI);
	port_out8(PIC1_COMMAND, OCW2_EOI);
}

static uint8_t in_service_of(uint16_t command)
{
	port_out8(command, OCW3_READ_ISR);
	return port_in8(command);
}

/* Lines 7 and 15 also stand for a request that went away before it was taken (8259A data sheet,
 * "interrupt request inputs"). */
static bool is_real(unsigned line)
{
	uint16_t command = line >= 8 ? PIC2_COMMAND : PIC1_COMMAND;

	if (line != 7 && line != 15)
		return true;
	if (in_service_of(command) & 0x80)
		return true;
	if (line == 15)
		port_out8(PIC1_COMMAND, OCW2_EOI); /* the first one did see its cascade line */
	return false;
}

static uint32_t place_of(unsigned line)
{
	return line;
}

static bool leads_here(unsigned line)
{
	return line < PIC_LINES && line != CASCADE_LINE;
}

static bool in_service(void)
{
	return in_service_of(PIC1_COMMAND) || in_service_of(PIC2_COMMAND);
}

const struct irq_controller pic_controller = {
	.name = "8259",
	.place_of = place_of,
	.leads_here = leads_here,
	.unmask = unmask,
	.is_real = is_real,
	.end = end,
	.in_service = in_service,
};
