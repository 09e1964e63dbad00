/*
 * unshare and setns, as far as there is something without namespaces: descriptors, places and what
 * semaphores get back become a thread's own.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"
#include "semaphore_help.h"

static int descriptor;

static void *in_thread(void *argument)
{
	static int (*body)(void);
	static long result;

	body = (int (*)(void))argument;
	result = body();
	return &result;
}

/* What it returns in a thread of this process. */
static long thread_does(int (*body)(void))
{
	pthread_t thread;
	void *result;

	pthread_create(&thread, NULL, in_thread, (void *)body);
	pthread_join(thread, &result);
	return *(long *)result;
}

static int close_own(void)
{
	NEED(unshare(CLONE_FILES) == 0);
	NEED(close(descriptor) == 0);
	NEED(dup2(0, 99) == 99);
	return 0;
}

static void descriptors_become_the_threads_own(void)
{
	descriptor = open("/dev/null", O_RDONLY);
	EXPECT_EQUAL(thread_does(close_own), 0);
	EXPECT_EQUAL(close(descriptor), 0);
	EXPECT_ERRNO(EBADF, fcntl(99, F_GETFD));
}

static int go_elsewhere(void)
{
	char name[8];

	NEED(unshare(CLONE_FS) == 0);
	NEED(chdir("/dev") == 0);
	NEED(getcwd(name, sizeof(name)) && !strcmp(name, "/dev"));
	NEED(umask(0) == 027);
	return 0;
}

static void the_place_becomes_the_threads_own(void)
{
	char before[4096], after[4096];

	umask(027);
	EXPECT(getcwd(before, sizeof(before)));
	EXPECT_EQUAL(thread_does(go_elsewhere), 0);
	EXPECT(getcwd(after, sizeof(after)) && !strcmp(before, after));
	EXPECT_EQUAL(umask(022), 027);
	EXPECT_EQUAL(unshare(CLONE_FS | CLONE_FILES), 0); /* nobody shares them */
}

static int lend_and_leave(void)
{
	NEED(operate(0, 3, SEM_UNDO) == 0);
	NEED(value(0) == 3);
	NEED(unshare(CLONE_SYSVSEM) == 0);
	NEED(value(0) == 0);
	return 0;
}

/* In a process of its own: here a thread that was joined may still be ending, and share it. */
static void what_semaphores_lent_is_given_back(void)
{
	EXPECT(make(1) >= 0);
	EXPECT_EQUAL(in_child_as(0, lend_and_leave), 0);
	drop();
}

static int unshare_process(void)
{
	NEED(unshare(CLONE_THREAD) == -1 && errno == EINVAL);
	NEED(unshare(CLONE_SIGHAND) == -1 && errno == EINVAL);
	NEED(unshare(CLONE_VM) == -1 && errno == EINVAL);
	return 0;
}

static void threads_share_a_process(void)
{
	EXPECT_EQUAL(thread_does(unshare_process), 0);
}

/* Not where a thread may just be ending. */
static int unshare_alone(void)
{
	NEED(unshare(CLONE_THREAD) == 0);
	return 0;
}

static void what_is_not_there_is_refused(void)
{
	int null = open("/dev/null", O_RDONLY);

	EXPECT_EQUAL(unshare(0), 0);
	EXPECT_EQUAL(in_child_as(0, unshare_alone), 0);
	EXPECT_ERRNO(EINVAL, unshare(1));
	EXPECT_ERRNO(EINVAL, unshare(CLONE_CHILD_SETTID));
	EXPECT_ERRNO(EBADF, setns(-1, 0));
	EXPECT_ERRNO(EINVAL, setns(null, 0));
	close(null);
}

int main(void)
{
	RUN(descriptors_become_the_threads_own);
	RUN(the_place_becomes_the_threads_own);
	RUN(what_semaphores_lent_is_given_back);
	RUN(threads_share_a_process);
	RUN(what_is_not_there_is_refused);
	return check_end();
}
