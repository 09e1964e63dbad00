/*
 * execve and execveat: what a new program gets, what it loses, and what is left when it fails.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

extern char **environ;
static char *self; /* this program, by its path */

static int exit_of(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- the other side: this program, run with the name of a part ---- */

static int part_arguments(int argc, char **argv)
{
	return argc == 5 && !strcmp(argv[2], "one") && !strcmp(argv[3], "") &&
			       !strcmp(argv[4], "two words") && getenv("KEY") &&
			       !strcmp(getenv("KEY"), "value") && !getenv("PATH")
		       ? 11
		       : 1;
}

static int part_descriptors(int argc, char **argv)
{
	int kept = argc > 3 ? atoi(argv[2]) : -1;
	int closed = argc > 3 ? atoi(argv[3]) : -1;

	return fcntl(kept, F_GETFD) == 0 && fcntl(closed, F_GETFD) == -1 ? 12 : 1;
}

static int part_signals(void)
{
	struct sigaction action;
	sigset_t mask;
	stack_t stack;

	if (sigaction(SIGUSR1, NULL, &action) || action.sa_handler != SIG_DFL)
		return 1;
	if (sigaction(SIGUSR2, NULL, &action) || action.sa_handler != SIG_IGN)
		return 2;
	if (sigprocmask(SIG_BLOCK, NULL, &mask) || !sigismember(&mask, SIGTERM))
		return 3;
	if (sigpending(&mask) || !sigismember(&mask, SIGTERM))
		return 4;
	if (sigaltstack(NULL, &stack) || !(stack.ss_flags & SS_DISABLE))
		return 5;
	return 13;
}

static int run_part(int argc, char **argv)
{
	if (!strcmp(argv[1], "arguments"))
		return part_arguments(argc, argv);
	if (!strcmp(argv[1], "descriptors"))
		return part_descriptors(argc, argv);
	if (!strcmp(argv[1], "signals"))
		return part_signals();
	if (!strcmp(argv[1], "pid"))
		return argc > 2 && atoi(argv[2]) == getpid() && syscall(SYS_gettid) == getpid() ? 14
												: 1;
	if (!strcmp(argv[1], "dumpable"))
		return 20 + prctl(PR_GET_DUMPABLE);
	if (!strcmp(argv[1], "count"))
		return argc & 127;
	if (!strcmp(argv[1],
		    "script")) /* the interpreter, its one argument, the script, the rest */
		return argc == 4 && strstr(argv[2], "exec_script") && !strcmp(argv[3], "last") ? 15
											       : 1;
	return 1;
}

/* ---- this side ---- */

static int run(char *const argv[], char *const envp[])
{
	pid_t pid = fork();

	if (pid == 0) {
		execve(self, argv, envp);
		_exit(100);
	}
	return exit_of(pid);
}

static void arguments_and_environment_arrive(void)
{
	char *argv[] = {self, "arguments", "one", "", "two words", NULL};
	char *envp[] = {"KEY=value", NULL};

	EXPECT_EQUAL(run(argv, envp), 11);
}

static void close_on_exec_is_obeyed(void)
{
	char kept_text[12];
	char closed_text[12];
	char *argv[] = {self, "descriptors", kept_text, closed_text, NULL};
	int kept = open("/dev/null", O_RDONLY);
	int closed = open("/dev/null", O_RDONLY | O_CLOEXEC);

	snprintf(kept_text, sizeof(kept_text), "%d", kept);
	snprintf(closed_text, sizeof(closed_text), "%d", closed);
	EXPECT_EQUAL(run(argv, environ), 12);
	EXPECT_EQUAL(fcntl(closed, F_GETFD), FD_CLOEXEC);
	close(kept);
	close(closed);
}

static void handler(int signal)
{
	(void)signal;
}

static void signals_are_reset_as_they_should(void)
{
	char *argv[] = {self, "signals", NULL};
	static char space[16384];
	pid_t pid = fork();

	if (pid == 0) {
		stack_t stack = {.ss_sp = space, .ss_size = sizeof(space)};
		sigset_t mask;

		signal(SIGUSR1, handler);
		signal(SIGUSR2, SIG_IGN);
		sigaltstack(&stack, NULL);
		sigemptyset(&mask);
		sigaddset(&mask, SIGTERM);
		sigprocmask(SIG_BLOCK, &mask, NULL);
		kill(getpid(), SIGTERM); /* stays pending across exec */
		execv(self, argv);
		_exit(100);
	}
	EXPECT_EQUAL(exit_of(pid), 13);
}

static void a_failed_exec_changes_nothing(void)
{
	char *argv[] = {"x", NULL};
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	void (*before)(int) = signal(SIGUSR1, handler);

	EXPECT_ERRNO(ENOENT, execv("/no/such/program", argv));
	EXPECT_ERRNO(EACCES, execv("/", argv));
	EXPECT_ERRNO(EACCES, execv("/dev/null", argv));
	EXPECT_ERRNO(EFAULT, syscall(SYS_execve, 8L, argv, NULL));
	EXPECT_ERRNO(EFAULT, syscall(SYS_execve, self, 8L, NULL));
	EXPECT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT(signal(SIGUSR1, before) == handler);
	close(fd);
}

static const char *make_file(const char *text, mode_t mode)
{
	static char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/exec_script_%d", (int)getpid());
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return NULL;
	close(fd);
	return path;
}

static void what_is_no_program_is_refused(void)
{
	char *argv[] = {"x", NULL};
	const char *path = make_file("nonsense", 0755);

	EXPECT(path);
	EXPECT_ERRNO(ENOEXEC, execv(path, argv));
	path = make_file("\177ELF but too short", 0755);
	EXPECT(path);
	EXPECT_ERRNO(ENOEXEC, execv(path, argv));
	path = make_file("#!/no/such/interpreter\n", 0755);
	EXPECT(path);
	EXPECT_ERRNO(ENOENT, execv(path, argv));
	path = make_file("#!/bin/true\n", 0644);
	EXPECT(path);
	EXPECT_ERRNO(EACCES, execv(path, argv)); /* not even the administrator */
	unlink(path);
}

static void scripts_name_their_interpreter(void)
{
	char text[4200];
	const char *path;
	pid_t pid;

	snprintf(text, sizeof(text), "#! %s script \nexit 1\n", self);
	path = make_file(text, 0755);
	EXPECT(path);
	pid = fork();
	if (pid == 0) {
		char *argv[] = {"ignored", "last", NULL};

		execv(path, argv);
		_exit(100);
	}
	EXPECT_EQUAL(exit_of(pid), 15);
	unlink(path);
}

static void scripts_in_a_ring_end(void)
{
	char text[200];
	char *argv[] = {"x", NULL};
	const char *path = make_file("", 0755);
	int fd;

	EXPECT(path);
	fd = open(path, O_WRONLY | O_TRUNC);
	snprintf(text, sizeof(text), "#!%s\n", path);
	EXPECT_EQUAL(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	EXPECT_ERRNO(ELOOP, execv(path, argv));
	unlink(path);
}

static void too_much_is_too_much(void)
{
	enum { HUGE = 200000 };
	char *string = malloc(HUGE + 1);
	char *one[] = {self, "count", string, NULL};
	char **many = calloc(200, sizeof(char *));

	EXPECT(string && many);
	memset(string, 'x', HUGE);
	string[HUGE] = 0;
	EXPECT_ERRNO(E2BIG, execv(self, one)); /* one string has 128 KiB at most */
	string[100000] = 0;
	many[0] = self;
	many[1] = "count";
	for (int i = 2; i < 199; i++)
		many[i] = string;
	EXPECT_ERRNO(E2BIG, execv(self, many));
	many[12] = NULL; /* a megabyte is fine */
	EXPECT_EQUAL(run(many, environ), 12);
	free(many);
	free(string);
}

static void the_program_may_be_a_descriptor(void)
{
	char *argv[] = {"x", "count", "3", NULL};
	int fd = open(self, O_RDONLY | O_CLOEXEC);
	pid_t pid = fork();

	if (pid == 0) {
		syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
		_exit(100);
	}
	EXPECT_EQUAL(exit_of(pid), 3);
	EXPECT_ERRNO(EBADF, syscall(SYS_execveat, 999, "x", argv, environ, 0));
	EXPECT_ERRNO(ENOENT, syscall(SYS_execveat, fd, "", argv, environ, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_execveat, fd, self, argv, environ, 0x10));
	close(fd);
}

static void *wait_for_ever(void *argument)
{
	(void)argument;
	for (;;)
		pause();
	return NULL;
}

static void *execute(void *argument)
{
	execv(self, argument);
	_exit(100);
	return NULL;
}

static void a_thread_that_executes_becomes_the_process(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		char text[12];
		char *argv[] = {self, "pid", text, NULL};
		pthread_t thread;

		snprintf(text, sizeof(text), "%d", (int)getpid());
		pthread_create(&thread, NULL, wait_for_ever, NULL);
		pthread_create(&thread, NULL, execute, argv);
		wait_for_ever(NULL);
	}
	EXPECT_EQUAL(exit_of(pid), 14);
}

static void spawn_reports_what_exec_says(void)
{
	char *argv[] = {self, "count", NULL};
	pid_t pid;

	EXPECT_EQUAL(posix_spawn(&pid, self, NULL, NULL, argv, environ), 0);
	EXPECT_EQUAL(exit_of(pid), 2);
	EXPECT_EQUAL(posix_spawn(&pid, "/no/such/program", NULL, NULL, argv, environ), ENOENT);
	EXPECT_ERRNO(ECHILD, waitpid(-1, NULL, WNOHANG));
}

/* Nobody but the administrator looks into a program with two users' rights. */
static int dumpable_as(uid_t real, uid_t effective)
{
	char *argv[] = {self, "dumpable", NULL};
	pid_t pid = fork();

	if (pid == 0) {
		syscall(SYS_setresuid, real, effective, effective);
		execv(self, argv);
		_exit(100);
	}
	return exit_of(pid);
}

static void rights_of_two_users_are_hidden(void)
{
	EXPECT_EQUAL(dumpable_as(0, 0), 21);
	EXPECT_EQUAL(dumpable_as(1000, 1000), 21);
	EXPECT_EQUAL(dumpable_as(0, 1000), 20);
	EXPECT_EQUAL(dumpable_as(1000, 2000), 20);
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1)
		return run_part(argc, argv);
	RUN(arguments_and_environment_arrive);
	RUN(close_on_exec_is_obeyed);
	RUN(signals_are_reset_as_they_should);
	RUN(a_failed_exec_changes_nothing);
	RUN(what_is_no_program_is_refused);
	RUN(scripts_name_their_interpreter);
	RUN(scripts_in_a_ring_end);
	RUN(too_much_is_too_much);
	RUN(the_program_may_be_a_descriptor);
	RUN(a_thread_that_executes_becomes_the_process);
	RUN(spawn_reports_what_exec_says);
	RUN(rights_of_two_users_are_hidden);
	return check_end();
}
