/*
 * Makes a program out of an ELF file: a new space with the file's segments mapped in place, a stack
 * with arguments, environment and auxiliary vector, and the registers to begin with. Runs in the
 * thread that will run the program; kernel/elf_parse.c has checked what the file says.
 *
 * The stack as the program finds it (psABI 3.4.1; strings and random bytes in one piece):
 *
 *	rsp ->	argc
 *		argv[0] .. argv[argc-1], 0
 *		envp[0] .. , 0
 *		auxiliary vector, AT_NULL
 *		16 random bytes, "x86_64", path, argument strings, environment strings
 *		8 zero bytes
 *		up to 8 KiB that are left out, so that nobody can tell from the page where things
 *lie top
 */
#define LOG_SUBSYSTEM "elf"

#include "elf_parse.h"
#include "process.h"
#include "user_layout.h"
#include "vdso.h"

#include <abi/auxv.h>
#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/stat.h>
#include <arch/cpu.h>
#include <arch/user.h>
#include <fusek/file.h>
#include <ipc/object.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/object.h>
#include <mm/slab.h>
#include <mm/space.h>

#define ARGUMENT_BYTES_MAX (2 * MIB)   /* a quarter of the stack, as on Linux */
#define STRING_BYTES_MAX   (128 * KIB) /* MAX_ARG_STRLEN */
#define SIGNAL_FRAME_BYTES 1024        /* of AT_MINSIGSTKSZ, what is not FPU state */
#define PLATFORM           "x86_64"

struct program {
	struct process *process;
	const struct spawn_request *request;
	struct object *file;
	struct elf_image image;
	struct user_layout layout;
	uint64_t bias; /* added to the file's addresses */
	vaddr_t vdso;  /* its ELF header */
};

/* ---- the file ---- */

static err_t read_exactly(struct object *file, void *to, size_t len_bytes, uint64_t offset_bytes)
{
	ssize_t got = object_read_kernel(file, to, len_bytes, offset_bytes);

	if (got < 0)
		return (err_t)got;
	return (size_t)got == len_bytes ? 0 : -ENOEXEC;
}

static err_t parse_phdrs(struct program *program, uint64_t offset_bytes, uint64_t file_bytes,
			 const char **reason)
{
	size_t len_bytes = program->image.nphdrs * sizeof(struct elf64_phdr);
	void *phdrs = kmalloc(len_bytes); /* ELF_PHDRS_MAX of them are less than a page */
	err_t err;

	if (!phdrs)
		return -ENOMEM;
	err = read_exactly(program->file, phdrs, len_bytes, offset_bytes);
	if (!err)
		err = elf_parse_segments(phdrs, offset_bytes, file_bytes, &program->image, reason);
	kfree(phdrs);
	return err;
}

static err_t parse_file(struct program *program)
{
	const char *reason = "it could not be read whole";
	struct elf64_header header;
	struct abi_stat stat;
	uint64_t phdrs_offset_bytes;
	ssize_t got;
	err_t err;

	err = object_stat(program->file, &stat);
	if (err)
		return err;
	got = object_read_kernel(program->file, &header, sizeof(header), 0);
	if (got < 0)
		return (err_t)got;
	err = elf_parse_header(&header, (size_t)got, (uint64_t)stat.st_size, &program->image,
			       &phdrs_offset_bytes, &reason);
	if (!err)
		err = parse_phdrs(program, phdrs_offset_bytes, (uint64_t)stat.st_size, &reason);
	if (err == -ENOEXEC)
		log_debug("%s cannot be executed: %s", program->request->path, reason);
	return err;
}

/* ---- segments ---- */

static unsigned prot_of(unsigned segment_flags)
{
	return (segment_flags & PF_R ? SPACE_READ : 0) | (segment_flags & PF_W ? SPACE_WRITE : 0) |
	       (segment_flags & PF_X ? SPACE_EXEC : 0);
}

static err_t map_fixed(struct space *space, struct space_request *request)
{
	vaddr_t address;

	request->flags = SPACE_NOREPLACE;
	return space_map(space, request, &address);
}

/* The pages that hold file bytes. */
static err_t map_file_part(struct program *program, const struct elf_segment *segment,
			   vaddr_t start, uint64_t len_bytes)
{
	uint64_t offset_bytes = ALIGN_DOWN(segment->offset_bytes, PAGE_SIZE);
	struct object_map_request map = {.offset_bytes = offset_bytes,
					 .len_bytes = len_bytes,
					 .write = segment->flags & PF_W,
					 .exec = segment->flags & PF_X};
	struct space_request request = {.address = start,
					.length_bytes = len_bytes,
					.prot = prot_of(segment->flags),
					.offset_bytes = offset_bytes};
	err_t err;

	err = object_map(program->file, &map, &request.object);
	if (err)
		return err;
	err = map_fixed(program->process->space, &request);
	memory_object_put(request.object);
	return err;
}

