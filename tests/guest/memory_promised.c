/*
 * What /proc tells of memory and takes as settings: oom_score_adj and its kin, how much is promised
 * to programs and how that is limited, smaps and status.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define PAGE ((size_t)4096)
#define MIB  ((size_t)1 << 20)

/* The first number in a file, or what stands behind `field` there; -1: there is none. */
static long number_in(const char *path, const char *field)
{
	FILE *file = fopen(path, "r");
	char line[512];
	long number = -1;

	while (file && number < 0 && fgets(line, sizeof(line), file)) {
		if (!field)
			number = atol(line);
		else if (!strncmp(line, field, strlen(field)))
			number = atol(line + strlen(field));
	}
	if (file)
		fclose(file);
	return number;
}

/* 0 or -1, as write(2). */
static int write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);
	int result = fd < 0 ? -1 : 0;

	if (fd >= 0 && write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		result = -1;
	if (fd >= 0) {
		int reason = errno;

		close(fd);
		errno = reason;
	}
	return result;
}

static int read_adj(void)
{
	char text[16] = "";
	int fd = open("/proc/self/oom_score_adj", O_RDONLY);

	if (read(fd, text, sizeof(text) - 1) < 0)
		return -2000;
	close(fd);
	return atoi(text);
}

static void a_process_says_how_dear_it_is(void)
{
	const char *adj = "/proc/self/oom_score_adj";
	long before = number_in("/proc/self/oom_score", NULL);

	EXPECT(before >= 0 && before <= 2000);
	EXPECT_EQUAL(write_to(adj, "500\n"), 0);
	EXPECT_EQUAL(read_adj(), 500);
	EXPECT(number_in("/proc/self/oom_score", NULL) > before);
	EXPECT_EQUAL(number_in("/proc/self/oom_adj", NULL), 8);
	EXPECT_EQUAL(write_to(adj, " 600 "), 0);
	EXPECT_EQUAL(read_adj(), 600);
	EXPECT_ERRNO(EINVAL, write_to(adj, "1001"));
	EXPECT_ERRNO(EINVAL, write_to(adj, "-1001"));
	EXPECT_ERRNO(EINVAL, write_to(adj, "much"));
	EXPECT_EQUAL(read_adj(), 600);
	EXPECT_EQUAL(write_to("/proc/self/oom_adj", "15"), 0);
	EXPECT_EQUAL(read_adj(), 1000);
	EXPECT_EQUAL(number_in("/proc/self/oom_adj", NULL), 15);
	EXPECT_ERRNO(EINVAL, write_to("/proc/self/oom_adj", "16"));
	EXPECT_EQUAL(write_to("/proc/self/oom_score", "1"), -1);
}

static void children_are_as_dear(void)
{
	int status;
	pid_t child;

	EXPECT_EQUAL(write_to("/proc/self/oom_score_adj", "700"), 0);
	child = fork();
	if (child == 0)
		_exit(read_adj() != 700);
	EXPECT_EQUAL(waitpid(child, &status, 0), child);
	EXPECT_EQUAL(status, 0);
}

/* Up is for everybody, and down to where somebody privileged has set it. */
static void only_root_makes_it_dearer(void)
{
	int status;
	pid_t child;

	if (geteuid() != 0 || may_be_restricted())
		return; /* it takes CAP_SYS_RESOURCE */
	EXPECT_EQUAL(write_to("/proc/self/oom_score_adj", "300"), 0);
	child = fork();
	if (child == 0) {
		int fd = open("/proc/self/oom_score_adj", O_RDWR);

		if (setgid(1000) || setuid(1000) || fd < 0)
			_exit(2);
		if (write(fd, "400", 3) != 3 || write(fd, "300", 3) != 3)
			_exit(3);
		_exit(!(write(fd, "299", 3) == -1 && errno == EACCES));
	}
	EXPECT_EQUAL(waitpid(child, &status, 0), child);
	EXPECT_EQUAL(status, 0);
}

