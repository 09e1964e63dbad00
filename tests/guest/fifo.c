/*
 * FIFOs: who waits for whom, and what goes through.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static char folder[] = "/tmp/fifo-XXXXXX";

static void opens_without_waiting_say_what_is_there(void)
{
	struct stat stat_;
	int reader, writer;

	EXPECT_EQUAL(mkfifo("f", 0640), 0);
	EXPECT_ERRNO(EEXIST, mkfifo("f", 0640));
	EXPECT_ERRNO(ENXIO, open("f", O_WRONLY | O_NONBLOCK));
	reader = open("f", O_RDONLY | O_NONBLOCK);
	EXPECT(reader >= 0);
	EXPECT(fstat(reader, &stat_) == 0 && S_ISFIFO(stat_.st_mode) &&
	       (stat_.st_mode & 0777) == 0640);
	writer = open("f", O_WRONLY | O_NONBLOCK);
	EXPECT(writer >= 0);
	EXPECT_EQUAL(fcntl(writer, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_WRONLY | O_NONBLOCK);
	EXPECT_ERRNO(ESPIPE, lseek(reader, 0, SEEK_SET));
	EXPECT_ERRNO(EBADF, read(writer, &stat_, 1));
	EXPECT_ERRNO(EBADF, write(reader, "x", 1));
	close(reader), close(writer);
	EXPECT_EQUAL(unlink("f"), 0);
}

static void bytes_go_through_until_the_last_writer_has_gone(void)
{
	char text[16];
	int reader, writer, second;
	struct pollfd poll_ = {.events = POLLIN};

	EXPECT_EQUAL(mkfifo("f", 0600), 0);
	reader = open("f", O_RDONLY | O_NONBLOCK);
	poll_.fd = reader;
	EXPECT_EQUAL(read(reader, text, 16), 0); /* nobody writes */
	EXPECT_EQUAL(poll(&poll_, 1, 0), 0);     /* but nobody has hung up */
	writer = open("f", O_WRONLY);
	second = open("f", O_WRONLY);
	EXPECT(reader >= 0 && writer >= 0 && second >= 0);
	EXPECT_ERRNO(EAGAIN, read(reader, text, 16));
	EXPECT_EQUAL(write(writer, "abc", 3), 3);
	EXPECT(poll(&poll_, 1, 0) == 1 && poll_.revents == POLLIN);
	close(writer);
	EXPECT_EQUAL(write(second, "de", 2), 2);
	EXPECT_EQUAL(read(reader, text, 16), 5);
	EXPECT(memcmp(text, "abcde", 5) == 0);
	EXPECT_ERRNO(EAGAIN, read(reader, text, 16));
	close(second);
	EXPECT_EQUAL(read(reader, text, 16), 0);
	EXPECT(poll(&poll_, 1, 0) == 1 && poll_.revents == POLLHUP);
	/* What nobody has read goes with the last of them. */
	writer = open("f", O_WRONLY);
	EXPECT_EQUAL(write(writer, "lost", 4), 4);
	close(reader);
	signal(SIGPIPE, SIG_IGN);
	EXPECT_ERRNO(EPIPE, write(writer, "x", 1));
	close(writer);
	reader = open("f", O_RDONLY | O_NONBLOCK);
	EXPECT_EQUAL(read(reader, text, 16), 0);
	close(reader);
	unlink("f");
}

static void both_ends_in_one_wait_for_nobody(void)
{
	char text[8];
	int both, n;

	EXPECT_EQUAL(mkfifo("f", 0600), 0);
	both = open("f", O_RDWR);
	EXPECT(both >= 0);
	EXPECT_EQUAL(write(both, "xyz", 3), 3);
	EXPECT(ioctl(both, FIONREAD, &n) == 0 && n == 3);
	EXPECT_EQUAL(read(both, text, 8), 3);
	EXPECT_EQUAL(fcntl(both, F_SETFL, O_NONBLOCK), 0);
	EXPECT_ERRNO(EAGAIN, read(both, text, 8));
	EXPECT_EQUAL(fcntl(both, F_GETPIPE_SZ), 65536);
	EXPECT_ERRNO(EINVAL, fsync(both));
	EXPECT_ERRNO(EINVAL, ftruncate(both, 0));
	EXPECT_EQUAL(splice(both, NULL, both, NULL, 0, 0), 0);
	close(both);
	unlink("f");
}

static void who_opens_waits_for_the_other_end(void)
{
	char text[8];
	int reader, status, pid;

	EXPECT_EQUAL(mkfifo("f", 0600), 0);
	pid = fork();
	if (pid == 0) {
		int writer = open("f", O_WRONLY); /* waits, or is waited for */

		_exit(writer < 0 || write(writer, "hello", 5) != 5);
	}
	reader = open("f", O_RDONLY);
	EXPECT(reader >= 0);
	EXPECT_EQUAL(read(reader, text, 8), 5);
	EXPECT_EQUAL(read(reader, text, 8), 0);
	EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
	close(reader);
	unlink("f");
}

static void on_alarm(int signal_)
{
	(void)signal_;
}

static void a_signal_ends_the_wait(void)
{
	struct sigaction action = {.sa_handler = on_alarm};
	struct pollfd none = {.fd = -1};
	int pid, status;

	EXPECT_EQUAL(mkfifo("f", 0600), 0);
	pid = fork();
	if (pid == 0) {
		int waiting = getpid();

		sigaction(SIGUSR1, &action, NULL);
		if (fork() == 0) { /* until it has been heard */
			while (getppid() == waiting && kill(waiting, SIGUSR1) == 0)
				poll(&none, 1, 1);
			_exit(0);
		}
		_exit(open("f", O_RDONLY) == -1 && errno == EINTR ? 0 : 1);
	}
	EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
	/* It left nothing behind: nobody reads. */
	EXPECT_ERRNO(ENXIO, open("f", O_WRONLY | O_NONBLOCK));
	unlink("f");
}

static int heard[2]; /* a pipe: a byte for each signal */

static void on_signal(int signal_)
{
	(void)signal_;
	write(heard[1], "s", 1);
}

static void a_wait_goes_on_after_a_signal_that_restarts(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct pollfd none = {.fd = -1};
	int pid, status, writer;
	char byte;

	EXPECT_EQUAL(mkfifo("f", 0600), 0);
	EXPECT_EQUAL(pipe(heard), 0);
	sigaction(SIGUSR1, &action, NULL);
	pid = fork();
	if (pid == 0)
		_exit(open("f", O_RDONLY) >= 0 ? 0 : 1);
	/* One after the other, so that it waits when some of them come. */
	for (int i = 0; i < 20; i++) {
		poll(&none, 1, 1);
		EXPECT_EQUAL(kill(pid, SIGUSR1), 0);
		EXPECT_EQUAL(read(heard[0], &byte, 1), 1);
	}
	writer = open("f", O_WRONLY);
	EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
	close(writer), close(heard[0]), close(heard[1]);
	signal(SIGUSR1, SIG_DFL);
	unlink("f");
}

int main(void)
{
	if (!mkdtemp(folder) || chdir(folder))
		return 2;
	RUN(opens_without_waiting_say_what_is_there);
	RUN(bytes_go_through_until_the_last_writer_has_gone);
	RUN(both_ends_in_one_wait_for_nobody);
	RUN(who_opens_waits_for_the_other_end);
	RUN(a_signal_ends_the_wait);
	RUN(a_wait_goes_on_after_a_signal_that_restarts);
	rmdir(folder);
	return check_end();
}
