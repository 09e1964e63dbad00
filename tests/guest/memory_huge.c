/*
 * Pages of 2 MiB for anonymous memory: seen in smaps and in the number of faults, and whatever is
 * done to a part of one, its bytes are what they were.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define PAGE  ((size_t)4096)
#define HUGE  ((size_t)2 << 20)
#define NHUGE ((size_t)4)

#ifndef PR_SET_THP_DISABLE
#define PR_SET_THP_DISABLE 41
#define PR_GET_THP_DISABLE 42
#endif

static unsigned char *mapping;

/* NHUGE aligned ones, which may be large if `advice` says so. */
static unsigned char *map_aligned(int advice)
{
	unsigned char *aligned;

	mapping = mmap(NULL, (NHUGE + 1) * HUGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mapping == MAP_FAILED)
		return NULL;
	aligned = (unsigned char *)(((uintptr_t)mapping + HUGE - 1) & ~(HUGE - 1));
	return madvise(aligned, NHUGE * HUGE, advice) ? NULL : aligned;
}

static void unmap_all(void)
{
	munmap(mapping, (NHUGE + 1) * HUGE);
}

static void fill(unsigned char *memory, size_t from, size_t to)
{
	for (size_t i = from; i < to; i += PAGE)
		memory[i] = (unsigned char)(i / PAGE % 251 + 1);
}

/* The first byte that is not as fill() left it, or `to`. */
static size_t first_wrong(const unsigned char *memory, size_t from, size_t to)
{
	for (; from < to; from += PAGE) {
		if (memory[from] != (unsigned char)(from / PAGE % 251 + 1))
			break;
	}
	return from;
}

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

/* A field of the region around `address` in smaps, in KiB; -1: it is not there. */
static long smaps_kib(const void *address, const char *field)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	char line[512];
	bool inside = false;
	long kib = -1;

	while (file && fgets(line, sizeof(line), file)) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start <= (uintptr_t)address && (uintptr_t)address < end;
		else if (inside && !strncmp(line, field, strlen(field)))
			kib = atol(line + strlen(field));
	}
	if (file)
		fclose(file);
	return kib;
}

/* A Linux that has no memory of that size at hand, or wants none, shows nothing of it. */
static bool has_huge(const unsigned char *memory)
{
	return smaps_kib(memory, "AnonHugePages:") == (long)(NHUGE * HUGE / 1024) ||
	       !may_be_restricted();
}

static void large_memory_has_few_faults(void)
{
	unsigned char *memory = map_aligned(MADV_HUGEPAGE);
	long before, after;

	EXPECT(memory);
	before = faults();
	fill(memory, 0, NHUGE * HUGE);
	after = faults();
	if (has_huge(memory)) {
		EXPECT(after - before <= (long)NHUGE + 4);
		EXPECT_EQUAL(smaps_kib(memory, "AnonHugePages:"), NHUGE * HUGE / 1024);
		EXPECT_EQUAL(smaps_kib(memory, "THPeligible:"), 1);
	}
	EXPECT_EQUAL(smaps_kib(memory, "Rss:"), NHUGE * HUGE / 1024);
	EXPECT_EQUAL(smaps_kib(memory, "Private_Dirty:"), NHUGE * HUGE / 1024);
	EXPECT_EQUAL(smaps_kib(memory, "Anonymous:"), NHUGE * HUGE / 1024);
	EXPECT_EQUAL(first_wrong(memory, 0, NHUGE * HUGE), NHUGE * HUGE);
	unmap_all();
}

static void small_pages_where_they_are_wanted(void)
{
	unsigned char *memory = map_aligned(MADV_NOHUGEPAGE);
	long before;

	EXPECT(memory);
	before = faults();
	fill(memory, 0, HUGE);
	EXPECT(faults() - before >= (long)(HUGE / PAGE));
	EXPECT_EQUAL(smaps_kib(memory, "AnonHugePages:"), 0);
	EXPECT_EQUAL(smaps_kib(memory, "THPeligible:"), 0);
	unmap_all();
}

