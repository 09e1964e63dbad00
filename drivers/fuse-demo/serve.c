/*
 * Starting a driver and ending it. No state.
 */
#include "demo.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STEP_NS    5000000 /* between two looks */
#define NSTEPS_MAX 4000

static void pass_on_what_it_said(const struct serving *serving)
{
	char text[512];
	ssize_t n;

	if (lseek(serving->said, 0, SEEK_SET) == 0)
		while ((n = read(serving->said, text, sizeof(text))) > 0)
			fwrite(text, 1, (size_t)n, stderr);
}

static bool start(struct serving *serving, const char *const argv[])
{
	posix_spawn_file_actions_t actions;
	int err;

	serving->said = memfd_create("said", MFD_CLOEXEC);
	if (serving->said < 0)
		return failed("a place for what %s says", argv[0]);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, serving->said, 1);
	posix_spawn_file_actions_adddup2(&actions, serving->said, 2);
	err = posix_spawn(&serving->pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err) {
		fprintf(stderr, "fuse-demo: starting %s: %s\n", argv[0], strerror(err));
		close(serving->said);
	}
	return !err;
}

/* Waits for the driver; its end has to be a good one. */
static bool reap(struct serving *serving)
{
	int status;
	bool ok = waitpid(serving->pid, &status, 0) == serving->pid && status == 0;

	if (!ok) {
		pass_on_what_it_said(serving);
		fprintf(stderr, "fuse-demo: the driver of %s ended with the status %#x\n",
			serving->at, (unsigned)status);
	}
	close(serving->said);
	return ok;
}

bool serve_begin(struct serving *serving, const char *const argv[], const char *at)
{
	const struct timespec step = {.tv_nsec = STEP_NS};
	struct stat before, now;
	siginfo_t ended = {0};

	serving->at = at;
	if (stat(at, &before))
		return failed("%s", at);
	if (!start(serving, argv))
		return false;
	for (int i = 0; i < NSTEPS_MAX; i++) {
		if (stat(at, &now) == 0 && now.st_dev != before.st_dev)
			return true;
		if (waitid(P_PID, (id_t)serving->pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    ended.si_pid)
			break;
		nanosleep(&step, NULL);
	}
	if (!ended.si_pid) {
		fprintf(stderr, "fuse-demo: %s does not mount\n", argv[0]);
		kill(serving->pid, SIGKILL);
	} else if (ended.si_code == CLD_EXITED && ended.si_status == 0) {
		fprintf(stderr, "fuse-demo: %s ended and has not mounted\n", argv[0]);
	}
	(void)reap(serving);
	return false;
}

bool serve_end(struct serving *serving)
{
	if (umount(serving->at)) {
		failed("unmounting %s", serving->at);
		kill(serving->pid, SIGKILL);
		umount2(serving->at, MNT_DETACH);
		(void)reap(serving);
		return false;
	}
	return reap(serving);
}
