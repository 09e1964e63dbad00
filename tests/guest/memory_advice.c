/*
 * madvise, msync and mincore: what each advice does, and what is refused.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#define DONTNEED_LOCKED 24

#define PAGE ((size_t)4096)

static unsigned char *map(size_t npages, int protection, int flags)
{
	return mmap(NULL, npages * PAGE, protection, MAP_ANONYMOUS | flags, -1, 0);
}

static unsigned char *map_private(size_t npages)
{
	return map(npages, PROT_READ | PROT_WRITE, MAP_PRIVATE);
}

/* A file of `npages` pages that has no name, each full of its number + 1. */
static int scratch_file(size_t npages)
{
	char path[] = "/tmp/advice-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	for (size_t i = 0; i < npages; i++) {
		unsigned char page[PAGE];

		memset(page, (int)i + 1, PAGE);
		if (write(fd, page, PAGE) != (ssize_t)PAGE)
			return -1;
	}
	return fd;
}

/* How a child that runs `body` ended: its exit status, or -1 - signal. */
static int in_child(int (*body)(unsigned char *memory), unsigned char *memory)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(body(memory));
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 1000;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1 - WTERMSIG(status);
}

/* ---- madvise ---- */

static void what_is_no_advice_is_refused(void)
{
	unsigned char *memory = map_private(3);

	EXPECT(memory != MAP_FAILED);
	EXPECT_ERRNO(EINVAL, madvise(memory, PAGE, 7));
	EXPECT_ERRNO(EINVAL, madvise(memory, PAGE, 9999));
	EXPECT_ERRNO(EINVAL, madvise(memory, PAGE, -1));
	EXPECT_ERRNO(EINVAL, madvise(memory + 1, PAGE, MADV_NORMAL));
	EXPECT_ERRNO(EINVAL, madvise(memory, SIZE_MAX, MADV_NORMAL));
	EXPECT_EQUAL(madvise(memory, 0, MADV_DONTNEED), 0);
	EXPECT_EQUAL(munmap(memory + PAGE, PAGE), 0);
	EXPECT_ERRNO(ENOMEM, madvise(memory, 3 * PAGE, MADV_NORMAL));
	EXPECT_ERRNO(ENOMEM, madvise(memory, 3 * PAGE, MADV_DONTFORK));
	munmap(memory, 3 * PAGE);
}

static void hints_change_nothing(void)
{
	static const int hints[] = {MADV_NORMAL,   MADV_RANDOM,    MADV_SEQUENTIAL, MADV_WILLNEED,
				    MADV_DONTDUMP, MADV_DODUMP,    MADV_COLD,       MADV_PAGEOUT,
				    MADV_HUGEPAGE, MADV_NOHUGEPAGE};
	unsigned char *memory = map_private(2);

	EXPECT(memory != MAP_FAILED);
	memory[0] = 1;
	memory[PAGE] = 2;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		EXPECT_EQUAL(madvise(memory, 2 * PAGE, hints[i]), 0);
		EXPECT(memory[0] == 1 && memory[PAGE] == 2);
	}
	munmap(memory, 2 * PAGE);
}

static void dontneed_drops_what_was_there(void)
{
	unsigned char *memory = map_private(3);
	int fd = scratch_file(2);
	unsigned char *file = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	EXPECT(memory != MAP_FAILED && file != MAP_FAILED);
	memset(memory, 7, 3 * PAGE);
	EXPECT_EQUAL(madvise(memory + PAGE, PAGE, MADV_DONTNEED), 0);
	EXPECT(memory[0] == 7 && memory[PAGE] == 0 && memory[2 * PAGE] == 7);
	memset(file, 9, 2 * PAGE);
	EXPECT_EQUAL(madvise(file, PAGE, MADV_DONTNEED), 0);
	EXPECT(file[0] == 1 && file[PAGE] == 9);
	EXPECT_EQUAL(munmap(memory + PAGE, PAGE), 0);
	EXPECT_ERRNO(ENOMEM, madvise(memory, 3 * PAGE, MADV_DONTNEED));
	EXPECT(memory[0] == 0 && memory[2 * PAGE] == 0);
	munmap(memory, 3 * PAGE);
	munmap(file, 2 * PAGE);
	close(fd);
}

