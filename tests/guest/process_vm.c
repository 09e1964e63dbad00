/*
 * The memory of other processes: process_vm_readv, process_vm_writev; and personality(), by which
 * debuggers keep a program's places.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/uio.h>

#include "as_user.h"
#include "check.h"
#include "ptrace_help.h"

static char text[16] = "here";
static char *page;

/* A child whose copies of `text` and `page` are its own. */
static pid_t child_with_text(void)
{
	pid_t pid;

	page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(page, 'p', 8192);
	mprotect(page, 4096, PROT_READ);
	munmap(page + 4096, 4096);
	strcpy(text, "there");
	pid = sleeping_child();
	strcpy(text, "here");
	return pid;
}

static void memory_is_moved_in_pieces(void)
{
	pid_t pid = child_with_text();
	char first[2], rest[16] = "";
	struct iovec local[] = {{first, 2}, {rest, 4}};
	struct iovec remote[] = {{text, 3}, {text + 3, 3}};

	EXPECT_EQUAL(process_vm_readv(pid, local, 2, remote, 2, 0), 6);
	EXPECT_EQUAL(memcmp(first, "th", 2), 0);
	EXPECT_EQUAL(memcmp(rest, "ere", 4), 0);
	memcpy(first, "TH", 2);
	EXPECT_EQUAL(process_vm_writev(pid, local, 1, remote, 2, 0), 2);
	EXPECT_EQUAL(process_vm_readv(pid, local + 1, 1, remote, 1, 0), 3);
	EXPECT_EQUAL(memcmp(rest, "THe", 3), 0);
	EXPECT_EQUAL(strcmp(text, "here"), 0);
	EXPECT_EQUAL(process_vm_readv(pid, local, 0, remote, 2, 0), 0);
	EXPECT_EQUAL(process_vm_readv(pid, local, 2, remote, 0, 0), 0);
	end_of(pid);
}

static void its_rights_count_and_what_was_moved(void)
{
	pid_t pid = child_with_text();
	static char bytes[8192];
	struct iovec local = {bytes, sizeof(bytes)};
	struct iovec remote = {page, 8192};
	struct iovec nowhere = {(void *)8, 8};

	EXPECT_EQUAL(process_vm_readv(pid, &local, 1, &remote, 1, 0), 4096);
	EXPECT_EQUAL(bytes[4095], 'p');
	EXPECT_ERRNO(EFAULT, process_vm_writev(pid, &local, 1, &remote, 1, 0)); /* read-only */
	EXPECT_ERRNO(EFAULT, process_vm_readv(pid, &local, 1, &nowhere, 1, 0));
	EXPECT_ERRNO(EFAULT, process_vm_readv(pid, &nowhere, 1, &remote, 1, 0));
	EXPECT_ERRNO(EFAULT, process_vm_readv(pid, (void *)8, 1, &remote, 1, 0));
	EXPECT_ERRNO(EFAULT, process_vm_readv(pid, &local, 1, (void *)8, 1, 0));
	EXPECT_ERRNO(EINVAL, process_vm_readv(pid, &local, 1, &remote, 1, 1));
	EXPECT_ERRNO(EINVAL, process_vm_writev(pid, &local, 1, &remote, 1, 1));
	EXPECT_ERRNO(EINVAL, process_vm_readv(pid, &local, IOV_MAX + 1, &remote, 1, 0));
	EXPECT_ERRNO(EINVAL, process_vm_writev(pid, &local, 1, &remote, IOV_MAX + 1, 0));
	end_of(pid);
	EXPECT_ERRNO(ESRCH, process_vm_readv(pid, &local, 1, &remote, 1, 0));
	EXPECT_ERRNO(ESRCH, process_vm_writev(pid, &local, 1, &remote, 1, 0));
}

static pid_t stranger;

static int move_strangers_memory(void)
{
	char byte;
	struct iovec local = {&byte, 1}, remote = {text, 1};

	NEED(process_vm_readv(stranger, &local, 1, &remote, 1, 0) == -1 && errno == EPERM);
	NEED(process_vm_writev(stranger, &local, 1, &remote, 1, 0) == -1 && errno == EPERM);
	return 0;
}

static void strangers_memory_is_not_there(void)
{
	stranger = child_with_text();
	EXPECT_EQUAL(as_user(move_strangers_memory), 0);
	end_of(stranger);
}

/* ---- /proc/PID/mem and /proc/PID/syscall ---- */

static int open_of(pid_t pid, const char *file, int flags)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/%d/%s", pid, file);
	return open(name, flags);
}

