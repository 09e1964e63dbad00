/*
 * Unix sockets with names: binding, listening, connecting, accepting; who is told what.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "as_user.h"
#include "check.h"
#include "socket_help.h"

static char folder[] = "/tmp/sockets-XXXXXX";

static void a_connection_goes_both_ways(void)
{
	static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};

	for (int i = 0; i < 2; i++) {
		struct sockaddr_un from;
		socklen_t len = sizeof(from);
		struct stat stat;
		int server, client, accepted;

		umask(027);
		server = listening(types[i], "sock", 5);
		umask(022);
		EXPECT(server >= 0);
		EXPECT(lstat("sock", &stat) == 0 && stat.st_mode == (S_IFSOCK | 0750));
		EXPECT_ERRNO(ENXIO, open("sock", O_RDWR));
		EXPECT_EQUAL(option(server, SO_ACCEPTCONN), 1);
		EXPECT_EQUAL(events_of(server), 0);
		client = socket(AF_UNIX, types[i], 0);
		EXPECT_EQUAL(events_of(client), POLLOUT | POLLHUP);
		EXPECT_EQUAL(connect(client, NAMED("sock")), 0);
		EXPECT_EQUAL(events_of(server), POLLIN);
		EXPECT_EQUAL(events_of(client), POLLOUT);
		EXPECT_EQUAL(write(client, "early", 5), 5);
		accepted = accept(server, (struct sockaddr *)&from, &len);
		EXPECT(accepted >= 0 && len == 2 && from.sun_family == AF_UNIX);
		EXPECT_EQUAL(fcntl(accepted, F_GETFD), 0);
		EXPECT_EQUAL(option(accepted, SO_ACCEPTCONN), 0);
		EXPECT(reads(accepted, "early"));
		EXPECT_EQUAL(send(accepted, "back", 4, 0), 4);
		EXPECT(reads(client, "back"));
		EXPECT(strcmp(name_of(accepted, false), "sock") == 0);
		EXPECT(strcmp(name_of(client, true), "sock") == 0);
		EXPECT(strcmp(name_of(client, false), "") == 0);
		EXPECT(strcmp(name_of(accepted, true), "") == 0);
		EXPECT_ERRNO(EISCONN, connect(client, NAMED("sock")));
		EXPECT_ERRNO(EINVAL, connect(server, NAMED("sock")));
		EXPECT_ERRNO(EINVAL, listen(client, 1));
		EXPECT_EQUAL(close(client), 0);
		EXPECT(reads(accepted, ""));
		close(accepted);
		close(server);
		EXPECT_ERRNO(ECONNREFUSED, connected(types[i], "sock")); /* a stale name */
		EXPECT_EQUAL(unlink("sock"), 0);
		EXPECT_ERRNO(ENOENT, connected(types[i], "sock"));
	}
}

