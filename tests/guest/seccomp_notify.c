/*
 * Filters that ask somebody else: notifications by a listener. Each body runs in a child, which
 * listens; a child of its own makes the call that it is about, getppid.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "check.h"

#include "as_user.h"
#include "filter_help.h"
#include "signal_help.h"

#define THIS_CALL SYS_getppid
#define CONTINUE  SECCOMP_USER_NOTIF_FLAG_CONTINUE

static int listener;
static pid_t asker;

/* Makes the filter, and a child that does `body`. */
static int begin(int (*body)(void), unsigned flags)
{
	listener = (int)add_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER | flags, THIS_CALL,
				   SECCOMP_RET_USER_NOTIF);
	NEED(listener >= 0 && fcntl(listener, F_GETFD) == FD_CLOEXEC);
	asker = fork();
	if (asker == 0) {
		close(listener);
		_exit(body());
	}
	NEED(asker > 0);
	return 0;
}

static int end(void)
{
	int status;

	return waitpid(asker, &status, 0) == asker ? status : -1;
}

static int receive(struct seccomp_notif *notif)
{
	memset(notif, 0, sizeof(*notif));
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, notif);
}

static int answer(uint64_t id, long value, int error, unsigned flags)
{
	struct seccomp_notif_resp response = {id, value, error, flags};

	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

static int is_valid(uint64_t id)
{
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
}

/* ---- answers ---- */

static int ask_three(void)
{
	NEED(syscall(THIS_CALL, 11, 22, 33, 44, 55, 66) == 4711);
	NEED(syscall(THIS_CALL) == -1 && errno == 77);
	NEED(syscall(THIS_CALL) == getpgrp());
	return 0;
}

static int answer_three(void)
{
	struct seccomp_notif notif;

	setpgid(0, 0); /* so that the asker's group is its parent */
	NEED(begin(ask_three, 0) == 0);
	NEED(receive(&notif) == 0);
	NEED(notif.pid == (unsigned)asker && notif.flags == 0 && notif.data.nr == THIS_CALL);
	for (int i = 0; i < 6; i++)
		NEED(notif.data.args[i] == 11u * (unsigned)(i + 1));
	NEED(is_valid(notif.id) == 0 && is_valid(notif.id + 99) == -1 && errno == ENOENT);
	NEED(answer(notif.id, 4711, 0, 0) == 0);
	NEED(receive(&notif) == 0 && answer(notif.id, 0, -77, 0) == 0);
	NEED(receive(&notif) == 0 && answer(notif.id, 0, 0, CONTINUE) == 0);
	NEED(end() == 0);
	NEED(is_valid(notif.id) == -1 && errno == ENOENT);
	return 0;
}

static void a_listener_answers_calls(void)
{
	EXPECT_EQUAL(in_child_as(0, answer_three), 0);
}

static int ask_one(void)
{
	return syscall(THIS_CALL) == 4711 ? 0 : errno;
}

static int answer_wrongly(void)
{
	struct seccomp_notif notif = {.pid = 1};
	char link[64] = "", path[64];

	NEED(begin(ask_one, 0) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", listener);
	NEED(readlink(path, link, sizeof(link)) > 0 && strstr(link, "seccomp notify"));
	NEED(add_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER, SYS_getuid, 0) == -1 && errno == EBUSY);
	NEED(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notif) == -1 && errno == EINVAL);
	NEED(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, (void *)8) == -1 && errno == EFAULT);
	NEED(receive(&notif) == 0);
	NEED(answer(notif.id, 0, 0, 2) == -1 && errno == EINVAL);
	NEED(answer(notif.id, 1, 0, CONTINUE) == -1 && errno == EINVAL);
	NEED(answer(notif.id, 0, -1, CONTINUE) == -1 && errno == EINVAL);
	NEED(answer(notif.id + 99, 0, 0, 0) == -1 && errno == ENOENT);
	NEED(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, (void *)8) == -1 && errno == EFAULT);
	NEED(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, (void *)8) == -1 && errno == EFAULT);
	NEED(ioctl(listener, 0x5401, (void *)8) == -1 && (errno == EINVAL || errno == ENOTTY));
	NEED(answer(notif.id, 4711, 0, 0) == 0);
	NEED(answer(notif.id, 4711, 0, 0) == -1 && (errno == EINPROGRESS || errno == ENOENT));
	NEED(end() == 0);
	return 0;
}

