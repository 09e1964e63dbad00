/*
 * For test_memory.py: takes as much of one thing as there is, and never has enough.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB        (1ul << 20)
#define CHUNK      (4 * MIB)
#define TOTAL      (2048 * MIB)
#define PIPE_BYTES 65536

static int failed(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return 1;
}

/* Touched page by page. */
static int touch(int flags)
{
	for (size_t done = 0; done < TOTAL; done += CHUNK) {
		char *chunk =
			mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);

		if (chunk == MAP_FAILED)
			return failed("mmap");
		for (size_t i = 0; i < CHUNK; i += 4096)
			chunk[i] = 1;
	}
	return failed("there is no end to memory");
}

static int touch_private(void)
{
	return touch(MAP_PRIVATE);
}

static int touch_shared(void)
{
	return touch(MAP_SHARED);
}

static int populate(void)
{
	return touch(MAP_PRIVATE | MAP_POPULATE);
}

static int read_into_it(void)
{
	int fd = open("/dev/zero", O_RDONLY);

	for (size_t done = 0; done < TOTAL; done += CHUNK) {
		char *chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE,
				   -1, 0);

		if (chunk == MAP_FAILED || read(fd, chunk, CHUNK) != CHUNK)
			return failed("read");
	}
	return failed("there is no end to memory");
}

/* One page in each 2 MiB: as many tables as pages. */
static int tables(void)
{
	for (size_t done = 0; done < 1ul << 40; done += 16 * MIB) {
		char *chunk = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE,
				   MAP_ANONYMOUS | MAP_PRIVATE | MAP_NORESERVE, -1, 0);

		if (chunk == MAP_FAILED)
			return failed("mmap");
		for (size_t i = 0; i < 16 * MIB; i += 2 * MIB)
			chunk[i] = 1;
	}
	return failed("there is no end to memory");
}

static void *touch_in_thread(void *argument)
{
	touch(MAP_PRIVATE);
	return argument;
}

static int threads(void)
{
	pthread_t other;

	for (int i = 0; i < 3; i++) {
		if (pthread_create(&other, NULL, touch_in_thread, NULL))
			return failed("pthread_create");
	}
	return touch(MAP_PRIVATE);
}

/* Files without names, until there is no room for them. */
static int files(void)
{
	static char bytes[MIB];
	int fd = memfd_create("hog", 0);

	memset(bytes, 1, sizeof(bytes));
	for (size_t done = 0; done < TOTAL; done += sizeof(bytes)) {
		if (write(fd, bytes, sizeof(bytes)) != sizeof(bytes)) {
			printf("%s\n", errno == ENOSPC ? "no room" : strerror(errno));
			return touch(MAP_PRIVATE);
		}
	}
	return failed("there is no end to memory");
}

static void fill(int fd, size_t len)
{
	static char bytes[PIPE_BYTES];

	memset(bytes, 1, sizeof(bytes));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (len && write(fd, bytes, len < sizeof(bytes) ? len : sizeof(bytes)) > 0)
		len -= len < sizeof(bytes) ? len : sizeof(bytes);
}

/* Each child keeps as many as it may have. */
static int in_children(int (*make)(int fds[2]))
{
	for (;;) {
		int made = 0;
		pid_t pid = fork();

		if (pid < 0)
			return failed("fork");
		if (pid == 0) {
			int fds[2];

			while (made++ < 500 && !make(fds))
				fill(fds[1], MIB);
			pause();
		}
		usleep(1000);
	}
}

static int pipes(void)
{
	return in_children(pipe);
}

static int make_socketpair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}

static int sockets(void)
{
	return in_children(make_socketpair);
}

/* Each makes two, again and again. What cannot be made is tried again. */
static int __attribute__((noreturn)) bomb(void)
{
	for (;;) {
		if (fork() < 0)
			usleep(1000);
	}
}

static int limited_bomb(void)
{
	struct rlimit limit = {200, 200};

	/* Root has no limit of them. */
	if (setgid(1000) || setrlimit(RLIMIT_NPROC, &limit) || setuid(1000))
		return failed("setrlimit");
	alarm(2);
	for (int made = 0;;) {
		pid_t pid = fork();

		if (pid < 0 && errno != EAGAIN)
			return failed("fork");
		if (pid < 0)
			break;
		if (pid == 0) {
			pause();
			_exit(0);
		}
		made++;
		if (made > 200)
			return failed("no limit");
	}
	printf("limited\n");
	fflush(stdout);
	kill(0, SIGKILL);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} hogs[] = {
		{"private", touch_private}, {"shared", touch_shared},
		{"populate", populate},     {"read", read_into_it},
		{"tables", tables},         {"threads", threads},
		{"files", files},           {"pipes", pipes},
		{"sockets", sockets},       {"bomb", bomb},
		{"limited", limited_bomb},
	};

	for (size_t i = 0; i < sizeof(hogs) / sizeof(hogs[0]); i++) {
		if (argc == 2 && !strcmp(argv[1], hogs[i].name))
			return hogs[i].run();
	}
	return 2;
}