static void names_are_checked(void)
{
	struct sockaddr_un longest;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int other;
	socklen_t len;
	char got[128];

	EXPECT_ERRNO(EINVAL, bind(fd, named("x"), 1));
	EXPECT_ERRNO(EINVAL, bind(fd, named("x"), sizeof(name) + 1));
	EXPECT_ERRNO(EINVAL, bind(fd, named("x"), -1));
	EXPECT_ERRNO(EFAULT, syscall(SYS_bind, fd, 8, 10));
	named("x");
	name.sun_family = AF_INET;
	EXPECT_ERRNO(EINVAL, bind(fd, (struct sockaddr *)&name, length("x")));
	EXPECT_ERRNO(EINVAL, connect(fd, (struct sockaddr *)&name, length("x")));
	EXPECT_ERRNO(EBADF, bind(999, NAMED("x")));
	EXPECT_ERRNO(ENOTSOCK, bind(0, NAMED("x")));
	EXPECT_ERRNO(ENOENT, bind(fd, NAMED("none/x")));
	EXPECT_ERRNO(EINVAL, listen(fd, 1)); /* nobody could find it */
	EXPECT_ERRNO(ENOTCONN, getpeername(fd, (struct sockaddr *)&longest, &len));
	close(open("plain", O_CREAT | O_WRONLY, 0600));
	EXPECT_ERRNO(EADDRINUSE, bind(fd, NAMED("plain")));
	EXPECT_ERRNO(ECONNREFUSED, connect(fd, NAMED("plain")));
	unlink("plain");
	/* The name may fill the structure; what is told has a NUL behind it. */
	memset(&longest, 'l', sizeof(longest));
	longest.sun_family = AF_UNIX;
	EXPECT_EQUAL(bind(fd, (struct sockaddr *)&longest, sizeof(longest)), 0);
	len = sizeof(got);
	EXPECT_EQUAL(getsockname(fd, (struct sockaddr *)got, &len), 0);
	EXPECT(len == sizeof(longest) + 1 && got[sizeof(longest)] == 0);
	len = 5;
	EXPECT_EQUAL(getsockname(fd, (struct sockaddr *)got, &len), 0);
	EXPECT_EQUAL(len, sizeof(longest) + 1);
	len = (socklen_t)-1;
	EXPECT_ERRNO(EINVAL, getsockname(fd, (struct sockaddr *)got, &len));
	EXPECT_ERRNO(EFAULT, syscall(SYS_getsockname, fd, got, 8));
	memcpy(got, longest.sun_path, sizeof(longest.sun_path));
	got[sizeof(longest.sun_path)] = 0;
	EXPECT_EQUAL(unlink(got), 0);
	EXPECT_ERRNO(EINVAL, bind(fd, NAMED("second")));
	EXPECT_ERRNO(ENOENT, unlink("second"));
	close(fd);
	/* Others by types. */
	fd = bound(SOCK_DGRAM, "dgram");
	EXPECT(fd >= 0);
	EXPECT_ERRNO(EPROTOTYPE, connected(SOCK_STREAM, "dgram"));
	EXPECT_ERRNO(EOPNOTSUPP, listen(fd, 1));
	EXPECT_ERRNO(EOPNOTSUPP, accept(fd, NULL, NULL));
	EXPECT_ERRNO(EADDRINUSE, bound(SOCK_STREAM, "dgram"));
	EXPECT_EQUAL(rename("dgram", "moved"), 0); /* still the same one */
	other = connected(SOCK_DGRAM, "moved");
	EXPECT(other >= 0 && strcmp(name_of(other, true), "dgram") == 0);
	close(other);
	close(fd);
	unlink("moved");
}

static int without_permission(void)
{
	NEED(connected(SOCK_DGRAM, "guarded") == -1 && errno == EACCES);
	NEED(connected(SOCK_DGRAM, "open") >= 0);
	NEED(bound(SOCK_DGRAM, "locked/mine") == -1 && errno == EACCES);
	NEED(sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0, NAMED("guarded")) == -1 &&
	     errno == EACCES);
	return 0;
}

/* To connect is to write. */
static void names_have_permissions(void)
{
	int guarded = bound(SOCK_DGRAM, "guarded");
	int open_ = bound(SOCK_DGRAM, "open");

	EXPECT(guarded >= 0 && open_ >= 0);
	EXPECT(chmod("guarded", 0644) == 0 && chmod("open", 0622) == 0);
	EXPECT(mkdir("locked", 0755) == 0);
	EXPECT_EQUAL(as_user(without_permission), 0);
	EXPECT(unlink("guarded") == 0 && unlink("open") == 0 && rmdir("locked") == 0);
	close(guarded), close(open_);
}

