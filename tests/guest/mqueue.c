/*
 * POSIX message queues: mq_open, mq_unlink, mq_timedsend, mq_timedreceive, mq_notify,
 * mq_getsetattr.
 */
#include <mqueue.h>
#include <poll.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "as_user.h"
#include "check.h"
#include "ipc_help.h"
#include "signal_help.h"

static char name[32]; /* of this run */
static mqd_t queue;
static char text[8192];
static unsigned priority;

static mqd_t make(long maxmsg, long msgsize, int flags)
{
	struct mq_attr attr = {.mq_maxmsg = maxmsg, .mq_msgsize = msgsize};

	queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL | flags, 0600, &attr);
	return queue;
}

static void drop(void)
{
	mq_close(queue);
	mq_unlink(name);
}

static int send_text(const char *what, unsigned urgency)
{
	return mq_send(queue, what, strlen(what) + 1, urgency);
}

static ssize_t take(void)
{
	memset(text, 0x55, sizeof(text));
	return mq_receive(queue, text, sizeof(text), &priority);
}

static void the_most_urgent_comes_first(void)
{
	EXPECT(make(4, 16, 0) >= 0);
	EXPECT_EQUAL(send_text("low", 1), 0);
	EXPECT_EQUAL(send_text("high", 32767), 0);
	EXPECT_EQUAL(send_text("later", 1), 0);
	EXPECT_EQUAL(send_text("", 0), 0);
	EXPECT_EQUAL(take(), 5);
	EXPECT(strcmp(text, "high") == 0);
	EXPECT_EQUAL(priority, 32767);
	EXPECT_EQUAL(take(), 4);
	EXPECT(strcmp(text, "low") == 0);
	EXPECT_EQUAL(take(), 6);
	EXPECT(strcmp(text, "later") == 0);
	EXPECT_EQUAL(mq_receive(queue, text, 16, NULL), 1);
	drop();
}

static void names_are_found_and_removed(void)
{
	mqd_t second;

	EXPECT_ERRNO(ENOENT, mq_open(name, O_RDONLY));
	EXPECT(make(1, 8, 0) >= 0);
	EXPECT_ERRNO(EEXIST, mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, NULL));
	second = mq_open(name, O_RDONLY | O_CREAT, 0600, NULL);
	EXPECT(second >= 0);
	EXPECT_EQUAL(fcntl(second, F_GETFD), FD_CLOEXEC);
	EXPECT_EQUAL(send_text("x", 0), 0);
	EXPECT_EQUAL(mq_unlink(name), 0);
	EXPECT_ERRNO(ENOENT, mq_unlink(name));
	EXPECT_EQUAL(mq_receive(second, text, 8, NULL), 2); /* it lives while it is open */
	EXPECT_ERRNO(EBADF, mq_send(second, "x", 1, 0));
	mq_close(second);
	EXPECT(make(1, 8, 0) >= 0);
	drop();
	EXPECT_ERRNO(ENOENT, syscall(SYS_mq_open, "", O_RDWR | O_CREAT, 0600, NULL));
	EXPECT_ERRNO(EACCES, syscall(SYS_mq_open, "a/b", O_RDWR | O_CREAT, 0600, NULL));
	EXPECT_ERRNO(EFAULT, syscall(SYS_mq_open, (char *)1, O_RDWR, 0, NULL));
	EXPECT_ERRNO(EFAULT, syscall(SYS_mq_open, "x", O_RDWR | O_CREAT, 0600, (void *)1));
	EXPECT_ERRNO(EFAULT, syscall(SYS_mq_unlink, (char *)1));
	memset(text, 'n', 256);
	text[256] = 0;
	EXPECT_ERRNO(ENAMETOOLONG, syscall(SYS_mq_open, text, O_RDWR | O_CREAT, 0600, NULL));
	EXPECT_ERRNO(ENAMETOOLONG, syscall(SYS_mq_unlink, text));
}

