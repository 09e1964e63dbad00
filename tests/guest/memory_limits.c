/*
 * mlock and its like, mmap's and mremap's rarer flags, and limits that bite: of locked memory, of
 * all memory, of data, of a stack.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"

#define PAGE ((size_t)4096)

#define LOCK_ONFAULT 1u
#define MAP_LOW      0x40
#define MAP_DOWN     0x0100
#define DONTUNMAP    4

static unsigned char *map(size_t npages, int flags)
{
	return mmap(NULL, npages * PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
}

/* In KiB, of /proc/self/status; -1: there is no such line. */
static long status_kib(const char *name)
{
	char line[200];
	FILE *file = fopen("/proc/self/status", "r");
	long value = -1;

	while (file && value < 0 && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, strlen(name)) == 0)
			value = atol(line + strlen(name) + 1);
	}
	if (file)
		fclose(file);
	return value;
}

static int count_resident(unsigned char *memory, size_t npages)
{
	unsigned char resident[64];
	int count = 0;

	if (mincore(memory, npages * PAGE, resident))
		return -1;
	for (size_t i = 0; i < npages; i++)
		count += resident[i] & 1;
	return count;
}

/* ---- locking ---- */

static void mlock_brings_pages_and_counts_them(void)
{
	unsigned char *memory = map(8, MAP_PRIVATE);
	long before = status_kib("VmLck");

	EXPECT(memory != MAP_FAILED && before >= 0);
	EXPECT_EQUAL(mlock(memory + PAGE + 5, 2 * PAGE), 0); /* touches three */
	EXPECT_EQUAL(count_resident(memory, 8), 3);
	EXPECT_EQUAL(status_kib("VmLck"), before + 12);
	EXPECT_EQUAL(mlock(memory, 8 * PAGE), 0);
	EXPECT_EQUAL(status_kib("VmLck"), before + 32);
	EXPECT_EQUAL(munlock(memory + PAGE, PAGE), 0);
	EXPECT_EQUAL(status_kib("VmLck"), before + 28);
	EXPECT_EQUAL(munmap(memory, 8 * PAGE), 0);
	EXPECT_EQUAL(status_kib("VmLck"), before);
}

static void mlock2_can_wait_for_faults(void)
{
	unsigned char *memory = map(4, MAP_PRIVATE);

	EXPECT(memory != MAP_FAILED);
	EXPECT_EQUAL(syscall(SYS_mlock2, memory, 4 * PAGE, LOCK_ONFAULT), 0);
	EXPECT_EQUAL(count_resident(memory, 4), 0);
	memory[PAGE] = 1;
	EXPECT_EQUAL(count_resident(memory, 4), 1);
	EXPECT_EQUAL(syscall(SYS_mlock2, memory, 4 * PAGE, 0u), 0);
	EXPECT_EQUAL(count_resident(memory, 4), 4);
	EXPECT_ERRNO(EINVAL, syscall(SYS_mlock2, memory, PAGE, 2u));
	munmap(memory, 4 * PAGE);
}

static void mlock_refuses(void)
{
	unsigned char *memory = map(3, MAP_PRIVATE);

	EXPECT(memory != MAP_FAILED);
	EXPECT_EQUAL(mprotect(memory + PAGE, PAGE, PROT_NONE), 0);
	EXPECT_ERRNO(ENOMEM, mlock(memory, 3 * PAGE)); /* not to be touched */
	EXPECT_EQUAL(munmap(memory + PAGE, PAGE), 0);
	EXPECT_ERRNO(ENOMEM, mlock(memory, 3 * PAGE));
	EXPECT_ERRNO(ENOMEM, munlock(memory, 3 * PAGE));
	EXPECT_ERRNO(EINVAL, mlock(memory, SIZE_MAX - 2 * PAGE));
	EXPECT_ERRNO(EINVAL, munlock(memory, SIZE_MAX - 2 * PAGE));
	EXPECT_EQUAL(mlock(memory, 0), 0);
	EXPECT_ERRNO(EINVAL, mlockall(0));
	EXPECT_ERRNO(EINVAL, mlockall(8));
	EXPECT_ERRNO(EINVAL, mlockall(4)); /* MCL_ONFAULT of nothing */
	munmap(memory, 3 * PAGE);
}

