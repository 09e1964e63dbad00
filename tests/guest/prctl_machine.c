/*
 * What prctl, arch_prctl and personality do to a thread's machine and memory: the time stamp
 * counter, what may be executed, where arguments lie, what is only remembered.
 */
#include <elf.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif
#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856
#endif
#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#define PR_GET_IO_FLUSHER 58
#endif
#define REFUSE_EXEC_GAIN 1
#define NO_INHERIT       2
#define GET_CPUID        0x1011
#define SET_CPUID        0x1012
#define XCOMP_SUPP       0x1021
#define XCOMP_PERM       0x1022
#define REQ_XCOMP        0x1023
#define XCOMP_GUEST      0x1024
#define REQ_XCOMP_GUEST  0x1025
#define NOWHERE          ((void *)8)

/* ---- the time stamp counter ---- */

static int read_counter(void)
{
	return (int)(__builtin_ia32_rdtsc() & 1);
}

static int lose_the_counter(void)
{
	NEED(prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) == 0);
	return read_counter();
}

static void *read_it(void *argument)
{
	(void)argument;
	return (void *)(intptr_t)read_counter();
}

/* Threads that it makes have lost it as well. */
static int lose_it_for_a_thread(void)
{
	pthread_t thread;

	NEED(prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) == 0);
	NEED(pthread_create(&thread, NULL, read_it, NULL) == 0);
	pthread_join(thread, NULL);
	return 0;
}

static int get_it_back(void)
{
	int mode = 0;

	NEED(prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) == 0);
	NEED(prctl(PR_GET_TSC, &mode, 0, 0, 0) == 0 && mode == PR_TSC_SIGSEGV);
	sched_yield();
	NEED(prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0) == 0);
	NEED(prctl(PR_GET_TSC, &mode, 0, 0, 0) == 0 && mode == PR_TSC_ENABLE);
	read_counter();
	return 0;
}

static void the_counter_can_be_forbidden(void)
{
	int mode = 0;

	for (int i = 0; i < 3; i++) {
		EXPECT_EQUAL(in_child_as(0, lose_the_counter), -1 - SIGSEGV);
		read_counter(); /* it is the other process's affair */
	}
	EXPECT_EQUAL(in_child_as(0, lose_it_for_a_thread), -1 - SIGSEGV);
	EXPECT_EQUAL(in_child_as(0, get_it_back), 0);
	EXPECT_EQUAL(prctl(PR_GET_TSC, &mode, 0, 0, 0), 0);
	EXPECT_EQUAL(mode, PR_TSC_ENABLE);
	EXPECT_ERRNO(EINVAL, prctl(PR_SET_TSC, 3, 0, 0, 0));
	EXPECT_ERRNO(EFAULT, prctl(PR_GET_TSC, NOWHERE, 0, 0, 0));
}

/* ---- what is remembered ---- */

static void what_failing_memory_does_is_remembered(void)
{
	EXPECT_EQUAL(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_DEFAULT);
	EXPECT_EQUAL(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0), 0);
	EXPECT_EQUAL(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_EARLY);
	EXPECT_EQUAL(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_LATE, 0, 0), 0);
	EXPECT_EQUAL(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_LATE);
	EXPECT_EQUAL(prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0), 0);
	EXPECT_EQUAL(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_DEFAULT);
	EXPECT_ERRNO(EINVAL, prctl(PR_MCE_KILL, PR_MCE_KILL_SET, 3, 0, 0));
	EXPECT_ERRNO(EINVAL, prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 1, 0, 0));
	EXPECT_ERRNO(EINVAL, prctl(PR_MCE_KILL, 2, 0, 0, 0));
	EXPECT_ERRNO(EINVAL, prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 1, 0));
	EXPECT_ERRNO(EINVAL, prctl(PR_MCE_KILL_GET, 1, 0, 0, 0));
}

static int set_as_user(void)
{
	NEED(prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) == -1 && errno == EPERM);
	NEED(prctl(PR_GET_IO_FLUSHER, 0, 0, 0, 0) == -1 && errno == EPERM);
	NEED(prctl(PR_SET_MM, PR_SET_MM_ARG_START, environ, 0, 0) == -1 && errno == EPERM);
	return 0;
}