static void what_is_no_answer_is_refused(void)
{
	EXPECT_EQUAL(in_child_as(0, answer_wrongly), 0);
}

/* ---- waiting for questions ---- */

static int events(void)
{
	struct pollfd one = {.fd = listener, .events = POLLIN | POLLOUT};

	return poll(&one, 1, 0) >= 0 ? one.revents : -1;
}

static int wait_by_poll(void)
{
	struct pollfd one = {.events = POLLIN};
	struct seccomp_notif notif;

	NEED(begin(ask_one, 0) == 0);
	one.fd = listener;
	NEED(poll(&one, 1, -1) == 1 && one.revents == POLLIN);
	NEED(receive(&notif) == 0 && events() == POLLOUT);
	NEED(answer(notif.id, 4711, 0, 0) == 0 && end() == 0);
	NEED(events() == 0);
	return 0;
}

static int ask_by_its_own_filter(void)
{
	int fd;

	fd = (int)add_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER, THIS_CALL, SECCOMP_RET_USER_NOTIF);
	return fd == listener ? ask_one() : 255;
}

/* The only thread with the filter, which shares its descriptors, ends. */
static int hang_up(void)
{
	struct pollfd one = {.events = POLLIN};
	struct seccomp_notif notif;

	listener = dup(0); /* the lowest number that is free next */
	NEED(listener >= 0 && close(listener) == 0);
	asker = (pid_t)syscall(SYS_clone, 0x400 | SIGCHLD, 0, 0, 0, 0); /* CLONE_FILES */
	if (asker == 0)
		_exit(ask_by_its_own_filter());
	one.fd = listener;
	/* Until it is there: a descriptor that is not one is told at once. */
	do
		NEED(poll(&one, 1, 0) >= 0);
	while (one.revents & POLLNVAL);
	NEED(receive(&notif) == 0 && answer(notif.id, 4711, 0, 0) == 0);
	NEED(end() == 0);
	one.events = 0;
	NEED(poll(&one, 1, -1) == 1 && one.revents == POLLHUP);
	return 0;
}

static void a_listener_can_be_polled(void)
{
	EXPECT_EQUAL(in_child_as(0, wait_by_poll), 0);
	EXPECT_EQUAL(in_child_as(0, hang_up), 0);
}

/* ---- ends ---- */

static int stop_listening(void)
{
	struct seccomp_notif notif;

	NEED(begin(ask_one, 0) == 0);
	NEED(receive(&notif) == 0 && close(listener) == 0);
	NEED(end() == ENOSYS << 8);
	NEED(ask_one() == ENOSYS);
	return 0;
}

static int kill_asker(void)
{
	struct seccomp_notif notif;

	NEED(begin(ask_one, 0) == 0);
	NEED(receive(&notif) == 0 && kill(asker, SIGKILL) == 0);
	NEED(end() == SIGKILL);
	NEED(is_valid(notif.id) == -1 && errno == ENOENT);
	NEED(answer(notif.id, 4711, 0, 0) == -1 && errno == ENOENT);
	return 0;
}

static void who_asks_or_listens_may_end(void)
{
	EXPECT_EQUAL(in_child_as(0, stop_listening), 0);
	EXPECT_EQUAL(in_child_as(0, kill_asker), 0);
}

/* ---- signals ---- */

static int handler_flags;

static int ask_with_handler(void)
{
	int error;

	NEED(install(SIGUSR1, note, handler_flags) == 0);
	error = ask_one();
	NEED(ncalls == 1);
	return error;
}

static int interrupt(void)
{
	struct seccomp_notif notif;

	NEED(begin(ask_with_handler, 0) == 0);
	NEED(receive(&notif) == 0 && kill(asker, SIGUSR1) == 0);
	NEED(end() == EINTR << 8);
	return 0;
}

