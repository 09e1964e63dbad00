/*
 * The last words: what broke, where, who ran, what was logged before, what the other CPUs did. The
 * CPU that panics first stops all others and speaks alone. Runs with interrupts off, takes no lock,
 * allocates nothing, and survives a fault of its own by saying less.
 */
#include "console/console.h"
#include "console/screen.h"
#include "exec_channel.h"
#include "ksh.h"
#include "log.h"

#include <arch/console.h>
#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/paging.h>
#include <arch/trap.h>
#include <lib/atomic.h>
#include <lib/fmt.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <sched/thread.h>

#define FRAMES_MAX      32
#define LOG_LINES_SHOWN 12

static uint32_t speaker; /* atomic: number + 1 of the CPU that panicked first; 0: none */
static uint32_t depth;   /* the speaker's: how often it came here */
/* What other CPUs panicked about at the same time; on their stacks, which nobody leaves any more.
 */
static const char *reasons[CPU_MAX]; /* atomic */

static void say(const char *format, ...) PRINTF(1, 2);
static void say(const char *format, ...)
{
	char text[512];
	va_list arguments;
	size_t len;

	va_start(arguments, format);
	len = kernel_format_list(text, sizeof(text), format, arguments);
	va_end(arguments);
	console_write_raw(text, MIN(len, sizeof(text) - 1));
}

/* `back_bytes`: 1 for a return address. The call before it is what is meant; after a call that
 * never returns the address itself belongs to the next function already. */
static void say_address(uint64_t address, unsigned back_bytes)
{
	uint64_t offset;
	const char *name = symbol_find(address - back_bytes, &offset);

	if (!name)
		name = ksh_symbol(address - back_bytes, &offset);
	if (name)
		say("  %#018lx %s+%#lx\n", address, name, offset + back_bytes);
	else
		say("  %#018lx\n", address);
}

static void say_addresses(uint64_t rip, const uint64_t *addresses, unsigned count)
{
	say("backtrace:\n");
	if (rip)
		say_address(rip, 0);
	for (unsigned i = 0; i < count; i++)
		say_address(addresses[i], 1);
}

static void say_backtrace(uint64_t rip, uint64_t fp)
{
	uint64_t addresses[FRAMES_MAX];

	say_addresses(rip, addresses, backtrace_collect(fp, addresses, FRAMES_MAX));
}

static void say_thread(uint32_t cpu, const struct thread *thread)
{
	say("cpu %u, thread %d '%s'\n", cpu, thread ? thread->tid : 0,
	    thread ? thread->name : "(none)");
}