static void attributes_are_told(void)
{
	struct mq_attr attr, before;

	EXPECT(make(3, 20, O_NONBLOCK) >= 0);
	EXPECT_EQUAL(send_text("x", 0), 0);
	EXPECT_EQUAL(mq_getattr(queue, &attr), 0);
	EXPECT_EQUAL(attr.mq_flags, O_NONBLOCK);
	EXPECT_EQUAL(attr.mq_maxmsg, 3);
	EXPECT_EQUAL(attr.mq_msgsize, 20);
	EXPECT_EQUAL(attr.mq_curmsgs, 1);
	attr.mq_flags = 0;
	attr.mq_maxmsg = 100; /* not to be changed */
	EXPECT_EQUAL(mq_setattr(queue, &attr, &before), 0);
	EXPECT_EQUAL(before.mq_flags, O_NONBLOCK);
	EXPECT_EQUAL(mq_getattr(queue, &attr), 0);
	EXPECT_EQUAL(attr.mq_flags, 0);
	EXPECT_EQUAL(attr.mq_maxmsg, 3);
	attr.mq_flags = O_APPEND;
	EXPECT_ERRNO(EINVAL, mq_setattr(queue, &attr, NULL));
	EXPECT_ERRNO(EBADF, syscall(SYS_mq_getsetattr, 0, NULL, &attr));
	EXPECT_ERRNO(EBADF, syscall(SYS_mq_getsetattr, -1, NULL, &attr));
	EXPECT_ERRNO(EFAULT, syscall(SYS_mq_getsetattr, queue, (void *)1, NULL));
	EXPECT_ERRNO(EFAULT, syscall(SYS_mq_getsetattr, queue, NULL, (void *)1));
	drop();
	EXPECT_ERRNO(EINVAL, make(0, 8, 0));
	EXPECT_ERRNO(EINVAL, make(1, 0, 0));
	EXPECT_ERRNO(EINVAL, make(65537, 8, 0));
	queue = mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
	EXPECT_EQUAL(mq_getattr(queue, &attr), 0);
	EXPECT_EQUAL(attr.mq_maxmsg, 10);
	EXPECT_EQUAL(attr.mq_msgsize, 8192);
	drop();
}

static void what_does_not_fit_is_refused(void)
{
	struct timespec past = {1, 0}, wrong = {0, 1000000000};

	EXPECT(make(1, 8, O_NONBLOCK) >= 0);
	EXPECT_ERRNO(EMSGSIZE, mq_send(queue, text, 9, 0));
	EXPECT_ERRNO(EINVAL, mq_send(queue, text, 1, 32768));
	EXPECT_ERRNO(EMSGSIZE, mq_receive(queue, text, 7, NULL));
	EXPECT_ERRNO(EAGAIN, mq_receive(queue, text, 8, NULL));
	EXPECT_ERRNO(EFAULT, syscall(SYS_mq_timedsend, queue, (void *)1, 4, 0, NULL));
	EXPECT_ERRNO(EFAULT, syscall(SYS_mq_timedsend, queue, text, 4, 0, (void *)1));
	EXPECT_ERRNO(EINVAL, mq_timedsend(queue, text, 4, 0, &wrong));
	EXPECT_ERRNO(EINVAL, mq_timedreceive(queue, text, 8, NULL, &wrong));
	EXPECT_ERRNO(EFAULT, syscall(SYS_mq_timedreceive, queue, text, 8, NULL, (void *)1));
	EXPECT_EQUAL(send_text("x", 0), 0);
	EXPECT_ERRNO(EAGAIN, send_text("y", 0));
	EXPECT_ERRNO(EFAULT, syscall(SYS_mq_timedreceive, queue, (void *)1, 8, NULL, NULL));
	EXPECT_EQUAL(send_text("x", 0), 0); /* that one is lost */
	EXPECT_ERRNO(EFAULT, syscall(SYS_mq_timedreceive, queue, text, 8, (void *)1, NULL));
	EXPECT_ERRNO(EBADF, syscall(SYS_mq_timedsend, 0, text, 1, 0, NULL));
	EXPECT_ERRNO(EBADF, syscall(SYS_mq_timedsend, -1, text, 1, 0, NULL));
	EXPECT_ERRNO(EBADF, syscall(SYS_mq_timedreceive, -1, text, 8, NULL, NULL));
	mq_setattr(queue, &(struct mq_attr){0}, NULL);
	EXPECT_ERRNO(ETIMEDOUT, mq_timedreceive(queue, text, 8, NULL, &past));
	EXPECT_EQUAL(send_text("x", 0), 0);
	EXPECT_ERRNO(ETIMEDOUT, mq_timedsend(queue, "y", 2, 0, &past));
	drop();
}

/* ---- waiting ---- */

static int receive_one(void)
{
	return take() < 0 ? errno : text[0];
}

static int send_z(void)
{
	return send_text("z", 0) ? errno : 0;
}