static void abstract_names_end_with_their_sockets(void)
{
	char text[32];
	int fd, other;

	snprintf(text, sizeof(text), "@fuselage-%d", getpid());
	fd = listening(SOCK_STREAM, text, 1);
	EXPECT(fd >= 0);
	EXPECT_ERRNO(EADDRINUSE, bound(SOCK_STREAM, text));
	other = bound(SOCK_DGRAM, text); /* each type has its own */
	EXPECT(other >= 0);
	close(other);
	other = connected(SOCK_STREAM, text);
	EXPECT(other >= 0 && strcmp(name_of(other, true), text) == 0);
	close(other);
	close(fd);
	EXPECT_ERRNO(ECONNREFUSED, connected(SOCK_STREAM, text));
	fd = bound(SOCK_STREAM, text);
	EXPECT(fd >= 0);
	close(fd);
	/* Five digits where nothing is said. */
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	name.sun_family = AF_UNIX;
	EXPECT_EQUAL(bind(fd, (struct sockaddr *)&name, PATH_OFFSET), 0);
	EXPECT(strlen(name_of(fd, false)) == 6 && name_of(fd, false)[0] == '@');
	EXPECT_EQUAL(bind(fd, (struct sockaddr *)&name, PATH_OFFSET), 0);
	close(fd);
}

static void who_waits_is_bounded(void)
{
	struct timeval soon = {.tv_usec = 20000};
	int server = listening(SOCK_STREAM, "sock", 0);
	int first, second, third;

	first = connected(SOCK_STREAM, "sock");
	EXPECT(first >= 0);
	second = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	EXPECT_ERRNO(EAGAIN, connect(second, NAMED("sock")));
	EXPECT_EQUAL(listen(server, 1), 0);
	EXPECT_EQUAL(connect(second, NAMED("sock")), 0);
	third = socket(AF_UNIX, SOCK_STREAM, 0);
	EXPECT_EQUAL(setsockopt(third, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon)), 0);
	EXPECT_ERRNO(EAGAIN, connect(third, NAMED("sock")));
	close(server); /* what nobody accepted is reset */
	EXPECT_EQUAL(option(first, SO_ERROR), ECONNRESET);
	EXPECT(reads(first, ""));
	EXPECT_ERRNO(ECONNRESET, read(second, &first, 1));
	EXPECT_ERRNO(ECONNREFUSED, connect(third, NAMED("sock")));
	close(first);
	close(second);
	close(third);
	unlink("sock");
}

static void *connect_there(void *fd)
{
	struct sockaddr_un there = {.sun_family = AF_UNIX, .sun_path = "sock"};

	return connect(*(int *)fd, (struct sockaddr *)&there, sizeof(there)) ? NULL : fd;
}