static void a_flusher_is_remembered(void)
{
	EXPECT_EQUAL(as_user(set_as_user), 0);
	if (may_be_restricted() && prctl(PR_GET_IO_FLUSHER, 0, 0, 0, 0) == -1)
		return;
	EXPECT_EQUAL(prctl(PR_GET_IO_FLUSHER, 0, 0, 0, 0), 0);
	EXPECT_EQUAL(prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0), 0);
	EXPECT_EQUAL(prctl(PR_GET_IO_FLUSHER, 0, 0, 0, 0), 1);
	EXPECT_EQUAL(prctl(PR_SET_IO_FLUSHER, 0, 0, 0, 0), 0);
	EXPECT_EQUAL(prctl(PR_GET_IO_FLUSHER, 0, 0, 0, 0), 0);
	EXPECT_ERRNO(EINVAL, prctl(PR_SET_IO_FLUSHER, 2, 0, 0, 0));
	EXPECT_ERRNO(EINVAL, prctl(PR_SET_IO_FLUSHER, 1, 1, 0, 0));
	EXPECT_ERRNO(EINVAL, prctl(PR_GET_IO_FLUSHER, 1, 0, 0, 0));
}

static void what_there_is_of_speculation_is_told(void)
{
	EXPECT(prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0, 0, 0) >= 0);
	EXPECT(prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_INDIRECT_BRANCH, 0, 0, 0) >= 0);
	EXPECT_EQUAL(prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_INDIRECT_BRANCH, PR_SPEC_ENABLE, 0, 0),
		     0);
	EXPECT_ERRNO(ENODEV, prctl(PR_GET_SPECULATION_CTRL, 99, 0, 0, 0));
	EXPECT_ERRNO(ENODEV, prctl(PR_SET_SPECULATION_CTRL, 99, PR_SPEC_ENABLE, 0, 0));
	EXPECT_ERRNO(EINVAL, prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 1, 0, 0));
	EXPECT_ERRNO(EINVAL, prctl(PR_SET_SPECULATION_CTRL, 0, PR_SPEC_ENABLE, 1, 0));
	EXPECT_ERRNO(ERANGE, prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_INDIRECT_BRANCH, 77, 0, 0));
}

/* ---- what is not there ---- */

static void options_of_other_machines_are_refused(void)
{
	static const int options[] = {5,  6,  9,  10, 11, 12, 19, 20, 43,
				      44, 45, 46, 50, 51, 54, 63, 64};

	for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		EXPECT_ERRNO(EINVAL, prctl(options[i], 0, 0, 0, 0));
	if (may_be_restricted())
		return; /* what Linux may be built with */
	EXPECT_ERRNO(EINVAL, prctl(0x53564d41 /* PR_SET_VMA */, 0, environ, 4096, "name"));
	EXPECT_ERRNO(EINVAL, prctl(0x59616d61 /* PR_SET_PTRACER */, 1, 0, 0, 0));
	EXPECT_ERRNO(EINVAL, prctl(62 /* PR_SCHED_CORE */, 0, 0, 0, 0));
}

/* ---- memory ---- */

static void *map(int prot)
{
	return mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int cannot_gain(void)
{
	void *page = map(PROT_READ | PROT_WRITE);

	NEED(page != MAP_FAILED);
	NEED(map(PROT_READ | PROT_WRITE | PROT_EXEC) == MAP_FAILED && errno == EACCES);
	NEED(mprotect(page, 4096, PROT_READ | PROT_EXEC) == -1 && errno == EACCES);
	NEED(mprotect(page, 4096, PROT_READ) == 0);
	NEED(mprotect(page, 4096, PROT_READ | PROT_EXEC) == -1 && errno == EACCES);
	page = map(PROT_READ | PROT_EXEC);
	NEED(page != MAP_FAILED);
	NEED(mprotect(page, 4096, PROT_EXEC) == 0);
	NEED(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == -1 && errno == EACCES);
	return 0;
}

static int can_gain(void)
{
	NEED(prctl(PR_GET_MDWE, 0, 0, 0, 0) == 0);
	NEED(map(PROT_READ | PROT_WRITE | PROT_EXEC) != MAP_FAILED);
	return 0;
}

static int refuse(void)
{
	NEED(prctl(PR_GET_MDWE, 0, 0, 0, 0) == 0);
	NEED(prctl(PR_SET_MDWE, NO_INHERIT, 0, 0, 0) == -1 && errno == EINVAL);
	NEED(prctl(PR_SET_MDWE, 4, 0, 0, 0) == -1 && errno == EINVAL);
	NEED(prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 1, 0, 0) == -1 && errno == EINVAL);
	NEED(prctl(PR_GET_MDWE, 1, 0, 0, 0) == -1 && errno == EINVAL);
	NEED(prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) == 0);
	NEED(prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) == 0);
	NEED(prctl(PR_SET_MDWE, 0, 0, 0, 0) == -1 && errno == EPERM);
	NEED(prctl(PR_GET_MDWE, 0, 0, 0, 0) == REFUSE_EXEC_GAIN);
	NEED(cannot_gain() == 0);
	return in_child_as(0, cannot_gain);
}

