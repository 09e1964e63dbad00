/*
 * Filters of system calls: what they can say, who has them, and what is no filter. Each body runs
 * in a child, as nothing takes a filter away again. The call that they are about is getppid.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "check.h"

#include "as_user.h"
#include "filter_help.h"
#include "signal_help.h"

#define THIS_CALL       SYS_getppid
#define ARCH_X86_64     0xc000003eu
#define SYS_SECCOMP     1
#define KILL_PROCESS    0x80000000u
#define LONGEST_PROGRAM 4096
#define RAW(call)       ((call) == -1 ? -errno : 0)

/* ---- what a filter says ---- */

static int say_error(void)
{
	NEED(add_filter(0, THIS_CALL, SECCOMP_RET_ERRNO | 77) == 0);
	NEED(syscall(THIS_CALL) == -1 && errno == 77);
	NEED(getpid() > 0);
	return 0;
}

static int say_no_error(void)
{
	NEED(add_filter(0, THIS_CALL, SECCOMP_RET_ERRNO) == 0);
	NEED(syscall(THIS_CALL) == 0);
	NEED(add_filter(0, SYS_gettid, SECCOMP_RET_ERRNO | 0xffff) == 0);
	NEED(syscall(SYS_gettid) == -1 && errno == 4095);
	return 0;
}

static int let_be(void)
{
	NEED(add_filter(SECCOMP_FILTER_FLAG_SPEC_ALLOW, THIS_CALL, SECCOMP_RET_ALLOW) == 0);
	NEED(getppid() > 0);
	NEED(add_filter(0, THIS_CALL, SECCOMP_RET_LOG) == 0);
	NEED(getppid() > 0);
	return 0;
}

/* Nobody is there to ask. */
static int ask_nobody(void)
{
	NEED(add_filter(0, THIS_CALL, SECCOMP_RET_TRACE | 5) == 0);
	NEED(syscall(THIS_CALL) == -1 && errno == ENOSYS);
	NEED(add_filter(0, SYS_gettid, SECCOMP_RET_USER_NOTIF) == 0);
	NEED(syscall(SYS_gettid) == -1 && errno == ENOSYS);
	return 0;
}

static volatile long seen_place, seen_rax;

static void see_trap(int signal, siginfo_t *info, void *context)
{
	ucontext_t *registers = context;

	note_info(signal, info, context);
	seen_place = registers->uc_mcontext.gregs[REG_RIP];
	seen_rax = registers->uc_mcontext.gregs[REG_RAX];
	registers->uc_mcontext.gregs[REG_RAX] = 4711;
}

static int trap(void)
{
	NEED(install_info(SIGSYS, see_trap, 0) == 0);
	NEED(add_filter(0, THIS_CALL, SECCOMP_RET_TRAP | 99) == 0);
	NEED(syscall(THIS_CALL) == 4711 && ncalls == 1);
	NEED(last_info.si_code == SYS_SECCOMP && last_info.si_errno == 99);
	NEED(last_info.si_syscall == THIS_CALL && last_info.si_arch == ARCH_X86_64);
	NEED((long)last_info.si_call_addr == seen_place && seen_rax == THIS_CALL);
	return 0;
}

static int trap_without_handler(void)
{
	NEED(add_filter(0, THIS_CALL, SECCOMP_RET_TRAP) == 0);
	syscall(THIS_CALL);
	return 1;
}

static unsigned deadly;

/* No handler sees it. */
static int be_killed(void)
{
	NEED(install_info(SIGSYS, see_trap, 0) == 0);
	NEED(add_filter(0, THIS_CALL, deadly) == 0);
	syscall(THIS_CALL);
	return 1;
}

static void a_filter_says_what_comes_of_a_call(void)
{
	static const unsigned kills[] = {KILL_PROCESS, SECCOMP_RET_KILL, 0x00010000, 0x7ffe0000};

	EXPECT_EQUAL(in_child_as(0, say_error), 0);
	EXPECT_EQUAL(in_child_as(0, say_no_error), 0);
	EXPECT_EQUAL(in_child_as(0, let_be), 0);
	EXPECT_EQUAL(in_child_as(0, ask_nobody), 0);
	EXPECT_EQUAL(in_child_as(0, trap), 0);
	EXPECT_EQUAL(in_child_as(0, trap_without_handler), -1 - SIGSYS);
	for (size_t i = 0; i < sizeof(kills) / sizeof(*kills); i++) {
		deadly = kills[i];
		EXPECT_EQUAL(in_child_as(0, be_killed), -1 - SIGSYS);
	}
}