static void free_is_for_private_memory_alone(void)
{
	unsigned char *memory = map_private(2);
	unsigned char *shared = map(1, PROT_READ | PROT_WRITE, MAP_SHARED);
	int fd = scratch_file(1);
	unsigned char *file = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	EXPECT(memory != MAP_FAILED && shared != MAP_FAILED && file != MAP_FAILED);
	memory[0] = 5;
	EXPECT_EQUAL(madvise(memory, 2 * PAGE, MADV_FREE), 0);
	EXPECT(memory[0] == 5 || memory[0] == 0);
	memory[0] = 6; /* written after the advice: it stays */
	EXPECT_EQUAL(memory[0], 6);
	EXPECT_ERRNO(EINVAL, madvise(shared, PAGE, MADV_FREE));
	EXPECT_ERRNO(EINVAL, madvise(file, PAGE, MADV_FREE));
	munmap(memory, 2 * PAGE);
	munmap(shared, PAGE);
	munmap(file, PAGE);
	close(fd);
}

static void locked_memory_is_not_dropped(void)
{
	unsigned char *memory = map_private(1);

	EXPECT(memory != MAP_FAILED);
	EXPECT_EQUAL(mlock(memory, PAGE), 0);
	memory[0] = 3;
	EXPECT_ERRNO(EINVAL, madvise(memory, PAGE, MADV_DONTNEED));
	EXPECT_ERRNO(EINVAL, madvise(memory, PAGE, MADV_FREE));
	EXPECT_ERRNO(EINVAL, madvise(memory, PAGE, MADV_COLD));
	EXPECT_ERRNO(EBUSY, msync(memory, PAGE, MS_INVALIDATE));
	EXPECT_EQUAL(memory[0], 3);
	EXPECT_EQUAL(madvise(memory, PAGE, DONTNEED_LOCKED), 0);
	EXPECT_EQUAL(memory[0], 0);
	EXPECT_EQUAL(munlock(memory, PAGE), 0);
	EXPECT_EQUAL(madvise(memory, PAGE, MADV_DONTNEED), 0);
	munmap(memory, PAGE);
}

static void remove_punches_holes_that_all_see(void)
{
	unsigned char *shared = map(3, PROT_READ | PROT_WRITE, MAP_SHARED);
	unsigned char *memory = map_private(1);
	int fd = scratch_file(2);
	unsigned char *file = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	unsigned char *other = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	unsigned char byte = 99;

	EXPECT(shared != MAP_FAILED && memory != MAP_FAILED);
	EXPECT(file != MAP_FAILED && other != MAP_FAILED);
	memset(shared, 8, 3 * PAGE);
	EXPECT_EQUAL(madvise(shared + PAGE, PAGE, MADV_REMOVE), 0);
	EXPECT(shared[0] == 8 && shared[PAGE] == 0 && shared[2 * PAGE] == 8);
	EXPECT(other[0] == 1 && other[PAGE] == 2);
	EXPECT_EQUAL(madvise(file, PAGE, MADV_REMOVE), 0);
	EXPECT(file[0] == 0 && other[0] == 0 && other[PAGE] == 2);
	EXPECT(pread(fd, &byte, 1, 0) == 1 && byte == 0);
	EXPECT_ERRNO(EINVAL, madvise(memory, PAGE, MADV_REMOVE));
	EXPECT_EQUAL(mprotect(file, PAGE, PROT_READ), 0);
	munmap(file, 2 * PAGE);
	file = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	EXPECT(file != MAP_FAILED);
	EXPECT_ERRNO(EACCES, madvise(file, PAGE, MADV_REMOVE));
	munmap(file, 2 * PAGE);
	munmap(other, 2 * PAGE);
	munmap(shared, 3 * PAGE);
	munmap(memory, PAGE);
	close(fd);
}