static int refuse_alone(void)
{
	NEED(prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN | NO_INHERIT, 0, 0, 0) == 0);
	NEED(cannot_gain() == 0);
	return in_child_as(0, can_gain);
}

static void nothing_becomes_executable_that_was_not(void)
{
	EXPECT_EQUAL(in_child_as(0, refuse), 0);
	EXPECT_EQUAL(in_child_as(0, refuse_alone), 0);
	EXPECT_EQUAL(in_child_as(0, can_gain), 0);
}

static void what_exec_has_told_is_read_back(void)
{
	Elf64_auxv_t vector[64] = {0};
	long len = prctl(PR_GET_AUXV, vector, sizeof(vector), 0, 0);
	int i = 0;

	EXPECT(len >= 16 * (long)sizeof(vector[0]) && len <= (long)sizeof(vector));
	while (vector[i].a_type != AT_PAGESZ && vector[i].a_type != AT_NULL)
		i++;
	EXPECT_EQUAL(vector[i].a_un.a_val, 4096);
	memset(vector, 0xff, sizeof(vector));
	EXPECT_EQUAL(prctl(PR_GET_AUXV, vector, 8, 0, 0), len);
	EXPECT_EQUAL(vector[0].a_un.a_val, ~UINT64_C(0));
	EXPECT_ERRNO(EINVAL, prctl(PR_GET_AUXV, vector, sizeof(vector), 1, 0));
	EXPECT_ERRNO(EFAULT, prctl(PR_GET_AUXV, NOWHERE, sizeof(vector), 0, 0));
}

static ssize_t read_arguments(char *to, size_t len)
{
	int fd = open("/proc/self/cmdline", O_RDONLY);
	ssize_t got = read(fd, to, len);

	close(fd);
	return got;
}

static unsigned long in_stat(int field)
{
	char text[1024] = {0};
	int fd = open("/proc/self/stat", O_RDONLY);
	char *at;

	if (read(fd, text, sizeof(text) - 1) <= 0)
		return 0;
	close(fd);
	at = strrchr(text, ')');
	for (int i = 2; at && i < field; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoul(at, NULL, 10) : 0;
}

static int move_the_rest(void)
{
	unsigned long code = in_stat(26), end = in_stat(27), heap = in_stat(47);
	void *top = sbrk(0);
	uint64_t vector[4] = {AT_UID, 4711, AT_NULL, 0};
	uint64_t told[8] = {0}, before[8] = {0};
	int file = open("/proc/self/exe", O_RDONLY);
	int other = open("/dev/null", O_RDONLY);

	NEED(code < (unsigned long)move_the_rest && (unsigned long)move_the_rest < end);
	NEED(heap && heap <= (unsigned long)top);
	NEED(prctl(PR_SET_MM, PR_SET_MM_START_CODE, code + 4096, 0, 0) == 0);
	NEED(in_stat(26) == code + 4096);
	NEED(prctl(PR_SET_MM, PR_SET_MM_END_CODE, code, 0, 0) == -1 && errno == EINVAL);
	NEED(prctl(PR_SET_MM, PR_SET_MM_END_CODE, end + 1, 0, 0) == 0 && in_stat(27) == end + 1);
	NEED(prctl(PR_SET_MM, PR_SET_MM_START_DATA, 1 << 20, 0, 0) == 0);
	NEED(prctl(PR_SET_MM, PR_SET_MM_END_DATA, 2 << 20, 0, 0) == 0);
	NEED(in_stat(45) == 1 << 20 && in_stat(46) == 2 << 20);
	NEED(prctl(PR_SET_MM, PR_SET_MM_BRK, (char *)top + 4096, 0, 0) == 0);
	NEED((char *)syscall(SYS_brk, 0) == (char *)top + 4096);
	NEED(prctl(PR_SET_MM, PR_SET_MM_START_BRK, top, 0, 0) == 0 &&
	     in_stat(47) == (unsigned long)top);
	NEED(prctl(PR_SET_MM, PR_SET_MM_BRK, (char *)top - 4096, 0, 0) == -1 && errno == EINVAL);
	NEED(prctl(PR_GET_AUXV, before, sizeof(before), 0, 0) > 0);
	NEED(prctl(PR_SET_MM, PR_SET_MM_AUXV, vector, sizeof(vector), 0) == 0);
	NEED(prctl(PR_GET_AUXV, told, sizeof(told), 0, 0) > 0 && told[1] == 4711);
	NEED(memcmp(told + 4, before + 4, 4 * sizeof(told[0])) == 0); /* what was not given */
	NEED(prctl(PR_SET_MM, PR_SET_MM_AUXV, NULL, 16, 0) == -1 && errno == EINVAL);
	NEED(prctl(PR_SET_MM, PR_SET_MM_AUXV, vector, 1 << 20, 0) == -1 && errno == EINVAL);
	NEED(prctl(PR_SET_MM, PR_SET_MM_AUXV, 8, 16, 0) == -1 && errno == EFAULT);
	NEED(prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, 999, 0, 0) == -1 && errno == EBADF);
	NEED(prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, other, 0, 0) == -1 && errno == EACCES);
	NEED(prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, file, 0, 0) == -1 && errno == EBUSY);
	return 0;
}