/* ---- what a filter sees ---- */

static int see_arguments(void)
{
	static const struct sock_filter program[] = {
		LOAD(nr),
		SKIP_UNLESS(THIS_CALL, 7),
		LOAD(arch),
		SKIP_UNLESS(ARCH_X86_64, 5),
		LOAD(args[0]),
		SKIP_UNLESS(0x89abcdef, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5]) + 4),
		SKIP_UNLESS(0x01234567, 1),
		RETURN(SECCOMP_RET_ERRNO | 55),
		RETURN(SECCOMP_RET_ALLOW),
	};

	NEED(add_program(0, program, sizeof(program) / sizeof(*program)) == 0);
	NEED(syscall(THIS_CALL, 0x89abcdefL, 0, 0, 0, 0, 0x0123456700000000L) == -1);
	NEED(errno == 55);
	NEED(syscall(THIS_CALL, 0x89abcdefL, 0, 0, 0, 0, 0x01234567L) > 0);
	NEED(syscall(THIS_CALL, 0x89abcdeeL, 0, 0, 0, 0, 0x0123456700000000L) > 0);
	return 0;
}

/* What it returns may be computed. */
static int see_place(void)
{
	static const struct sock_filter program[] = {
		LOAD(nr),
		SKIP_UNLESS(THIS_CALL, 4),
		LOAD(instruction_pointer),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xfff),
		BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_A, 0),
		RETURN(SECCOMP_RET_ALLOW),
	};

	NEED(install_info(SIGSYS, see_trap, 0) == 0);
	NEED(add_program(0, program, sizeof(program) / sizeof(*program)) == 0);
	NEED(syscall(THIS_CALL) == 4711 && (seen_place & 0xfff) == last_info.si_errno);
	return 0;
}

static void a_filter_sees_the_whole_call(void)
{
	EXPECT_EQUAL(in_child_as(0, see_arguments), 0);
	EXPECT_EQUAL(in_child_as(0, see_place), 0);
}

/* ---- several ---- */

static int many(void)
{
	NEED(add_filter(0, THIS_CALL, SECCOMP_RET_ERRNO | 1) == 0);
	NEED(add_filter(0, THIS_CALL, SECCOMP_RET_ERRNO | 2) == 0);
	NEED(syscall(THIS_CALL) == -1 && errno == 2); /* of equal ones, the newest */
	NEED(add_filter(0, THIS_CALL, SECCOMP_RET_ALLOW) == 0);
	NEED(syscall(THIS_CALL) == -1 && errno == 2);
	NEED(add_filter(0, THIS_CALL, SECCOMP_RET_LOG) == 0);
	NEED(syscall(THIS_CALL) == -1 && errno == 2);
	NEED(install_info(SIGSYS, see_trap, 0) == 0);
	NEED(add_filter(0, THIS_CALL, SECCOMP_RET_TRAP) == 0);
	NEED(syscall(THIS_CALL) == 4711);
	NEED(add_filter(0, THIS_CALL, KILL_PROCESS) == 0);
	syscall(THIS_CALL);
	return 1;
}

static int too_many(void)
{
	struct sock_filter *program = calloc(LONGEST_PROGRAM + 1, sizeof(*program));
	int n = 0;

	NEED(program);
	for (int i = 0; i <= LONGEST_PROGRAM; i++)
		program[i] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	NEED(add_program(0, program, LONGEST_PROGRAM + 1) == -1 && errno == EINVAL);
	/* Linux counts the instructions that it makes of them. */
	while (add_program(0, program, LONGEST_PROGRAM) == 0)
		n++;
	NEED(errno == ENOMEM && n >= 2 && n <= 7);
	NEED(add_program(0, program, 1) == 0 && getppid() > 0);
	return 0;
}

static void of_several_the_strictest_counts(void)
{
	EXPECT_EQUAL(in_child_as(0, many), -1 - SIGSYS);
	EXPECT_EQUAL(in_child_as(0, too_many), 0);
}

/* ---- who has them ---- */

static int status_has(const char *wanted)
{
	static char text[8192];
	int fd = open("/proc/thread-self/status", O_RDONLY);
	ssize_t len = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[len < 0 ? 0 : len] = 0;
	return strstr(text, wanted) != NULL;
}

