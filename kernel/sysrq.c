/*
 * The table of SysRq commands; letters as Linux's (Documentation/admin-guide/sysrq.rst) where Linux
 * has the command.
 */
#define LOG_SUBSYSTEM "sysrq"

#include "sysrq.h"

#include <abi/signal.h>
#include <arch/cpu.h>
#include <lib/log.h>
#include <lib/panic.h>

#include "log.h"
#include "process.h"
#include "tty.h"

/* Whatever holds the terminal goes, so that its shell comes back. */
static void kill_foreground(struct tty *tty)
{
	int group = tty_foreground(tty);

	if (!group)
		log_info("no program is in the foreground of %s", tty->name);
	else if (process_group_signal(group, SIGKILL) == 0)
		log_info("killed group %d, the foreground of %s", group, tty->name);
	tty_set_stopped(tty, false);
}

void sysrq(uint8_t command, struct tty *tty)
{
	switch (command) {
	case 'b':
		log_info("reboot");
		machine_reboot();
	case 'c':
		panic("asked for by SysRq");
	case 'k':
		kill_foreground(tty);
		break;
	case 'o':
		log_info("power off");
		machine_poweroff();
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
		log_set_level((enum log_level)(command - '0'));
		log_info("the log's level is %c", command);
		break;
	default:
		log_info("b reboot, c crash, k kill the foreground program, o power off, 0-4 the "
			 "log's level");
	}
}
