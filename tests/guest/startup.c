/*
 * How a program is started: arguments, environment, auxiliary vector, stack, registers.
 * Arguments, where there are any, have to be: one "two words" "".
 */
#include <cpuid.h>
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "check.h"

static int argument_count;
static char **arguments;
static Elf64_auxv_t *auxv;

static Elf64_auxv_t *auxv_find(uint64_t type)
{
	for (Elf64_auxv_t *entry = auxv; entry->a_type != AT_NULL; entry++)
		if (entry->a_type == type)
			return entry;
	return NULL;
}

static void arguments_end_in_null(void)
{
	EXPECT(argument_count >= 1);
	EXPECT(arguments[argument_count] == NULL);
	EXPECT(arguments[0][0] != 0);
}

static void arguments_arrive_unchanged(void)
{
	static const char *const expected[] = {"one", "two words", ""};

	if (argument_count == 1)
		return;
	EXPECT_EQUAL(argument_count, 4);
	for (int i = 0; i < 3; i++)
		EXPECT(strcmp(arguments[i + 1], expected[i]) == 0);
}

static void vectors_stand_behind_each_other(void)
{
	EXPECT(environ == arguments + argument_count + 1);
	EXPECT_EQUAL(*(long *)(arguments - 1), argument_count);
}

static void stack_is_aligned_at_entry(void)
{
	/* argc is what RSP pointed to. */
	EXPECT_EQUAL((uintptr_t)(arguments - 1) % 16, 0);
}

static void environment_has_names_and_values(void)
{
	for (char **variable = environ; *variable; variable++)
		EXPECT(strchr(*variable, '=') != NULL);
}

static void auxv_has_the_page_size(void)
{
	EXPECT_EQUAL(getauxval(AT_PAGESZ), 4096);
	EXPECT_EQUAL(sysconf(_SC_PAGESIZE), 4096);
}

static void auxv_has_random_bytes(void)
{
	static const unsigned char zeros[16];
	const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);

	EXPECT(random != NULL);
	EXPECT(memcmp(random, zeros, 16) != 0);
}

static void auxv_has_the_program_headers(void)
{
	const Elf64_Phdr *headers = (const Elf64_Phdr *)getauxval(AT_PHDR);
	unsigned long count = getauxval(AT_PHNUM), loads = 0;

	EXPECT(headers != NULL);
	EXPECT_EQUAL(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
	EXPECT(count > 1 && count < 64);
	for (unsigned long i = 0; i < count; i++)
		loads += headers[i].p_type == PT_LOAD;
	EXPECT(loads >= 2);
}

static void auxv_has_the_entry_point(void)
{
	extern char _start[];

	EXPECT_EQUAL(getauxval(AT_ENTRY), (uintptr_t)_start);
}

static void auxv_has_the_users(void)
{
	EXPECT_EQUAL(getauxval(AT_UID), getuid());
	EXPECT_EQUAL(getauxval(AT_EUID), geteuid());
	EXPECT_EQUAL(getauxval(AT_GID), getgid());
	EXPECT_EQUAL(getauxval(AT_EGID), getegid());
	EXPECT(auxv_find(AT_SECURE) != NULL);
	EXPECT_EQUAL(getauxval(AT_SECURE), 0);
}

static void auxv_has_the_cpu(void)
{
	unsigned eax, ebx, ecx, edx;

	__cpuid(1, eax, ebx, ecx, edx);
	EXPECT_EQUAL(getauxval(AT_HWCAP), edx);
	EXPECT_EQUAL(getauxval(AT_CLKTCK), 100);
	EXPECT(getauxval(AT_PLATFORM) && strcmp((char *)getauxval(AT_PLATFORM), "x86_64") == 0);
}

static void auxv_has_the_file_name(void)
{
	const char *name = (const char *)getauxval(AT_EXECFN);

	EXPECT(name != NULL);
	EXPECT(access(name, X_OK) == 0 || name[0] != '/');
}

static void auxv_has_no_interpreter(void)
{
	EXPECT_EQUAL(getauxval(AT_BASE), 0);
}

static void floating_point_starts_at_its_defaults(void)
{
	unsigned mxcsr;
	unsigned short control;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	__asm__ volatile("fnstcw %0" : "=m"(control));
	EXPECT_EQUAL(mxcsr & ~0x3fU, 0x1f80);
	EXPECT_EQUAL(control, 0x37f);
}

static void direction_flag_is_clear(void)
{
	unsigned long flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags));
	EXPECT_EQUAL(flags & 0x400, 0);
}

/* A vector that is not zero after start would be the kernel's or another program's data. */
static _Thread_local int thread_local_number = 42;
static _Thread_local int thread_local_zero;
static int data = 7;
static int bss[5000];

static void data_is_set_and_bss_is_zero(void)
{
	EXPECT_EQUAL(data, 7);
	for (size_t i = 0; i < sizeof(bss) / sizeof(*bss); i++)
		EXPECT_EQUAL(bss[i], 0);
	data = 8;
	bss[4999] = 1;
}

static void thread_local_data_works(void)
{
	EXPECT_EQUAL(thread_local_number, 42);
	EXPECT_EQUAL(thread_local_zero, 0);
	thread_local_number = 43;
	EXPECT_EQUAL(thread_local_number, 43);
}

static void a_mebibyte_of_stack_is_there(void)
{
	volatile char frame[1 << 20];

	for (size_t i = 0; i < sizeof(frame); i += 4096)
		frame[i] = (char)i;
	frame[sizeof(frame) - 1] = 9;
	EXPECT_EQUAL(frame[sizeof(frame) - 1], 9);
}

int main(int argc, char **argv)
{
	char **after_environment = environ;

	argument_count = argc;
	arguments = argv;
	while (*after_environment)
		after_environment++;
	auxv = (Elf64_auxv_t *)(after_environment + 1);

	RUN(arguments_end_in_null);
	RUN(arguments_arrive_unchanged);
	RUN(vectors_stand_behind_each_other);
	RUN(stack_is_aligned_at_entry);
	RUN(environment_has_names_and_values);
	RUN(auxv_has_the_page_size);
	RUN(auxv_has_random_bytes);
	RUN(auxv_has_the_program_headers);
	RUN(auxv_has_the_entry_point);
	RUN(auxv_has_the_users);
	RUN(auxv_has_the_cpu);
	RUN(auxv_has_the_file_name);
	RUN(auxv_has_no_interpreter);
	RUN(floating_point_starts_at_its_defaults);
	RUN(direction_flag_is_clear);
	RUN(data_is_set_and_bss_is_zero);
	RUN(thread_local_data_works);
	RUN(a_mebibyte_of_stack_is_there);
	return check_end();
}
