/*
 * The end of a session with the machine: off, again, or stopped. As ACPI says first, then the ways
 * that QEMU and old chipsets offer, each in turn.
 */
#include "acpi/acpi.h"
#include "clock/clock_priv.h"
#include "clock/rtc.h"
#include "descriptors.h"
#include "interrupts.h"
#include "x86.h"

#include <arch/clock.h>
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/machine.h>
#include <arch/port.h>
#include <arch/trap.h>

/* PM1a control of QEMU's PIIX4 and ICH9, whose firmware puts the block there; SLP_EN with SLP_TYP 0
 * is S5 on both. */
#define PM1A_PIIX4       0xb004
#define PM1A_PIIX4_OLD   0x604
#define SLP_EN           0x2000
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_RESET   0xfe
#define RESET_CONTROL    0xcf9

void machine_init_interrupts(void)
{
	descriptors_hide(this_cpu());
	acpi_init();
	if (apic_init())
		this_cpu()->apic_id = apic_id();
	irq_init();
	if (apic_present())
		apic_init_cpu();
	clock_init();
	clock_wall_set(rtc_read_ns());
}

noreturn void cpu_halt(void)
{
	irq_disable();
	for (;;)
		__asm__ volatile("hlt");
}

noreturn void machine_halt(void)
{
	(void)cpus_stop();
	cpu_halt();
}

noreturn void machine_poweroff(void)
{
	static const char text[] = "It is now safe to turn off the machine.\n";

	irq_disable();
	acpi_poweroff();
	port_out16(PM1A_PIIX4_OLD, SLP_EN);
	port_out16(PM1A_PIIX4, SLP_EN);
	/* An emulator acts on it a moment later; the time that a port takes is the only clock that
	 * is sure to run. */
	for (int i = 0; i < 100000; i++)
		port_in8(KEYBOARD_COMMAND);
	console_write_raw(text, sizeof(text) - 1);
	machine_halt();
}

noreturn void machine_reboot(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} PACKED no_idt = {0, 0};

	irq_disable();
	acpi_reset();
	port_out8(KEYBOARD_COMMAND, KEYBOARD_RESET);
	for (int i = 0; i < 1000; i++)
		port_in8(KEYBOARD_COMMAND);
	port_out8(RESET_CONTROL, 0x06);
	/* A fault without a handler is a triple fault, which resets every PC. */
	__asm__ volatile("lidt %0\n\tint3" ::"m"(no_idt));
	machine_halt();
}