static void a_process_can_do_without(void)
{
	unsigned char *memory;

	EXPECT_EQUAL(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 0);
	EXPECT_ERRNO(EINVAL, prctl(PR_GET_THP_DISABLE, 1, 0, 0, 0));
	EXPECT_ERRNO(EINVAL, prctl(PR_SET_THP_DISABLE, 1, 0, 0, 5));
	EXPECT_EQUAL(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
	EXPECT_EQUAL(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
	memory = map_aligned(MADV_HUGEPAGE);
	EXPECT(memory);
	fill(memory, 0, HUGE);
	EXPECT_EQUAL(smaps_kib(memory, "AnonHugePages:"), 0);
	unmap_all();
	EXPECT_EQUAL(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0), 0);
}

/* Each test begins with all of it filled, and large where the machine does that. */
static unsigned char *filled(void)
{
	unsigned char *memory = map_aligned(MADV_HUGEPAGE);

	if (memory)
		fill(memory, 0, NHUGE * HUGE);
	return memory;
}

static void a_part_can_be_unmapped(void)
{
	unsigned char *memory = filled();
	int fds[2];

	EXPECT(memory && !pipe(fds));
	EXPECT_EQUAL(munmap(memory + HUGE / 2, HUGE), 0);
	EXPECT_ERRNO(EFAULT, write(fds[1], memory + HUGE / 2, 1));
	EXPECT_ERRNO(EFAULT, write(fds[1], memory + HUGE * 3 / 2 - 1, 1));
	EXPECT_EQUAL(first_wrong(memory, 0, HUGE / 2), HUGE / 2);
	EXPECT_EQUAL(first_wrong(memory, HUGE * 3 / 2, NHUGE * HUGE), NHUGE * HUGE);
	if (has_huge(memory + 2 * HUGE) && !may_be_restricted())
		EXPECT_EQUAL(smaps_kib(memory + 2 * HUGE, "AnonHugePages:"), 2 * HUGE / 1024);
	close(fds[0]);
	close(fds[1]);
	unmap_all();
}

static void a_part_can_lose_its_rights(void)
{
	unsigned char *memory = filled();
	int fds[2];

	EXPECT(memory && !pipe(fds));
	EXPECT_EQUAL(mprotect(memory + PAGE, PAGE, PROT_NONE), 0);
	EXPECT_EQUAL(mprotect(memory + HUGE, 2 * HUGE, PROT_READ), 0);
	EXPECT_ERRNO(EFAULT, write(fds[1], memory + PAGE, 1));
	EXPECT_EQUAL(write(fds[1], memory + HUGE, 1), 1);
	EXPECT_ERRNO(EFAULT, read(fds[0], memory + HUGE, 1));
	EXPECT_EQUAL(mprotect(memory, NHUGE * HUGE, PROT_NONE), 0);
	EXPECT_ERRNO(EFAULT, write(fds[1], memory + 3 * HUGE, 1));
	EXPECT_EQUAL(mprotect(memory, NHUGE * HUGE, PROT_READ | PROT_WRITE), 0);
	EXPECT_EQUAL(first_wrong(memory, 0, NHUGE * HUGE), NHUGE * HUGE);
	fill(memory, 0, NHUGE * HUGE);
	close(fds[0]);
	close(fds[1]);
	unmap_all();
}

static void a_part_can_be_dropped(void)
{
	unsigned char *memory = filled();

	EXPECT(memory);
	EXPECT_EQUAL(madvise(memory + PAGE, PAGE, MADV_DONTNEED), 0);
	EXPECT_EQUAL(madvise(memory + HUGE, HUGE, MADV_DONTNEED), 0);
	EXPECT_EQUAL(memory[PAGE], 0);
	EXPECT_EQUAL(memory[HUGE + 5 * PAGE], 0);
	EXPECT_EQUAL(memory[0], 1);
	EXPECT_EQUAL(first_wrong(memory, 2 * PAGE, HUGE), HUGE);
	EXPECT_EQUAL(first_wrong(memory, 2 * HUGE, NHUGE * HUGE), NHUGE * HUGE);
	unmap_all();
}

static void it_can_be_moved(void)
{
	unsigned char *memory = filled(), *moved;

	EXPECT(memory);
	moved = mremap(memory + HUGE, 2 * HUGE, 3 * HUGE, MREMAP_MAYMOVE);
	EXPECT(moved != MAP_FAILED);
	for (size_t i = 0; i < 2 * HUGE; i += PAGE)
		EXPECT_EQUAL(moved[i], (HUGE + i) / PAGE % 251 + 1);
	EXPECT_EQUAL(moved[2 * HUGE], 0);
	EXPECT_EQUAL(first_wrong(memory, 0, HUGE), HUGE);
	munmap(moved, 3 * HUGE);
	unmap_all();
}

static void copies_are_apart(void)
{
	unsigned char *memory = filled();
	int status = -1;
	pid_t child;

	EXPECT(memory);
	child = fork();
	if (child == 0) {
		size_t wrong = first_wrong(memory, 0, NHUGE * HUGE);

		memset(memory, 0, HUGE + PAGE);
		_exit(wrong != NHUGE * HUGE || memory[HUGE] ||
		      first_wrong(memory, HUGE + PAGE, NHUGE * HUGE) != NHUGE * HUGE);
	}
	memory[NHUGE * HUGE - 1] = 77;
	EXPECT_EQUAL(waitpid(child, &status, 0), child);
	EXPECT_EQUAL(status, 0);
	EXPECT_EQUAL(memory[NHUGE * HUGE - 1], 77);
	EXPECT_EQUAL(first_wrong(memory, 0, NHUGE * HUGE), NHUGE * HUGE);
	fill(memory, 0, NHUGE * HUGE);
	unmap_all();
}

/* Locked, it is all there; and a system call may write into it. */
static void the_kernel_writes_into_it(void)
{
	unsigned char *memory = map_aligned(MADV_HUGEPAGE);
	int fd = open("/dev/zero", O_RDONLY);

	EXPECT(memory && fd >= 0);
	EXPECT_EQUAL(mlock(memory, HUGE), 0);
	EXPECT_EQUAL(smaps_kib(memory, "Locked:"), HUGE / 1024);
	EXPECT_EQUAL(munlock(memory, HUGE), 0);
	fill(memory, 0, 2 * HUGE);
	EXPECT_EQUAL(read(fd, memory + HUGE - PAGE, 2 * PAGE), 2 * PAGE);
	EXPECT_EQUAL(memory[HUGE - PAGE] | memory[HUGE], 0);
	EXPECT_EQUAL(first_wrong(memory, HUGE + PAGE, 2 * HUGE), 2 * HUGE);
	close(fd);
	unmap_all();
}

int main(void)
{
	RUN(large_memory_has_few_faults);
	RUN(small_pages_where_they_are_wanted);
	RUN(a_process_can_do_without);
	RUN(a_part_can_be_unmapped);
	RUN(a_part_can_lose_its_rights);
	RUN(a_part_can_be_dropped);
	RUN(it_can_be_moved);
	RUN(copies_are_apart);
	RUN(the_kernel_writes_into_it);
	return check_end();
}
