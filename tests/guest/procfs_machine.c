/*
 * Files of /proc that are written to, or tell of the whole machine: comm, locks, vmstat, meminfo.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define NAME_BYTES 16

static char text[1 << 16];

/* The whole of a file into `text`; false: it is not there. */
static bool slurp(const char *path)
{
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t got = fd < 0 ? -1 : 1;

	while (got > 0 && len < sizeof(text) - 1) {
		got = read(fd, text + len, sizeof(text) - 1 - len);
		len += got > 0 ? (size_t)got : 0;
	}
	text[len] = '\0';
	if (fd >= 0)
		close(fd);
	return got == 0;
}

/* 0 or -1, as write(2). */
static int put(const char *path, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY), reason;
	ssize_t done;

	if (fd < 0)
		return -1;
	done = write(fd, bytes, len);
	reason = errno;
	close(fd);
	errno = reason;
	return done == (ssize_t)len ? 0 : -1;
}

/* ---- comm ---- */

static void a_process_renames_itself_by_comm(void)
{
	char name[NAME_BYTES + 1] = "";
	struct stat stat_;

	EXPECT_EQUAL(stat("/proc/self/comm", &stat_), 0);
	EXPECT_EQUAL(stat_.st_mode, S_IFREG | 0644);
	EXPECT_EQUAL(put("/proc/self/comm", "a new name", 10), 0);
	EXPECT_EQUAL(prctl(PR_GET_NAME, name), 0);
	EXPECT(strcmp(name, "a new name") == 0);
	EXPECT(slurp("/proc/self/comm") && strcmp(text, "a new name\n") == 0);
	EXPECT(slurp("/proc/self/status") && strstr(text, "Name:\ta new name\n"));
	EXPECT_EQUAL(put("/proc/self/comm", "0123456789abcdefghij", 20),
		     0); /* longer ones are cut */
	EXPECT(slurp("/proc/self/comm") && strcmp(text, "0123456789abcde\n") == 0);
	EXPECT_EQUAL(put("/proc/self/comm", "line\n", 5), 0); /* which is part of it */
	EXPECT(slurp("/proc/self/comm") && strcmp(text, "line\n\n") == 0);
	EXPECT_EQUAL(put("/proc/self/comm", "end\0more", 8), 0);
	EXPECT(slurp("/proc/self/comm") && strcmp(text, "end\n") == 0);
}

static int to_thread[2], from_thread[2];

/* Says its number, and after a word the name that it has then. */
static void *renamed(void *name)
{
	int number = (int)syscall(SYS_gettid);
	char word;

	if (write(from_thread[1], &number, sizeof(number)) != sizeof(number) ||
	    read(to_thread[0], &word, 1) != 1 || prctl(PR_GET_NAME, name))
		strcpy(name, "lost");
	return name;
}

static void a_thread_is_renamed_by_another(void)
{
	char path[64], name[NAME_BYTES + 1] = "";
	pthread_t thread;
	int number;

	EXPECT_EQUAL(pipe(to_thread) + pipe(from_thread), 0);
	EXPECT_EQUAL(put("/proc/self/comm", "first", 5), 0);
	EXPECT_EQUAL(pthread_create(&thread, NULL, renamed, name), 0);
	EXPECT_EQUAL(read(from_thread[0], &number, sizeof(number)), sizeof(number));
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", number);
	EXPECT_EQUAL(put(path, "second", 6), 0);
	EXPECT(slurp(path) && strcmp(text, "second\n") == 0);
	EXPECT_EQUAL(write(to_thread[1], "", 1), 1);
	EXPECT_EQUAL(pthread_join(thread, NULL), 0);
	EXPECT(strcmp(name, "second") == 0);
	EXPECT(slurp("/proc/self/comm") && strcmp(text, "first\n") == 0);
	for (int i = 0; i < 2; i++) {
		close(to_thread[i]);
		close(from_thread[i]);
	}
}

static void others_are_not_renamed(void)
{
	char path[64];
	int status;
	pid_t child;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)getpid());
	EXPECT_EQUAL(put("/proc/self/comm", "parent", 6), 0);
	child = fork();
	if (child == 0)
		_exit(!(put(path, "child", 5) == -1 && errno == EINVAL));
	EXPECT_EQUAL(waitpid(child, &status, 0), child);
	EXPECT_EQUAL(status, 0);
	EXPECT(slurp("/proc/self/comm") && strcmp(text, "parent\n") == 0);
}

/* ---- locks ---- */

/* The line of /proc/locks that has it; NULL: none. */
static const char *line_with(const char *what)
{
	static char line[256];
	const char *found = slurp("/proc/locks") ? strstr(text, what) : NULL;
	const char *begin = found;

	if (!found)
		return NULL;
	while (begin > text && begin[-1] != '\n')
		begin--;
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(begin, "\n"), begin);
	return line;
}

