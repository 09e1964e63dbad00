/*
 * Every call that takes a pointer refuses a bad one with EFAULT, and the kernel survives.
 *
 * Calls that may be missing are let off with ENOSYS; those that musl cannot do without are not.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

#define BUFFER_BYTES 64

enum need { NEEDED, MAY_BE_MISSING };

static int readable, writable, folder_fd;

struct address {
	const char *name;
	uintptr_t value;
};

static struct address addresses[] = {
	{"the address 8", 8},
	{"the kernel's half", 0xffffffff80000000},
	{"the direct map", 0xffff888000000000},
	{"a non-canonical address", 0x0000900000000000},
	{"the last byte of user space", 0x00007fffffffffff},
	{"the last byte of all", UINTPTR_MAX},
	{"an unmapped page", 0},
	{"the end of a page before an unmapped one", 0},
};

#define NADDRESSES (sizeof(addresses) / sizeof(*addresses))

static char complaint[200];

/* The result of one call with a bad pointer. */
static void judge(const char *call, const struct address *bad, enum need need, long result)
{
	int reason = result == -1 ? errno : 0;

	if (reason == EFAULT || (reason == ENOSYS && need == MAY_BE_MISSING) || complaint[0])
		return;
	snprintf(complaint, sizeof(complaint), "%s with %s: %s", call, bad->name,
		 reason ? strerror(reason) : "succeeds");
}

#define TRY(need, ...)                                                                             \
	do {                                                                                       \
		errno = 0;                                                                         \
		judge(#__VA_ARGS__, bad, need, syscall(__VA_ARGS__));                              \
	} while (0)

static void try_buffers(const struct address *bad)
{
	uintptr_t at = bad->value;

	TRY(NEEDED, SYS_read, readable, at, BUFFER_BYTES);
	TRY(NEEDED, SYS_write, writable, at, BUFFER_BYTES);
	TRY(NEEDED, SYS_pread64, readable, at, BUFFER_BYTES, 0L);
	TRY(NEEDED, SYS_pwrite64, writable, at, BUFFER_BYTES, 0L);
	TRY(NEEDED, SYS_readv, readable, at, 1L);
	TRY(NEEDED, SYS_writev, writable, at, 1L);
	TRY(MAY_BE_MISSING, SYS_getrandom, at, BUFFER_BYTES, 0L);
}

/* Vectors that are themselves readable and point to bad memory. */
static void try_vectors(const struct address *bad)
{
	struct iovec vector = {(void *)bad->value, BUFFER_BYTES};

	TRY(NEEDED, SYS_readv, readable, &vector, 1L);
	TRY(NEEDED, SYS_writev, writable, &vector, 1L);
}

static void try_paths(const struct address *bad)
{
	uintptr_t at = bad->value;

	TRY(NEEDED, SYS_open, at, O_RDONLY, 0L);
	TRY(NEEDED, SYS_openat, AT_FDCWD, at, O_RDONLY, 0L);
	TRY(NEEDED, SYS_stat, at, complaint);
	TRY(NEEDED, SYS_lstat, at, complaint);
	TRY(NEEDED, SYS_chdir, at);
	TRY(NEEDED, SYS_mkdir, at, 0700L);
	TRY(NEEDED, SYS_rmdir, at);
	TRY(NEEDED, SYS_unlink, at);
	TRY(NEEDED, SYS_unlinkat, AT_FDCWD, at, 0L);
	TRY(NEEDED, SYS_rename, at, "/tmp/x");
	TRY(NEEDED, SYS_rename, "/tmp/x", at);
	TRY(NEEDED, SYS_access, at, 0L);
	TRY(NEEDED, SYS_readlink, at, complaint, 10L);
	TRY(MAY_BE_MISSING, SYS_symlink, at, "/tmp/x");
	TRY(MAY_BE_MISSING, SYS_symlink, "x", at);
	TRY(MAY_BE_MISSING, SYS_truncate, at, 0L);
	TRY(MAY_BE_MISSING, SYS_chmod, at, 0600L);
	TRY(MAY_BE_MISSING, SYS_execve, at, 0L, 0L);
	TRY(MAY_BE_MISSING, SYS_execve, "/bin/ls", at, 0L);
}

static void try_structs(const struct address *bad)
{
	uintptr_t at = bad->value;

	TRY(NEEDED, SYS_fstat, readable, at);
	TRY(NEEDED, SYS_newfstatat, AT_FDCWD, "/", at, 0L);
	TRY(NEEDED, SYS_getdents64, folder_fd, at, 4096L);
	TRY(NEEDED, SYS_getcwd, at, 4096L);
	TRY(MAY_BE_MISSING, SYS_statx, AT_FDCWD, "/", 0L, 0x7ffL, at);
	TRY(MAY_BE_MISSING, SYS_statfs, "/", at);
	TRY(MAY_BE_MISSING, SYS_readlink, "/tmp/bad-pointers-link", at, 64L);
	TRY(MAY_BE_MISSING, SYS_pipe2, at, 0L);
	TRY(MAY_BE_MISSING, SYS_poll, at, 1L, 0L);
	TRY(NEEDED, SYS_uname, at);
	TRY(NEEDED, SYS_clock_gettime, 0L, at);
	TRY(NEEDED, SYS_clock_getres, 0L, at);
	TRY(NEEDED, SYS_gettimeofday, at, 0L);
	TRY(NEEDED, SYS_nanosleep, at, 0L);
	TRY(NEEDED, SYS_sysinfo, at);
	TRY(MAY_BE_MISSING, SYS_clock_nanosleep, 0L, 0L, at, 0L);
	TRY(MAY_BE_MISSING, SYS_getrusage, 0L, at);
	TRY(MAY_BE_MISSING, SYS_times, at);
	TRY(MAY_BE_MISSING, SYS_prlimit64, 0L, 7L, 0L, at);
	TRY(MAY_BE_MISSING, SYS_sched_getaffinity, 0L, 128L, at);
	TRY(MAY_BE_MISSING, SYS_rt_sigaction, 10L, at, 0L, 8L);
	TRY(MAY_BE_MISSING, SYS_rt_sigaction, 10L, 0L, at, 8L);
	TRY(MAY_BE_MISSING, SYS_rt_sigprocmask, 0L, at, 0L, 8L);
	TRY(MAY_BE_MISSING, SYS_rt_sigprocmask, 0L, 0L, at, 8L);
}

static void try_everywhere(void (*group)(const struct address *), size_t naddresses)
{
	complaint[0] = 0;
	for (size_t i = 0; i < naddresses; i++)
		group(&addresses[i]);
	if (complaint[0])
		FAIL("%s", complaint);
}

/* The last address is good for two bytes: calls that transfer bytes may do that much. */
static void buffers_are_checked(void)
{
	try_everywhere(try_buffers, NADDRESSES - 1);
}

static void vectors_are_checked(void)
{
	try_everywhere(try_vectors, NADDRESSES - 1);
}

static void paths_are_checked(void)
{
	try_everywhere(try_paths, NADDRESSES);
}

static void structs_are_checked(void)
{
	try_everywhere(try_structs, NADDRESSES);
}

/* What came before the bad page has been transferred, and is counted. */
static void a_read_may_end_at_a_bad_page(void)
{
	char *page = (char *)addresses[NADDRESSES - 1].value + 2 - 4096;
	ssize_t got = pread(readable, page + 4096 - 10, 20, 0);

	/* All, part or nothing: but nothing lost that is counted, and no byte past the end. */
	EXPECT((got == -1 && errno == EFAULT) || got == 10);
}

/* However it lies: what is behind its end is not touched. */
static void a_name_may_end_where_memory_does(void)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(pages != MAP_FAILED && munmap(pages + 4096, 4096) == 0);
	for (size_t len = 1; len < 40; len++) {
		for (size_t gap = 0; gap < 10; gap++) {
			char *name = pages + 4096 - gap - len - 1;

			memset(pages, 'x', 4096);
			memset(name, '/', len);
			name[len] = 0;
			EXPECT_EQUAL(access(name, F_OK), 0);
			name[len - 1] = '-';
			EXPECT_ERRNO(ENOENT, access(name, F_OK));
		}
	}
	munmap(pages, 4096);
}