static int pass_on(void)
{
	char *const argv[] = {"seccomp", "confined", NULL};
	int status;

	NEED(status_has("Seccomp:\t0\n") && prctl(PR_GET_SECCOMP) == 0);
	NEED(add_filter(0, THIS_CALL, SECCOMP_RET_ERRNO | 88) == 0);
	NEED(add_filter(0, THIS_CALL, SECCOMP_RET_ALLOW) == 0);
	NEED(status_has("Seccomp:\t2\n") && prctl(PR_GET_SECCOMP) == 2);
	NEED(status_has("Seccomp_filters:\t2\n"));
	NEED(prctl(PR_SET_SECCOMP, 1) == -1 && errno == EINVAL);
	NEED(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL) == -1 && errno == EINVAL);
	if (!fork())
		_exit(syscall(THIS_CALL) == -1 ? errno : 1);
	NEED(wait(&status) > 0 && status == 88 << 8);
	if (!fork()) {
		execv("/proc/self/exe", argv);
		_exit(1);
	}
	NEED(wait(&status) > 0 && status == 88 << 8);
	return 0;
}

static void children_and_programs_keep_them(void)
{
	EXPECT_EQUAL(in_child_as(0, pass_on), 0);
}

static pthread_barrier_t meeting;
static long (*of_thread)(void);
static volatile long thread_said;
static volatile pid_t thread_tid;

static void *thread_body(void *argument)
{
	(void)argument;
	thread_tid = (pid_t)syscall(SYS_gettid);
	thread_said = of_thread ? of_thread() : 0;
	pthread_barrier_wait(&meeting);
	pthread_barrier_wait(&meeting);
	thread_said = RAW(syscall(THIS_CALL));
	return NULL;
}

/* Another thread that has made `first` and waits to be let go. */
static int begin_thread(pthread_t *thread, long (*first)(void))
{
	of_thread = first;
	NEED(pthread_barrier_init(&meeting, NULL, 2) == 0);
	NEED(pthread_create(thread, NULL, thread_body, NULL) == 0);
	pthread_barrier_wait(&meeting);
	return 0;
}

static void end_thread(pthread_t thread)
{
	pthread_barrier_wait(&meeting);
	pthread_join(thread, NULL);
}

static int alone(void)
{
	pthread_t thread;

	NEED(begin_thread(&thread, NULL) == 0);
	NEED(add_filter(0, THIS_CALL, SECCOMP_RET_ERRNO | 66) == 0);
	end_thread(thread);
	NEED(thread_said == 0);
	return 0;
}

static int together(void)
{
	pthread_t thread;

	NEED(begin_thread(&thread, NULL) == 0);
	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	NEED(add_filter(0, THIS_CALL, SECCOMP_RET_ERRNO | 66) == 0);
	NEED(add_filter(SECCOMP_FILTER_FLAG_TSYNC, SYS_getuid, SECCOMP_RET_ERRNO) == 0);
	end_thread(thread);
	NEED(thread_said == -66);
	return 0;
}

static long filter_of_its_own(void)
{
	return add_filter(0, SYS_getuid, SECCOMP_RET_ERRNO);
}

static int not_together(void)
{
	pthread_t thread;

	NEED(begin_thread(&thread, filter_of_its_own) == 0);
	NEED(thread_said == 0);
	NEED(add_filter(SECCOMP_FILTER_FLAG_TSYNC, THIS_CALL, SECCOMP_RET_ERRNO) == thread_tid);
	NEED(add_filter(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH, THIS_CALL,
			SECCOMP_RET_ERRNO) == -1);
	NEED(errno == ESRCH && getppid() > 0);
	end_thread(thread);
	NEED(thread_said == 0);
	return 0;
}

static void all_threads_may_have_the_same(void)
{
	EXPECT_EQUAL(in_child_as(0, alone), 0);
	EXPECT_EQUAL(in_child_as(0, together), 0);
	EXPECT_EQUAL(in_child_as(0, not_together), 0);
}

static long filter_that_kills(void)
{
	return add_filter(0, THIS_CALL, SECCOMP_RET_KILL_THREAD);
}

/* The C library does not hear of a thread's end like that. */
static int kill_one(void)
{
	pthread_t thread;

	NEED(begin_thread(&thread, filter_that_kills) == 0);
	NEED(thread_said == 0);
	pthread_barrier_wait(&meeting);
	while (syscall(SYS_tgkill, getpid(), thread_tid, 0) == 0)
		sched_yield();
	NEED(errno == ESRCH && getppid() > 0);
	return 0;
}

