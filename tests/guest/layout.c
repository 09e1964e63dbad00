/*
 * Where a program's parts lie. Alone: that they lie where they may. With an argument: one line of
 * their addresses, of which a test outside takes many (tests/system/test_random.py).
 */
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

#define USER_END   0x800000000000
#define PAGE_BYTES 4096

static uintptr_t stack, mapping, image, heap, vdso;

static void look(void)
{
	int local;

	stack = (uintptr_t)&local;
	mapping = (uintptr_t)mmap(NULL, PAGE_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	image = (uintptr_t)&look;
	heap = (uintptr_t)sbrk(0);
	vdso = getauxval(AT_SYSINFO_EHDR);
}

static void everything_is_the_programs(void)
{
	EXPECT(stack && mapping && image && heap && vdso);
	EXPECT(stack < USER_END && mapping < USER_END && image < USER_END && heap < USER_END);
	EXPECT(vdso < USER_END);
}

static void mappings_are_below_the_stack(void)
{
	EXPECT(mapping < stack);
}

int main(int argc, char **argv)
{
	(void)argv;
	look();
	if (argc > 1) {
		printf("stack %lx mapping %lx image %lx heap %lx vdso %lx\n", stack, mapping, image,
		       heap, vdso);
		return 0;
	}
	RUN(everything_is_the_programs);
	RUN(mappings_are_below_the_stack);
	return check_end();
}