static void a_debugger_writes_where_the_program_may_not(void)
{
	pid_t pid = child_with_text();
	int fd = open_of(pid, "mem", O_RDWR);
	char bytes[8] = "";

	EXPECT(fd >= 0);
	EXPECT_EQUAL(pread(fd, bytes, 5, (off_t)(uintptr_t)text), 5);
	EXPECT_EQUAL(strcmp(bytes, "there"), 0);
	EXPECT_EQUAL(pwrite(fd, "T", 1, (off_t)(uintptr_t)text), 1);
	EXPECT_EQUAL(pread(fd, bytes, 5, (off_t)(uintptr_t)text), 5);
	EXPECT_EQUAL(strcmp(bytes, "There"), 0);
	EXPECT_EQUAL(strcmp(text, "here"), 0);
	EXPECT_EQUAL(pwrite(fd, "xy", 2, (off_t)(uintptr_t)page + 4094), 2); /* read-only there */
	EXPECT_EQUAL(pread(fd, bytes, 8, (off_t)(uintptr_t)page + 4094), 2); /* its end */
	EXPECT_EQUAL(memcmp(bytes, "xy", 2), 0);
	EXPECT_EQUAL(page[4095], 'p');
	EXPECT_ERRNO(EIO, pread(fd, bytes, 1, 8));
	EXPECT_ERRNO(EIO, pwrite(fd, bytes, 1, 8));
	EXPECT_EQUAL(lseek(fd, (off_t)(uintptr_t)text, SEEK_SET), (off_t)(uintptr_t)text);
	EXPECT_EQUAL(read(fd, bytes, 2), 2);
	EXPECT_EQUAL(read(fd, bytes, 1), 1);
	EXPECT_EQUAL(bytes[0], 'e');
	end_of(pid);
	EXPECT_EQUAL(pread(fd, bytes, 1, (off_t)(uintptr_t)text), 0);
	close(fd);
}

static int look_into_stranger(void)
{
	NEED(open_of(stranger, "mem", O_RDONLY) == -1 && errno == EACCES);
	NEED(open_of(stranger, "syscall", O_RDONLY) == -1 && errno == EACCES);
	return 0;
}

static void strangers_do_not_look(void)
{
	stranger = child_with_text();
	EXPECT_EQUAL(as_user(look_into_stranger), 0);
	end_of(stranger);
}

static void a_waiting_call_is_told(void)
{
	pid_t pid = traced_child(do_nothing);
	struct user_regs_struct regs;
	char told[200] = "", expected[200];
	int fd = open_of(pid, "syscall", O_RDONLY);

	EXPECT(fd >= 0);
	EXPECT_EQUAL(ptrace(PTRACE_GETREGS, pid, 0, &regs), 0);
	EXPECT(read(fd, told, sizeof(told) - 1) > 0);
	snprintf(expected, sizeof(expected),
		 "%ld 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx\n", (long)regs.orig_rax,
		 (long)regs.rdi, (long)regs.rsi, (long)regs.rdx, (long)regs.r10, (long)regs.r8,
		 (long)regs.r9, (long)regs.rsp, (long)regs.rip);
	EXPECT_EQUAL(strcmp(told, expected), 0);
	close(fd);
	end_of(pid);
}

/* ---- places ---- */

static int address_of_a_start(void)
{
	char *arguments[] = {(char *)(uintptr_t) "process_vm", (char *)(uintptr_t) "where", NULL};
	int fds[2];
	int status;
	uint64_t address = 0;
	pid_t pid;

	if (pipe(fds))
		return 0;
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		execv("/proc/self/exe", arguments);
		_exit(1);
	}
	if (read(fds[0], &address, sizeof(address)) != sizeof(address))
		address = 0;
	close(fds[0]);
	close(fds[1]);
	waitpid(pid, &status, 0);
	return (int)(address >> 12);
}

static void programs_are_placed_alike_on_demand(void)
{
	int before = personality(0xffffffff);
	int first;

	EXPECT(before >= 0);
	EXPECT_EQUAL(personality(ADDR_NO_RANDOMIZE), before);
	EXPECT_EQUAL(personality(0xffffffff), ADDR_NO_RANDOMIZE);
	first = address_of_a_start();
	EXPECT(first);
	EXPECT_EQUAL(address_of_a_start(), first);
	EXPECT_EQUAL(personality(0), ADDR_NO_RANDOMIZE);
	EXPECT(address_of_a_start() != first || address_of_a_start() != first);
	EXPECT_EQUAL(personality((unsigned long)before), 0);
}

int main(int argc, char **argv)
{
	uint64_t here = (uint64_t)&here;

	(void)argv;
	if (argc > 1)
		return write(1, &here, sizeof(here)) != sizeof(here);
	RUN(memory_is_moved_in_pieces);
	RUN(its_rights_count_and_what_was_moved);
	RUN(strangers_memory_is_not_there);
	RUN(a_debugger_writes_where_the_program_may_not);
	RUN(strangers_do_not_look);
	RUN(a_waiting_call_is_told);
	RUN(programs_are_placed_alike_on_demand);
	return check_end();
}