/* What follows the file's bytes in their last page is the segment's too, and zero. A page that the
 * program cannot write is left as it is: it has no business there (Linux does the same). */
static err_t clear_tail(const struct elf_segment *segment, vaddr_t file_end, vaddr_t page_end)
{
	if (!(segment->flags & PF_W) || segment->memory_bytes == segment->file_bytes)
		return 0;
	return user_clear(uptr(file_end), page_end - file_end);
}

static err_t map_segment(struct program *program, const struct elf_segment *segment)
{
	vaddr_t address = segment->address + program->bias;
	vaddr_t start = ALIGN_DOWN(address, PAGE_SIZE);
	vaddr_t file_end = address + segment->file_bytes;
	vaddr_t page_end = segment->file_bytes ? ALIGN_UP(file_end, PAGE_SIZE) : start;
	vaddr_t end = ALIGN_UP(address + segment->memory_bytes, PAGE_SIZE);
	err_t err;

	if (page_end > start) {
		err = map_file_part(program, segment, start, page_end - start);
		if (err)
			return err;
		err = clear_tail(segment, file_end, page_end);
		if (err)
			return err;
	}
	if (end <= page_end)
		return 0;
	return map_fixed(program->process->space,
			 &(struct space_request){.address = page_end,
						 .length_bytes = end - page_end,
						 .prot = prot_of(segment->flags),
						 .name = "bss"});
}

/* A bias that puts the image where it may be, aligned as its segments ask. */
static void choose_bias(struct program *program)
{
	const struct elf_image *image = &program->image;

	if (!image->position_independent)
		return;
	program->bias = ALIGN_UP(program->layout.image, image->align) -
			ALIGN_DOWN(image->start, image->align);
}

static err_t map_segments(struct program *program)
{
	struct elf_image *image = &program->image;

	choose_bias(program);
	/* The bias is far below, but the image's own length is the file's word. */
	if (image->end + program->bias > USER_MAX - GIB)
		return -ENOMEM;
	for (unsigned i = 0; i < image->nsegments; i++) {
		err_t err = map_segment(program, &image->segments[i]);

		if (err)
			return err;
	}
	space_set_brk(program->process->space, ALIGN_UP(image->end + program->bias, PAGE_SIZE) +
						       program->layout.break_gap_bytes);
	return 0;
}

/* ---- the stack ---- */

static err_t map_stack(struct program *program)
{
	uint64_t len_bytes = program->process->limits[RLIMIT_STACK].rlim_cur;
	unsigned exec = program->image.stack_executable ? SPACE_EXEC : 0;
	vaddr_t address;

	return space_map(program->process->space,
			 &(struct space_request){
				 .address = program->layout.stack_top - len_bytes,
				 .length_bytes = len_bytes,
				 .prot = SPACE_READ | SPACE_WRITE | exec,
				 .flags = SPACE_NOREPLACE | SPACE_STACK,
				 .name = "[stack]",
			 },
			 &address);
}

struct strings {
	unsigned count;
	uint64_t len_bytes; /* with the NULs */
};

static err_t measure(const char *const *list, struct strings *out)
{
	*out = (struct strings){0};
	for (; list && *list; list++) {
		size_t len_bytes = strnlen(*list, STRING_BYTES_MAX) + 1;

		if (len_bytes > STRING_BYTES_MAX)
			return -E2BIG;
		out->count++;
		out->len_bytes += len_bytes;
		if (out->len_bytes + out->count * 8ul > ARGUMENT_BYTES_MAX)
			return -E2BIG;
	}
	return 0;
}

/* Writes upwards in two places, words and strings; the first failure stays. */
struct stack_writer {
	vaddr_t word;
	vaddr_t string;
	err_t err;
};

static void put_word(struct stack_writer *writer, uint64_t value)
{
	if (!writer->err)
		writer->err = user_put(uptr(writer->word), &value);
	writer->word += sizeof(value);
}

/* Returns where it went. */
static vaddr_t put_bytes(struct stack_writer *writer, const void *from, size_t len_bytes)
{
	vaddr_t at = writer->string;

	if (!writer->err)
		writer->err = user_copy_out(uptr(at), from, len_bytes);
	writer->string += len_bytes;
	return at;
}

static void put_list(struct stack_writer *writer, const char *const *list)
{
	for (; list && *list; list++)
		put_word(writer, put_bytes(writer, *list, strlen(*list) + 1));
	put_word(writer, 0);
}

struct auxiliary {
	uint64_t random, platform, path;
};

#define AUXILIARY_ENTRIES 21u

