/*
 * Pseudo terminals: names, the two sides, job control over one, hang-ups both ways.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "pty_help.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

static void a_pair_has_a_name_and_attributes(void)
{
	unsigned number = 99999;
	int locked = 0;
	struct stat attributes;

	master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	EXPECT(master >= 0);
	EXPECT_EQUAL(ioctl(master, TIOCGPTN, &number), 0);
	EXPECT_EQUAL(ioctl(master, TIOCGPTLCK, &locked), 0);
	EXPECT_EQUAL(locked, 1);
	snprintf(slave_name, sizeof(slave_name), "/dev/pts/%u", number);
	EXPECT_EQUAL(stat(slave_name, &attributes), 0);
	EXPECT_EQUAL(attributes.st_mode & ~020u, S_IFCHR | 0600); /* the group's by the mount */
	EXPECT_EQUAL(attributes.st_uid, geteuid());
	EXPECT_EQUAL(major(attributes.st_rdev), 136);
	EXPECT_EQUAL(minor(attributes.st_rdev), number);
	EXPECT_ERRNO(EIO, open(slave_name, O_RDWR | O_NOCTTY)); /* locked */
	locked = 0;
	EXPECT_EQUAL(ioctl(master, TIOCSPTLCK, &locked), 0);
	slave = open(slave_name, O_RDWR | O_NOCTTY);
	EXPECT(slave >= 0);
	EXPECT(isatty(slave) && isatty(master));
	EXPECT(strcmp(ttyname(slave), slave_name) == 0);
	EXPECT_EQUAL(fchmod(slave, 0600), 0);
	EXPECT_EQUAL(stat(slave_name, &attributes), 0);
	EXPECT_EQUAL(attributes.st_mode, S_IFCHR | 0600);
	close_pair();
	EXPECT_ERRNO(ENOENT, stat(slave_name, &attributes));
}

static void names_are_listed(void)
{
	struct dirent *entry;
	bool found = false;
	DIR *directory;

	open_pair();
	directory = opendir("/dev/pts");
	EXPECT(directory);
	while ((entry = readdir(directory)))
		found = found || strcmp(entry->d_name, slave_name + strlen("/dev/pts/")) == 0;
	closedir(directory);
	EXPECT(found);
	close_pair();
}

static void the_peer_is_opened_without_a_name(void)
{
	int peer;

	open_pair();
	peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	EXPECT(peer >= 0);
	EXPECT_EQUAL(fcntl(peer, F_GETFD), FD_CLOEXEC);
	EXPECT(strcmp(ttyname(peer), slave_name) == 0);
	close(peer);
	close_pair();
}

