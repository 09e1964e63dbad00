/*
 * Stops and continues, what a parent is told of them, and groups that nobody could continue.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "signal_help.h"

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			pause();
	}
	return pid;
}

static void get_rid_of(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void stops_and_continues_are_told(void)
{
	pid_t pid = sleeper();
	siginfo_t info = {0};
	int status;

	EXPECT_EQUAL(waitpid(pid, &status, WNOHANG | WUNTRACED | WCONTINUED), 0);
	EXPECT_EQUAL(kill(pid, SIGSTOP), 0);
	EXPECT_EQUAL(waitpid(pid, &status, WUNTRACED), pid);
	EXPECT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	EXPECT_EQUAL(waitpid(pid, &status, WNOHANG | WUNTRACED), 0); /* told once */
	EXPECT_EQUAL(kill(pid, SIGCONT), 0);
	EXPECT_EQUAL(waitpid(pid, &status, WCONTINUED), pid);
	EXPECT(WIFCONTINUED(status));
	EXPECT_EQUAL(kill(pid, SIGSTOP), 0);
	EXPECT_EQUAL(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), 0);
	EXPECT_EQUAL(info.si_code, CLD_STOPPED);
	EXPECT_EQUAL(info.si_status, SIGSTOP);
	EXPECT_EQUAL(waitid(P_PID, (id_t)pid, &info, WSTOPPED), 0);
	EXPECT_EQUAL(kill(pid, SIGKILL), 0); /* ends a stopped one, too */
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* A stop that nobody has asked about is over with the call that ends it. */
static void a_continued_process_is_no_stopped_one(void)
{
	pid_t pid = sleeper();
	siginfo_t info = {0};

	EXPECT_EQUAL(kill(pid, SIGSTOP), 0);
	EXPECT_EQUAL(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), 0);
	EXPECT_EQUAL(info.si_code, CLD_STOPPED);
	EXPECT_EQUAL(kill(pid, SIGCONT), 0);
	info.si_pid = -1;
	EXPECT_EQUAL(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG | WNOWAIT), 0);
	EXPECT_EQUAL(info.si_pid, 0);
	get_rid_of(pid);
}

static void a_stopped_process_does_nothing(void)
{
	int fds[2];
	char byte;
	pid_t pid;

	EXPECT_EQUAL(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		raise(SIGSTOP);
		_exit((int)write(fds[1], "x", 1));
	}
	EXPECT_EQUAL(waitpid(pid, NULL, WUNTRACED), pid);
	EXPECT_EQUAL(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	EXPECT_ERRNO(EAGAIN, read(fds[0], &byte, 1));
	EXPECT_EQUAL(kill(pid, SIGTERM), 0); /* waits until it goes on */
	EXPECT_EQUAL(waitpid(pid, NULL, WNOHANG), 0);
	EXPECT_EQUAL(kill(pid, SIGCONT), 0);
	EXPECT_EQUAL(waitpid(pid, NULL, 0), pid);
	EXPECT(read(fds[0], &byte, 1) <= 0);
	close(fds[0]);
	close(fds[1]);
}

static void the_parent_gets_a_signal_unless_it_will_not(void)
{
	pid_t pid;

	EXPECT_EQUAL(install_info(SIGCHLD, note_info, 0), 0);
	pid = sleeper();
	kill(pid, SIGSTOP);
	EXPECT_EQUAL(waitpid(pid, NULL, WUNTRACED), pid);
	EXPECT_EQUAL(ncalls, 1);
	EXPECT_EQUAL(last_info.si_code, CLD_STOPPED);
	EXPECT_EQUAL(last_info.si_pid, pid);
	kill(pid, SIGCONT);
	EXPECT_EQUAL(waitpid(pid, NULL, WCONTINUED), pid);
	EXPECT_EQUAL(last_info.si_code, CLD_CONTINUED);
	EXPECT_EQUAL(install_info(SIGCHLD, note_info, SA_NOCLDSTOP), 0);
	kill(pid, SIGSTOP);
	EXPECT_EQUAL(waitpid(pid, NULL, WUNTRACED), pid);
	EXPECT_EQUAL(ncalls, 0);
	signal(SIGCHLD, SIG_DFL);
	get_rid_of(pid);
}

static void stop_and_continue_undo_each_other(void)
{
	sigset_t pending;

	EXPECT_EQUAL(install(SIGCONT, note, 0), 0);
	block(SIGTSTP);
	block(SIGCONT);
	kill(getpid(), SIGTSTP);
	sigpending(&pending);
	EXPECT(sigismember(&pending, SIGTSTP));
	kill(getpid(), SIGCONT);
	sigpending(&pending);
	EXPECT(!sigismember(&pending, SIGTSTP) && sigismember(&pending, SIGCONT));
	unblock(SIGCONT);
	EXPECT_EQUAL(ncalls, 1);
	unblock(SIGTSTP);
	signal(SIGCONT, SIG_DFL);
}

/* A call that was sleeping goes on sleeping after a stop. */
static void a_stop_does_not_interrupt(void)
{
	int fds[2];
	int status;
	pid_t pid;

	EXPECT_EQUAL(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		struct timespec time = {.tv_nsec = 100000000};
		char byte;

		if (nanosleep(&time, NULL))
			_exit(1);
		_exit(read(fds[0], &byte, 1) == 1 ? 30 : 2);
	}
	for (int i = 0; i < 3; i++) {
		kill(pid, SIGSTOP);
		EXPECT_EQUAL(waitpid(pid, &status, WUNTRACED), pid);
		EXPECT(WIFSTOPPED(status));
		kill(pid, SIGCONT);
		usleep(20000);
	}
	EXPECT_EQUAL(write(fds[1], "x", 1), 1);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, 30 << 8);
	close(fds[0]);
	close(fds[1]);
}

