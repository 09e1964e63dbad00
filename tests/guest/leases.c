/*
 * Leases on files, and what directories tell by signals (F_SETLEASE, F_NOTIFY).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"

#define WAIT_S 10

static char folder[] = "/tmp/leases-XXXXXX";
static sigset_t waited;

static int next_now(void)
{
	const struct timespec now = {0};

	return sigtimedwait(&waited, NULL, &now);
}

static int next_signal(siginfo_t *info)
{
	const struct timespec limit = {.tv_sec = WAIT_S};

	memset(info, 0, sizeof(*info));
	return sigtimedwait(&waited, info, &limit);
}

static int file_with(int flags)
{
	return open("f", flags | O_CREAT, 0644);
}

static void a_lease_goes_with_how_the_file_is_open(void)
{
	int reader = file_with(O_RDONLY);
	int writer, directory;

	EXPECT(reader >= 0);
	EXPECT_EQUAL(fcntl(reader, F_GETLEASE), F_UNLCK);
	EXPECT_ERRNO(EAGAIN, fcntl(reader, F_SETLEASE, F_UNLCK));
	EXPECT_EQUAL(fcntl(reader, F_SETLEASE, F_RDLCK), 0);
	EXPECT_EQUAL(fcntl(reader, F_GETLEASE), F_RDLCK);
	EXPECT_EQUAL(fcntl(reader, F_GETOWN), getpid());
	EXPECT_EQUAL(fcntl(reader, F_SETLEASE, F_WRLCK), 0);
	EXPECT_EQUAL(fcntl(reader, F_GETLEASE), F_WRLCK);
	EXPECT_EQUAL(fcntl(reader, F_SETLEASE, F_UNLCK), 0);
	EXPECT_EQUAL(fcntl(reader, F_GETLEASE), F_UNLCK);
	EXPECT_ERRNO(EINVAL, fcntl(reader, F_SETLEASE, 3));

	writer = file_with(O_WRONLY);
	EXPECT(writer >= 0);
	EXPECT_ERRNO(EAGAIN, fcntl(reader, F_SETLEASE, F_RDLCK));
	EXPECT_ERRNO(EAGAIN, fcntl(writer, F_SETLEASE, F_RDLCK));
	EXPECT_EQUAL(fcntl(writer, F_GETOWN), 0); /* it has nothing to be told */
	EXPECT_ERRNO(EAGAIN, fcntl(reader, F_SETLEASE, F_WRLCK));
	close(reader);
	EXPECT_EQUAL(fcntl(writer, F_SETLEASE, F_WRLCK), 0);
	close(writer); /* and with it the lease */
	reader = file_with(O_RDONLY | O_NONBLOCK);
	EXPECT(reader >= 0);
	close(reader);

	directory = open(".", O_RDONLY);
	EXPECT_ERRNO(EINVAL, fcntl(directory, F_SETLEASE, F_RDLCK));
	EXPECT_EQUAL(fcntl(directory, F_GETLEASE), F_UNLCK);
	close(directory);
	EXPECT_ERRNO(EBADF, fcntl(directory, F_SETLEASE, F_RDLCK));
	unlink("f");
}

static int lease_of_other(void)
{
	int fd = open("f", O_RDONLY);

	NEED(fd >= 0);
	NEED(fcntl(fd, F_SETLEASE, F_RDLCK) == -1 && errno == EACCES);
	return 0;
}

static void a_lease_is_the_owner_s(void)
{
	int fd = file_with(O_RDONLY);

	chmod(".", 0755);
	close(fd);
	EXPECT_EQUAL(as_user(lease_of_other), 0);
	unlink("f");
}

