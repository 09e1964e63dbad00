/*
 * The table that ksh gets: which function of the kernel stands behind each entry of abi/ksh.h, and
 * the small ones (console, time, self-tests, the end). All of them run on ksh's thread and return
 * without a lock.
 */
#include "ksh_session.h"

#include "bench.h"
#include "console/console.h"
#include "input/input.h"
#include "panic_triggers.h"
#include "random.h"
#include "selftest.h"
#include "tty.h"

#include <abi/errno.h>
#include <abi/termios.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <lib/string.h>
#include <sched/thread.h>

/* ---- console ---- */

static long console_read(void *to, size_t len_bytes, uint64_t timeout_ns)
{
	static uint32_t size_seen;
	uint64_t deadline_ns = timeout_ns == KSH_FOREVER ? UINT64_MAX : clock_ns() + timeout_ns;
	ssize_t got;
	err_t err;

	err = tty_wait_input(console_tty, deadline_ns, timeout_ns ? &size_seen : NULL);
	if (err == -ETIMEDOUT)
		return 0;
	if (err == -ERESTART)
		return -EINTR;
	if (err)
		return err;
	got = tty_read_kernel(console_tty, to, len_bytes, true);
	return got == -EAGAIN ? 0 : got;
}

static long console_write(const void *from, size_t len_bytes)
{
	return tty_write_kernel(console_tty, from, len_bytes);
}

static void console_size(struct ksh_window *out)
{
	struct abi_winsize size;

	tty_get_size(console_tty, &size);
	*out = (struct ksh_window){.rows = size.ws_row, .columns = size.ws_col};
}

static void console_mode(enum ksh_console_mode mode)
{
	/* What the terminal was like before ksh touched it: so a program gets it, whatever the one
	 * before has done to it. */
	static struct abi_termios initial;
	static bool have_initial;
	struct abi_termios termios;

	if (!have_initial) {
		tty_get_termios(console_tty, &initial);
		have_initial = true;
	}
	termios = initial;
	if (mode != KSH_CONSOLE_LINE) {
		termios.c_iflag &= ~(ICRNL | INLCR | IGNCR | IXON);
		termios.c_lflag &= ~(ICANON | ECHO | ECHONL | ISIG | IEXTEN);
		termios.c_cc[VMIN] = 1;
		termios.c_cc[VTIME] = 0;
	}
	console_line_editor(mode == KSH_CONSOLE_EDIT);
	if (mode == KSH_CONSOLE_LINE) {
		tty_await_program(console_tty, &termios);
	} else {
		tty_set_termios(console_tty, &termios, false);
		tty_set_foreground(console_tty, 0); /* a ^C behind the program's end is nobody's */
	}
}

/* ---- time, the end ---- */

static void sleep_ns(uint64_t duration_ns)
{
	(void)thread_sleep_ns(duration_ns); /* killed: there is nothing that it could do about it */
}

static int poweroff(void)
{
	serial_console_push_out();
	machine_poweroff();
}

static int reboot(void)
{
	serial_console_push_out();
	machine_reboot();
}

const struct ksh_exports ksh_export_table = {
	.abi_version = KSH_ABI_VERSION,
	.table_bytes = sizeof(struct ksh_exports),

	.console_read = console_read,
	.console_write = console_write,
	.console_size = console_size,
	.console_mode = console_mode,
	.memory_alloc = ksh_memory_alloc,
	.memory_free = ksh_memory_free,
	.clock_ns = clock_ns,
	.sleep_ns = sleep_ns,

	.file_open = ksh_file_open,
	.file_read = ksh_file_read,
	.file_write = ksh_file_write,
	.file_entries = ksh_file_entries,
	.file_close = ksh_file_close,
	.file_stat = ksh_file_stat,
	.file_link = ksh_file_link,
	.directory_change = ksh_directory_change,
	.directory_name = ksh_directory_name,
	.mount_list = ksh_mount_list,

	.process_spawn = ksh_process_spawn,
	.process_wait = ksh_process_wait,
	.process_disown = ksh_process_disown,
	.process_signal = ksh_process_signal,
	.process_nice = ksh_process_nice,
	.process_foreground = ksh_process_foreground,
	.process_list = ksh_process_list,
	.space_regions = ksh_space_regions,
	.space_walk = ksh_space_walk,
	.trace_set = ksh_trace_set,

	.memory_info = ksh_memory_info,
	.slab_list = ksh_slab_list,
	.irq_list = ksh_irq_list,
	.cpu_list = ksh_cpu_list,
	.machine_info = ksh_machine_info,
	.log_line = ksh_log_line,
	.log_write = ksh_log_write,

	.selftest_name = selftest_name,
	.selftest_run = selftest_run,
	.bench_name = bench_name,
	.bench_run = bench_run,
	.bench_counts_instructions = bench_counts_instructions,

	.trigger_info = panic_trigger_info,
	.trigger_fire = panic_trigger_fire,
	.machine_poweroff = poweroff,
	.machine_reboot = reboot,
	.random = random_u64,
	.boot_option = ksh_boot_option,
	.ready = bench_prompt_reached,
	.task_list = ksh_task_list,
	.keymap_load = input_load_keymap,
	.keymap_name = input_keymap_name,
	.sched_list = ksh_sched_list,
	.lock_list = ksh_lock_list,
	.userspace_run = ksh_userspace_run,
};
