/*
 * For test_crowds.py: `crowd processes N` or `crowd threads N` makes N sleeping children or
 * threads, says what memory each takes, and ends them all at the first signal it gets.
 */
#include <alloca.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES 16384
#define PAGE_BYTES  4096

static long free_bytes(void)
{
	struct sysinfo info;

	sysinfo(&info);
	return (long)(info.freeram * info.mem_unit);
}

static void sleep_until_the_pipe_ends(int fd)
{
	char byte;

	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
}

static int nothing(int fd)
{
	sleep_until_the_pipe_ends(fd);
	_exit(0);
}

/* Where a stack begins is random: what a child writes to would be one page of it or two. */
static int make_processes(int count, int fds[2])
{
	volatile char *to_page_end = alloca((uintptr_t)__builtin_frame_address(0) % PAGE_BYTES);
	int made;

	*to_page_end = 0;
	for (made = 0; made < count; made++) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0) {
			close(fds[1]);
			nothing(fds[0]);
		}
	}
	return made;
}

static void *thread(void *argument)
{
	sleep_until_the_pipe_ends((int)(long)argument);
	return NULL;
}

static int make_threads(int count, int fds[2])
{
	pthread_attr_t attributes;
	pthread_t made_last;
	int made;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	for (made = 0; made < count; made++) {
		errno = pthread_create(&made_last, &attributes, thread, (void *)(long)fds[0]);
		if (errno)
			break;
	}
	return made;
}

int main(int argc, char **argv)
{
	int processes = argc > 1 && strcmp(argv[1], "processes") == 0;
	int count = argc > 2 ? atoi(argv[2]) : 0;
	long before = free_bytes();
	sigset_t signals;
	int fds[2];
	int made;
	int signal;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (count <= 0 || pipe(fds)) {
		fprintf(stderr, "usage: crowd processes|threads N\n");
		return 2;
	}
	made = (processes ? make_processes : make_threads)(count, fds);
	printf("%d %s, %ld bytes each\n", made, argv[1], made ? (before - free_bytes()) / made : 0);
	if (made < count)
		printf("no more: %s\n", strerror(errno));
	fflush(stdout);
	sigwait(&signals, &signal);
	close(fds[1]);
	for (made = 0; processes && wait(NULL) > 0; made++)
		;
	printf("%d ended\n", made);
	return 0;
}