static void reading_into_read_only_memory_is_refused(void)
{
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(page != MAP_FAILED);
	EXPECT_ERRNO(EFAULT, pread(readable, page, 100, 0));
	EXPECT_EQUAL(munmap(page, 4096), 0);
}

static void nothing_is_read_for_nothing(void)
{
	EXPECT_EQUAL(syscall(SYS_read, readable, 0L, 0L), 0);
	EXPECT_EQUAL(syscall(SYS_write, writable, 0L, 0L), 0);
}

/* What could not be told is told the next time, and all that was asked for. */
static void an_event_that_cannot_be_told_waits(void)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLONESHOT};
	uint64_t one = 1;
	int ep = epoll_create1(0);
	int fd = eventfd(0, 0);

	EXPECT_EQUAL(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event), 0);
	EXPECT_ERRNO(EFAULT, syscall(SYS_epoll_wait, ep, 16, 1, 0));
	EXPECT_EQUAL(write(fd, &one, sizeof(one)), 8);
	EXPECT_EQUAL(epoll_wait(ep, &event, 1, 0), 1);
	EXPECT_EQUAL(event.events, EPOLLIN | EPOLLOUT);
	EXPECT_EQUAL(epoll_wait(ep, &event, 1, 0), 0);
	close(fd);
	close(ep);
}

int main(void)
{
	char scratch[] = "/tmp/bad-pointers-XXXXXX";
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	readable = open("/etc/passwd", O_RDONLY);
	writable = mkstemp(scratch);
	folder_fd = open("/", O_RDONLY | O_DIRECTORY);
	if (pages == MAP_FAILED || readable < 0 || writable < 0 || folder_fd < 0 ||
	    munmap(pages + 4096, 4096) < 0 || symlink("somewhere", "/tmp/bad-pointers-link") < 0) {
		printf("not ok set_up: %s\n", strerror(errno));
		return 1;
	}
	/* A path or a struct that starts here runs into the unmapped page. */
	memset(pages, 'x', 4096);
	addresses[NADDRESSES - 2].value = (uintptr_t)pages + 4096;
	addresses[NADDRESSES - 1].value = (uintptr_t)pages + 4096 - 2;

	RUN(buffers_are_checked);
	RUN(vectors_are_checked);
	RUN(paths_are_checked);
	RUN(structs_are_checked);
	RUN(a_read_may_end_at_a_bad_page);
	RUN(a_name_may_end_where_memory_does);
	RUN(reading_into_read_only_memory_is_refused);
	RUN(nothing_is_read_for_nothing);
	RUN(an_event_that_cannot_be_told_waits);
	unlink(scratch);
	unlink("/tmp/bad-pointers-link");
	return check_end();
}
