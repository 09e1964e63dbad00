/*
 * ksh's life: one kernel thread that loads /lib/ksh into the module area, runs it, and when it ends
 * or faults takes everything back and begins anew, a bounded number of times a minute.
 *
 * A fault with the instruction pointer in ksh's code is survived if nothing of the kernel was going
 * on: it is ksh's own thread, preemption and interrupts are on, and no lock is held. The trap hook
 * notes where it was and sends the thread to ksh_recover() on an empty stack; there the report is
 * written and the memory freed. A fault in the kernel on ksh's behalf is the kernel's own: a panic.
 *
 * No lock: all state belongs to ksh's thread, the trap hook runs on it too.
 */
#define LOG_SUBSYSTEM "ksh"

#include "ksh.h"

#include "ksh_image.h"
#include "ksh_session.h"
#include "tty.h"
#include "userspace.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <arch/boot.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/paging.h>
#include <arch/trap.h>
#include <fusek/file.h>
#include <lib/fmt.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/kva.h>
#include <sched/thread.h>

#define PAGES_MAX         (KSH_IMAGE_MAX >> PAGE_SHIFT)
#define STARTS_A_MINUTE   5
#define BASES             4096 /* places in the module area that ksh may be loaded at */
#define BACKTRACE_MAX     24
#define SYMBOL_PAGES_MAX  64
#define RFLAGS_INTERRUPTS (UINT64_C(1) << 9) /* SDM 1, 3.4.3 */

static struct {
	struct thread thread;
	vaddr_t stack_base;
	uint32_t restarts;
	uint64_t starts_ns[STARTS_A_MINUTE]; /* the last ones, a ring */
	unsigned next_start;

	/* what is loaded; npages 0: nothing */
	vaddr_t base;
	uint64_t npages;
	struct frame *frames[PAGES_MAX];
	char *tables; /* symbols, then strings; NULL: none */
	uint64_t nsymbols;
	uint64_t strings_bytes;

	/* the last fault */
	struct trap_frame fault;
	vaddr_t fault_address;
	uint64_t backtrace[BACKTRACE_MAX];
	unsigned nbacktrace;
} ksh;

uint32_t ksh_restarts(void)
{
	return ksh.restarts;
}

int32_t ksh_session_number(void)
{
	return (int32_t)ksh.thread.tid;
}

/* ---- loading ---- */

static void unload(void)
{
	if (ksh.npages)
		kernel_unmap(ksh.base, ksh.npages);
	for (uint64_t i = 0; i < ksh.npages; i++)
		frame_free(ksh.frames[i], 0);
	ksh.npages = 0;
	kva_free(ksh.tables);
	ksh.tables = NULL;
	ksh.nsymbols = 0;
}

/* Writable pages of zeros for the whole image. -ENOMEM: nothing is left behind. */
static err_t map_pages(uint64_t npages)
{
	uint64_t slot = boot_option("nokaslr", NULL, 0) ? 0 : cpu_random() % BASES;

	/* A page is left out below, so that nothing stands before the image. */
	ksh.base = MODULE_BASE + PAGE_SIZE + slot * PAGE_SIZE;
	for (ksh.npages = 0; ksh.npages < npages; ksh.npages++) {
		struct frame *frame = frame_alloc(0, FRAME_ZERO);

		if (!frame)
			break;
		if (kernel_map(ksh.base + ksh.npages * PAGE_SIZE, frame_phys(frame), 1,
			       PAGE_WRITE) != 0) {
			frame_free(frame, 0);
			break;
		}
		ksh.frames[ksh.npages] = frame;
	}
	if (ksh.npages == npages)
		return 0;
	unload();
	return -ENOMEM;
}

/* From here on no page is writable and executable, and what is neither is read-only. */
static void protect_pages(const struct ksh_image *image)
{
	kernel_protect(ksh.base, ksh.npages, 0);
	for (unsigned i = 0; i < image->nsegments; i++) {
		const struct ksh_segment *segment = &image->segments[i];
		uint64_t start = ALIGN_DOWN(segment->address, PAGE_SIZE);
		uint64_t end = ALIGN_UP(segment->address + segment->memory_bytes, PAGE_SIZE);

		kernel_protect(ksh.base + start, (end - start) >> PAGE_SHIFT,
			       (segment->writable ? PAGE_WRITE : 0) |
				       (segment->executable ? PAGE_EXEC : 0));
	}
}