static int move_arguments(void)
{
	static char given[] = "another\0name";
	char told[64] = {0};
	unsigned long end = (unsigned long)given + sizeof(given);

	/* The end is never before the beginning. */
	if ((unsigned long)given < (unsigned long)environ) {
		NEED(prctl(PR_SET_MM, PR_SET_MM_ARG_START, given, 0, 0) == 0);
		NEED(prctl(PR_SET_MM, PR_SET_MM_ARG_END, end, 0, 0) == 0);
	} else {
		NEED(prctl(PR_SET_MM, PR_SET_MM_ARG_END, end, 0, 0) == 0);
		NEED(prctl(PR_SET_MM, PR_SET_MM_ARG_START, given, 0, 0) == 0);
	}
	NEED(read_arguments(told, sizeof(told)) == sizeof(given));
	NEED(memcmp(told, given, sizeof(given)) == 0);
	NEED(prctl(PR_SET_MM, PR_SET_MM_ARG_START, end + 1, 0, 0) == -1 && errno == EINVAL);
	NEED(prctl(PR_SET_MM, PR_SET_MM_ENV_START, given, 0, 0) == 0);
	NEED(prctl(PR_SET_MM, PR_SET_MM_ENV_END, end, 0, 0) == 0);
	NEED(prctl(PR_SET_MM, PR_SET_MM_START_STACK, told, 0, 0) == 0);
	NEED(prctl(PR_SET_MM, PR_SET_MM_ARG_START, 8, 0, 0) == -1 && errno == EINVAL);
	NEED(prctl(PR_SET_MM, PR_SET_MM_ARG_START, -8L, 0, 0) == -1 && errno == EINVAL);
	NEED(prctl(PR_SET_MM, PR_SET_MM_ARG_START, given, 1, 0) == -1 && errno == EINVAL);
	NEED(prctl(PR_SET_MM, PR_SET_MM_ARG_START, given, 0, 1) == -1 && errno == EINVAL);
	NEED(prctl(PR_SET_MM, 99, given, 0, 0) == -1 && errno == EINVAL);
	return 0;
}

static void arguments_are_where_the_program_says(void)
{
	EXPECT_ERRNO(EINVAL, prctl(PR_SET_MM, PR_SET_MM_ARG_START, environ, 1, 0));
	EXPECT_ERRNO(EINVAL, prctl(PR_SET_MM, PR_SET_MM_ARG_START, environ, 0, 1));
	if (may_be_restricted() && prctl(PR_SET_MM, PR_SET_MM_ENV_START, 8, 0, 0) == -1 &&
	    errno == EPERM)
		return;
	EXPECT_EQUAL(in_child_as(0, move_arguments), 0);
	EXPECT_EQUAL(in_child_as(0, move_the_rest), 0);
}

/* ---- arch_prctl ---- */

static long arch(int option, void *argument)
{
	return syscall(SYS_arch_prctl, option, argument);
}