static bool is_listed(const char *kind, int pid, int fd, const char *range)
{
	char begin[64], end[64];
	struct stat stat_;
	const char *line;

	if (fstat(fd, &stat_))
		return false;
	snprintf(begin, sizeof(begin), "%s %d ", kind, pid);
	snprintf(end, sizeof(end), ":%lu %s", (unsigned long)stat_.st_ino, range);
	line = line_with(begin);
	return line && strlen(line) >= strlen(end) &&
	       strcmp(line + strlen(line) - strlen(end), end) == 0;
}

static int new_file(void)
{
	char name[] = "/tmp/locks-XXXXXX";
	int fd = mkstemp(name);

	unlink(name);
	return fd;
}

static void locks_are_listed(void)
{
	struct flock part = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};
	int whole = new_file(), parts = new_file(), pid = getpid();

	EXPECT(whole >= 0 && parts >= 0);
	EXPECT_EQUAL(flock(whole, LOCK_EX), 0);
	EXPECT_EQUAL(fcntl(parts, F_SETLK, &part), 0);
	EXPECT(is_listed("FLOCK  ADVISORY  WRITE", pid, whole, "0 EOF"));
	EXPECT(is_listed("POSIX  ADVISORY  WRITE", pid, parts, "10 14"));
	EXPECT_EQUAL(flock(whole, LOCK_SH), 0);
	EXPECT(is_listed("FLOCK  ADVISORY  READ", pid, whole, "0 EOF"));
	EXPECT_EQUAL(flock(whole, LOCK_UN), 0);
	EXPECT(!is_listed("FLOCK  ADVISORY  READ", pid, whole, "0 EOF"));
	part = (struct flock){.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 7};
	EXPECT_EQUAL(fcntl(whole, F_OFD_SETLK, &part), 0);
	EXPECT(is_listed("OFDLCK ADVISORY  READ", -1, whole, "7 EOF"));
	close(whole);
	close(parts);
	EXPECT(!is_listed("POSIX  ADVISORY  WRITE", pid, parts, "10 14"));
}

static void who_waits_stands_behind_the_lock(void)
{
	struct flock part = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = new_file(), status;
	char waiting[64];
	pid_t child;

	EXPECT_EQUAL(fcntl(fd, F_SETLK, &part), 0);
	child = fork();
	if (child == 0)
		_exit(fcntl(fd, F_SETLKW, &part) != 0);
	snprintf(waiting, sizeof(waiting), "-> POSIX  ADVISORY  WRITE %d ", (int)child);
	while (child > 0 && !line_with(waiting) && waitpid(child, &status, WNOHANG) == 0)
		sched_yield();
	EXPECT(is_listed("-> POSIX  ADVISORY  WRITE", child, fd, "0 EOF"));
	part.l_type = F_UNLCK;
	EXPECT_EQUAL(fcntl(fd, F_SETLK, &part), 0);
	EXPECT_EQUAL(waitpid(child, &status, 0), child);
	EXPECT_EQUAL(status, 0);
	EXPECT(!line_with(waiting));
	close(fd);
}

/* ---- memory ---- */

/* The number behind `field` in `text`; -1: there is none. */
static long number_of(const char *field)
{
	const char *at = text;

	while (strncmp(at, field, strlen(field))) {
		at = strchr(at, '\n');
		if (!at++)
			return -1;
	}
	return atol(at + strlen(field));
}

static void meminfo_says_what_could_be_had(void)
{
	long total, free, available;

	EXPECT(slurp("/proc/meminfo"));
	total = number_of("MemTotal:");
	free = number_of("MemFree:");
	available = number_of("MemAvailable:");
	EXPECT(total > 0 && free > 0 && free < total);
	EXPECT(available > 0 && available < total);
	EXPECT(number_of("Cached:") >= number_of("Shmem:"));
	EXPECT_EQUAL(number_of("SwapCached:") >= 0, 1);
}

static void vmstat_counts_pages(void)
{
	EXPECT(slurp("/proc/vmstat"));
	EXPECT(number_of("nr_free_pages ") > 0);
	EXPECT(number_of("nr_page_table_pages ") > 0);
	EXPECT(number_of("nr_file_pages ") >= number_of("nr_shmem "));
	EXPECT(number_of("nr_slab_unreclaimable ") > 0);
	EXPECT(number_of("pswpin ") >= 0 && number_of("pswpout ") >= 0);
	EXPECT(number_of("pgpgin ") >= 0 && number_of("pgpgout ") >= 0);
	EXPECT(number_of("oom_kill ") >= 0);
}

int main(void)
{
	RUN(a_process_renames_itself_by_comm);
	RUN(a_thread_is_renamed_by_another);
	RUN(others_are_not_renamed);
	RUN(locks_are_listed);
	RUN(who_waits_stands_behind_the_lock);
	RUN(meminfo_says_what_could_be_had);
	RUN(vmstat_counts_pages);
	return check_end();
}
