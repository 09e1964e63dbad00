/*
 * The order in which the kernel comes up. kernel_main() runs on the boot stack with interrupts off
 * and ends as the first CPU's idle thread; what may sleep happens in the thread `init`, which ends
 * by handing the machine to ksh or to the program that the command line names.
 */
#define LOG_SUBSYSTEM "boot"

#include "console/console.h"
#include "console/screen.h"
#include "devices.h"
#include "exec_channel.h"
#include "files/splice.h"
#include "input/input.h"
#include "ksh.h"
#include "kthread.h"
#include "log.h"
#include "memory/huge_mode.h"
#include "mqueue/mqueue.h"
#include "process.h"
#include "procfs.h"
#include "pty/pty.h"
#include "serial/serial_tty.h"
#include "signal/signal.h"
#include "user_layout.h"

#include <arch/boot.h>
#include <arch/clock.h>
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/machine.h>
#include <arch/trap.h>
#include <fusek/driver.h>
#include <fusek/mount.h>
#include <ipc/sysv.h>
#include <lib/fmt.h>
#include <lib/log.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/kva.h>
#include <mm/mm.h>
#include <mm/pressure.h>
#include <mm/space.h>
#include <sched/clock_watch.h>
#include <sched/task.h>
#include <sched/thread.h>
#include <sched/watchdog.h>

#define WATCHDOG_S     10 /* a CPU or thread that does not get on for so long is named in the log */
#define WATCHDOG_S_MAX 3600

static struct thread init_thread;

static const char *const loglevels[] = {"err", "warn", "trace", "info", "debug"};

static void read_loglevel(void)
{
	char text[16];
	uint64_t number;

	if (!boot_option("loglevel", text, sizeof(text)))
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(loglevels); i++) {
		if (strcmp(text, loglevels[i]) == 0) {
			log_set_level((enum log_level)i);
			return;
		}
	}
	if (!string_to_u64(text, &number) && number < ARRAY_SIZE(loglevels))
		log_set_level((enum log_level)number);
	else
		log_warn("loglevel=%s: say err, warn, trace, info, debug or 0 to 4", text);
}

/* `transparent_hugepage=`, as Linux has it. */
static void read_huge_mode(void)
{
	char text[16];

	if (boot_option("transparent_hugepage", text, sizeof(text)) && huge_mode_set(text))
		log_warn("transparent_hugepage=%s: say always, madvise or never", text);
}

/* A machine that cannot come up, for a reason that its user can do something about. */
static noreturn void give_up(const char *format, ...) PRINTF(1, 2);
static noreturn void give_up(const char *format, ...)
{
	char reason[256];
	va_list arguments;

	va_start(arguments, format);
	kernel_format_list(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	log_err("cannot start: %s", reason);
	console_write_raw("Fuselage cannot start: ", 23);
	console_write_raw(reason, strlen(reason));
	console_write_raw(". Halted.\n", 10);
	exec_channel_panic(reason);
	machine_halt();
}

static void mount_root_filesystem(void)
{
	const struct boot_module *ramdisk = &boot_info->modules[0];
	err_t err;

	if (!boot_info->nmodules)
		give_up("the loader gave no ramdisk (QEMU: -initrd base.img; GRUB: module2)");
	if (!IS_ALIGNED(ramdisk->start, PAGE_SIZE))
		give_up("the loader put the ramdisk at %#lx, which is not page-aligned",
			ramdisk->start);
	err = fusek_init(ramdisk->start, ramdisk->end);
	if (err)
		give_up("the ramdisk (%lu KiB at %#lx) is no ext2 image that can be mounted (error "
			"%d)",
			(ramdisk->end - ramdisk->start) / KIB, ramdisk->start, -err);
}

/* `watchdog=` seconds; 0: none. */
static void start_watchdog(void)
{
	uint64_t seconds = WATCHDOG_S;
	char text[16];

	if (boot_option("watchdog", text, sizeof(text)) &&
	    (string_to_u64(text, &seconds) || seconds > WATCHDOG_S_MAX)) {
		log_warn("watchdog=%s: say how many seconds, 0 to %u", text, WATCHDOG_S_MAX);
		seconds = WATCHDOG_S;
	}
	if (seconds)
		watchdog_start(seconds * NSEC_PER_SEC);
}

/* The first one comes before all others, on whatever CPU it looks for what is kept at hand. */
static void start_memory_threads(void)
{
	const struct thread_policy policy = {.policy = POLICY_FIFO, .priority = SCHED_PRIORITY_MAX};
	struct thread *fast;
	err_t err = kthread_create("memory", memory_reclaim_forever, NULL, &fast);

	if (!err)
		err = kthread_start("memory-names", memory_reclaim_slowly_forever, NULL, NULL);
	if (err)
		give_up("there is no memory for the threads that look after it");
	thread_set_policy(fast, &policy);
	thread_start(fast);
}

static void bring_up(void *argument)
{
	(void)argument;
	machine_start_cpus();
	clock_watch_start();
	start_watchdog();
	mount_root_filesystem();
	splice_init();
	start_memory_threads();
	if (thread_memory_init())
		give_up("there is no memory for the threads of programs");
	parking_start();
	devices_init();
	signalfd_init();
	sysv_init();
	procfs_init();
	if (fuse_device_init())
		log_warn("no /dev/fuse: there will be no drivers");
	console_init();
	pty_init();
	mqueue_init();
	input_init();
	exec_channel_init();
	if (!exec_channel_has_com2())
		serial_tty_init();
	user_layout_init();
	if (boot_option("exec", NULL, 0))
		exec_runner_start();
	else
		ksh_start();
}

noreturn void cpu_main(vaddr_t stack_base, vaddr_t stack_top)
{
	vaddr_t executor_stack;

	sched_init_cpu(stack_base, stack_top);
	mm_init_cpu();
	executor_stack = stack_alloc();
	if (!executor_stack) {
		log_err("CPU %u: no memory for its first thread", cpu_id());
		cpu_halt(); /* it is given up by the one who started it */
	}
	executor_start(executor_stack, executor_stack + KERNEL_STACK_BYTES);
	machine_cpu_ready();
	sched_start();
}

noreturn void kernel_main(void)
{
	vaddr_t stack_base;
	vaddr_t stack_top;

	machine_boot_stack(&stack_base, &stack_top);
	sched_init_cpu(stack_base, stack_top);
	mm_init();
	screen_find_display();
	machine_init_interrupts();
	read_loglevel();
	read_huge_mode();
	log_info("Fuselage (%s build) by %s on %s, %lu MHz",
		 IS_ON(FUSELAGE_DEBUG) ? "debug" : "release", boot_info->loader,
		 cpu_features()->model[0] ? cpu_features()->model : cpu_features()->vendor,
		 clock_cycles_hz() / 1000000);
	log_info("clock %s, timer %s", clock_source_name(), clock_timer_name());

	stack_base = stack_alloc();
	stack_top = stack_alloc();
	if (!stack_base || !stack_top)
		give_up("there is no memory for the first threads");
	executor_start(stack_top, stack_top + KERNEL_STACK_BYTES);
	thread_init(&init_thread, &(struct thread_params){
					  .name = "init",
					  .entry = bring_up,
					  .stack_base = stack_base,
					  .stack_top = stack_base + KERNEL_STACK_BYTES,
				  });
	thread_start(&init_thread);
	sched_start();
}
