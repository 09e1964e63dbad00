/*
 * process_mrelease: the memory of a process that is ending goes before its end does.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "check.h"
#include "ptrace_help.h"

#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif
#define TAKEN_BYTES (8 << 20)
#define TAKEN_PAGES (TAKEN_BYTES / 4096)

static long mrelease(int fd, unsigned flags)
{
	return syscall(SYS_process_mrelease, fd, flags);
}

static int pidfd_of(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static long resident_pages(pid_t pid)
{
	char path[40], text[100] = "";
	long total, resident = -1;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	fd = open(path, O_RDONLY);
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	return got > 0 && sscanf(text, "%ld %ld", &total, &resident) == 2 ? resident : -1;
}

static int take_memory(void)
{
	void *memory =
		mmap(NULL, TAKEN_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return 91;
	memset(memory, 1, TAKEN_BYTES);
	return 7;
}

/* Runs until its end has begun, and stops there. */
static void go_to_the_end(pid_t pid)
{
	EXPECT_EQUAL(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_AT(PTRACE_EVENT_EXIT));
}

static void the_memory_of_who_is_ending_goes_at_once(void)
{
	pid_t pid = traced_child(take_memory);
	int fd = pidfd_of(pid);
	long before;

	EXPECT_ERRNO(EINVAL, mrelease(fd, 0));
	go_to_the_end(pid);
	before = resident_pages(pid);
	EXPECT(before >= TAKEN_PAGES);
	EXPECT_ERRNO(EINVAL, mrelease(fd, 1));
	EXPECT_EQUAL(resident_pages(pid), before);
	EXPECT_EQUAL(mrelease(fd, 0), 0);
	EXPECT(resident_pages(pid) <= before - TAKEN_PAGES);
	EXPECT_EQUAL(mrelease(fd, 0), 0);
	/* Its end is what it would have been. */
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(7));
	EXPECT_ERRNO(ESRCH, mrelease(fd, 0));
	close(fd);
}

/* A file whose pages it has changed for itself. */
static int copy_file(void)
{
	int fd = memfd_create("file", 0);
	void *memory;

	if (fd < 0 || ftruncate(fd, TAKEN_BYTES))
		return 91;
	memory = mmap(NULL, TAKEN_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (memory == MAP_FAILED)
		return 92;
	memset(memory, 1, TAKEN_BYTES);
	return 7;
}

static void so_do_its_copies_of_files(void)
{
	pid_t pid = traced_child(copy_file);
	int fd = pidfd_of(pid);
	long before;

	go_to_the_end(pid);
	before = resident_pages(pid);
	EXPECT(before >= TAKEN_PAGES);
	EXPECT_EQUAL(mrelease(fd, 0), 0);
	EXPECT(resident_pages(pid) <= before - TAKEN_PAGES);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(7));
	close(fd);
}

#define TRIES 2000

/* Killed just now, it has its memory for a moment still, sooner or later seen in time. */
static void who_was_killed_is_ending(void)
{
	long result = -1;

	for (int i = 0; i < TRIES && result; i++) {
		pid_t pid = sleeping_child();
		int fd = pidfd_of(pid);

		kill(pid, SIGKILL);
		result = mrelease(fd, 0);
		EXPECT(result == 0 || errno == ESRCH);
		close(fd);
		end_of(pid);
	}
	EXPECT_EQUAL(result, 0);
}

static void it_refuses_who_lives_and_who_is_gone(void)
{
	pid_t pid = sleeping_child();
	int fd = pidfd_of(pid);
	siginfo_t info;

	EXPECT_ERRNO(EINVAL, mrelease(fd, 0));
	EXPECT_ERRNO(EBADF, mrelease(-1, 0));
	EXPECT_ERRNO(EBADF, mrelease(1, 0));
	kill(pid, SIGKILL);
	EXPECT_EQUAL(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	EXPECT_ERRNO(ESRCH, mrelease(fd, 0)); /* a zombie has none */
	end_of(pid);
	EXPECT_ERRNO(ESRCH, mrelease(fd, 0));
	close(fd);
}

/* With calls alone: what libc knows of the thread is the parent's. */
static int end_in_shared_memory(void *unused)
{
	(void)unused;
	if (syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0))
		syscall(SYS_exit_group, 90);
	syscall(SYS_kill, syscall(SYS_getpid), SIGSTOP);
	syscall(SYS_exit_group, 7);
	return 0;
}

static void memory_that_a_living_one_has_too_stays(void)
{
	static char stack[16384] __attribute__((aligned(16)));
	pid_t pid = clone(end_in_shared_memory, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
	char kept[] = "kept";
	int fd = pidfd_of(pid);
	int status = 0;

	EXPECT(pid > 0 && waitpid(pid, &status, 0) == pid);
	EXPECT_EQUAL(status, STOPPED_BY(SIGSTOP));
	go_to_the_end(pid);
	EXPECT_ERRNO(EINVAL, mrelease(fd, 0));
	EXPECT_EQUAL(strcmp(kept, "kept"), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(7));
	close(fd);
}

int main(void)
{
	RUN(the_memory_of_who_is_ending_goes_at_once);
	RUN(so_do_its_copies_of_files);
	RUN(who_was_killed_is_ending);
	RUN(it_refuses_who_lives_and_who_is_gone);
	RUN(memory_that_a_living_one_has_too_stays);
	return check_end();
}