static void the_processor_is_as_it_is(void)
{
	uint64_t supported = 0;
	uint64_t permitted = 0;
	long result;

	EXPECT_EQUAL(arch(GET_CPUID, NULL), 1);
	result = arch(SET_CPUID, (void *)1);
	EXPECT(result == 0 || errno == ENODEV);
	EXPECT_EQUAL(arch(XCOMP_SUPP, &supported), 0);
	EXPECT_EQUAL(supported & 3, 3);
	EXPECT_EQUAL(arch(XCOMP_PERM, &permitted), 0);
	EXPECT_EQUAL(permitted & ~supported, 0);
	EXPECT_EQUAL(arch(XCOMP_GUEST, &permitted), 0);
	EXPECT_ERRNO(EFAULT, arch(XCOMP_SUPP, NOWHERE));
	EXPECT_ERRNO(EFAULT, arch(XCOMP_PERM, NOWHERE));
	EXPECT_ERRNO(EOPNOTSUPP, arch(REQ_XCOMP, (void *)2));
	EXPECT_ERRNO(EOPNOTSUPP, arch(REQ_XCOMP_GUEST, (void *)2));
	EXPECT_ERRNO(EINVAL, arch(REQ_XCOMP, (void *)63));
	EXPECT_ERRNO(EINVAL, arch(0x7777, NULL));
	EXPECT_ERRNO(EPERM, arch(0x1001 /* ARCH_SET_GS */, (void *)-4096L));
	EXPECT_ERRNO(EFAULT, arch(0x1003 /* ARCH_GET_FS */, NOWHERE));
}

/* ---- personality ---- */

static bool is_executable(const void *at)
{
	char line[256], rights[8];
	unsigned long start, end;
	bool found = false;
	FILE *maps = fopen("/proc/self/maps", "r");

	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) == 3 &&
		    start <= (unsigned long)at && (unsigned long)at < end)
			found = rights[2] == 'x';
	}
	fclose(maps);
	return found;
}

static int read_and_execute(void)
{
	void *before = map(PROT_NONE);
	void *page;

	NEED(personality(READ_IMPLIES_EXEC) >= 0);
	page = map(PROT_READ);
	NEED(page != MAP_FAILED && is_executable(page));
	NEED(mprotect(before, 4096, PROT_READ | PROT_WRITE) == 0 && is_executable(before));
	NEED(mprotect(before, 4096, PROT_NONE) == 0 && !is_executable(before));
	page = map(PROT_NONE);
	NEED(!is_executable(page));
	NEED(personality(0) == READ_IMPLIES_EXEC);
	page = map(PROT_READ);
	NEED(!is_executable(page));
	return 0;
}

static int be_older(void)
{
	struct utsname names;

	NEED(personality(PER_LINUX32 | UNAME26) >= 0);
	NEED(uname(&names) == 0);
	NEED(strcmp(names.machine, "i686") == 0 && strncmp(names.release, "2.6.", 4) == 0);
	NEED(personality(0x12345678) == (PER_LINUX32 | UNAME26));
	NEED(personality(0xffffffff) == 0x12345678);
	NEED(personality(0) == 0x12345678);
	NEED(uname(&names) == 0 && strncmp(names.release, "2.6.", 4));
	return 0;
}

static int keep_the_time(void)
{
	struct timeval time = {.tv_sec = 100};
	int ends[2];

	NEED(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
	for (int i = 0; i < 2; i++) {
		struct timespec fine = {.tv_sec = 100};
		struct pollfd fd = {.fd = ends[0], .events = POLLIN};
		fd_set set;

		NEED(personality(i ? 0 : STICKY_TIMEOUTS) >= 0);
		FD_ZERO(&set);
		FD_SET(ends[0], &set);
		NEED(syscall(SYS_select, ends[0] + 1, &set, NULL, NULL, &time) == 1);
		NEED((time.tv_sec == 100) == !i);
		NEED(syscall(SYS_ppoll, &fd, 1, &fine, NULL, 8) == 1);
		NEED((fine.tv_sec == 100) == !i);
	}
	return 0;
}

static void a_personality_has_its_habits(void)
{
	EXPECT_EQUAL(in_child_as(0, read_and_execute), 0);
	EXPECT_EQUAL(in_child_as(0, be_older), 0);
	EXPECT_EQUAL(in_child_as(0, keep_the_time), 0);
}

int main(void)
{
	RUN(the_counter_can_be_forbidden);
	RUN(what_failing_memory_does_is_remembered);
	RUN(a_flusher_is_remembered);
	RUN(what_there_is_of_speculation_is_told);
	RUN(options_of_other_machines_are_refused);
	RUN(nothing_becomes_executable_that_was_not);
	RUN(what_exec_has_told_is_read_back);
	RUN(arguments_are_where_the_program_says);
	RUN(the_processor_is_as_it_is);
	RUN(a_personality_has_its_habits);
	return check_end();
}