static int read_first(unsigned char *memory)
{
	return *(volatile unsigned char *)memory;
}

static void dontfork_is_not_in_the_child(void)
{
	unsigned char *memory = map_private(2);

	EXPECT(memory != MAP_FAILED);
	memory[0] = 17;
	memory[PAGE] = 18;
	EXPECT_EQUAL(madvise(memory, PAGE, MADV_DONTFORK), 0);
	EXPECT_EQUAL(in_child(read_first, memory), -1 - SIGSEGV);
	EXPECT_EQUAL(in_child(read_first, memory + PAGE), 18);
	EXPECT_EQUAL(madvise(memory, PAGE, MADV_DOFORK), 0);
	EXPECT_EQUAL(in_child(read_first, memory), 17);
	munmap(memory, 2 * PAGE);
}

static void wipeonfork_is_zero_in_the_child(void)
{
	unsigned char *memory = map_private(1);
	unsigned char *shared = map(1, PROT_READ | PROT_WRITE, MAP_SHARED);

	EXPECT(memory != MAP_FAILED && shared != MAP_FAILED);
	memory[0] = 21;
	EXPECT_EQUAL(madvise(memory, PAGE, MADV_WIPEONFORK), 0);
	EXPECT_EQUAL(in_child(read_first, memory), 0);
	EXPECT_EQUAL(memory[0], 21);
	EXPECT_EQUAL(madvise(memory, PAGE, MADV_KEEPONFORK), 0);
	EXPECT_EQUAL(in_child(read_first, memory), 21);
	EXPECT_ERRNO(EINVAL, madvise(shared, PAGE, MADV_WIPEONFORK));
	munmap(memory, PAGE);
	munmap(shared, PAGE);
}

static void populate_brings_pages(void)
{
	unsigned char *memory = map_private(3);
	unsigned char *read_only = map(1, PROT_READ, MAP_PRIVATE);
	unsigned char *nothing = map(1, PROT_NONE, MAP_PRIVATE);
	unsigned char resident[3];
	int fd = scratch_file(1);
	unsigned char *file = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);

	EXPECT(memory != MAP_FAILED && read_only != MAP_FAILED && nothing != MAP_FAILED);
	EXPECT(file != MAP_FAILED);
	EXPECT_EQUAL(madvise(memory, 2 * PAGE, MADV_POPULATE_WRITE), 0);
	EXPECT_EQUAL(mincore(memory, 3 * PAGE, resident), 0);
	EXPECT((resident[0] & 1) && (resident[1] & 1) && !(resident[2] & 1));
	EXPECT_EQUAL(madvise(read_only, PAGE, MADV_POPULATE_READ), 0);
	EXPECT_ERRNO(EINVAL, madvise(read_only, PAGE, MADV_POPULATE_WRITE));
	EXPECT_ERRNO(EINVAL, madvise(nothing, PAGE, MADV_POPULATE_READ));
	/* Beyond the end of the file. */
	EXPECT_ERRNO(EFAULT, madvise(file, 2 * PAGE, MADV_POPULATE_READ));
	EXPECT_EQUAL(munmap(memory + PAGE, PAGE), 0);
	EXPECT_ERRNO(ENOMEM, madvise(memory, 3 * PAGE, MADV_POPULATE_READ));
	munmap(memory, 3 * PAGE);
	munmap(read_only, PAGE);
	munmap(nothing, PAGE);
	munmap(file, 2 * PAGE);
	close(fd);
}

/* ---- mincore ---- */