/* In a session of its own: leader, and a child in another group. */
static void orphaned_groups_are_hung_up(void)
{
	int fds[2];
	pid_t grandchild = 0;
	pid_t pid;
	char byte;

	EXPECT_EQUAL(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		setsid();
		grandchild = fork();
		if (grandchild == 0) {
			setpgid(0, 0);
			close(fds[0]);
			raise(SIGSTOP);
			for (;;) /* SIGHUP ends it: the end of the pipe tells */
				pause();
		}
		close(fds[1]);
		waitpid(grandchild, NULL, WUNTRACED);
		_exit(0);
	}
	close(fds[1]);
	EXPECT_EQUAL(waitpid(pid, NULL, 0), pid);
	EXPECT_EQUAL(read(fds[0], &byte, 1), 0);
	close(fds[0]);
}

/* A session whose leader lives on, and a group of two: the one who made the other ends, and with it
 * the only member whose parent could continue the group. */
static void a_group_that_loses_its_last_guardian_is_hung_up(void)
{
	struct pollfd end = {.events = POLLIN};
	pid_t leader, first;
	int fds[2];

	EXPECT_EQUAL(pipe(fds), 0);
	leader = fork();
	if (leader == 0) {
		setsid();
		first = fork();
		if (first == 0) {
			pid_t second;

			setpgid(0, 0);
			second = fork();
			if (second == 0) {
				raise(SIGSTOP);
				for (;;)
					pause();
			}
			waitpid(second, NULL, WUNTRACED);
			_exit(0);
		}
		close(fds[1]);
		waitpid(first, NULL, 0);
		for (;;)
			pause();
	}
	close(fds[1]);
	end.fd = fds[0];
	EXPECT_EQUAL(poll(&end, 1, 10000), 1); /* the second one has ended */
	EXPECT_EQUAL(end.revents, POLLHUP);
	get_rid_of(leader);
	close(fds[0]);
}

static void *count_for_ever(void *counter)
{
	for (;;)
		++*(volatile unsigned *)counter;
	return NULL;
}

static void a_stop_reaches_every_thread(void)
{
	volatile unsigned *counters =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned seen[2];
	pthread_t thread;
	pid_t pid;

	EXPECT(counters != MAP_FAILED);
	pid = fork();
	if (pid == 0) {
		if (pthread_create(&thread, NULL, count_for_ever, (void *)&counters[0]))
			_exit(1);
		count_for_ever((void *)&counters[1]);
	}
	while (!counters[0] || !counters[1])
		sched_yield();
	EXPECT_EQUAL(kill(pid, SIGSTOP), 0);
	EXPECT_EQUAL(waitpid(pid, NULL, WUNTRACED), pid); /* told when the last one rests */
	for (int i = 0; i < 2; i++)
		seen[i] = counters[i];
	nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
	for (int i = 0; i < 2; i++)
		EXPECT_EQUAL(counters[i], seen[i]);
	EXPECT_EQUAL(kill(pid, SIGCONT), 0);
	for (int i = 0; i < 2; i++) {
		while (counters[i] == seen[i])
			sched_yield();
	}
	get_rid_of(pid);
	munmap((void *)counters, 4096);
}

/* However near they come: what was stopped before goes on. */
static void a_continue_is_never_lost(void)
{
	volatile unsigned *counter =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid, stopped = 0;

	EXPECT(counter != MAP_FAILED);
	pid = fork();
	if (pid == 0)
		count_for_ever((void *)counter);
	for (unsigned round = 0; round < 250 && !stopped; round++) {
		unsigned seen;

		kill(pid, SIGSTOP);
		for (volatile unsigned i = 0; i < 2 * round; i++)
			;
		kill(pid, SIGCONT);
		seen = *counter;
		while (*counter == seen && !stopped) {
			sched_yield();
			stopped = waitpid(pid, NULL, WUNTRACED | WNOHANG);
		}
	}
	EXPECT_EQUAL(stopped, 0);
	get_rid_of(pid);
	munmap((void *)counter, 4096);
}

static void orphaned_groups_do_not_stop_from_the_terminal(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setsid(); /* nobody in this session could continue it */
		raise(SIGTSTP);
		raise(SIGTTIN);
		_exit(31);
	}
	EXPECT_EQUAL(waitpid(pid, &status, WUNTRACED), pid);
	EXPECT_EQUAL(status, 31 << 8);
}

int main(void)
{
	/* Whoever started us may ignore some, and that is inherited. */
	for (int number = 1; number < 32; number++)
		signal(number, SIG_DFL);
	RUN(stops_and_continues_are_told);
	RUN(a_continued_process_is_no_stopped_one);
	RUN(a_stopped_process_does_nothing);
	RUN(the_parent_gets_a_signal_unless_it_will_not);
	RUN(stop_and_continue_undo_each_other);
	RUN(a_stop_does_not_interrupt);
	RUN(a_stop_reaches_every_thread);
	RUN(a_continue_is_never_lost);
	RUN(orphaned_groups_are_hung_up);
	RUN(a_group_that_loses_its_last_guardian_is_hung_up);
	RUN(orphaned_groups_do_not_stop_from_the_terminal);
	return check_end();
}