static void locks_are_not_inherited(void)
{
	unsigned char *memory = map(1, MAP_PRIVATE);
	int status;
	pid_t child;

	EXPECT(memory != MAP_FAILED);
	EXPECT_EQUAL(mlock(memory, PAGE), 0);
	child = fork();
	if (child == 0)
		_exit(status_kib("VmLck") == 0 ? 0 : 1);
	EXPECT(waitpid(child, &status, 0) == child && status == 0);
	munmap(memory, PAGE);
}

static void mmap_can_lock(void)
{
	long before = status_kib("VmLck");
	unsigned char *memory = map(4, MAP_PRIVATE | MAP_LOCKED);

	EXPECT(memory != MAP_FAILED);
	EXPECT_EQUAL(count_resident(memory, 4), 4);
	EXPECT_EQUAL(status_kib("VmLck"), before + 16);
	munmap(memory, 4 * PAGE);
}

static int lock_everything(void)
{
	unsigned char *memory = map(4, MAP_PRIVATE);
	unsigned char *later;

	NEED(mlockall(MCL_CURRENT) == 0);
	NEED(count_resident(memory, 4) == 4);
	later = map(4, MAP_PRIVATE);
	NEED(later != MAP_FAILED && count_resident(later, 4) == 0);
	NEED(mlockall(MCL_FUTURE) == 0);
	later = map(4, MAP_PRIVATE);
	NEED(later != MAP_FAILED && count_resident(later, 4) == 4);
	NEED(mlockall(MCL_FUTURE | 4) == 0);
	later = map(4, MAP_PRIVATE);
	NEED(later != MAP_FAILED && count_resident(later, 4) == 0);
	NEED(status_kib("VmLck") >= 16 + 16 + 16);
	NEED(munlockall() == 0);
	NEED(status_kib("VmLck") == 0);
	later = map(4, MAP_PRIVATE);
	NEED(later != MAP_FAILED && status_kib("VmLck") == 0);
	return 0;
}

static void mlockall_is_for_now_and_for_later(void)
{
	EXPECT_EQUAL(in_child_as(0, lock_everything), 0);
}