static void say_registers(const struct trap_frame *f)
{
	say("rip %016lx  cs  %04lx  rflags %08lx  error %lx\n", f->rip, f->cs, f->rflags,
	    f->error_code);
	say("rsp %016lx  ss  %04lx\n", f->rsp, f->ss);
	say("rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
	say("rsi %016lx  rdi %016lx  rbp %016lx  r8  %016lx\n", f->rsi, f->rdi, f->rbp, f->r8);
	say("r9  %016lx  r10 %016lx  r11 %016lx  r12 %016lx\n", f->r9, f->r10, f->r11, f->r12);
	say("r13 %016lx  r14 %016lx  r15 %016lx\n", f->r13, f->r14, f->r15);
}

static void say_log(void)
{
	static struct log_line line; /* one CPU is left, and the stack may be short */
	uint64_t sequence = 0;
	uint64_t last = 0;

	while (log_read(sequence, &line)) {
		last = line.sequence;
		sequence = last + 1;
	}
	say("last log lines:\n");
	sequence = last >= LOG_LINES_SHOWN ? last - LOG_LINES_SHOWN + 1 : 0;
	while (log_read(sequence, &line)) {
		char text[LOG_LINE_MAX + 32];

		log_format(&line, text, sizeof(text));
		say("  %s", text);
		sequence = line.sequence + 1;
	}
}

/* What the other CPUs did when they were stopped. */
static void say_others(void)
{
	for_each_cpu (id) {
		const struct cpu_snapshot *snapshot = cpu_stopped(id);

		if (id == cpu_id())
			continue;
		say("\n");
		if (!snapshot) {
			say("cpu %u does not answer\n", id);
			continue;
		}
		say_thread(id, snapshot->thread);
		if (read_once(&reasons[id]))
			say("panicked as well: %s\n", read_once(&reasons[id]));
		if (snapshot->has_frame)
			say_registers(&snapshot->frame);
		say_addresses(snapshot->has_frame ? snapshot->frame.rip : 0, snapshot->addresses,
			      snapshot->naddresses);
	}
}

/* Returns on the CPU that panicked first, when it comes here for the first time. */
static void be_the_speaker(const char *reason, const struct trap_frame *frame, uint64_t rip,
			   uint64_t fp)
{
	uint32_t none = 0;

	if (!atomic_cas(&speaker, &none, cpu_id() + 1) && none != cpu_id() + 1) {
		write_once(&reasons[cpu_id()], reason);
		cpu_stop_here(frame, fp);
	}
	if (++depth == 1)
		return;
	if (depth == 2) {
		say("\npanic inside the panic: %s\n", reason);
		say_backtrace(rip, fp);
		exec_channel_panic(reason);
	}
	cpu_halt();
}

static noreturn void die(const char *reason, const struct trap_frame *frame, uint64_t rip,
			 uint64_t fp)
{
	irq_disable();
	be_the_speaker(reason, frame, rip, fp);
	(void)cpus_stop(); /* nobody else stops CPUs but who halts the machine, and then we are
			      stopped */
	log_enter_panic();
	serial_console_push_out();
	screen_enter_panic();
	say("\n\nKERNEL PANIC: %s\n", reason);
	say_thread(cpu_id(), current_thread());
	if (frame)
		say_registers(frame);
	say_backtrace(rip, fp);
	say("the image was moved up by %#lx\n", kernel_layout.image_slide);
	say_log();
	say_others();
	say("The machine is halted.\n");
	exec_channel_panic(reason);
	machine_halt();
}

noreturn void panic(const char *format, ...)
{
	char reason[256];
	va_list arguments;

	irq_disable();
	va_start(arguments, format);
	kernel_format_list(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	die(reason, NULL, 0, (uint64_t)__builtin_frame_address(0));
}

static bool is_stack_guard(const struct thread *thread, uint64_t address)
{
	return thread && address < thread->context.stack_base &&
	       address >= thread->context.stack_base - PAGE_SIZE;
}

noreturn void trap_kernel_fault(struct trap_frame *frame, vaddr_t address)
{
	const struct thread *thread = current_thread();
	const char *what = "read of";
	char reason[256];

	irq_disable();
	if (frame->error_code & 2)
		what = "write to";
	else if (frame->error_code & 16)
		what = "jump to";

	if ((frame->vector == TRAP_DOUBLE_FAULT || frame->vector == TRAP_PAGE_FAULT) &&
	    is_stack_guard(thread, address))
		kernel_format(reason, sizeof(reason),
			      "kernel stack overflow in thread '%s' (guard page at %#lx)",
			      thread->name, address);
	else if (frame->vector == TRAP_PAGE_FAULT && address < PAGE_SIZE)
		kernel_format(reason, sizeof(reason), "null pointer dereference: %s %#lx", what,
			      address);
	else if (frame->vector == TRAP_PAGE_FAULT)
		kernel_format(reason, sizeof(reason), "page fault: %s %#lx (%s)", what, address,
			      frame->error_code & 1 ? "not allowed" : "nothing mapped there");
	else
		kernel_format(reason, sizeof(reason), "%s", trap_name(frame->vector));
	die(reason, frame, frame->rip, frame->rbp);
}
