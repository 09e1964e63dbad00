/*
 * For test_process_leaks.py: does each thing that makes and ends processes or threads ROUNDS times,
 * and prints how much memory is free before and after. Every kind is done once before it is
 * counted: what is kept at hand is there from then on.
 */
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 100

extern char **environ;
static char *self;

static void *nothing(void *argument)
{
	return argument;
}

static void *wait_for_ever(void *argument)
{
	for (;;)
		pause();
	return argument;
}

static void note(int signal)
{
	(void)signal;
}

static void wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid)
		;
}

static void do_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	wait_for(pid);
}

static void do_exec(void)
{
	char *argv[] = {self, "x", NULL};
	pid_t pid = fork();

	if (pid == 0) {
		execv(self, argv);
		_exit(1);
	}
	wait_for(pid);
}

static void do_failed_exec(void)
{
	char *argv[] = {self, NULL};

	execv("/no/such/file", argv);
	execv("/dev/null", argv);
}

static void do_spawn(void)
{
	char *argv[] = {self, "x", NULL};
	pid_t pid;

	(void)!posix_spawn(&pid, "/no/such/file", NULL, NULL, argv, environ);
	if (!posix_spawn(&pid, self, NULL, NULL, argv, environ))
		wait_for(pid);
}

static void do_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, nothing, NULL);
	pthread_join(thread, NULL);
}

static void do_exit_with_threads(void)
{
	pthread_t thread;
	pid_t pid = fork();

	if (pid == 0) {
		pthread_create(&thread, NULL, wait_for_ever, NULL);
		pthread_create(&thread, NULL, wait_for_ever, NULL);
		_exit(0);
	}
	wait_for(pid);
}

static void do_exec_with_threads(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		char *argv[] = {self, "x", NULL};
		pthread_t thread;

		pthread_create(&thread, NULL, wait_for_ever, NULL);
		execv(self, argv);
		_exit(1);
	}
	wait_for(pid);
}

static void do_kill(void)
{
	pid_t pid = fork();

	if (pid == 0)
		wait_for_ever(NULL);
	kill(pid, SIGKILL);
	wait_for(pid);
}

static void do_stop(void)
{
	pid_t pid = fork();

	if (pid == 0)
		wait_for_ever(NULL);
	kill(pid, SIGSTOP);
	waitpid(pid, NULL, WUNTRACED);
	kill(pid, SIGCONT);
	kill(pid, SIGKILL);
	wait_for(pid);
}

static void do_orphan(void)
{
	int fds[2];
	char byte;
	pid_t pid;

	if (pipe(fds))
		return;
	pid = fork();
	if (pid == 0) {
		if (fork() == 0)
			_exit(0);
		_exit(0);
	}
	close(fds[1]);
	(void)!read(fds[0], &byte, 1); /* until the last of them has gone */
	close(fds[0]);
	wait_for(pid);
}

static void do_signals(void)
{
	union sigval value = {0};
	pid_t pid = fork();

	if (pid == 0) {
		sigset_t set;

		sigfillset(&set);
		sigprocmask(SIG_SETMASK, &set, NULL);
		for (int i = 0; i < 10; i++)
			sigqueue(getpid(), SIGRTMIN + 5, value);
		_exit(0); /* with all of them waiting */
	}
	wait_for(pid);
	raise(SIGUSR1);
}

static unsigned long free_kib(void)
{
	struct sysinfo info;
	unsigned long seen = 0;

	/* What ended just now is given back by others, and not at once. */
	for (int i = 0; i < 20; i++) {
		unsigned long now;

		usleep(2000);
		sysinfo(&info);
		now = info.freeram * info.mem_unit / 1024;
		if (now > seen)
			seen = now;
	}
	return seen;
}

static void count(const char *name, void (*act)(void))
{
	unsigned long before;

	for (int i = 0; i < ROUNDS / 4; i++)
		act();
	before = free_kib();
	for (int i = 0; i < ROUNDS; i++)
		act();
	printf("%s %ld\n", name, (long)before - (long)free_kib());
	fflush(stdout);
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1)
		return 0;
	signal(SIGUSR1, note);
	count("fork", do_fork);
	count("exec", do_exec);
	count("failed_exec", do_failed_exec);
	count("spawn", do_spawn);
	count("thread", do_thread);
	count("exit_with_threads", do_exit_with_threads);
	count("exec_with_threads", do_exec_with_threads);
	count("kill", do_kill);
	count("stop", do_stop);
	count("orphan", do_orphan);
	count("signals", do_signals);
	return 0;
}