/* Keeps symbols and strings for backtraces. Without memory there are no names, that is all. */
static void keep_symbols(const char *file, const struct ksh_image *image)
{
	uint64_t symbols_bytes = image->nsymbols * sizeof(struct elf64_sym);
	uint64_t npages = ALIGN_UP(symbols_bytes + image->strings_bytes, PAGE_SIZE) >> PAGE_SHIFT;

	if (!image->nsymbols || npages > SYMBOL_PAGES_MAX)
		return;
	ksh.tables = kva_alloc(npages);
	if (!ksh.tables)
		return;
	memcpy(ksh.tables, file + image->symbols_offset, symbols_bytes);
	memcpy(ksh.tables + symbols_bytes, file + image->strings_offset, image->strings_bytes);
	ksh.nsymbols = image->nsymbols;
	ksh.strings_bytes = image->strings_bytes;
}

static err_t place(const char *file, size_t file_bytes, ksh_entry_function **entry,
		   const char **reason)
{
	struct ksh_image image;
	err_t err = ksh_image_parse(file, file_bytes, &image, reason);

	if (err)
		return err;
	*reason = "there is no memory for it";
	err = map_pages(image.size_bytes >> PAGE_SHIFT);
	if (err)
		return err;
	ksh_image_place(file, &image, (void *)ksh.base, ksh.base);
	protect_pages(&image);
	keep_symbols(file, &image);
	*entry = (ksh_entry_function *)(ksh.base + image.entry);
	return 0;
}

static err_t read_and_place(struct object *object, ksh_entry_function **entry, const char **reason)
{
	struct abi_stat stat;
	char *file;
	ssize_t got;
	err_t err = object_stat(object, &stat);

	*reason = "it can't be read";
	if (err)
		return err;
	*reason = "it is larger than ksh can be";
	if (stat.st_size <= 0 || (uint64_t)stat.st_size > KSH_FILE_MAX)
		return -EFBIG;
	*reason = "there is no memory for it";
	file = kva_alloc(ALIGN_UP((uint64_t)stat.st_size, PAGE_SIZE) >> PAGE_SHIFT);
	if (!file)
		return -ENOMEM;
	*reason = "it can't be read";
	got = object_read_kernel(object, file, (size_t)stat.st_size, 0);
	err = got < 0 ? (err_t)got : place(file, (size_t)got, entry, reason);
	kva_free(file);
	return err;
}

static err_t load(ksh_entry_function **entry)
{
	struct vfs_context context = vfs_kernel_context();
	const char *reason = "there is no such file in the ramdisk";
	struct object *object;
	err_t err = vfs_open(&context, NULL, KSH_FILE, O_RDONLY, 0, &object);

	if (!err) {
		err = read_and_place(object, entry, &reason);
		object_put(object);
	}
	if (err)
		log_err(KSH_FILE " cannot be loaded: %s (error %d). Build the ramdisk anew: "
				 "./fuselage ramdisk",
			reason, -err);
	return err;
}

/* ---- running ---- */

/* True if this start is one too many in a minute. */
static bool starts_too_often(void)
{
	uint64_t now_ns = clock_ns();
	uint64_t *oldest_ns = &ksh.starts_ns[ksh.next_start];
	bool too_often = *oldest_ns && now_ns - *oldest_ns < 60 * NSEC_PER_SEC;

	*oldest_ns = now_ns;
	ksh.next_start = (ksh.next_start + 1) % STARTS_A_MINUTE;
	return too_often;
}

/* Loads and runs ksh until it cannot be. */
static void run(void)
{
	ksh_entry_function *entry = NULL;

	while (!starts_too_often()) {
		if (load(&entry) != 0)
			return;
		log_err("ksh returned with status %d", entry(&ksh_export_table));
		ksh_export_table.console_mode(KSH_CONSOLE_LINE);
		ksh_resources_release();
		unload();
		ksh.restarts++;
	}
	log_err("ksh has ended %d times within a minute and is not started again: reset the "
		"machine",
		STARTS_A_MINUTE);
}