static void who_does_not_wait_is_told_and_the_holder_too(void)
{
	int holder = file_with(O_RDONLY);
	siginfo_t info;

	EXPECT_EQUAL(fcntl(holder, F_SETSIG, SIGRTMIN + 1), 0);
	EXPECT_EQUAL(fcntl(holder, F_SETLEASE, F_RDLCK), 0);
	close(file_with(O_RDONLY)); /* goes with it */
	EXPECT_EQUAL(next_now(), -1);
	EXPECT_ERRNO(EAGAIN, open("f", O_WRONLY | O_NONBLOCK));
	EXPECT_EQUAL(next_signal(&info), SIGRTMIN + 1);
	EXPECT_EQUAL(info.si_code, POLL_MSG);
	EXPECT_EQUAL(info.si_fd, holder);
	EXPECT(info.si_band & POLLIN);
	EXPECT_EQUAL(fcntl(holder, F_GETLEASE), F_UNLCK); /* what it shall become */
	EXPECT_ERRNO(EAGAIN, open("f", O_RDWR | O_NONBLOCK));
	EXPECT_EQUAL(next_now(), -1); /* it was told once */
	EXPECT_EQUAL(fcntl(holder, F_SETLEASE, F_UNLCK), 0);
	close(open("f", O_WRONLY | O_NONBLOCK));
	close(holder);
	unlink("f");
}

/* A child opens or truncates, and the holder gives way. */
static void check_waits(int lease, int open_flags, bool truncates, int gives)
{
	int holder = file_with(O_RDONLY);
	siginfo_t info;
	int status;
	pid_t child;

	EXPECT_EQUAL(fcntl(holder, F_SETLEASE, lease), 0);
	child = fork();
	if (child == 0) {
		close(holder);
		_exit(truncates ? truncate("f", 0) != 0 : open("f", open_flags) < 0);
	}
	EXPECT_EQUAL(next_signal(&info), SIGIO);
	EXPECT_EQUAL(waitpid(child, &status, WNOHANG), 0);
	EXPECT_EQUAL(fcntl(holder, F_GETLEASE), gives);
	EXPECT_EQUAL(fcntl(holder, F_SETLEASE, gives), 0);
	EXPECT_EQUAL(waitpid(child, &status, 0), child);
	EXPECT_EQUAL(status, 0);
	EXPECT_EQUAL(fcntl(holder, F_GETLEASE), gives);
	close(holder);
	unlink("f");
}

static void an_open_for_writing_waits_for_a_reader_s_lease(void)
{
	check_waits(F_RDLCK, O_WRONLY, false, F_UNLCK);
}

static void an_open_for_reading_waits_for_a_writer_s_lease(void)
{
	check_waits(F_WRLCK, O_RDONLY, false, F_RDLCK);
}

static void a_truncation_waits(void)
{
	check_waits(F_RDLCK, 0, true, F_UNLCK);
	check_waits(F_RDLCK, O_TRUNC | O_WRONLY, false, F_UNLCK);
}

static void a_lease_ends_with_its_time(void)
{
	char before[16] = "";
	int fd = open("/proc/sys/fs/lease-break-time", O_RDWR);
	int holder = file_with(O_RDONLY);
	siginfo_t info;
	ssize_t len;

	if (fd < 0 && may_be_restricted()) {
		close(holder);
		unlink("f");
		return;
	}
	len = read(fd, before, sizeof(before));
	EXPECT(len > 0);
	EXPECT_EQUAL(pwrite(fd, "1\n", 2, 0), 2);
	EXPECT_EQUAL(fcntl(holder, F_SETLEASE, F_RDLCK), 0);
	close(open("f", O_WRONLY)); /* waits that long, and no longer */
	EXPECT_EQUAL(fcntl(holder, F_GETLEASE), F_UNLCK);
	EXPECT_EQUAL(next_signal(&info), SIGIO);
	EXPECT_EQUAL(pwrite(fd, before, (size_t)len, 0), len);
	close(fd), close(holder);
	unlink("f");
}

/* ---- directories ---- */