static void a_peer_needs_a_free_descriptor(void)
{
	struct rlimit before;
	struct rlimit none;

	open_pair();
	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = (rlim_t)dup(master);
	close((int)none.rlim_cur);
	setrlimit(RLIMIT_NOFILE, &none);
	for (int i = 0; i < 3; i++)
		EXPECT_ERRNO(EMFILE, ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
	setrlimit(RLIMIT_NOFILE, &before);
	close_pair();
}

static void lines_are_edited_and_echoed(void)
{
	open_pair();
	EXPECT_EQUAL(write(master, "heq\x7fllo\n", 8), 8);
	EXPECT(reads(master, "heq\b \bllo\r\n"));
	EXPECT(reads(slave, "hello\n"));
	EXPECT_EQUAL(write(slave, "a\nb", 3), 3);
	EXPECT(reads(master, "a\r\nb"));
	EXPECT_EQUAL(write(master, "\x04", 1), 1);
	EXPECT_EQUAL(read(slave, slave_name, 1), 0); /* ^D */
	close_pair();
}

/* The master sees one erasure for a character of two bytes. */
static void an_erased_character_may_have_many_bytes(void)
{
	struct termios termios;

	open_pair();
	EXPECT_EQUAL(tcgetattr(slave, &termios), 0);
	termios.c_iflag |= IUTF8;
	EXPECT_EQUAL(tcsetattr(slave, TCSANOW, &termios), 0);
	EXPECT_EQUAL(write(master, "a\xc3\xa4\x7f\n", 5), 5);
	EXPECT(reads(master, "a\xc3\xa4\b \b\r\n"));
	EXPECT(reads(slave, "a\n"));
	close_pair();
}

static void settings_and_size_are_the_same_from_both_sides(void)
{
	struct winsize size = {.ws_row = 11, .ws_col = 22};
	struct winsize got = {.ws_row = 9};
	struct termios termios;

	open_pair();
	EXPECT_EQUAL(ioctl(slave, TIOCGWINSZ, &got), 0);
	EXPECT_EQUAL(got.ws_row, 0);
	EXPECT_EQUAL(ioctl(master, TIOCSWINSZ, &size), 0);
	EXPECT_EQUAL(ioctl(slave, TIOCGWINSZ, &got), 0);
	EXPECT(got.ws_row == 11 && got.ws_col == 22);
	make_raw();
	EXPECT_EQUAL(tcgetattr(master, &termios), 0);
	EXPECT(!(termios.c_lflag & ICANON));
	close_pair();
}

static void a_full_slave_waits_for_its_master(void)
{
	static char text[512];
	long written = 0, got = 0;
	ssize_t n;

	open_pair();
	make_raw();
	EXPECT_EQUAL(fcntl(slave, F_SETFL, O_NONBLOCK), 0);
	memset(text, 'x', sizeof(text));
	while ((n = write(slave, text, sizeof(text))) > 0)
		written += n;
	EXPECT(n == -1 && errno == EAGAIN);
	EXPECT(written >= 4096 && written < 1000000);
	EXPECT(!(ready(slave) & POLLOUT));
	EXPECT_EQUAL(fcntl(master, F_SETFL, O_NONBLOCK), 0);
	while (got < written) {
		n = read(master, text, sizeof(text));
		if (n < 0 && errno == EAGAIN) {
			poll(&(struct pollfd){.fd = master, .events = POLLIN}, 1, -1);
			continue;
		}
		EXPECT(n > 0);
		got += n;
	}
	EXPECT_EQUAL(got, written);
	EXPECT_ERRNO(EAGAIN, read(master, text, 1));
	EXPECT(ready(slave) & POLLOUT);
	close_pair();
}

static void a_full_terminal_waits_for_its_reader(void)
{
	static char text[512];
	long written = 0, got = 0;
	ssize_t n;

	open_pair();
	make_raw();
	EXPECT_EQUAL(fcntl(master, F_SETFL, O_NONBLOCK), 0);
	while (written < 1000000 && (n = write(master, text, sizeof(text))) > 0)
		written += n;
	EXPECT(n == -1 && errno == EAGAIN);
	while (got < written) {
		n = read(slave, text, sizeof(text));
		EXPECT(n > 0);
		got += n;
	}
	EXPECT(poll(&(struct pollfd){.fd = master, .events = POLLOUT}, 1, 10000) == 1);
	close_pair();
}

static void the_last_slave_that_is_closed_ends_the_masters_reading(void)
{
	char byte;

	open_pair();
	EXPECT_EQUAL(write(slave, "x", 1), 1);
	close(slave);
	EXPECT(reads(master, "x"));
	EXPECT_ERRNO(EIO, read(master, &byte, 1));
	EXPECT(ready(master) & POLLHUP);
	slave = open(slave_name, O_RDWR | O_NOCTTY); /* and begins it anew */
	EXPECT(slave >= 0);
	EXPECT(!(ready(master) & POLLHUP));
	close_pair();
}

static void a_slave_without_its_master_is_hung_up(void)
{
	struct termios termios;
	char byte;

	open_pair();
	close(master);
	EXPECT_EQUAL(read(slave, &byte, 1), 0);
	EXPECT_ERRNO(EIO, write(slave, "x", 1));
	EXPECT_ERRNO(EIO, tcgetattr(slave, &termios));
	EXPECT((ready(slave) & (POLLHUP | POLLIN | POLLERR)) == (POLLHUP | POLLIN | POLLERR));
	close(slave);
}

/* ---- with a session ---- */

static volatile sig_atomic_t nhangups, ncontinues, nresizes;

static void count(int signal)
{
	if (signal == SIGHUP)
		nhangups++;
	else if (signal == SIGCONT)
		ncontinues++;
	else
		nresizes++;
}

/* Leads a session on the pair; 0: as the child. */
static pid_t fork_leader(void)
{
	pid_t pid;

	signal(SIGHUP, count);
	signal(SIGCONT, count);
	signal(SIGWINCH, count);
	pid = fork();
	if (pid == 0) {
		close(master);
		close(slave);
		setsid();
		slave = open(slave_name, O_RDWR);
		nhangups = ncontinues = nresizes = 0;
	}
	return pid;
}

static int status_of(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

#define CHILD_EXPECT(condition)                                                                    \
	do {                                                                                       \
		if (!(condition))                                                                  \
			_exit(__LINE__ % 255 + 1);                                                 \
	} while (0)

static void a_leaders_open_makes_it_controlling(void)
{
	pid_t pid;

	open_pair();
	pid = fork_leader();
	if (pid == 0) {
		int other = open("/dev/tty", O_RDWR);

		CHILD_EXPECT(other >= 0);
		CHILD_EXPECT(tcgetsid(slave) == getpid());
		CHILD_EXPECT(tcgetpgrp(slave) == getpgrp());
		CHILD_EXPECT(tcgetpgrp(other) == getpgrp());
		CHILD_EXPECT(ioctl(slave, TIOCSCTTY, 0) == 0); /* it is already */
		CHILD_EXPECT(ioctl(slave, TIOCNOTTY) == 0);
		CHILD_EXPECT(nhangups == 1 && ncontinues == 1); /* its foreground's */
		CHILD_EXPECT(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO);
		CHILD_EXPECT(ioctl(slave, TIOCNOTTY) == -1 && errno == ENOTTY);
		CHILD_EXPECT(ioctl(slave, TIOCSCTTY, 0) == 0);
		CHILD_EXPECT(open("/dev/tty", O_RDWR) >= 0);
		_exit(0);
	}
	EXPECT_EQUAL(status_of(pid), 0);
	close_pair();
}

static void who_is_in_the_foreground_is_told_of_input(void)
{
	pid_t pid;

	signal(SIGIO, SIG_IGN); /* for good: what comes of the end is late */
	open_pair();
	pid = fork_leader();
	if (pid == 0) {
		CHILD_EXPECT(fcntl(slave, F_GETOWN) == 0);
		CHILD_EXPECT(fcntl(slave, F_SETFL, O_ASYNC) == 0);
		CHILD_EXPECT(fcntl(slave, F_GETOWN) == -getpgrp());
		_exit(0);
	}
	EXPECT_EQUAL(status_of(pid), 0);
	close_pair();
	open_pair(); /* nobody's: who asks */
	EXPECT_EQUAL(fcntl(slave, F_SETFL, O_ASYNC), 0);
	EXPECT_EQUAL(fcntl(slave, F_GETOWN), getpid());
	EXPECT_EQUAL(fcntl(master, F_SETFL, O_ASYNC), 0);
	EXPECT_EQUAL(fcntl(master, F_GETOWN), getpid());
	close_pair();
}

static void a_key_interrupts_and_stops_the_foreground(void)
{
	int status;
	pid_t pid;

	open_pair();
	pid = fork_leader();
	if (pid == 0) {
		pid_t job = fork();

		if (job == 0) {
			setpgid(0, 0);
			signal(SIGTTOU, SIG_IGN);
			tcsetpgrp(slave, getpid());
			write(slave, "ready", 5);
			for (;;)
				pause();
		}
		CHILD_EXPECT(waitpid(job, &status, WUNTRACED) == job);
		CHILD_EXPECT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
		kill(-job, SIGCONT);
		write(slave, "again", 5);
		CHILD_EXPECT(waitpid(job, &status, 0) == job);
		CHILD_EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
		_exit(0);
	}
	EXPECT(reads(master, "ready"));
	EXPECT_EQUAL(write(master, "\x1a", 1), 1);
	EXPECT(reads_both(master, "^Z", "again"));
	EXPECT_EQUAL(write(master, "\x03", 1), 1);
	EXPECT_EQUAL(status_of(pid), 0);
	close_pair();
}

static void the_background_may_not_read(void)
{
	int status;
	pid_t pid;

	open_pair();
	pid = fork_leader();
	if (pid == 0) {
		char byte;
		pid_t job = fork();

		if (job == 0) {
			setpgid(0, 0);
			_exit((int)read(slave, &byte, 1));
		}
		CHILD_EXPECT(waitpid(job, &status, WUNTRACED) == job);
		CHILD_EXPECT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
		kill(job, SIGKILL);
		_exit(0);
	}
	EXPECT_EQUAL(status_of(pid), 0);
	close_pair();
}

static void another_size_is_told(void)
{
	struct winsize size = {.ws_row = 40, .ws_col = 100};
	char byte;
	pid_t pid;

	open_pair();
	pid = fork_leader();
	if (pid == 0) {
		sigset_t set, before;

		sigemptyset(&set);
		sigaddset(&set, SIGWINCH);
		sigprocmask(SIG_BLOCK, &set, &before);
		write(slave, "r", 1);
		while (!nresizes)
			sigsuspend(&before);
		ioctl(slave, TIOCGWINSZ, &size);
		_exit(size.ws_row == 40 && size.ws_col == 100 ? 0 : 1);
	}
	EXPECT_EQUAL(read(master, &byte, 1), 1);
	EXPECT_EQUAL(ioctl(master, TIOCSWINSZ, &size), 0);
	EXPECT_EQUAL(status_of(pid), 0);
	close_pair();
}

static void a_hang_up_is_told_to_the_leader(void)
{
	char byte;
	pid_t pid;

	open_pair();
	pid = fork_leader();
	if (pid == 0) {
		sigset_t set, before;

		sigemptyset(&set);
		sigaddset(&set, SIGHUP);
		sigprocmask(SIG_BLOCK, &set, &before);
		write(slave, "r", 1);
		while (!nhangups)
			sigsuspend(&before);
		CHILD_EXPECT(read(slave, &byte, 1) == 0);
		CHILD_EXPECT(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO);
		_exit(0);
	}
	EXPECT_EQUAL(read(master, &byte, 1), 1);
	close_pair();
	EXPECT_EQUAL(status_of(pid), 0);
}

/* A read that sleeps ends when the other side goes (Linux: as one that comes later, or with EIO).
 */
static void a_sleeping_reader_is_woken_by_the_hang_up(void)
{
	char byte;
	pid_t pid;

	open_pair();
	signal(SIGHUP, SIG_IGN);
	pid = fork_leader();
	if (pid == 0) {
		signal(SIGHUP, SIG_IGN);
		write(slave, "r", 1);
		_exit(read(slave, &byte, 1) > 0);
	}
	EXPECT_EQUAL(read(master, &byte, 1), 1);
	close_pair();
	EXPECT_EQUAL(status_of(pid), 0);
}

/* What getty does: whoever had it open before has lost it. */
static void vhangup_takes_it_from_everybody(void)
{
	int left_behind;
	pid_t pid;

	open_pair();
	make_raw();
	left_behind = dup(slave);
	pid = fork_leader();
	if (pid == 0) {
		char byte;
		int fresh;

		CHILD_EXPECT(vhangup() == 0);
		CHILD_EXPECT(nhangups == 1 && ncontinues == 1);
		CHILD_EXPECT(read(left_behind, &byte, 1) == 0);
		CHILD_EXPECT(write(left_behind, "x", 1) == -1 && errno == EIO);
		CHILD_EXPECT(read(slave, &byte, 1) == 0);
		CHILD_EXPECT(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO);
		CHILD_EXPECT(vhangup() == 0); /* it has none */
		fresh = open(slave_name, O_RDWR);
		CHILD_EXPECT(fresh >= 0 && tcgetsid(fresh) == getpid());
		CHILD_EXPECT(read(left_behind, &byte, 1) == 0);
		CHILD_EXPECT(setresuid(1000, 1000, 1000) == 0);
		CHILD_EXPECT(vhangup() == -1 && errno == EPERM);
		CHILD_EXPECT(write(fresh, "new", 3) == 3); /* after which it is killed */
		for (;;)
			pause();
	}
	close(left_behind);
	close(slave);
	EXPECT(reads(master, "new"));
	kill(pid, SIGKILL);
	EXPECT_EQUAL(status_of(pid), SIGKILL);
	close(master);
}

static void a_signal_is_sent_from_the_master(void)
{
	char byte;
	pid_t pid;

	open_pair();
	pid = fork_leader();
	if (pid == 0) {
		write(slave, "r", 1);
		for (;;)
			pause();
	}
	EXPECT_EQUAL(read(master, &byte, 1), 1);
	EXPECT_ERRNO(EINVAL, ioctl(master, TIOCSIG, 1000));
	EXPECT_ERRNO(EINVAL, ioctl(master, TIOCSIG, SIGKILL)); /* only what a key could send */
	EXPECT_EQUAL(ioctl(master, TIOCSIG, SIGQUIT), 0);
	EXPECT_EQUAL(WTERMSIG(status_of(pid)), SIGQUIT);
	close_pair();
}

int main(void)
{
	RUN(a_pair_has_a_name_and_attributes);
	RUN(names_are_listed);
	RUN(the_peer_is_opened_without_a_name);
	RUN(a_peer_needs_a_free_descriptor);
	RUN(lines_are_edited_and_echoed);
	RUN(an_erased_character_may_have_many_bytes);
	RUN(settings_and_size_are_the_same_from_both_sides);
	RUN(a_full_slave_waits_for_its_master);
	RUN(a_full_terminal_waits_for_its_reader);
	RUN(the_last_slave_that_is_closed_ends_the_masters_reading);
	RUN(a_slave_without_its_master_is_hung_up);
	RUN(a_leaders_open_makes_it_controlling);
	RUN(who_is_in_the_foreground_is_told_of_input);
	RUN(a_key_interrupts_and_stops_the_foreground);
	RUN(the_background_may_not_read);
	RUN(another_size_is_told);
	RUN(a_hang_up_is_told_to_the_leader);
	RUN(a_sleeping_reader_is_woken_by_the_hang_up);
	RUN(vhangup_takes_it_from_everybody);
	RUN(a_signal_is_sent_from_the_master);
	return check_end();
}
