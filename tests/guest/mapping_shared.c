/*
 * Shared mappings: memory and file are one.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "look.h"

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

/* ---- pages that are taken back ---- */

/* A child has it mapped already when the parent cuts the file. */
static int child_sees_the_end(char *memory, int from_parent, int to_parent)
{
	char byte = 0;

	if (look(memory + PAGE) != 'b' || write(to_parent, &byte, 1) != 1 ||
	    read(from_parent, &byte, 1) != 1)
		return 1;
	return look(memory) == 'a' && look(memory + PAGE) == -1 ? 0 : 2;
}

static void a_file_that_is_cut_is_cut_for_all_who_map_it(void)
{
	int down[2], up[2], status;
	char byte = 0, *memory;
	pid_t pid;

	EXPECT_EQUAL(pwrite(file, "a", 1, 0) + pwrite(file, "b", 1, (off_t)PAGE), 2);
	memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	EXPECT(memory != MAP_FAILED);
	EXPECT_EQUAL(look(memory + PAGE), 'b');
	EXPECT_EQUAL(pipe(down) | pipe(up), 0);
	pid = fork();
	if (pid == 0)
		_exit(child_sees_the_end(memory, down[0], up[1]));
	EXPECT_EQUAL(read(up[0], &byte, 1), 1);
	EXPECT_EQUAL(ftruncate(file, (off_t)PAGE), 0);
	EXPECT_EQUAL(look(memory + PAGE), -1);
	EXPECT_EQUAL(write(down[1], &byte, 1), 1);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, 0);
	EXPECT_EQUAL(ftruncate(file, 2 * (off_t)PAGE), 0);
	EXPECT_EQUAL(look(memory + PAGE), 0); /* there again, and empty */
	memory[PAGE] = 'c';
	EXPECT_EQUAL(pread(file, &byte, 1, (off_t)PAGE), 1);
	EXPECT_EQUAL(byte, 'c');
	EXPECT_EQUAL(munmap(memory, 2 * PAGE), 0);
	EXPECT_EQUAL(close(down[0]) | close(down[1]) | close(up[0]) | close(up[1]), 0);
}

static void a_hole_is_seen_in_memory_and_private_copies_stay(void)
{
	char *memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	char *own = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);

	EXPECT(memory != MAP_FAILED && own != MAP_FAILED);
	memory[0] = memory[PAGE] = 'd';
	own[0] = 'e';
	EXPECT_EQUAL(own[PAGE], 'd');
	EXPECT_EQUAL(
		fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2 * (off_t)PAGE), 0);
	EXPECT_EQUAL(memory[0], 0);
	EXPECT_EQUAL(memory[PAGE], 0);
	EXPECT_EQUAL(own[0], 'e');
	EXPECT_EQUAL(own[PAGE], 0);
	memory[PAGE] = 'f';
	EXPECT_EQUAL(own[PAGE], 'f');
	EXPECT_EQUAL(munmap(memory, 2 * PAGE) | munmap(own, 2 * PAGE), 0);
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
	RUN(a_file_that_is_cut_is_cut_for_all_who_map_it);
	RUN(a_hole_is_seen_in_memory_and_private_copies_stay);
	unlink(path);
	return check_end();
}
