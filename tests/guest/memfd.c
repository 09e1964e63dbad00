/*
 * memfd_create, seals, membarrier.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

#define PAGE ((size_t)4096)

#define CLOEXEC     1u
#define ALLOW_SEALS 2u
#define NOEXEC_SEAL 8u
#define EXEC        16u

#define ADD_SEALS   1033
#define GET_SEALS   1034
#define SEAL_SEAL   1
#define SEAL_SHRINK 2
#define SEAL_GROW   4
#define SEAL_WRITE  8
#define SEAL_FUTURE 16
#define SEAL_EXEC   32
#define PUNCH_HOLE  3 /* FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE */

static int make(const char *name, unsigned flags)
{
	return (int)syscall(SYS_memfd_create, name, flags);
}

/* Two pages long, each full of its number + 1. */
static int make_full(unsigned flags)
{
	char page[PAGE];
	int fd = make("full", flags);

	for (int i = 1; i <= 2; i++) {
		memset(page, i, PAGE);
		if (write(fd, page, PAGE) != (ssize_t)PAGE)
			return -1;
	}
	return fd;
}

static void a_memfd_is_a_file_without_a_name(void)
{
	char link[80] = "", path[40];
	int fd = make("some thing", CLOEXEC);
	struct stat stat;
	char byte = 0;

	EXPECT(fd >= 0);
	EXPECT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQUAL(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	EXPECT_EQUAL(fstat(fd, &stat), 0);
	EXPECT(S_ISREG(stat.st_mode) && stat.st_nlink == 0 && stat.st_size == 0);
	EXPECT_EQUAL(stat.st_mode & 0777, 0777);
	EXPECT_EQUAL(pwrite(fd, "x", 1, 5 * (off_t)PAGE), 1);
	EXPECT(fstat(fd, &stat) == 0 && stat.st_size == 5 * (off_t)PAGE + 1);
	EXPECT(pread(fd, &byte, 1, 5 * (off_t)PAGE) == 1 && byte == 'x');
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EXPECT(readlink(path, link, sizeof(link) - 1) > 0);
	EXPECT(strcmp(link, "/memfd:some thing (deleted)") == 0);
	close(fd);
	fd = make("", 0);
	EXPECT(fd >= 0 && fcntl(fd, F_GETFD) == 0);
	close(fd);
}

static void memfd_create_refuses(void)
{
	char name[251];

	memset(name, 'n', sizeof(name));
	name[249] = 0;
	int fd = make(name, 0);
	EXPECT(fd >= 0);
	close(fd);
	name[249] = 'n';
	name[250] = 0;
	EXPECT_ERRNO(EINVAL, make(name, 0));
	EXPECT_ERRNO(EINVAL, make("x", 0x8000));
	EXPECT_ERRNO(EINVAL, make("x", EXEC | NOEXEC_SEAL));
	EXPECT_ERRNO(EFAULT, make((const char *)8, 0));
}

static void seals_have_to_be_allowed(void)
{
	char path[] = "/tmp/seals-XXXXXX";
	int fd = make("x", 0), pipes[2], reader;

	EXPECT_EQUAL(fcntl(fd, GET_SEALS), SEAL_SEAL);
	EXPECT_ERRNO(EPERM, fcntl(fd, ADD_SEALS, SEAL_GROW));
	close(fd);
	fd = make("x", ALLOW_SEALS);
	EXPECT_EQUAL(fcntl(fd, GET_SEALS), 0);
	EXPECT_ERRNO(EINVAL, fcntl(fd, ADD_SEALS, 0x40));
	EXPECT_EQUAL(fcntl(fd, ADD_SEALS, SEAL_GROW | SEAL_SHRINK), 0);
	EXPECT_EQUAL(fcntl(fd, GET_SEALS), SEAL_GROW | SEAL_SHRINK);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader = open(path, O_RDONLY);
	EXPECT(reader >= 0);
	EXPECT_ERRNO(EPERM, fcntl(reader, ADD_SEALS, SEAL_WRITE));
	EXPECT_EQUAL(fcntl(reader, GET_SEALS), SEAL_GROW | SEAL_SHRINK);
	close(reader);
	EXPECT_EQUAL(fcntl(fd, ADD_SEALS, SEAL_SEAL), 0);
	EXPECT_ERRNO(EPERM, fcntl(fd, ADD_SEALS, SEAL_WRITE));
	close(fd);
	EXPECT_EQUAL(pipe(pipes), 0);
	EXPECT_ERRNO(EINVAL, fcntl(pipes[1], ADD_SEALS, SEAL_WRITE));
	EXPECT_ERRNO(EINVAL, fcntl(pipes[0], GET_SEALS));
	close(pipes[0]);
	close(pipes[1]);
}

static void sealed_sizes_stay(void)
{
	int fd = make_full(ALLOW_SEALS);

	EXPECT(fd >= 0);
	EXPECT_EQUAL(fcntl(fd, ADD_SEALS, SEAL_SHRINK), 0);
	EXPECT_ERRNO(EPERM, ftruncate(fd, PAGE));
	EXPECT_EQUAL(ftruncate(fd, 3 * PAGE), 0);
	EXPECT_EQUAL(fcntl(fd, ADD_SEALS, SEAL_GROW), 0);
	EXPECT_ERRNO(EPERM, ftruncate(fd, 4 * PAGE));
	EXPECT_ERRNO(EPERM, pwrite(fd, "x", 1, 3 * (off_t)PAGE));
	EXPECT_ERRNO(EPERM, syscall(SYS_fallocate, fd, 0, 0L, 4 * PAGE));
	EXPECT_EQUAL(pwrite(fd, "x", 1, 0), 1);
	EXPECT_EQUAL(syscall(SYS_fallocate, fd, PUNCH_HOLE, 0L, PAGE), 0);
	close(fd);
}

static void sealed_contents_stay(void)
{
	int fd = make_full(ALLOW_SEALS);
	unsigned char *memory, *private;

	memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	EXPECT(fd >= 0 && memory != MAP_FAILED);
	EXPECT_ERRNO(EBUSY, fcntl(fd, ADD_SEALS, SEAL_WRITE));
	EXPECT_EQUAL(munmap(memory, PAGE), 0);
	EXPECT_EQUAL(fcntl(fd, ADD_SEALS, SEAL_WRITE), 0);
	EXPECT_ERRNO(EPERM, pwrite(fd, "x", 1, 0));
	EXPECT_ERRNO(EPERM, syscall(SYS_fallocate, fd, PUNCH_HOLE, 0L, PAGE));
	EXPECT_EQUAL(ftruncate(fd, 3 * PAGE), 0);
	EXPECT(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	EXPECT_EQUAL(errno, EPERM);
	memory = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	EXPECT(memory != MAP_FAILED && memory[0] == 1);
	EXPECT_ERRNO(EACCES, mprotect(memory, PAGE, PROT_READ | PROT_WRITE));
	private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	EXPECT(private != MAP_FAILED);
	private[0] = 77;
	EXPECT_EQUAL(memory[0], 1);
	munmap(memory, PAGE);
	munmap(private, PAGE);
	close(fd);
}

static void future_writes_can_be_sealed_alone(void)
{
	int fd = make_full(ALLOW_SEALS);
	unsigned char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	unsigned char byte;

	EXPECT(fd >= 0 && memory != MAP_FAILED);
	EXPECT_EQUAL(fcntl(fd, ADD_SEALS, SEAL_FUTURE), 0);
	memory[0] = 42; /* who maps it already goes on */
	EXPECT(pread(fd, &byte, 1, 0) == 1 && byte == 42);
	EXPECT_ERRNO(EPERM, pwrite(fd, "x", 1, 0));
	EXPECT(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	EXPECT_EQUAL(errno, EPERM);
	EXPECT_ERRNO(EBUSY, fcntl(fd, ADD_SEALS, SEAL_WRITE));
	munmap(memory, PAGE);
	EXPECT_EQUAL(fcntl(fd, ADD_SEALS, SEAL_WRITE), 0);
	close(fd);
}

static void programs_can_be_sealed(void)
{
	struct stat stat;
	int fd = make("x", NOEXEC_SEAL);

	EXPECT(fd >= 0 && fstat(fd, &stat) == 0);
	EXPECT_EQUAL(stat.st_mode & 0777, 0666);
	EXPECT_EQUAL(fcntl(fd, GET_SEALS), SEAL_EXEC);
	EXPECT_ERRNO(EPERM, fchmod(fd, 0777));
	EXPECT_EQUAL(fchmod(fd, 0600), 0);
	EXPECT_EQUAL(fcntl(fd, ADD_SEALS, SEAL_GROW), 0);
	close(fd);
	fd = make("x", EXEC | ALLOW_SEALS);
	EXPECT_EQUAL(fcntl(fd, ADD_SEALS, SEAL_EXEC), 0);
	EXPECT_EQUAL(fcntl(fd, GET_SEALS),
		     SEAL_EXEC | SEAL_SHRINK | SEAL_GROW | SEAL_WRITE | SEAL_FUTURE);
	EXPECT_ERRNO(EPERM, fchmod(fd, 0666));
	close(fd);
}

/* ---- membarrier ---- */

#define BARRIER_QUERY         0
#define BARRIER_GLOBAL        1
#define BARRIER_GLOBAL_FAST   2
#define BARRIER_REGISTER_ALL  4
#define BARRIER_PRIVATE       8
#define BARRIER_REGISTER      16
#define BARRIER_SYNC          32
#define BARRIER_REGISTER_SYNC 64

static int barrier(int command, unsigned flags)
{
	return (int)syscall(SYS_membarrier, command, flags, 0);
}

static void barriers_are_for_who_has_registered(void)
{
	int known = barrier(BARRIER_QUERY, 0);

	EXPECT((known & 127) == 127);
	EXPECT_EQUAL(barrier(BARRIER_GLOBAL, 0), 0);
	EXPECT_EQUAL(barrier(BARRIER_GLOBAL_FAST, 0), 0);
	EXPECT_ERRNO(EPERM, barrier(BARRIER_PRIVATE, 0));
	EXPECT_ERRNO(EPERM, barrier(BARRIER_SYNC, 0));
	EXPECT_EQUAL(barrier(BARRIER_REGISTER, 0), 0);
	EXPECT_EQUAL(barrier(BARRIER_PRIVATE, 0), 0);
	EXPECT_ERRNO(EPERM, barrier(BARRIER_SYNC, 0));
	EXPECT_EQUAL(barrier(BARRIER_REGISTER_SYNC, 0), 0);
	EXPECT_EQUAL(barrier(BARRIER_SYNC, 0), 0);
	EXPECT_EQUAL(barrier(BARRIER_REGISTER_ALL, 0), 0);
	EXPECT_ERRNO(EINVAL, barrier(BARRIER_GLOBAL, 1));
	EXPECT_ERRNO(EINVAL, barrier(3, 0));
	EXPECT_ERRNO(EINVAL, barrier(1 << 20, 0));
}

static volatile int mine, yours, stop;
static volatile unsigned rounds;

static void *other_side(void *argument)
{
	(void)argument;
	while (!stop) {
		while (!stop && rounds % 2 == 0)
			;
		yours = 1;
		__asm__ volatile("" ::
					 : "memory"); /* the compiler alone: the other side has the
							 barrier */
		if (mine)
			yours = 2;
		rounds++;
	}
	return NULL;
}

/* Both could miss the other only if neither had a barrier. */
static void one_side_has_the_barrier_for_both(void)
{
	unsigned missed = 0, nfailed = 0;
	pthread_t thread;

	EXPECT_EQUAL(barrier(BARRIER_REGISTER, 0), 0);
	EXPECT_EQUAL(pthread_create(&thread, NULL, other_side, NULL), 0);
	for (int i = 0; i < 200; i++) {
		mine = yours = 0;
		rounds++;
		mine = 1;
		nfailed += barrier(BARRIER_PRIVATE, 0) != 0;
		int seen = yours;
		for (int spin = 0; rounds % 2 && spin < 1000000; spin++)
			if (spin % 1000 == 999)
				sched_yield();
		while (rounds % 2)
			sched_yield();
		missed += !seen && yours != 2;
	}
	stop = 1;
	pthread_join(thread, NULL);
	EXPECT_EQUAL(nfailed, 0);
	EXPECT_EQUAL(missed, 0);
}

int main(void)
{
	RUN(a_memfd_is_a_file_without_a_name);
	RUN(memfd_create_refuses);
	RUN(seals_have_to_be_allowed);
	RUN(sealed_sizes_stay);
	RUN(sealed_contents_stay);
	RUN(future_writes_can_be_sealed_alone);
	RUN(programs_can_be_sealed);
	RUN(barriers_are_for_who_has_registered);
	RUN(one_side_has_the_barrier_for_both);
	return check_end();
}