static void a_directory_tells_of_what_is_in_it(void)
{
	static const struct {
		unsigned event;
		const char *what;
	} each[] = {{DN_CREATE, "create"}, {DN_MODIFY, "modify"}, {DN_ATTRIB, "attrib"},
		    {DN_ACCESS, "access"}, {DN_RENAME, "rename"}, {DN_DELETE, "delete"}};
	int directory;
	char byte;

	EXPECT_EQUAL(mkdir("d", 0700), 0);
	directory = open("d", O_RDONLY);
	for (size_t i = 0; i < sizeof(each) / sizeof(*each); i++) {
		siginfo_t info;
		int fd;

		EXPECT_EQUAL(fcntl(directory, F_SETSIG, SIGRTMIN + 1), 0);
		EXPECT_EQUAL(fcntl(directory, F_NOTIFY, each[i].event), 0);
		EXPECT_EQUAL(fcntl(directory, F_GETOWN), getpid());
		switch (each[i].event) {
		case DN_CREATE:
			close(open("d/a", O_CREAT | O_RDWR, 0600));
			break;
		case DN_MODIFY:
			fd = open("d/a", O_RDWR);
			EXPECT_EQUAL(write(fd, "x", 1), 1);
			close(fd);
			break;
		case DN_ATTRIB:
			chmod("d/a", 0640);
			break;
		case DN_ACCESS:
			fd = open("d/a", O_RDWR);
			EXPECT_EQUAL(read(fd, &byte, 1), 1);
			close(fd);
			break;
		case DN_RENAME:
			rename("d/a", "d/b");
			break;
		default:
			unlink("d/b");
		}
		if (next_signal(&info) != SIGRTMIN + 1 || info.si_code != POLL_MSG ||
		    info.si_fd != directory)
			FAIL("%s is not told", each[i].what);
		EXPECT_EQUAL(next_now(), -1);
	}
	close(directory);
	rmdir("d");
}

static void once_or_until_it_is_closed(void)
{
	int directory, copy, file;
	siginfo_t info;

	EXPECT_EQUAL(mkdir("d", 0700), 0);
	directory = open("d", O_RDONLY);
	EXPECT_EQUAL(fcntl(directory, F_NOTIFY, DN_CREATE), 0);
	close(open("d/a", O_CREAT | O_RDWR, 0600));
	EXPECT_EQUAL(next_signal(&info), SIGIO);
	close(open("d/b", O_CREAT | O_RDWR, 0600));
	EXPECT_EQUAL(next_now(), -1); /* once */
	EXPECT_EQUAL(fcntl(directory, F_NOTIFY, DN_CREATE | DN_MULTISHOT), 0);
	close(open("d/c", O_CREAT | O_RDWR, 0600));
	EXPECT_EQUAL(next_signal(&info), SIGIO);
	close(open("d/d", O_CREAT | O_RDWR, 0600));
	EXPECT_EQUAL(next_signal(&info), SIGIO);
	EXPECT_EQUAL(fcntl(directory, F_NOTIFY, 0), 0); /* enough */
	close(open("d/e", O_CREAT | O_RDWR, 0600));
	EXPECT_EQUAL(next_now(), -1);
	EXPECT_EQUAL(fcntl(directory, F_NOTIFY, DN_CREATE | DN_MULTISHOT), 0);
	EXPECT_EQUAL(fcntl(directory, F_NOTIFY, DN_DELETE), 0); /* as well, and still not once */
	unlink("d/a");
	EXPECT_EQUAL(next_signal(&info), SIGIO);
	unlink("d/b");
	EXPECT_EQUAL(next_signal(&info), SIGIO);
	copy = dup(directory);
	close(copy); /* any descriptor of it ends it */
	close(open("d/f", O_CREAT | O_RDWR, 0600));
	EXPECT_EQUAL(next_now(), -1);
	file = open("d/f", O_RDONLY);
	EXPECT_ERRNO(ENOTDIR, fcntl(file, F_NOTIFY, DN_CREATE));
	close(file), close(directory);
	EXPECT_ERRNO(EBADF, fcntl(directory, F_NOTIFY, DN_CREATE));
}

int main(void)
{
	char command[64];
	int result;

	sigemptyset(&waited);
	sigaddset(&waited, SIGIO);
	sigaddset(&waited, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &waited, NULL);
	if (!mkdtemp(folder) || chdir(folder))
		return 1;
	RUN(a_lease_goes_with_how_the_file_is_open);
	RUN(a_lease_is_the_owner_s);
	RUN(who_does_not_wait_is_told_and_the_holder_too);
	RUN(an_open_for_writing_waits_for_a_reader_s_lease);
	RUN(an_open_for_reading_waits_for_a_writer_s_lease);
	RUN(a_truncation_waits);
	RUN(a_lease_ends_with_its_time);
	RUN(a_directory_tells_of_what_is_in_it);
	RUN(once_or_until_it_is_closed);
	result = check_end();
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command) ? 1 : result;
}
