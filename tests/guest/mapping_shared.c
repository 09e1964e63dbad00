/*
 * Shared mappings: memory and file are one.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

#define PAGE ((size_t)4096)

static int file;

static void writes_to_memory_are_read_from_the_file(void)
{
	char buffer[16];
	char *memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

	EXPECT(memory != MAP_FAILED);
	memcpy(memory + PAGE - 2, "abcd", 4);
	EXPECT_EQUAL(pread(file, buffer, 4, (off_t)(PAGE - 2)), 4);
	EXPECT(memcmp(buffer, "abcd", 4) == 0);
	EXPECT_EQUAL(munmap(memory, 2 * PAGE), 0);
	EXPECT_EQUAL(pread(file, buffer, 4, (off_t)(PAGE - 2)), 4);
	EXPECT(memcmp(buffer, "abcd", 4) == 0);
}

static void writes_to_the_file_are_seen_in_memory(void)
{
	char *memory = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, file, 0);

	EXPECT(memory != MAP_FAILED);
	EXPECT_EQUAL(memory[10], 0);
	EXPECT_EQUAL(pwrite(file, "xyz", 3, 10), 3);
	EXPECT(memcmp(memory + 10, "xyz", 3) == 0);
	EXPECT_EQUAL(munmap(memory, 2 * PAGE), 0);
}

static void two_mappings_are_the_same_memory(void)
{
	char *first = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	char *second = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

	EXPECT(first != MAP_FAILED && second != MAP_FAILED && first != second);
	first[100] = 1;
	EXPECT_EQUAL(second[100], 1);
	second[100] = 2;
	EXPECT_EQUAL(first[100], 2);
	EXPECT_EQUAL(munmap(first, PAGE), 0);
	EXPECT_EQUAL(munmap(second, PAGE), 0);
}

static void a_read_only_file_cannot_be_mapped_for_writing(void)
{
	int fd = open("/etc/passwd", O_RDONLY);

	EXPECT(fd >= 0);
	EXPECT(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	EXPECT_EQUAL(errno, EACCES);
	EXPECT_EQUAL(close(fd), 0);
}

int main(void)
{
	char path[] = "/tmp/mapping-shared-XXXXXX";

	file = mkstemp(path);
	if (file < 0 || ftruncate(file, 2 * PAGE) < 0) {
		printf("not ok set_up: %s: %s\n", path, strerror(errno));
		return 1;
	}
	RUN(writes_to_memory_are_read_from_the_file);
	RUN(writes_to_the_file_are_seen_in_memory);
	RUN(two_mappings_are_the_same_memory);
	RUN(a_read_only_file_cannot_be_mapped_for_writing);
	unlink(path);
	return check_end();
}
