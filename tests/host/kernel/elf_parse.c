/* sources: kernel/elf_parse.c */
/*
 * The ELF parser: what a good file asks for, and that each lie is told by its reason.
 */
#include "elf_parse.h"

#include <abi/errno.h>
#include <arch/paging.h>
#include <lib/types.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define FILE_BYTES 0x10000
#define PHDRS      4

/* A static program of three segments, as ld makes them. */
struct file {
	struct elf64_header header;
	struct elf64_phdr phdrs[PHDRS];
};

static struct file good_file(void)
{
	struct file file = {
		.header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			   .e_type = ET_EXEC,
			   .e_machine = EM_X86_64,
			   .e_version = EV_CURRENT,
			   .e_entry = 0x401000,
			   .e_phoff = sizeof(struct elf64_header),
			   .e_phentsize = sizeof(struct elf64_phdr),
			   .e_phnum = PHDRS},
		.phdrs = {{.p_type = PT_LOAD,
			   .p_flags = PF_R,
			   .p_vaddr = 0x400000,
			   .p_filesz = 0x200,
			   .p_memsz = 0x200,
			   .p_align = 0x1000},
			  {.p_type = PT_LOAD,
			   .p_flags = PF_R | PF_X,
			   .p_offset = 0x1000,
			   .p_vaddr = 0x401000,
			   .p_filesz = 0x2000,
			   .p_memsz = 0x2000,
			   .p_align = 0x1000},
			  {.p_type = PT_LOAD,
			   .p_flags = PF_R | PF_W,
			   .p_offset = 0x3008,
			   .p_vaddr = 0x404008,
			   .p_filesz = 0x100,
			   .p_memsz = 0x3000,
			   .p_align = 0x1000},
			  {.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W}},
	};

	return file;
}

static err_t parse(const struct file *file, struct elf_image *image, const char **reason)
{
	uint64_t offset;
	err_t err;

	*reason = NULL;
	err = elf_parse_header(file, sizeof(file->header), FILE_BYTES, image, &offset, reason);
	if (err)
		return err;
	return elf_parse_segments(file->phdrs, offset, FILE_BYTES, image, reason);
}

static void refused(const struct file *file, const char *word)
{
	struct elf_image image;
	const char *reason;

	assert_int_equal(parse(file, &image, &reason), -ENOEXEC);
	assert_non_null(reason);
	if (!strstr(reason, word))
		fail_msg("the reason is \"%s\", which does not speak of \"%s\"", reason, word);
}

static void a_static_program_is_understood(void **state)
{
	struct file file = good_file();
	struct elf_image image;
	const char *reason;

	(void)state;
	assert_int_equal(parse(&file, &image, &reason), 0);
	assert_false(image.position_independent);
	assert_false(image.stack_executable);
	assert_int_equal(image.nsegments, 3);
	assert_int_equal(image.start, 0x400000);
	assert_int_equal(image.end, 0x408000);
	assert_int_equal(image.entry, 0x401000);
	assert_int_equal(image.phdr_address, 0x400000 + sizeof(struct elf64_header));
	assert_int_equal(image.segments[2].address, 0x404008);
	assert_int_equal(image.segments[2].file_bytes, 0x100);
	assert_int_equal(image.segments[2].memory_bytes, 0x3000);
}

static void a_position_independent_program_may_start_at_zero(void **state)
{
	struct file file = good_file();
	struct elf_image image;
	const char *reason;

	(void)state;
	file.header.e_type = ET_DYN;
	file.header.e_entry = 0x1000;
	for (int i = 0; i < 3; i++)
		file.phdrs[i].p_vaddr -= 0x400000;
	assert_int_equal(parse(&file, &image, &reason), 0);
	assert_true(image.position_independent);
	assert_int_equal(image.start, 0);
	/* The same addresses with fixed places are refused: nothing is mapped so low. */
	file.header.e_type = ET_EXEC;
	refused(&file, "too low");
}

static void an_executable_stack_has_to_be_asked_for(void **state)
{
	struct file file = good_file();
	struct elf_image image;
	const char *reason;

	(void)state;
	file.phdrs[3].p_flags |= PF_X;
	assert_int_equal(parse(&file, &image, &reason), 0);
	assert_true(image.stack_executable);
	file.phdrs[3].p_type = PT_NOTE;
	assert_int_equal(parse(&file, &image, &reason), 0);
	assert_false(image.stack_executable);
}