static int interrupt_and_ask_again(void)
{
	struct seccomp_notif notif;
	uint64_t first;

	NEED(begin(ask_with_handler, 0) == 0);
	NEED(receive(&notif) == 0 && kill(asker, SIGUSR1) == 0);
	first = notif.id;
	NEED(receive(&notif) == 0 && notif.id != first);
	NEED(answer(first, 1, 0, 0) == -1 && errno == ENOENT);
	NEED(answer(notif.id, 4711, 0, 0) == 0 && end() == 0);
	return 0;
}

/* Once it was read, a question lasts. */
static int do_not_interrupt(void)
{
	struct seccomp_notif notif;

	NEED(begin(ask_with_handler, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) == 0);
	NEED(receive(&notif) == 0 && kill(asker, SIGUSR1) == 0);
	NEED(is_valid(notif.id) == 0);
	NEED(answer(notif.id, 4711, 0, 0) == 0 && end() == 0);
	return 0;
}

static void a_question_ends_by_a_signal(void)
{
	handler_flags = 0;
	EXPECT_EQUAL(in_child_as(0, interrupt), 0);
	handler_flags = SA_RESTART;
	EXPECT_EQUAL(in_child_as(0, interrupt_and_ask_again), 0);
	handler_flags = 0;
	EXPECT_EQUAL(in_child_as(0, do_not_interrupt), 0);
}

/* ---- descriptors ---- */

static int give(uint64_t id, unsigned flags, int from, int to, unsigned to_flags)
{
	struct seccomp_notif_addfd addfd = {id, flags, (unsigned)from, (unsigned)to, to_flags};

	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &addfd);
}

static int ask_for_files(void)
{
	long fd = syscall(THIS_CALL, 1);
	char byte;

	NEED(fd > 2 && read((int)fd, &byte, 1) == 1 && byte == 'x');
	NEED(fcntl((int)fd, F_GETFD) == FD_CLOEXEC);
	NEED(read(40, &byte, 1) == 1 && byte == 'y');
	NEED(fcntl(40, F_GETFD) == 0);
	fd = syscall(THIS_CALL, 2);
	NEED(fd > 2 && read((int)fd, &byte, 1) == 1 && byte == 'z');
	return 0;
}

static int give_files(void)
{
	struct seccomp_notif notif;
	int ends[2], fd;

	NEED(pipe(ends) == 0 && write(ends[1], "xyz", 3) == 3);
	NEED(begin(ask_for_files, 0) == 0);
	NEED(receive(&notif) == 0);
	NEED(give(notif.id, 0, -1, 0, 0) == -1 && errno == EBADF);
	NEED(give(notif.id, 8, ends[0], 0, 0) == -1 && errno == EINVAL);
	NEED(give(notif.id, 0, ends[0], 40, 0) == -1 && errno == EINVAL);
	NEED(give(notif.id, 0, ends[0], 0, O_NONBLOCK) == -1 && errno == EINVAL);
	NEED(give(notif.id + 99, 0, ends[0], 0, 0) == -1 && errno == ENOENT);
	fd = give(notif.id, 0, ends[0], 0, O_CLOEXEC);
	NEED(fd > 2);
	NEED(give(notif.id, SECCOMP_ADDFD_FLAG_SETFD, ends[0], 40, 0) == 40);
	NEED(give(notif.id, SECCOMP_ADDFD_FLAG_SETFD, ends[0], 1 << 30, 0) == -1);
	NEED(errno == EBADF);
	NEED(answer(notif.id, fd, 0, 0) == 0);
	NEED(receive(&notif) == 0);
	NEED(give(notif.id, SECCOMP_ADDFD_FLAG_SEND, ends[0], 0, 0) > 2);
	NEED(end() == 0);
	return 0;
}

static void a_listener_gives_descriptors(void)
{
	EXPECT_EQUAL(in_child_as(0, give_files), 0);
}

int main(void)
{
	RUN(a_listener_answers_calls);
	RUN(what_is_no_answer_is_refused);
	RUN(a_listener_can_be_polled);
	RUN(who_asks_or_listens_may_end);
	RUN(a_question_ends_by_a_signal);
	RUN(a_listener_gives_descriptors);
	return check_end();
}