static void put_auxiliary(struct stack_writer *writer, const struct program *program,
			  const struct auxiliary *where)
{
	const struct vfs_context *fs = &program->process->fs;
	const struct elf_image *image = &program->image;
	const struct abi_auxv entries[] = {
		{AT_PHDR, image->phdr_address ? image->phdr_address + program->bias : 0},
		{AT_PHENT, sizeof(struct elf64_phdr)},
		{AT_PHNUM, image->nphdrs},
		{AT_PAGESZ, PAGE_SIZE},
		{AT_BASE, 0},
		{AT_FLAGS, 0},
		{AT_ENTRY, image->entry + program->bias},
		{AT_UID, fs->uid},
		{AT_EUID, fs->uid},
		{AT_GID, fs->gid},
		{AT_EGID, fs->gid},
		{AT_SECURE, 0},
		{AT_CLKTCK, USER_HZ},
		{AT_RANDOM, where->random},
		{AT_HWCAP, cpu_features()->leaf1_edx},
		{AT_HWCAP2, cpu_features()->fsgsbase ? 2 : 0},
		{AT_PLATFORM, where->platform},
		{AT_EXECFN, where->path},
		{AT_SYSINFO_EHDR, program->vdso},
		{AT_MINSIGSTKSZ, fpu_state_bytes() + SIGNAL_FRAME_BYTES},
		{AT_NULL, 0},
	};
	_Static_assert(ARRAY_SIZE(entries) == AUXILIARY_ENTRIES, "the stack is measured with it");

	for (unsigned i = 0; i < ARRAY_SIZE(entries); i++) {
		put_word(writer, entries[i].a_type);
		put_word(writer, entries[i].a_val);
	}
}

static err_t fill_stack(struct program *program, vaddr_t *stack_pointer)
{
	const struct spawn_request *request = program->request;
	struct stack_writer writer = {0};
	struct auxiliary where;
	struct strings argv;
	struct strings envp;
	uint64_t nwords;
	uint64_t strings_bytes;
	err_t err;

	err = measure(request->argv, &argv);
	if (err)
		return err;
	err = measure(request->envp, &envp);
	if (err)
		return err;
	strings_bytes = AT_RANDOM_BYTES + sizeof(PLATFORM) + strlen(request->path) + 1 +
			argv.len_bytes + envp.len_bytes;
	nwords = 1 + argv.count + 1 + envp.count + 1 + 2 * AUXILIARY_ENTRIES;
	if (strings_bytes + nwords * 8 > ARGUMENT_BYTES_MAX)
		return -E2BIG;

	writer.string = ALIGN_DOWN(program->layout.stack_start - 8 - strings_bytes, 16);
	writer.word = ALIGN_DOWN(writer.string - nwords * 8, 16);
	*stack_pointer = writer.word;
	where.random = put_bytes(&writer, program->layout.at_random, AT_RANDOM_BYTES);
	where.platform = put_bytes(&writer, PLATFORM, sizeof(PLATFORM));
	where.path = put_bytes(&writer, request->path, strlen(request->path) + 1);
	put_word(&writer, argv.count);
	put_list(&writer, request->argv);
	put_list(&writer, request->envp);
	put_auxiliary(&writer, program, &where);
	return writer.err;
}

/* ---- all of it ---- */

static err_t enter_new_space(struct process *process, vaddr_t map_top)
{
	struct context *context = &current_thread()->context;
	struct space *space;
	irqflags_t flags;
	err_t err;

	err = space_create(&space, map_top);
	if (err)
		return err;
	flags = spin_lock_irqsave(&process->signal_lock);
	process->space = space;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	context->pagetable = &space->pagetable;
	context_reload_user(context);
	return 0;
}

static err_t load(struct program *program)
{
	vaddr_t stack_pointer;
	err_t err;

	err = parse_file(program);
	if (err)
		return err;
	user_layout_choose(&program->layout, program->process->limits[RLIMIT_STACK].rlim_cur,
			   vdso_bytes());
	err = enter_new_space(program->process, program->layout.map_top);
	if (err)
		return err;
	err = vdso_map(program->process->space, program->layout.vdso, &program->vdso);
	if (err)
		return err;
	err = map_segments(program);
	if (err)
		return err;
	err = map_stack(program);
	if (err)
		return err;
	err = fill_stack(program, &stack_pointer);
	if (err)
		return err;
	context_set_user_start(&current_thread()->context, program->image.entry + program->bias,
			       stack_pointer);
	return 0;
}

err_t elf_load(struct process *process, const struct spawn_request *request)
{
	struct program *program = kzalloc(sizeof(*program));
	err_t err;

	if (!program)
		return -ENOMEM;
	program->process = process;
	program->request = request;
	err = vfs_open_exec(&process->fs, NULL, request->path, 0, &program->file);
	if (!err) {
		err = load(program);
		object_put(program->file);
	}
	kfree(program);
	return err;
}