static int lock_within_the_limit(void)
{
	unsigned char *memory = map(8, MAP_PRIVATE);

	NEED(set_limit(RLIMIT_MEMLOCK, 4 * PAGE));
	NEED(mlock(memory, 4 * PAGE) == 0);
	NEED(mlock(memory, 4 * PAGE) == 0); /* they count once */
	NEED(mlock(memory + 4 * PAGE, PAGE) == -1 && errno == ENOMEM);
	NEED(map(1, MAP_PRIVATE | MAP_LOCKED) == MAP_FAILED && errno == EAGAIN);
	NEED(mlockall(MCL_CURRENT) == -1 && errno == ENOMEM);
	NEED(mremap(memory, 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EAGAIN);
	NEED(munlock(memory, PAGE) == 0);
	NEED(mlock(memory + 4 * PAGE, PAGE) == 0);
	NEED(munlockall() == 0);
	NEED(set_limit(RLIMIT_MEMLOCK, 0));
	NEED(mlock(memory, PAGE) == -1 && errno == EPERM);
	NEED(mlockall(MCL_CURRENT) == -1 && errno == EPERM);
	/* Not by musl's mmap, which says ENOMEM for it. */
	NEED(syscall(SYS_mmap, NULL, PAGE, PROT_READ, MAP_ANONYMOUS | MAP_PRIVATE | MAP_LOCKED, -1,
		     0) == -1 &&
	     errno == EPERM);
	return 0;
}

static void locked_memory_is_limited(void)
{
	EXPECT_EQUAL(as_user(lock_within_the_limit), 0);
}

/* ---- other limits ---- */

static int map_within_the_limit(void)
{
	unsigned char *memory;

	NEED(set_limit(RLIMIT_AS, (rlim_t)status_kib("VmSize") * 1024 + 64 * PAGE));
	memory = map(32, MAP_PRIVATE);
	NEED(memory != MAP_FAILED);
	NEED(map(256, MAP_PRIVATE) == MAP_FAILED && errno == ENOMEM);
	NEED(mremap(memory, 32 * PAGE, 512 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED &&
	     errno == ENOMEM);
	NEED(munmap(memory, 32 * PAGE) == 0);
	return 0;
}

static void all_memory_is_limited(void)
{
	EXPECT_EQUAL(as_user(map_within_the_limit), 0);
}

static int data_within_the_limit(void)
{
	uintptr_t heap = (uintptr_t)syscall(SYS_brk, 0L);
	unsigned char *memory;

	NEED(set_limit(RLIMIT_DATA, (rlim_t)status_kib("VmData") * 1024 + 32 * PAGE));
	NEED(map(512, MAP_PRIVATE) == MAP_FAILED && errno == ENOMEM);
	NEED((uintptr_t)syscall(SYS_brk, heap + 512 * PAGE) == heap);
	/* What is shared, or not to be written, is no data. */
	memory = map(512, MAP_SHARED);
	NEED(memory != MAP_FAILED);
	memory = mmap(NULL, 512 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(memory != MAP_FAILED);
	NEED(mprotect(memory, 512 * PAGE, PROT_READ | PROT_WRITE) == -1 && errno == ENOMEM);
	NEED(mprotect(memory, 4 * PAGE, PROT_READ | PROT_WRITE) == 0);
	return 0;
}

static void data_is_limited(void)
{
	EXPECT_EQUAL(as_user(data_within_the_limit), 0);
}

static __attribute__((noinline)) int dig(int levels)
{
	volatile unsigned char here[16 * 1024];

	here[0] = (unsigned char)levels;
	return levels ? dig(levels - 1) + here[0] : 0;
}

static int stay_within_the_stack(void)
{
	NEED(set_limit(RLIMIT_STACK, 1024 * 1024));
	dig(40); /* 640 KiB */
	return 0;
}

static int leave_the_stack(void)
{
	signal(SIGSEGV, SIG_DFL);
	NEED(set_limit(RLIMIT_STACK, 512 * 1024));
	dig(40);
	return 0;
}

static void a_stack_grows_to_its_limit(void)
{
	EXPECT_EQUAL(as_user(stay_within_the_stack), 0);
	EXPECT_EQUAL(as_user(leave_the_stack), -1 - SIGSEGV);
}

static void limits_of_others_are_told_and_set(void)
{
	struct rlimit limit = {0}, other = {.rlim_cur = 7 * PAGE, .rlim_max = 9 * PAGE};
	int ready[2];
	char byte;
	pid_t child;

	EXPECT_EQUAL(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		close(ready[1]);
		_exit(read(ready[0], &byte, 1) == 1 && getrlimit(RLIMIT_MEMLOCK, &limit) == 0 &&
				      limit.rlim_cur == 7 * PAGE
			      ? 0
			      : 1);
	}
	EXPECT_EQUAL(syscall(SYS_prlimit64, child, RLIMIT_MEMLOCK, &other, NULL), 0);
	EXPECT_EQUAL(syscall(SYS_prlimit64, child, RLIMIT_MEMLOCK, NULL, &limit), 0);
	EXPECT(limit.rlim_cur == 7 * PAGE && limit.rlim_max == 9 * PAGE);
	EXPECT_EQUAL(write(ready[1], "x", 1), 1);
	int status;
	EXPECT(waitpid(child, &status, 0) == child && status == 0);
	EXPECT_ERRNO(ESRCH, syscall(SYS_prlimit64, child, RLIMIT_MEMLOCK, NULL, &limit));
	close(ready[0]);
	close(ready[1]);
}

static int limits_of_root(void)
{
	struct rlimit limit;

	NEED(syscall(SYS_prlimit64, getppid(), RLIMIT_CPU, NULL, &limit) == -1 && errno == EPERM);
	return 0;
}

static void limits_of_others_are_not_everybodys(void)
{
	EXPECT_EQUAL(as_user(limits_of_root), 0);
}

/* ---- where memory lies ---- */

static void low_memory_is_below_two_gib(void)
{
	unsigned char *memory = map(4, MAP_PRIVATE | MAP_LOW);
	unsigned char *more = map(4, MAP_PRIVATE | MAP_LOW);

	EXPECT(memory != MAP_FAILED && more != MAP_FAILED && memory != more);
	EXPECT((uintptr_t)memory + 4 * PAGE <= 0x80000000u);
	EXPECT((uintptr_t)more + 4 * PAGE <= 0x80000000u);
	memset(memory, 1, 4 * PAGE);
	munmap(memory, 4 * PAGE);
	munmap(more, 4 * PAGE);
}

static void a_mapping_can_grow_downwards(void)
{
	unsigned char *room =
		mmap(NULL, 1024 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *top = room + 1000 * PAGE;

	EXPECT(room != MAP_FAILED);
	EXPECT_EQUAL(munmap(room, 1024 * PAGE), 0);
	EXPECT(mmap(top, 4 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_DOWN, -1, 0) == top);
	top[-1] = 5; /* the page below comes into being */
	((volatile unsigned char *)top)[-20 * (long)PAGE] = 6;
	EXPECT(top[-1] == 5 && top[-20 * (long)PAGE] == 6 && top[-10 * (long)PAGE] == 0);
	EXPECT_EQUAL(mprotect(top, PAGE, PROT_READ | 0x01000000), 0); /* PROT_GROWSDOWN */
	EXPECT_EQUAL(munmap(top - 20 * PAGE, 24 * PAGE), 0);
	EXPECT(mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_DOWN, -1, 0) ==
		       MAP_FAILED &&
	       errno == EINVAL);
	room = map(1, MAP_PRIVATE);
	EXPECT_ERRNO(EINVAL, mprotect(room, PAGE, PROT_READ | 0x01000000));
	munmap(room, PAGE);
}

static void huge_pages_were_not_set_aside(void)
{
	EXPECT(map(512, MAP_PRIVATE | 0x40000) == MAP_FAILED && errno == ENOMEM);
}

static void mremap_can_leave_the_old_place_mapped(void)
{
	unsigned char *memory = map(3, MAP_PRIVATE);
	unsigned char *moved;

	EXPECT(memory != MAP_FAILED);
	memset(memory, 4, 3 * PAGE);
	moved = mremap(memory, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | DONTUNMAP);
	EXPECT(moved != MAP_FAILED && moved != memory);
	EXPECT(moved[0] == 4 && moved[3 * PAGE - 1] == 4);
	EXPECT(memory[0] == 0 && memory[3 * PAGE - 1] == 0);
	memory[0] = 9;
	EXPECT_EQUAL(moved[0], 4);
	EXPECT(mremap(memory, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | DONTUNMAP) == MAP_FAILED &&
	       errno == EINVAL);
	EXPECT(mremap(memory, 3 * PAGE, 3 * PAGE, DONTUNMAP) == MAP_FAILED && errno == EINVAL);
	EXPECT(mremap(memory, 3 * PAGE, 3 * PAGE, 8) == MAP_FAILED && errno == EINVAL);
	munmap(memory, 3 * PAGE);
	munmap(moved, 3 * PAGE);
}

static void an_old_length_of_zero_is_a_second_view(void)
{
	unsigned char *shared = map(4, MAP_SHARED);
	unsigned char *memory = map(1, MAP_PRIVATE);
	unsigned char *view;

	EXPECT(shared != MAP_FAILED && memory != MAP_FAILED);
	shared[PAGE] = 7;
	view = mremap(shared + PAGE, 0, 2 * PAGE, MREMAP_MAYMOVE);
	EXPECT(view != MAP_FAILED);
	EXPECT(view[0] == 7 && shared[PAGE] == 7);
	view[PAGE] = 8;
	EXPECT_EQUAL(shared[2 * PAGE], 8);
	EXPECT(mremap(memory, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EINVAL);
	EXPECT(mremap(memory, PAGE, 0, MREMAP_MAYMOVE) == MAP_FAILED && errno == EINVAL);
	EXPECT(mremap(memory + 1, PAGE, PAGE, 0) == MAP_FAILED && errno == EINVAL);
	munmap(view, 2 * PAGE);
	munmap(shared, 4 * PAGE);
	munmap(memory, PAGE);
	EXPECT(mremap(memory, PAGE, 2 * PAGE, 0) == MAP_FAILED && errno == EFAULT);
}

int main(void)
{
	RUN(mlock_brings_pages_and_counts_them);
	RUN(mlock2_can_wait_for_faults);
	RUN(mlock_refuses);
	RUN(locks_are_not_inherited);
	RUN(mmap_can_lock);
	RUN(mlockall_is_for_now_and_for_later);
	RUN(locked_memory_is_limited);
	RUN(all_memory_is_limited);
	RUN(data_is_limited);
	RUN(a_stack_grows_to_its_limit);
	RUN(limits_of_others_are_told_and_set);
	RUN(limits_of_others_are_not_everybodys);
	RUN(low_memory_is_below_two_gib);
	RUN(a_mapping_can_grow_downwards);
	RUN(huge_pages_were_not_set_aside);
	RUN(mremap_can_leave_the_old_place_mapped);
	RUN(an_old_length_of_zero_is_a_second_view);
	return check_end();
}