const char *ksh_symbol(uint64_t address, uint64_t *offset)
{
	if (!ksh.tables || address < ksh.base || address >= ksh.base + ksh.npages * PAGE_SIZE)
		return NULL;
	return ksh_symbol_find(ksh.tables, ksh.nsymbols,
			       ksh.tables + ksh.nsymbols * sizeof(struct elf64_sym),
			       ksh.strings_bytes, address - ksh.base, offset);
}

/* `back_bytes`: 1 for a return address, where the call before it is meant. */
static void report_address(uint64_t address, unsigned back_bytes)
{
	uint64_t offset = 0;
	const char *name = ksh_symbol(address - back_bytes, &offset);

	if (!name)
		name = symbol_find(address - back_bytes, &offset);
	log_err("  %#018lx %s+%#lx", address, name ? name : "?", offset + back_bytes);
}

static void report_fault(void)
{
	const struct trap_frame *frame = &ksh.fault;

	if (frame->vector == TRAP_PAGE_FAULT)
		log_err("ksh faulted: %s of %#lx", frame->error_code & 2 ? "write" : "read",
			ksh.fault_address);
	else
		log_err("ksh faulted: %s", trap_name(frame->vector));
	log_err("rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx", frame->rax, frame->rbx,
		frame->rcx, frame->rdx, frame->rsi, frame->rdi);
	report_address(frame->rip, 0);
	for (unsigned i = 0; i < ksh.nbacktrace; i++)
		report_address(ksh.backtrace[i], 1);
}

/* Where a fault continues: the top of ksh's stack, nothing of what was on it is left. */
static noreturn void recover(void)
{
	unsigned npieces;

	/* A terminal in line mode shows the log at once; ksh's editor would have kept it back. */
	ksh_export_table.console_mode(KSH_CONSOLE_LINE);
	report_fault();
	npieces = ksh_resources_release();
	unload();
	log_err("ksh is started anew; %u pieces of its memory and files were taken back", npieces);
	ksh.restarts++;
	run();
	thread_exit();
}

bool trap_module_fault(struct trap_frame *frame, vaddr_t address)
{
	bool in_ksh = frame->rip >= ksh.base && frame->rip < ksh.base + ksh.npages * PAGE_SIZE;

	if (!in_ksh || current_thread() != &ksh.thread || preempt_depth() ||
	    !(frame->rflags & RFLAGS_INTERRUPTS) || in_interrupt())
		return false;
	ksh.fault = *frame;
	ksh.fault_address = address;
	ksh.nbacktrace = backtrace_collect(frame->rbp, ksh.backtrace, BACKTRACE_MAX);
	frame->rip = (uint64_t)recover;
	/* As after a call from nowhere: there the backtraces end. */
	frame->rsp = ksh.stack_base + KERNEL_STACK_BYTES - sizeof(uint64_t);
	*(uint64_t *)frame->rsp = 0;
	frame->rbp = 0;
	return true;
}

/* It does not run any more: what it used is kept, nothing is started in its place. */
static void thread_is_over(struct thread *thread)
{
	(void)thread;
}

/* `argument`: not NULL: a userspace comes first, and ksh when that has ended. */
static void ksh_thread(void *argument)
{
	if (argument)
		userspace_run_default();
	tty_set_session(console_tty, ksh_session_number());
	run();
}

void ksh_start(void)
{
	char option[8];

	bool off = boot_option("ksh", option, sizeof(option)) && strcmp(option, "off") == 0;

	ksh.stack_base = stack_alloc();
	if (!ksh.stack_base) {
		log_err("there is no memory for a stack");
		return;
	}
	thread_init(&ksh.thread, &(struct thread_params){
					 .name = "ksh",
					 .entry = ksh_thread,
					 .argument = off ? &ksh : NULL,
					 .stack_base = ksh.stack_base,
					 .stack_top = ksh.stack_base + KERNEL_STACK_BYTES,
					 .release = thread_is_over,
				 });
	thread_start(&ksh.thread);
}
