/*
 * A userspace from its beginning to its end, and reboot(2). Owns whether there is one (`running`,
 * atomic) and whether Ctrl-Alt-Del reboots at once (`reboots_at_once`, atomic).
 *
 * The end of PID 1 is no panic here: ksh is behind it, so whatever programs it left are killed, the
 * terminals are nobody's any more, and who has started it goes on.
 */
#define LOG_SUBSYSTEM "userspace"

#include "userspace.h"

#include <abi/errno.h>
#include <abi/reboot.h>
#include <abi/signal.h>
#include <abi/wait.h>
#include <arch/boot.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/user.h>
#include <ipc/object.h>
#include <lib/atomic.h>
#include <lib/log.h>
#include <lib/string.h>

#include "console/console.h"
#include "console/screen.h"
#include "ksh_session.h"
#include "namespace/pid.h"
#include "process/capability.h"
#include "process/family.h"
#include "process/uthread.h"
#include "signal/signal.h"
#include "syscall_table.h"
#include "tty.h"

#define LOOK_NS     (5 * NSEC_PER_MSEC)
#define PATIENCE_NS (10 * NSEC_PER_SEC)

static bool running;                /* atomic */
static bool reboots_at_once = true; /* atomic */

/* ---- its end ---- */

struct survivors {
	int32_t ksh_session;
	int32_t pid; /* of one of them; 0: there are none */
};

static void kill_survivor(void *argument, struct process *process)
{
	struct survivors *survivors = argument;

	if (read_once(&process->session) == survivors->ksh_session ||
	    read_once(&process->state) >= PROCESS_ZOMBIE)
		return;
	survivors->pid = process->pid;
	process_signal(process, SIGKILL);
}

/* All programs but those that ksh itself has started. Anew until none is left: some may be being
 * born. */
static void kill_programs(void)
{
	struct survivors survivors = {.ksh_session = ksh_session_number()};
	uint64_t deadline_ns = clock_ns() + PATIENCE_NS;

	for (;;) {
		survivors.pid = 0;
		spin_lock(&family_lock);
		pid_for_each_rcu(kill_survivor, &survivors);
		spin_unlock(&family_lock);
		if (!survivors.pid)
			return;
		if (clock_ns() > deadline_ns) {
			log_warn("program %d does not end", survivors.pid);
			return;
		}
		if (thread_sleep_ns(LOOK_NS))
			return;
	}
}

static void give_console_back(void)
{
	tty_hang_up(console_tty);
	tty_set_stopped(console_tty, false);
	tty_set_session(console_tty, ksh_session_number());
	screen_show_console(console_tty);
}

/* ---- from its beginning ---- */

static err_t run(const char *path, const char *const *argv, const char *const *envp, int *status)
{
	struct spawn_request request = {.path = path, .argv = argv, .envp = envp, .init = true};
	struct object *console = tty_open(console_tty);
	int32_t pid;
	err_t err;

	if (!console)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(request.streams); i++)
		request.streams[i] = console;
	write_once(&reboots_at_once, true);
	tty_set_session(console_tty, 0);
	err = process_spawn(&request, &pid);
	object_put(console);
	if (!err)
		err = process_wait(pid, status, NULL);
	kill_programs();
	give_console_back();
	return err;
}

err_t userspace_run(const char *path, const char *const *argv, const char *const *envp, int *status)
{
	err_t err;

	if (atomic_exchange_full(&running, true))
		return -EBUSY;
	err = run(path, argv, envp, status);
	(void)atomic_exchange_full(&running, false);
	return err;
}

bool userspace_is_up(void)
{
	return read_once(&running);
}

void userspace_run_default(void)
{
	static const char *const environment[] = {
		"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/", "TERM=linux", NULL};
	char path[256] = USERSPACE_INIT;
	const char *argv[] = {path, NULL};
	int status = 0;
	err_t err;

	(void)boot_option("init", path, sizeof(path));
	err = userspace_run(path, argv, environment, &status);
	if (err)
		log_err("%s cannot be started: error %d", path, -err);
	else if (WIFSIGNALED(status))
		log_err("%s was ended by signal %d", path, WTERMSIG(status));
	else
		log_info("%s has ended with status %d", path, WEXITSTATUS(status));
}

/* ---- the machine's end ---- */

void userspace_ctrl_alt_del(void)
{
	if (!read_once(&reboots_at_once) && !process_kill(1, SIGINT))
		return;
	serial_console_push_out();
	machine_reboot();
}

/* Linux stops here for good; we go back to ksh. */
static void halt(void)
{
	struct process *init = process_find(1);

	if (!init) {
		log_info("halted: there is no userspace to come back from");
		serial_console_push_out();
		machine_poweroff();
	}
	signal_end_process(init, WAIT_STATUS_EXIT(0));
	process_put(init);
}

static int restart_with(uptr_t argument)
{
	char how[256];

	if (user_copy_string(how, argument, sizeof(how)) == -EFAULT)
		return -EFAULT;
	how[sizeof(how) - 1] = '\0';
	log_info("restarting: '%s'", how);
	serial_console_push_out();
	machine_reboot();
}

static bool is_magic(unsigned first, unsigned second)
{
	return first == LINUX_REBOOT_MAGIC1 &&
	       (second == LINUX_REBOOT_MAGIC2 || second == LINUX_REBOOT_MAGIC2A ||
		second == LINUX_REBOOT_MAGIC2B || second == LINUX_REBOOT_MAGIC2C);
}

int sys_reboot(unsigned magic, unsigned magic2, unsigned command, uptr_t argument)
{
	if (!pid_namespace_capable(process_current()->pid_namespace, CAP_SYS_BOOT))
		return -EPERM;
	if (!is_magic(magic, magic2))
		return -EINVAL;
	if (process_current()->pid_namespace)
		return pid_namespace_reboot(command);
	switch (command) {
	case LINUX_REBOOT_CMD_CAD_ON:
	case LINUX_REBOOT_CMD_CAD_OFF:
		write_once(&reboots_at_once, command == LINUX_REBOOT_CMD_CAD_ON);
		return 0;
	case LINUX_REBOOT_CMD_RESTART:
		serial_console_push_out();
		machine_reboot();
	case LINUX_REBOOT_CMD_RESTART2:
		return restart_with(argument);
	case LINUX_REBOOT_CMD_POWER_OFF:
		serial_console_push_out();
		machine_poweroff();
	case LINUX_REBOOT_CMD_HALT:
		halt();
		return 0;
	default:
		return -EINVAL;
	}
}