static int receive_with_handler(void)
{
	install(SIGUSR1, note, 0);
	return receive_one();
}

static void who_waits_goes_on(void)
{
	pid_t waiter, second;

	EXPECT(make(1, 8, 0) >= 0);
	waiter = sleeping_child(receive_one);
	second = sleeping_child(receive_one);
	EXPECT_EQUAL(send_text("a", 0), 0);
	EXPECT_EQUAL(end_of(waiter), 'a'); /* the longest waiting */
	EXPECT_EQUAL(send_text("b", 0), 0);
	EXPECT_EQUAL(end_of(second), 'b');
	EXPECT_EQUAL(send_text("c", 0), 0);
	waiter = sleeping_child(send_z);
	EXPECT_EQUAL(take(), 2);
	EXPECT_EQUAL(end_of(waiter), 0);
	EXPECT_EQUAL(take(), 2);
	EXPECT_EQUAL(text[0], 'z');
	waiter = sleeping_child(receive_with_handler);
	kill(waiter, SIGUSR1);
	EXPECT_EQUAL(end_of(waiter), EINTR);
	drop();
}

static void a_queue_can_be_polled(void)
{
	struct pollfd item = {.events = POLLIN | POLLOUT};

	EXPECT(make(1, 8, 0) >= 0);
	item.fd = queue;
	EXPECT_EQUAL(poll(&item, 1, 0), 1);
	EXPECT_EQUAL(item.revents, POLLOUT);
	EXPECT_EQUAL(send_text("a", 0), 0);
	EXPECT_EQUAL(poll(&item, 1, 0), 1);
	EXPECT_EQUAL(item.revents, POLLIN);
	drop();
}

/* ---- mq_notify ---- */

static void a_message_in_an_empty_queue_is_told_once(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};

	event.sigev_value.sival_int = 42;
	EXPECT(make(4, 8, 0) >= 0);
	install_info(SIGUSR1, note_info, 0);
	EXPECT_EQUAL(mq_notify(queue, &event), 0);
	EXPECT_ERRNO(EBUSY, mq_notify(queue, &event));
	EXPECT_EQUAL(send_text("a", 0), 0);
	EXPECT_EQUAL(ncalls, 1);
	EXPECT_EQUAL(last_info.si_code, SI_MESGQ);
	EXPECT_EQUAL(last_info.si_value.sival_int, 42);
	EXPECT_EQUAL(last_info.si_pid, getpid());
	EXPECT_EQUAL(take(), 2);
	EXPECT_EQUAL(send_text("b", 0), 0);
	EXPECT_EQUAL(ncalls, 1);
	EXPECT_EQUAL(mq_notify(queue, &event), 0);
	EXPECT_EQUAL(send_text("c", 0), 0); /* it was not empty */
	EXPECT_EQUAL(ncalls, 1);
	EXPECT_EQUAL(mq_notify(queue, NULL), 0);
	EXPECT_EQUAL(mq_notify(queue, &event), 0);
	drop();
	EXPECT(make(1, 8, 0) >= 0);
	event.sigev_notify = SIGEV_NONE;
	EXPECT_EQUAL(mq_notify(queue, &event), 0);
	event.sigev_notify = SIGEV_SIGNAL;
	EXPECT_ERRNO(EBUSY, mq_notify(queue, &event));
	EXPECT_EQUAL(send_text("d", 0), 0);
	EXPECT_EQUAL(ncalls, 1);
	event.sigev_signo = 65;
	EXPECT_ERRNO(EINVAL, syscall(SYS_mq_notify, queue, &event));
	event.sigev_notify = 77;
	EXPECT_ERRNO(EINVAL, syscall(SYS_mq_notify, queue, &event));
	EXPECT_ERRNO(EFAULT, syscall(SYS_mq_notify, queue, (void *)1));
	EXPECT_ERRNO(EBADF, syscall(SYS_mq_notify, 0, NULL));
	EXPECT_ERRNO(EBADF, syscall(SYS_mq_notify, -1, NULL));
	drop();
}

static void a_close_gives_up_being_told(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	int copy;

	EXPECT(make(1, 8, 0) >= 0);
	EXPECT_EQUAL(mq_notify(queue, &event), 0);
	copy = dup(queue);
	EXPECT_EQUAL(close(copy), 0);
	EXPECT_EQUAL(mq_notify(queue, &event), 0);
	drop();
}

/* ---- SIGEV_THREAD: by the library, and by hand as it does it ---- */