static void mincore_tells_what_is_there(void)
{
	unsigned char *memory = map_private(600);
	unsigned char resident[600];
	int fd = scratch_file(2);
	unsigned char *file = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	EXPECT(memory != MAP_FAILED && file != MAP_FAILED);
	EXPECT_EQUAL(madvise(memory, 600 * PAGE, MADV_NOHUGEPAGE), 0);
	memory[3 * PAGE] = 1;
	memory[599 * PAGE] = 1;
	EXPECT_EQUAL(mincore(memory, 600 * PAGE, resident), 0);
	for (int i = 0; i < 600; i++)
		EXPECT_EQUAL(resident[i] & 1, i == 3 || i == 599);
	EXPECT_EQUAL(mincore(memory + 3 * PAGE, 1, resident), 0);
	EXPECT_EQUAL(resident[0] & 1, 1);
	/* A file that was just written is there before anybody maps it. */
	EXPECT_EQUAL(mincore(file, 2 * PAGE, resident), 0);
	EXPECT((resident[0] & 1) && (resident[1] & 1));
	EXPECT_EQUAL(mincore(memory, 0, resident), 0);
	munmap(memory, 600 * PAGE);
	munmap(file, 2 * PAGE);
	close(fd);
}

static void mincore_refuses(void)
{
	unsigned char *memory = map_private(2);
	unsigned char resident[2];

	EXPECT(memory != MAP_FAILED);
	EXPECT_ERRNO(EINVAL, mincore(memory + 1, PAGE, resident));
	EXPECT_ERRNO(EFAULT, mincore(memory, PAGE, (unsigned char *)8));
	EXPECT_ERRNO(ENOMEM, mincore(memory, SIZE_MAX / 2, resident));
	EXPECT_EQUAL(munmap(memory + PAGE, PAGE), 0);
	EXPECT_ERRNO(ENOMEM, mincore(memory, 2 * PAGE, resident));
	munmap(memory, PAGE);
}

/* ---- msync ---- */

static void msync_writes_what_is_mapped_shared(void)
{
	int fd = scratch_file(2);
	unsigned char *file = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	unsigned char *memory = map_private(1);
	unsigned char byte;

	EXPECT(file != MAP_FAILED && memory != MAP_FAILED);
	file[PAGE] = 55;
	EXPECT_EQUAL(msync(file, 2 * PAGE, MS_SYNC), 0);
	EXPECT_EQUAL(msync(file, 2 * PAGE, MS_ASYNC), 0);
	EXPECT_EQUAL(msync(file, 2 * PAGE, MS_SYNC | MS_INVALIDATE), 0);
	EXPECT_EQUAL(msync(file, 2 * PAGE, 0), 0);
	EXPECT_EQUAL(msync(file, 0, MS_SYNC), 0);
	EXPECT_EQUAL(msync(memory, PAGE, MS_SYNC), 0);
	EXPECT(pread(fd, &byte, 1, PAGE) == 1 && byte == 55);
	munmap(file, 2 * PAGE);
	munmap(memory, PAGE);
	close(fd);
}

static void msync_refuses(void)
{
	unsigned char *memory = map_private(2);

	EXPECT(memory != MAP_FAILED);
	EXPECT_ERRNO(EINVAL, msync(memory, PAGE, MS_SYNC | MS_ASYNC));
	EXPECT_ERRNO(EINVAL, msync(memory, PAGE, 8));
	EXPECT_ERRNO(EINVAL, msync(memory + 1, PAGE, MS_SYNC));
	EXPECT_EQUAL(munmap(memory + PAGE, PAGE), 0);
	EXPECT_ERRNO(ENOMEM, msync(memory, 2 * PAGE, MS_SYNC));
	EXPECT_ERRNO(ENOMEM, msync(memory, 2 * PAGE, MS_ASYNC));
	munmap(memory, PAGE);
}

int main(void)
{
	RUN(what_is_no_advice_is_refused);
	RUN(hints_change_nothing);
	RUN(dontneed_drops_what_was_there);
	RUN(free_is_for_private_memory_alone);
	RUN(locked_memory_is_not_dropped);
	RUN(remove_punches_holes_that_all_see);
	RUN(dontfork_is_not_in_the_child);
	RUN(wipeonfork_is_zero_in_the_child);
	RUN(populate_brings_pages);
	RUN(mincore_tells_what_is_there);
	RUN(mincore_refuses);
	RUN(msync_writes_what_is_mapped_shared);
	RUN(msync_refuses);
	return check_end();
}
