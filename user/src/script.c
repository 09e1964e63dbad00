/*
 * script: a shell or a command in a terminal of its own, and a file with all that it shows.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "common/program.h"

static const char help[] =
	"usage: script [-aq] [-c COMMAND] [FILE]\n"
	"Runs the shell, or COMMAND, in a pseudo terminal and keeps what it shows in\n"
	"FILE (typescript).\n"
	"  -a  appends\n"
	"  -q  says nothing of its own\n";

static volatile sig_atomic_t resized;

static void remember(int signal)
{
	resized = signal == SIGWINCH;
}

static void copy_size(int master)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(master, TIOCSWINSZ, &size);
}

static int open_master(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master < 0 || grantpt(master) || unlockpt(master)) {
		complain_errno("a pseudo terminal");
		exit(1);
	}
	copy_size(master);
	return master;
}

static void __attribute__((noreturn)) be_child(int master, const char *command)
{
	const char *shell = getenv("SHELL");
	int slave;

	setsid();
	slave = open(ptsname(master), O_RDWR); /* becomes the controlling one */
	if (slave < 0)
		_exit(1);
	for (int i = 0; i <= STDERR_FILENO; i++)
		dup2(slave, i);
	if (slave > STDERR_FILENO)
		close(slave);
	shell = shell ? shell : "/bin/sh";
	if (command)
		execl(shell, shell, "-c", command, (char *)NULL);
	else
		execl(shell, shell, "-i", (char *)NULL);
	complain_errno("%s", shell);
	_exit(127);
}

static bool put_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t put = write(fd, bytes, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		bytes += put;
		len -= (size_t)put;
	}
	return true;
}

/* One way; false: that side has ended. */
static bool pass(int from, int to, int also)
{
	char bytes[4096];
	ssize_t got = read(from, bytes, sizeof(bytes));

	if (got < 0 && errno == EINTR)
		return true;
	if (got <= 0)
		return false;
	return put_all(to, bytes, (size_t)got) && (also < 0 || put_all(also, bytes, (size_t)got));
}

/* Until the terminal's last program has closed it. */
static void relay(int master, int file)
{
	struct pollfd fds[] = {{.fd = master, .events = POLLIN},
			       {.fd = STDIN_FILENO, .events = POLLIN}};

	for (;;) {
		if (resized) {
			resized = 0;
			copy_size(master);
		}
		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return;
		}
		if (fds[0].revents && !pass(master, STDOUT_FILENO, file))
			return;
		if (fds[1].revents && !pass(STDIN_FILENO, master, -1)) {
			fds[1].fd = -1;
			(void)!write(master, "\4", 1); /* ^D: the end of what is typed */
		}
	}
}

int main(int argc, char **argv)
{
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
	struct termios before, raw;
	const char *command = NULL;
	bool is_terminal;
	bool quiet = false;
	const char *name;
	int option, master, file, status;
	pid_t pid;

	program_start("script", help, argc, argv);
	while ((option = getopt(argc, argv, "aqc:")) != -1) {
		if (option == 'a')
			flags = (flags & ~O_TRUNC) | O_APPEND;
		else if (option == 'q')
			quiet = true;
		else if (option == 'c')
			command = optarg;
		else
			usage_error("what is -%c?", optopt);
	}
	name = optind < argc ? argv[optind] : "typescript";
	file = open(name, flags, 0666);
	if (file < 0) {
		complain_errno("%s", name);
		return 1;
	}
	master = open_master();
	pid = fork();
	if (pid == 0)
		be_child(master, command);
	if (pid < 0) {
		complain_errno("a program");
		return 1;
	}
	if (!quiet)
		printf("Script started, file is %s\n", name);
	fflush(stdout);
	signal(SIGWINCH, remember);
	is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;
	if (is_terminal) {
		raw = before;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	relay(master, file);
	if (is_terminal)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	close(master);
	waitpid(pid, &status, 0);
	if (!quiet)
		printf("Script done, file is %s\n", name);
	return program_end(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}
