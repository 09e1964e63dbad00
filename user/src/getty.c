/*
 * getty: makes a terminal ready for somebody to log in, then becomes login.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "common/program.h"

static const char help[] =
	"usage: getty TTY [TERM]\n"
	"Opens /dev/TTY as the terminal of a session of its own and starts login\n"
	"there. TERM (linux) is what kind of terminal it is.\n";

static void make_sane(void)
{
	struct termios termios;

	if (tcgetattr(STDIN_FILENO, &termios))
		return;
	termios.c_iflag = ICRNL | IXON | (termios.c_iflag & IUTF8);
	termios.c_oflag = OPOST | ONLCR;
	termios.c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &termios);
}

/* -1, and it has said why. */
static int open_terminal(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY);

	if (fd < 0) {
		complain_errno("%s", path);
	} else if (ioctl(fd, TIOCSCTTY, 1)) {
		complain_errno("%s as the terminal of a session", path);
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Whoever has it open loses it: a program that was left behind is not told a password. */
static bool clear_terminal(const char *path)
{
	int fd = open_terminal(path);
	int err;

	if (fd < 0)
		return false;
	signal(SIGHUP, SIG_IGN);
	err = vhangup();
	signal(SIGHUP, SIG_DFL);
	close(fd);
	if (err)
		complain_errno("%s cannot be taken from others", path);
	return !err;
}

static bool take_terminal(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s%s", name[0] == '/' ? "" : "/dev/", name);
	if (getsid(0) != getpid() && setsid() < 0) {
		complain_errno("a session of its own");
		return false;
	}
	/* Nobody else reads what is typed here from now on. */
	if (chown(path, 0, 0) || chmod(path, 0600)) {
		complain_errno("%s", path);
		return false;
	}
	if (!clear_terminal(path))
		return false;
	fd = open_terminal(path);
	if (fd < 0)
		return false;
	for (int i = 0; i <= STDERR_FILENO; i++)
		dup2(fd, i);
	if (fd > STDERR_FILENO)
		close(fd);
	return true;
}

int main(int argc, char **argv)
{
	program_start("getty", help, argc, argv);
	if (argc < 2 || argc > 3)
		usage_error("a terminal is needed");
	if (!take_terminal(argv[1]))
		return 1;
	make_sane();
	setenv("TERM", argc > 2 ? argv[2] : "linux", 1);
	printf("\nFuselage (%s)\n\n", argv[1]);
	fflush(stdout);
	execl("/bin/login", "login", (char *)NULL);
	complain_errno("/bin/login");
	return 1;
}