static void promises_are_counted(void)
{
	long before = number_in("/proc/meminfo", "Committed_AS:");
	long with, lost;
	void *memory, *not_counted;

	EXPECT(before > 0 && number_in("/proc/meminfo", "CommitLimit:") > 0);
	if (may_be_restricted())
		return; /* others live there as well */
	memory = mmap(NULL, 8 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	not_counted = mmap(NULL, 8 * MIB, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	EXPECT(memory != MAP_FAILED && not_counted != MAP_FAILED);
	with = number_in("/proc/meminfo", "Committed_AS:");
	EXPECT_EQUAL(with - before, 8 * MIB / 1024);
	EXPECT_EQUAL(mprotect(memory, 4 * MIB, PROT_READ), 0);
	EXPECT_EQUAL(number_in("/proc/meminfo", "Committed_AS:") - before, 4 * MIB / 1024);
	EXPECT_EQUAL(munmap(memory, 8 * MIB), 0);
	EXPECT_EQUAL(munmap(not_counted, 8 * MIB), 0);
	memory = mmap(NULL, 8 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	EXPECT(memory != MAP_FAILED);
	EXPECT_EQUAL(number_in("/proc/meminfo", "Committed_AS:") - before, 8 * MIB / 1024);
	EXPECT_EQUAL(munmap(memory, 8 * MIB), 0);
	lost = number_in("/proc/meminfo", "Committed_AS:") - before;
	EXPECT_EQUAL(lost, 0);
}

/* Each when it is written, not by the file's size. */
static void pages_of_files_in_memory_are_promised(void)
{
	static char bytes[1 << 20];
	long before = number_in("/proc/meminfo", "Committed_AS:");
	long shared = number_in("/proc/meminfo", "Shmem:");
	int fd = memfd_create("promised", 0);

	EXPECT(fd >= 0 && shared >= 0);
	EXPECT(number_in("/proc/meminfo", "Cached:") >= shared);
	EXPECT_EQUAL(ftruncate(fd, 64 * MIB), 0);
	for (unsigned i = 0; i < 8; i++)
		EXPECT_EQUAL(write(fd, bytes, MIB), MIB);
	if (!may_be_restricted()) { /* nobody else lives here */
		EXPECT_EQUAL(number_in("/proc/meminfo", "Committed_AS:") - before, 8 * MIB / 1024);
		EXPECT_EQUAL(number_in("/proc/meminfo", "Shmem:") - shared, 8 * MIB / 1024);
	}
	EXPECT(number_in("/proc/meminfo", "Shmem:") >= 7 * (long)(MIB / 1024));
	close(fd);
	if (!may_be_restricted())
		EXPECT_EQUAL(number_in("/proc/meminfo", "Committed_AS:"), before);
}

#define MODE "/proc/sys/vm/overcommit_memory"

static bool can_map(size_t len, int flags)
{
	void *memory =
		mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (memory == MAP_FAILED)
		return false;
	munmap(memory, len);
	return true;
}

static void promises_have_a_limit_if_that_is_wanted(void)
{
	size_t total = (size_t)number_in("/proc/meminfo", "MemTotal:") * 1024;

	EXPECT(number_in(MODE, NULL) >= 0 && number_in(MODE, NULL) <= 2);
	EXPECT_EQUAL(number_in("/proc/sys/vm/max_map_count", NULL) >= 65530, 1);
	EXPECT(number_in("/proc/sys/vm/min_free_kbytes", NULL) > 0);
	if (may_be_restricted())
		return; /* the machine's settings are not ours */
	EXPECT(!can_map(2 * total, 0) && can_map(2 * total, MAP_NORESERVE));
	EXPECT_EQUAL(write_to(MODE, "1\n"), 0);
	EXPECT(can_map(2 * total, 0));
	EXPECT_EQUAL(write_to(MODE, "2"), 0);
	EXPECT(!can_map(total / 2 + MIB, 0) && !can_map(total / 2 + MIB, MAP_NORESERVE));
	EXPECT(can_map(total / 4, 0));
	EXPECT_EQUAL(write_to("/proc/sys/vm/overcommit_ratio", "80"), 0);
	EXPECT(can_map(total / 2 + MIB, 0));
	EXPECT_EQUAL(write_to("/proc/sys/vm/overcommit_kbytes", "65536"), 0);
	EXPECT_EQUAL(number_in("/proc/meminfo", "CommitLimit:"), 65536);
	EXPECT_EQUAL(number_in("/proc/sys/vm/overcommit_ratio", NULL), 0);
	EXPECT(!can_map(65 * MIB, 0) && can_map(16 * MIB, 0));
	EXPECT_ERRNO(EINVAL, write_to(MODE, "3"));
	EXPECT_EQUAL(write_to("/proc/sys/vm/overcommit_ratio", "50"), 0);
	EXPECT_EQUAL(write_to(MODE, "0"), 0);
	EXPECT_EQUAL(number_in(MODE, NULL), 0);
}

static void the_sums_fit_together(void)
{
	long kib;
	char *memory =
		mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(memory != MAP_FAILED);
	memset(memory, 1, 64 * PAGE);
	kib = number_in("/proc/self/smaps_rollup", "Rss:");
	EXPECT(kib >= 256);
	EXPECT_EQUAL(number_in("/proc/self/smaps_rollup", "Shared_Clean:") +
			     number_in("/proc/self/smaps_rollup", "Shared_Dirty:") +
			     number_in("/proc/self/smaps_rollup", "Private_Clean:") +
			     number_in("/proc/self/smaps_rollup", "Private_Dirty:"),
		     kib);
	EXPECT(number_in("/proc/self/smaps_rollup", "Pss:") <= kib);
	EXPECT(number_in("/proc/self/smaps_rollup", "Anonymous:") >= 256);
	EXPECT_EQUAL(number_in("/proc/self/smaps_rollup", "Swap:"), 0);
	kib = number_in("/proc/self/status", "VmRSS:");
	EXPECT_EQUAL(number_in("/proc/self/status", "RssAnon:") +
			     number_in("/proc/self/status", "RssFile:") +
			     number_in("/proc/self/status", "RssShmem:"),
		     kib);
	EXPECT(number_in("/proc/self/status", "VmHWM:") >= kib);
	EXPECT(number_in("/proc/self/status", "VmPeak:") >=
	       number_in("/proc/self/status", "VmSize:"));
	EXPECT(number_in("/proc/self/status", "VmStk:") > 0);
	EXPECT(number_in("/proc/self/status", "VmExe:") > 0);
	EXPECT(number_in("/proc/self/status", "VmPTE:") >= 20);
	EXPECT_EQUAL(munmap(memory, 64 * PAGE), 0);
}

static void shared_is_what_others_map_too(void)
{
	char *memory =
		mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long before, after;
	int fds[2];
	pid_t child;
	char byte;

	EXPECT(memory != MAP_FAILED && !pipe(fds));
	memset(memory, 1, 64 * PAGE);
	before = number_in("/proc/self/smaps_rollup", "Shared_Dirty:");
	child = fork();
	if (child == 0) {
		close(fds[1]);
		_exit(read(fds[0], &byte, 1) != 0);
	}
	after = number_in("/proc/self/smaps_rollup", "Shared_Dirty:");
	close(fds[1]);
	close(fds[0]);
	EXPECT(child > 0 && waitpid(child, NULL, 0) == child);
	EXPECT(after - before >= 256);
	EXPECT_EQUAL(munmap(memory, 64 * PAGE), 0);
}

int main(void)
{
	RUN(a_process_says_how_dear_it_is);
	RUN(children_are_as_dear);
	RUN(only_root_makes_it_dearer);
	RUN(promises_are_counted);
	RUN(pages_of_files_in_memory_are_promised);
	RUN(promises_have_a_limit_if_that_is_wanted);
	RUN(the_sums_fit_together);
	RUN(shared_is_what_others_map_too);
	return check_end();
}
