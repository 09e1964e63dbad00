/*
 * mmap, munmap, mprotect, private and shared mappings.
 *
 * Whether memory may be touched is asked by a system call, which says EFAULT, so that no signal
 * handling is needed: write() reads memory, read() writes it.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

#define PAGE ((size_t)4096)

static int scratch; /* a file to write to */
static char scratch_path[] = "/tmp/mapping-XXXXXX";

static bool may_read(const void *at)
{
	return pwrite(scratch, at, 1, 0) == 1;
}

static bool may_write(void *at)
{
	return pwrite(scratch, "x", 1, 0) == 1 && pread(scratch, at, 1, 0) == 1;
}

static unsigned char *map(size_t len, int protection)
{
	return mmap(NULL, len, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void anonymous_memory_is_zero_and_ours(void)
{
	size_t len = 300 * PAGE;
	unsigned char *memory = map(len, PROT_READ | PROT_WRITE);

	EXPECT(memory != MAP_FAILED);
	EXPECT_EQUAL((uintptr_t)memory % PAGE, 0);
	for (size_t i = 0; i < len; i++)
		EXPECT_EQUAL(memory[i], 0);
	for (size_t i = 0; i < len; i++)
		memory[i] = (unsigned char)(i * 11);
	for (size_t i = 0; i < len; i++)
		EXPECT_EQUAL(memory[i], (unsigned char)(i * 11));
	EXPECT_EQUAL(munmap(memory, len), 0);
	EXPECT(!may_read(memory));
}

static void a_hole_can_be_unmapped(void)
{
	unsigned char *memory = map(5 * PAGE, PROT_READ | PROT_WRITE);

	EXPECT(memory != MAP_FAILED);
	memory[PAGE] = 1;
	memory[4 * PAGE] = 4;
	EXPECT_EQUAL(munmap(memory + 2 * PAGE, 2 * PAGE), 0);
	EXPECT(!may_read(memory + 2 * PAGE) && !may_read(memory + 3 * PAGE));
	EXPECT(may_read(memory + PAGE) && may_read(memory + 4 * PAGE));
	EXPECT(memory[PAGE] == 1 && memory[4 * PAGE] == 4);
	/* What is not mapped may be unmapped once more. */
	EXPECT_EQUAL(munmap(memory, 5 * PAGE), 0);
}

static void protection_holds(void)
{
	unsigned char *memory = map(3 * PAGE, PROT_READ | PROT_WRITE);

	EXPECT(memory != MAP_FAILED);
	memory[PAGE] = 7;
	EXPECT_EQUAL(mprotect(memory + PAGE, PAGE, PROT_READ), 0);
	EXPECT(may_read(memory + PAGE) && !may_write(memory + PAGE));
	EXPECT(may_write(memory) && may_write(memory + 2 * PAGE));
	EXPECT_EQUAL(mprotect(memory + PAGE, PAGE, PROT_NONE), 0);
	EXPECT(!may_read(memory + PAGE));
	EXPECT_EQUAL(mprotect(memory, 3 * PAGE, PROT_READ | PROT_WRITE), 0);
	EXPECT_EQUAL(memory[PAGE], 7);
	EXPECT(may_write(memory + PAGE));
	EXPECT_EQUAL(munmap(memory, 3 * PAGE), 0);
	EXPECT_ERRNO(ENOMEM, mprotect(memory, PAGE, PROT_READ));
	/* The call itself: musl rounds the address. */
	EXPECT_ERRNO(EINVAL, syscall(SYS_mprotect, memory + 1, PAGE, (long)PROT_READ));
}

static void code_can_be_written_then_executed(void)
{
	/* movl $42, %eax; ret */
	static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
	unsigned char *memory = map(PAGE, PROT_READ | PROT_WRITE);
	int (*function)(void);

	EXPECT(memory != MAP_FAILED);
	memcpy(memory, code, sizeof(code));
	EXPECT_EQUAL(mprotect(memory, PAGE, PROT_READ | PROT_EXEC), 0);
	EXPECT(!may_write(memory));
	memcpy(&function, &memory, sizeof(function));
	EXPECT_EQUAL(function(), 42);
	EXPECT_EQUAL(munmap(memory, PAGE), 0);
}

static void fixed_mappings_replace(void)
{
	unsigned char *memory = map(3 * PAGE, PROT_READ | PROT_WRITE), *again;

	EXPECT(memory != MAP_FAILED);
	memset(memory, 1, 3 * PAGE);
	again = mmap(memory + PAGE, PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	EXPECT(again == memory + PAGE);
	EXPECT(memory[0] == 1 && memory[PAGE] == 0 && memory[2 * PAGE] == 1);
	EXPECT_EQUAL(munmap(memory, 3 * PAGE), 0);
}

static void a_huge_reservation_costs_nothing(void)
{
	size_t len = (size_t)8 << 30;
	unsigned char *memory =
		mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	EXPECT(memory != MAP_FAILED);
	EXPECT_EQUAL(mprotect(memory + (len / 2), PAGE, PROT_READ | PROT_WRITE), 0);
	memory[len / 2] = 1;
	EXPECT_EQUAL(munmap(memory, len), 0);
}

static void wrong_arguments_are_refused(void)
{
	EXPECT(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	EXPECT_EQUAL(errno, EINVAL);
	EXPECT(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	EXPECT_EQUAL(errno, EINVAL);
	EXPECT(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 999, 0) == MAP_FAILED);
	EXPECT_EQUAL(errno, EBADF);
	EXPECT_ERRNO(EINVAL, munmap((void *)1, PAGE));
	EXPECT_ERRNO(EINVAL, munmap((void *)PAGE, 0));
	/* The call itself: musl refuses such an offset before the kernel sees it. */
	EXPECT_ERRNO(EINVAL, syscall(SYS_mmap, 0L, PAGE, (long)PROT_READ, (long)MAP_PRIVATE,
				     (long)scratch, 1L));
	EXPECT_ERRNO(EINVAL, syscall(SYS_munmap, 0x7ffffffff000L, 2 * PAGE));
}

/* A private mapping of a file that was there at boot: writing changes the memory, not the file. */
static void a_private_write_copies(void)
{
	char file_bytes[64], again[64];
	int fd = open("/etc/passwd", O_RDONLY);
	unsigned char *first, *second;

	EXPECT(fd >= 0);
	EXPECT(pread(fd, file_bytes, sizeof(file_bytes), 0) > 10);
	first = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	second = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	EXPECT(first != MAP_FAILED && second != MAP_FAILED);
	EXPECT(memcmp(first, file_bytes, 10) == 0);
	first[0] = '!';
	EXPECT_EQUAL(first[0], '!');
	EXPECT(first[1] == (unsigned char)file_bytes[1]);
	EXPECT(second[0] == (unsigned char)file_bytes[0]);
	EXPECT(pread(fd, again, sizeof(again), 0) > 10 && memcmp(again, file_bytes, 10) == 0);
	EXPECT_EQUAL(close(fd), 0);
	/* The mapping needs no descriptor. */
	EXPECT_EQUAL(first[0], '!');
	EXPECT_EQUAL(munmap(first, PAGE), 0);
	EXPECT_EQUAL(munmap(second, PAGE), 0);
}

/* The rest of the last page is zero, whatever lies there on the disk. */
static void the_tail_of_a_file_is_zero(void)
{
	struct stat status;
	int fd = open("/etc/passwd", O_RDONLY);
	size_t len;
	unsigned char *memory;

	EXPECT(fd >= 0);
	EXPECT_EQUAL(fstat(fd, &status), 0);
	len = ((size_t)status.st_size + PAGE - 1) / PAGE * PAGE;
	memory = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	EXPECT(memory != MAP_FAILED);
	for (size_t i = (size_t)status.st_size; i < len; i++)
		EXPECT_EQUAL(memory[i], 0);
	EXPECT_EQUAL(munmap(memory, len), 0);
	EXPECT_EQUAL(close(fd), 0);
}

static void a_mapping_past_the_end_is_no_memory(void)
{
	unsigned char *memory;

	EXPECT_EQUAL(ftruncate(scratch, 10), 0);
	memory = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE, scratch, 0);
	EXPECT(memory != MAP_FAILED);
	EXPECT(may_read(memory) && !may_read(memory + PAGE));
	EXPECT_EQUAL(munmap(memory, 3 * PAGE), 0);
}

static void a_file_can_be_mapped_from_its_middle(void)
{
	static unsigned char bytes[4 * 4096];
	unsigned char *memory;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i / PAGE + 1);
	EXPECT_EQUAL(pwrite(scratch, bytes, sizeof(bytes), 0), sizeof(bytes));
	memory = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, scratch, (off_t)(2 * PAGE));
	EXPECT(memory != MAP_FAILED);
	EXPECT(memory[0] == 3 && memory[2 * PAGE - 1] == 4);
	EXPECT_EQUAL(munmap(memory, 2 * PAGE), 0);
}

/* Constants are in the program's file; a write to the private copy of its data must stay private.
 */
static int initialised = 12345;

static void our_own_data_is_private(void)
{
	initialised++;
	EXPECT_EQUAL(initialised, 12346);
}

int main(void)
{
	scratch = mkstemp(scratch_path);
	if (scratch < 0) {
		printf("not ok set_up: %s: %s\n", scratch_path, strerror(errno));
		return 1;
	}
	RUN(anonymous_memory_is_zero_and_ours);
	RUN(a_hole_can_be_unmapped);
	RUN(protection_holds);
	RUN(code_can_be_written_then_executed);
	RUN(fixed_mappings_replace);
	RUN(a_huge_reservation_costs_nothing);
	RUN(wrong_arguments_are_refused);
	RUN(a_private_write_copies);
	RUN(the_tail_of_a_file_is_zero);
	RUN(a_mapping_past_the_end_is_no_memory);
	RUN(a_file_can_be_mapped_from_its_middle);
	RUN(our_own_data_is_private);
	unlink(scratch_path);
	return check_end();
}