static sem_t called;

static void in_a_thread(union sigval value)
{
	*(int *)value.sival_ptr = 7;
	sem_post(&called);
}

static void a_function_runs_in_a_thread(void)
{
	const struct timespec limit = {.tv_sec = time(NULL) + 20};
	int was_called = 0;
	struct sigevent event = {.sigev_notify = SIGEV_THREAD,
				 .sigev_notify_function = in_a_thread,
				 .sigev_value.sival_ptr = &was_called};

	EXPECT_EQUAL(sem_init(&called, 0, 0), 0);
	EXPECT(make(2, 8, 0) >= 0);
	EXPECT_EQUAL(mq_notify(queue, &event), 0);
	EXPECT_EQUAL(send_text("a", 0), 0);
	EXPECT_EQUAL(sem_timedwait(&called, &limit), 0);
	EXPECT_EQUAL(was_called, 7);
	drop();
}

static void a_cookie_comes_to_the_socket(void)
{
	char cookie[32] = "the library's", got[64];
	struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_ptr = cookie};
	int other = socket(AF_UNIX, SOCK_DGRAM, 0);
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);

	EXPECT(sock >= 0 && other >= 0);
	EXPECT(make(2, 8, 0) >= 0);
	event.sigev_signo = sock;
	EXPECT_EQUAL(syscall(SYS_mq_notify, queue, &event), 0);
	EXPECT_ERRNO(EBUSY, syscall(SYS_mq_notify, queue, &event));
	EXPECT_ERRNO(EAGAIN, recv(sock, got, sizeof(got), MSG_DONTWAIT));
	EXPECT_EQUAL(send_text("a", 0), 0);
	EXPECT_EQUAL(recv(sock, got, sizeof(got), MSG_WAITALL), 32);
	EXPECT(strcmp(got, cookie) == 0 && got[31] == 1);
	EXPECT_EQUAL(take(), 2);
	EXPECT_EQUAL(syscall(SYS_mq_notify, queue, &event), 0);
	EXPECT_EQUAL(syscall(SYS_mq_notify, queue, NULL), 0); /* not any more */
	EXPECT_EQUAL(recv(sock, got, sizeof(got), 0), 32);
	EXPECT_EQUAL(got[31], 2);
	event.sigev_signo = 1000;
	EXPECT_ERRNO(EBADF, syscall(SYS_mq_notify, queue, &event));
	event.sigev_signo = queue;
	EXPECT_ERRNO(ENOTSOCK, syscall(SYS_mq_notify, queue, &event));
	event.sigev_signo = other;
	EXPECT_ERRNO(EINVAL, syscall(SYS_mq_notify, queue, &event));
	event.sigev_signo = sock;
	event.sigev_value.sival_ptr = (void *)8;
	EXPECT_ERRNO(EFAULT, syscall(SYS_mq_notify, queue, &event));
	close(sock), close(other);
	drop();
}

/* Cookies that nobody takes are limited as what waits at the socket: then mq_notify waits. */
static void cookies_that_nobody_takes_are_limited(void)
{
	const struct itimerval often = {{0, 20000}, {0, 20000}};
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_signo = sock};
	char cookie[32] = "c";
	int least = 1, ncookies = 0, result = 0;

	event.sigev_value.sival_ptr = cookie;
	EXPECT(make(2, 8, 0) >= 0);
	EXPECT_EQUAL(setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least)), 0);
	EXPECT_EQUAL(install(SIGALRM, note, 0), 0);
	EXPECT_EQUAL(setitimer(ITIMER_REAL, &often, NULL), 0);
	while (ncookies < 1000 && !result) {
		result = (int)syscall(SYS_mq_notify, queue, &event);
		ncookies += !result;
		if (!result)
			EXPECT_EQUAL(syscall(SYS_mq_notify, queue, NULL), 0);
	}
	EXPECT_EQUAL(result, -1);
	EXPECT_EQUAL(errno, EINTR);
	EXPECT(ncookies > 1 && ncookies < 1000);
	EXPECT_EQUAL(setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL), 0);
	/* There is room again. */
	while (recv(sock, text, sizeof(text), MSG_DONTWAIT) == 32)
		ncookies--;
	EXPECT_EQUAL(ncookies, 0);
	EXPECT_EQUAL(syscall(SYS_mq_notify, queue, &event), 0);
	close(sock);
	drop();
}