static void bad_headers_are_refused(void **state)
{
	struct file file;
	struct elf_image image;
	const char *reason;
	uint64_t offset;

	(void)state;
	file = good_file();
	assert_int_equal(elf_parse_header(&file, 10, 10, &image, &offset, &reason), -ENOEXEC);
	file.header.e_ident[0] = '#';
	refused(&file, "not an ELF");
	file = good_file();
	file.header.e_machine = 40;
	refused(&file, "x86-64");
	file = good_file();
	file.header.e_ident[EI_CLASS] = 1;
	refused(&file, "x86-64");
	file = good_file();
	file.header.e_version = 2;
	refused(&file, "version");
	file = good_file();
	file.header.e_type = ET_REL;
	refused(&file, "neither");
	file = good_file();
	file.header.e_phentsize = 32;
	refused(&file, "wrong size");
	file = good_file();
	file.header.e_phnum = 0;
	refused(&file, "no program headers");
	file.header.e_phnum = 65535;
	refused(&file, "too many");
	file = good_file();
	file.header.e_phoff = FILE_BYTES - 8;
	refused(&file, "outside of the file");
	file.header.e_phoff = UINT64_MAX - 8;
	refused(&file, "outside of the file");
}

static void bad_segments_are_refused(void **state)
{
	struct file file;

	(void)state;
	file = good_file();
	file.phdrs[1].p_filesz = file.phdrs[1].p_memsz + 1;
	refused(&file, "longer in the file");
	file = good_file();
	file.phdrs[1].p_offset = 0x1000 + FILE_BYTES;
	refused(&file, "outside of the file");
	file = good_file(); /* begins inside, ends a byte behind */
	file.phdrs[1].p_filesz = file.phdrs[1].p_memsz = FILE_BYTES - file.phdrs[1].p_offset + 1;
	refused(&file, "outside of the file");
	file = good_file();
	file.phdrs[1].p_offset = UINT64_MAX - 0xfff;
	refused(&file, "outside of the file");
	file = good_file();
	file.phdrs[2].p_vaddr = USER_MAX + 8;
	refused(&file, "outside of a program");
	file = good_file();
	file.phdrs[2].p_memsz = UINT64_MAX - 0x404000;
	refused(&file, "outside of a program");
	file = good_file();
	file.phdrs[2].p_vaddr += 1;
	refused(&file, "do not go together");
	file = good_file();
	file.phdrs[2].p_align = 24;
	refused(&file, "power of two");
	file = good_file();
	file.phdrs[2].p_align = UINT64_C(1) << 40;
	refused(&file, "beyond reason");
	file = good_file();
	file.phdrs[2].p_vaddr = 0x402008;
	refused(&file, "overlap");
	file = good_file();
	file.phdrs[3].p_type = PT_INTERP;
	refused(&file, "loader");
}

static void a_program_needs_something_to_run(void **state)
{
	struct file file;

	(void)state;
	file = good_file();
	file.header.e_entry = 0x400010; /* readable only */
	refused(&file, "entry point");
	file.header.e_entry = 0x500000;
	refused(&file, "entry point");
	file = good_file();
	for (int i = 0; i < 3; i++)
		file.phdrs[i].p_type = PT_NOTE;
	refused(&file, "nothing to load");
}

static void headers_outside_of_segments_have_no_address(void **state)
{
	struct file file = good_file();
	struct elf_image image;
	const char *reason;

	(void)state;
	file.phdrs[0].p_filesz = 0x80; /* ends inside of the headers */
	file.phdrs[0].p_memsz = 0x80;
	assert_int_equal(parse(&file, &image, &reason), 0);
	assert_int_equal(image.phdr_address, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_static_program_is_understood),
		cmocka_unit_test(a_position_independent_program_may_start_at_zero),
		cmocka_unit_test(an_executable_stack_has_to_be_asked_for),
		cmocka_unit_test(bad_headers_are_refused),
		cmocka_unit_test(bad_segments_are_refused),
		cmocka_unit_test(a_program_needs_something_to_run),
		cmocka_unit_test(headers_outside_of_segments_have_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