static void a_thread_may_be_killed_alone(void)
{
	EXPECT_EQUAL(in_child_as(0, kill_one), 0);
}

/* ---- who may, and what is no filter ---- */

static int without_rights(void)
{
	NEED(add_filter(0, THIS_CALL, SECCOMP_RET_ERRNO | 1) == -1 && errno == EACCES);
	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	NEED(add_filter(0, THIS_CALL, SECCOMP_RET_ERRNO | 1) == 0);
	NEED(syscall(THIS_CALL) == -1 && errno == 1);
	return 0;
}

static int by_prctl(void)
{
	struct sock_filter program[] = {LOAD(nr), SKIP_UNLESS(THIS_CALL, 1),
					RETURN(SECCOMP_RET_ERRNO | 3), RETURN(SECCOMP_RET_ALLOW)};
	struct sock_fprog whole = {4, program};

	NEED(prctl(PR_SET_SECCOMP, 2, 8) == -1 && errno == EFAULT);
	NEED(prctl(PR_SET_SECCOMP, 2, &whole) == 0);
	NEED(syscall(THIS_CALL) == -1 && errno == 3);
	return 0;
}

static void who_can_gain_nothing_may_add_one(void)
{
	EXPECT_EQUAL(as_user(without_rights), 0);
	EXPECT_EQUAL(in_child_as(0, by_prctl), 0);
}

static void what_is_no_filter_is_refused(void)
{
	static const struct sock_filter byte[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), RETURN(0)};
	static const struct sock_filter beyond[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64),
						    RETURN(0)};
	static const struct sock_filter endless[] = {LOAD(nr)};
	struct sock_fprog nowhere = {1, (void *)8};
	const unsigned alone = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC;

	EXPECT_ERRNO(EINVAL, add_program(0, byte, 2));
	EXPECT_ERRNO(EINVAL, add_program(0, beyond, 2));
	EXPECT_ERRNO(EINVAL, add_program(0, endless, 1));
	EXPECT_ERRNO(EINVAL, add_program(0, endless, 0));
	EXPECT_ERRNO(EINVAL, add_filter(0x1000, THIS_CALL, SECCOMP_RET_ALLOW));
	EXPECT_ERRNO(EINVAL, add_filter(alone, THIS_CALL, SECCOMP_RET_ALLOW));
	EXPECT_ERRNO(EINVAL, add_filter(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, THIS_CALL, 0));
	EXPECT_ERRNO(EFAULT, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &nowhere));
	EXPECT_ERRNO(EFAULT, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, 8));
	EXPECT_EQUAL(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
}

static void what_there_is_can_be_asked_for(void)
{
	static const unsigned there[] = {
		KILL_PROCESS,      SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO,
		SECCOMP_RET_TRACE, SECCOMP_RET_USER_NOTIF,  SECCOMP_RET_LOG,  SECCOMP_RET_ALLOW};
	static const char all[] =
		"kill_process kill_thread trap errno user_notif trace log allow\n";
	unsigned short sizes[3];
	unsigned not_there = 0x00010000;
	char text[100] = "";
	int fd;

	for (size_t i = 0; i < sizeof(there) / sizeof(*there); i++)
		EXPECT_EQUAL(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &there[i]), 0);
	EXPECT_ERRNO(EOPNOTSUPP, syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &not_there));
	EXPECT_ERRNO(EINVAL, syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &there[0]));
	EXPECT_ERRNO(EFAULT, syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, 8));
	EXPECT_EQUAL(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, sizes), 0);
	EXPECT(sizes[0] == 80 && sizes[1] == 24 && sizes[2] == 64);
	EXPECT_ERRNO(EINVAL, syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 1, sizes));
	EXPECT_ERRNO(EFAULT, syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, 8));
	fd = open("/proc/sys/kernel/seccomp/actions_avail", O_RDONLY);
	EXPECT(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	EXPECT(strcmp(text, all) == 0);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "confined") == 0)
		return syscall(THIS_CALL) == -1 ? errno : 1;
	RUN(a_filter_says_what_comes_of_a_call);
	RUN(a_filter_sees_the_whole_call);
	RUN(of_several_the_strictest_counts);
	RUN(children_and_programs_keep_them);
	RUN(all_threads_may_have_the_same);
	RUN(a_thread_may_be_killed_alone);
	RUN(who_can_gain_nothing_may_add_one);
	RUN(what_is_no_filter_is_refused);
	RUN(what_there_is_can_be_asked_for);
	return check_end();
}