static int execute_after_asking(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	char number[16];

	signal(SIGUSR1, SIG_DFL);
	NEED(fcntl(queue, F_SETFD, 0) == 0 && mq_notify(queue, &event) == 0);
	snprintf(number, sizeof(number), "%d", queue);
	execl("/proc/self/exe", "mqueue", number, NULL);
	return 250;
}

/* The other program, which inherits the queue: a signal would end it. */
static int send_after_exec(const char *number)
{
	return mq_send(atoi(number), "x", 1, 0) ? 1 : 0;
}

static void another_program_is_not_told(void)
{
	EXPECT(make(1, 8, 0) >= 0);
	EXPECT_EQUAL(in_child_as(0, execute_after_asking), 0);
	drop();
}

/* ---- limits, rights, files ---- */

static int open_too_much(void)
{
	struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = 1000};

	NEED(set_limit(RLIMIT_MSGQUEUE, 5000));
	NEED(mq_open(name, O_RDWR | O_CREAT, 0600, &attr) == -1 && errno == EMFILE);
	attr.mq_maxmsg = 2;
	NEED((queue = mq_open(name, O_RDWR | O_CREAT, 0600, &attr)) >= 0);
	NEED(mq_unlink(name) == 0);
	attr.mq_maxmsg = 11;
	attr.mq_msgsize = 1;
	NEED(mq_open(name, O_RDWR | O_CREAT, 0600, &attr) == -1 && errno == EINVAL);
	return 0;
}

static int may_do_nothing(void)
{
	NEED(mq_open(name, O_RDONLY) == -1 && errno == EACCES);
	NEED(syscall(SYS_mq_unlink, name + 1) == -1 && errno == EPERM);
	return 0;
}

static int may_read(void)
{
	NEED(mq_open(name, O_RDWR) == -1 && errno == EACCES);
	NEED(mq_open(name, O_RDONLY) >= 0);
	return 0;
}

static void rights_and_limits_hold(void)
{
	if (geteuid())
		return;
	EXPECT_EQUAL(as_user(open_too_much), 0);
	EXPECT(make(1, 8, 0) >= 0);
	EXPECT_EQUAL(as_user(may_do_nothing), 0);
	drop();
	umask(0);
	queue = mq_open(name, O_RDWR | O_CREAT, 0644, NULL);
	EXPECT_EQUAL(as_user(may_read), 0);
	drop();
}

/* What is mounted on /dev/mqueue, where it is. */
static void queues_are_files(void)
{
	static const char state[] = "QSIZE:5          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n";
	struct stat stat;
	char path[64];
	int fd;

	EXPECT(make(2, 8, 0) >= 0);
	EXPECT_EQUAL(fstat(queue, &stat), 0);
	EXPECT_EQUAL(stat.st_mode, S_IFREG | 0600);
	EXPECT_EQUAL(stat.st_size, 80);
	EXPECT_EQUAL(send_text("four", 0), 0);
	EXPECT_EQUAL(read(queue, text, sizeof(text)), strlen(state));
	EXPECT(memcmp(text, state, strlen(state)) == 0);
	EXPECT_EQUAL(read(queue, text, sizeof(text)), 0);
	snprintf(path, sizeof(path), "/dev/mqueue%s", name);
	if (access(path, F_OK) == 0) {
		fd = open(path, O_RDONLY);
		EXPECT(fd >= 0);
		EXPECT_EQUAL(mq_receive(fd, text, sizeof(text), NULL), 5);
		close(fd);
		EXPECT_EQUAL(unlink(path), 0);
		EXPECT_ERRNO(ENOENT, mq_unlink(name));
	} else {
		EXPECT(may_be_restricted());
	}
	drop();
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return send_after_exec(argv[1]);
	snprintf(name, sizeof(name), "/guest-%d", getpid());
	RUN(the_most_urgent_comes_first);
	RUN(names_are_found_and_removed);
	RUN(attributes_are_told);
	RUN(what_does_not_fit_is_refused);
	RUN(who_waits_goes_on);
	RUN(a_queue_can_be_polled);
	RUN(a_message_in_an_empty_queue_is_told_once);
	RUN(a_close_gives_up_being_told);
	RUN(a_function_runs_in_a_thread);
	RUN(a_cookie_comes_to_the_socket);
	RUN(cookies_that_nobody_takes_are_limited);
	RUN(another_program_is_not_told);
	RUN(rights_and_limits_hold);
	RUN(queues_are_files);
	return check_end();
}
