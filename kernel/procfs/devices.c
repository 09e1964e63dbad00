/*
 * Texts about devices: interrupts, terminals, and the disks and modules that there are not.
 */
#include "procfs.h"

#include "../devices.h"

#include <arch/cpu.h>
#include <arch/trap.h>

#define VECTOR_FIRST 32 /* below are the CPU's own exceptions */
#define VECTORS      256

static bool vector_is_silent(unsigned vector)
{
	for_each_cpu (cpu) {
		if (trap_count(cpu, vector))
			return false;
	}
	return true;
}

static void add_vector(struct text *text, unsigned vector)
{
	struct trap_vector_info info;

	trap_vector_info(vector, &info);
	if (vector_is_silent(vector) && info.line < 0)
		return;
	text_add(text, "%3u:", vector);
	for_each_cpu (cpu)
		text_add(text, " %10lu", trap_count(cpu, vector));
	if (info.line >= 0)
		text_add(text, "  %s %d", info.controller ? info.controller : "?", info.line);
	text_add(text, "  %s\n", info.owner);
}

/* By vectors, where Linux has numbers of its own. */
void proc_interrupts(struct text *text, UNUSED const struct proc_subject *subject)
{
	text_add(text, "    ");
	for_each_cpu (cpu)
		text_add(text, "       CPU%-2u", cpu);
	text_add(text, "\n");
	for (unsigned vector = VECTOR_FIRST; vector < VECTORS; vector++)
		add_vector(text, vector);
}

/* How ps finds a terminal's name by its number. */
void proc_tty_drivers(struct text *text, UNUSED const struct proc_subject *subject)
{
	static const struct {
		const char *driver, *name;
		unsigned major, first, last;
		const char *type;
	} drivers[] = {
		{"/dev/tty", "/dev/tty", DEVICE_TTY_MAJOR, 0, 0, "system:/dev/tty"},
		{"/dev/console", "/dev/console", DEVICE_TTY_MAJOR, 1, 1, "system:console"},
		{"/dev/ptmx", "/dev/ptmx", DEVICE_TTY_MAJOR, 2, 2, "system"},
		{"serial", "/dev/ttyS", DEVICE_SERIAL_MAJOR, 64, 95, "serial"},
		{"pty_slave", "/dev/pts", DEVICE_PTS_MAJOR, 0, 1048575, "pty:slave"},
		{"unknown", "/dev/tty", DEVICE_SERIAL_MAJOR, 1, 63, "console"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(drivers); i++) {
		text_add(text, "%-20s %-14s %3u ", drivers[i].driver, drivers[i].name,
			 drivers[i].major);
		if (drivers[i].first == drivers[i].last)
			text_add(text, "%7u ", drivers[i].first);
		else
			text_add(text, "%u-%u ", drivers[i].first, drivers[i].last);
		text_add(text, "%s\n", drivers[i].type);
	}
}

void proc_partitions(struct text *text, UNUSED const struct proc_subject *subject)
{
	text_add(text, "major minor  #blocks  name\n\n");
}

void proc_nothing(UNUSED struct text *text, UNUSED const struct proc_subject *subject)
{
}