static void a_connection_is_waited_for(void)
{
	int server = listening(SOCK_STREAM, "sock", 0);
	int first = connected(SOCK_STREAM, "sock");
	int second = socket(AF_UNIX, SOCK_STREAM, 0);
	struct epoll_event event = {.events = EPOLLIN};
	int ep = epoll_create1(0);
	pthread_t thread;
	void *result;
	int fd;

	EXPECT_EQUAL(pthread_create(&thread, NULL, connect_there, &second), 0);
	fd = accept4(server, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	EXPECT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQUAL(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
	close(fd);
	EXPECT_EQUAL(epoll_ctl(ep, EPOLL_CTL_ADD, server, &event), 0);
	EXPECT_EQUAL(epoll_wait(ep, &event, 1, -1), 1);
	fd = accept(server, NULL, NULL);
	EXPECT(fd >= 0);
	pthread_join(thread, &result);
	EXPECT(result == &second);
	EXPECT_EQUAL(epoll_wait(ep, &event, 1, 0), 0);
	EXPECT_EQUAL(fcntl(server, F_SETFL, O_NONBLOCK), 0);
	EXPECT_ERRNO(EAGAIN, accept(server, NULL, NULL));
	EXPECT_ERRNO(EINVAL, syscall(SYS_accept4, server, NULL, NULL, 1));
	EXPECT_ERRNO(EINVAL, accept(fd, NULL, NULL));
	EXPECT_ERRNO(EBADF, accept(999, NULL, NULL));
	EXPECT_ERRNO(ENOTSOCK, accept(0, NULL, NULL));
	EXPECT_EQUAL(shutdown(server, SHUT_RD), 0);
	EXPECT_ERRNO(EAGAIN, accept(server, NULL, NULL)); /* who does not wait is not told */
	EXPECT_EQUAL(fcntl(server, F_SETFL, 0), 0);
	EXPECT_ERRNO(EINVAL, accept(server, NULL, NULL));
	EXPECT_ERRNO(ECONNREFUSED, connected(SOCK_STREAM, "sock"));
	close(ep);
	close(fd);
	close(first);
	close(second);
	close(server);
	unlink("sock");
}

/* ---- what is told beside ---- */

static void credentials_are_those_of_the_others(void)
{
	struct ucred told = {0};
	socklen_t len = sizeof(told);
	int server = listening(SOCK_STREAM, "sock", 1);
	int fd, status;
	pid_t child;

	EXPECT_EQUAL(getsockopt(server, SOL_SOCKET, SO_PEERCRED, &told, &len), 0);
	EXPECT_EQUAL(told.pid, getpid()); /* since it listens */
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	EXPECT_EQUAL(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &told, &len), 0);
	EXPECT(told.pid == 0 && told.uid == (uid_t)-1 && told.gid == (gid_t)-1);
	close(fd);
	child = fork();
	if (!child) {
		fd = connected(SOCK_STREAM, "sock");
		len = sizeof(told);
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &told, &len) || told.pid != getppid())
			_exit(1);
		_exit(write(fd, "child", 5) != 5);
	}
	fd = accept(server, NULL, NULL);
	EXPECT(reads(fd, "child"));
	len = sizeof(told);
	EXPECT_EQUAL(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &told, &len), 0);
	EXPECT(told.pid == child && told.uid == geteuid() && told.gid == getegid());
	EXPECT_EQUAL(waitpid(child, &status, 0), child);
	EXPECT_EQUAL(status, 0);
	close(fd);
	close(server);
	unlink("sock");
}

static void who_passes_credentials_gets_a_name(void)
{
	int to = bound(SOCK_DGRAM, "to");
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	int on = 1;

	EXPECT_EQUAL(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	EXPECT_EQUAL(option(fd, SO_PASSCRED), 1);
	EXPECT_EQUAL(sendto(fd, "x", 1, 0, NAMED("to")), 1);
	EXPECT_EQUAL(strlen(name_of(fd, false)), 6);
	close(fd);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	EXPECT_EQUAL(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	EXPECT_EQUAL(connect(fd, NAMED("to")), 0);
	EXPECT_EQUAL(strlen(name_of(fd, false)), 6);
	close(fd);
	close(to);
	unlink("to");
}

static void all_are_listed(void)
{
	char line[256], wanted[64];
	bool found = false;
	struct stat stat;
	int server = listening(SOCK_STREAM, "listed", 1);
	FILE *file = fopen("/proc/net/unix", "r");

	EXPECT(file && fstat(server, &stat) == 0);
	EXPECT(fgets(line, sizeof(line), file) &&
	       strncmp(line, "Num       RefCount Protocol", 27) == 0);
	snprintf(wanted, sizeof(wanted), ": 00000002 00000000 00010000 0001 01 %5lu listed\n",
		 (unsigned long)stat.st_ino);
	while (fgets(line, sizeof(line), file))
		found |= strstr(line, wanted) != NULL;
	EXPECT(found);
	fclose(file);
	close(server);
	unlink("listed");
}

int main(void)
{
	if (!mkdtemp(folder) || chmod(folder, 0755) || chdir(folder))
		return 1;
	alarm(100);
	RUN(a_connection_goes_both_ways);
	RUN(names_are_checked);
	RUN(names_have_permissions);
	RUN(abstract_names_end_with_their_sockets);
	RUN(who_waits_is_bounded);
	RUN(a_connection_is_waited_for);
	RUN(credentials_are_those_of_the_others);
	RUN(who_passes_credentials_gets_a_name);
	RUN(all_are_listed);
	if (chdir("/") || rmdir(folder))
		return 1;
	return check_end();
}
