/* sources: drivers/memfs/locks.c */
/*
 * The locks that memfs keeps, with requests that the test makes: which are in each other's way, who
 * waits, who is let go, and when a signal comes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/file.h>

#define WAITING (-1) /* not answered yet */
#define MANY    40

struct fuse_req {
	int answer;
	fuse_interrupt_func_t interrupt;
	void *data;
	bool is_interrupted;
};

static struct memfs memfs = {.lock = PTHREAD_MUTEX_INITIALIZER};
static struct node node, other;
static struct fuse_req requests[MANY];
static unsigned nrequests;
static struct flock found;

void *fuse_req_userdata(fuse_req_t request)
{
	return &memfs;
}

int fuse_reply_err(fuse_req_t request, int err)
{
	assert_int_equal(request->answer, WAITING);              /* once */
	assert_int_equal(pthread_mutex_trylock(&memfs.lock), 0); /* and with no lock held */
	pthread_mutex_unlock(&memfs.lock);
	request->answer = err;
	return 0;
}

int fuse_reply_lock(fuse_req_t request, const struct flock *lock)
{
	found = *lock;
	return fuse_reply_err(request, 0);
}

void fuse_req_interrupt_func(fuse_req_t request, fuse_interrupt_func_t function, void *data)
{
	assert_int_equal(pthread_mutex_trylock(&memfs.lock), 0);
	pthread_mutex_unlock(&memfs.lock);
	request->interrupt = function;
	request->data = data;
	if (request->is_interrupted && function)
		function(request, data);
}

static struct fuse_req *fresh(void)
{
	struct fuse_req *request = &requests[nrequests++];

	assert_true(nrequests < MANY);
	*request = (struct fuse_req){.answer = WAITING};
	return request;
}

static void signal_comes(struct fuse_req *request)
{
	request->is_interrupted = true;
	if (request->interrupt)
		request->interrupt(request, request->data);
}

/* fcntl(F_SETLK or F_SETLKW) on [first, first + n), n of 0: to the end. */
static struct fuse_req *set(struct node *of, uint64_t owner, short type, off_t first, off_t n,
			    bool sleep)
{
	struct flock lock = {.l_type = type, .l_start = first, .l_len = n, .l_pid = (pid_t)owner};
	struct fuse_file_info info = {.lock_owner = owner};
	struct fuse_req *request = fresh();

	do_setlk(request, (uintptr_t)of, &info, &lock, sleep);
	return request;
}

static int try(uint64_t owner, short type, off_t first, off_t n)
{
	return set(&node, owner, type, first, n, false)->answer;
}

/* What is in this owner's way. */
static short in_the_way(uint64_t owner, short type, off_t first, off_t n)
{
	struct flock lock = {.l_type = type, .l_start = first, .l_len = n};
	struct fuse_file_info info = {.lock_owner = owner};

	do_getlk(fresh(), (uintptr_t)&node, &info, &lock);
	return found.l_type;
}

static int teardown(void **state)
{
	nrequests = 0;
	locks_free(&memfs, &node);
	locks_free(&memfs, &other);
	waiters_free(&memfs);
	assert_int_equal(memfs.nranges, 0);
	return 0;
}

static void readers_share_and_writers_do_not(void **state)
{
	assert_int_equal(try(1, F_RDLCK, 0, 100), 0);
	assert_int_equal(try(2, F_RDLCK, 50, 100), 0);
	assert_int_equal(try(2, F_WRLCK, 99, 1), EAGAIN);
	assert_int_equal(try(2, F_WRLCK, 100, 1), 0); /* of what is its own */
	assert_int_equal(try(1, F_RDLCK, 100, 1), EAGAIN);
	assert_int_equal(in_the_way(1, F_RDLCK, 0, 0), F_WRLCK);
	assert_int_equal(found.l_start, 100);
	assert_int_equal(found.l_len, 1);
	assert_int_equal(found.l_pid, 2);
	assert_int_equal(in_the_way(2, F_RDLCK, 0, 0), F_UNLCK);
}

static void a_lock_is_split_and_joined(void **state)
{
	assert_int_equal(try(1, F_WRLCK, 0, 0), 0);
	assert_int_equal(try(1, F_UNLCK, 100, 10), 0);
	assert_int_equal(memfs.nranges, 2);
	assert_int_equal(try(2, F_WRLCK, 100, 10), 0);
	assert_int_equal(try(2, F_WRLCK, 99, 1), EAGAIN);
	assert_int_equal(try(2, F_WRLCK, 110, 1), EAGAIN);
	assert_int_equal(in_the_way(2, F_WRLCK, 110, 0), F_WRLCK);
	assert_int_equal(found.l_len, 0); /* to the end */
	assert_int_equal(try(2, F_UNLCK, 0, 0), 0);
	assert_int_equal(try(1, F_WRLCK, 100, 10), 0);
	assert_int_equal(memfs.nranges, 1);
	assert_int_equal(try(1, F_RDLCK, 20, 10), 0);
	assert_int_equal(memfs.nranges, 3);
	assert_int_equal(try(1, F_UNLCK, 0, 0), 0);
	assert_int_equal(memfs.nranges, 0);
}

static void who_waits_is_let_go_in_order(void **state)
{
	struct fuse_req *reader, *writer, *late;

	assert_int_equal(try(1, F_WRLCK, 0, 10), 0);
	writer = set(&node, 2, F_WRLCK, 5, 10, true);
	reader = set(&node, 3, F_RDLCK, 0, 5, true);
	late = set(&node, 4, F_RDLCK, 5, 1, true);
	assert_int_equal(writer->answer, WAITING);
	assert_int_equal(try(1, F_UNLCK, 0, 5), 0);
	assert_int_equal(reader->answer, 0);
	assert_int_equal(writer->answer, WAITING);
	assert_int_equal(try(1, F_UNLCK, 5, 5), 0);
	assert_int_equal(writer->answer, 0);
	assert_int_equal(late->answer, WAITING);
	locks_drop(&memfs, &node, 2, false); /* closed */
	assert_int_equal(late->answer, 0);
	assert_null(memfs.waiters);
}

static void a_writer_that_becomes_a_reader_lets_readers_go(void **state)
{
	struct fuse_req *reader;

	assert_int_equal(try(1, F_WRLCK, 0, 10), 0);
	reader = set(&node, 2, F_RDLCK, 0, 10, true);
	assert_int_equal(reader->answer, WAITING);
	assert_int_equal(set(&node, 1, F_RDLCK, 0, 10, true)->answer, 0);
	assert_int_equal(reader->answer, 0);
}

static void a_signal_ends_the_waiting(void **state)
{
	struct fuse_req *waiting, *early = fresh();
	struct flock lock = {.l_type = F_WRLCK};
	struct fuse_file_info info = {.lock_owner = 3};

	assert_int_equal(try(1, F_WRLCK, 0, 0), 0);
	waiting = set(&node, 2, F_WRLCK, 0, 0, true);
	signal_comes(waiting);
	assert_int_equal(waiting->answer, EINTR);
	assert_null(memfs.waiters);
	signal_comes(early); /* before it is asked */
	do_setlk(early, (uintptr_t)&node, &info, &lock, 1);
	assert_int_equal(early->answer, EINTR);
	waiting = set(&node, 2, F_WRLCK, 0, 0, true);
	assert_int_equal(try(1, F_UNLCK, 0, 0), 0);
	assert_int_equal(waiting->answer, 0);
	assert_null(waiting->interrupt); /* what comes now finds nobody */
}

static void a_circle_of_waiters_is_refused(void **state)
{
	struct fuse_req *second;

	assert_int_equal(set(&node, 1, F_WRLCK, 0, 1, false)->answer, 0);
	assert_int_equal(set(&other, 2, F_WRLCK, 0, 1, false)->answer, 0);
	assert_int_equal(set(&node, 3, F_WRLCK, 5, 1, false)->answer, 0);
	second = set(&node, 2, F_WRLCK, 0, 1, true);
	assert_int_equal(second->answer, WAITING);
	assert_int_equal(set(&other, 1, F_WRLCK, 0, 1, true)->answer, EDEADLK);
	assert_int_equal(set(&other, 3, F_WRLCK, 0, 1, true)->answer, WAITING); /* no circle */
	assert_int_equal(set(&node, 1, F_WRLCK, 5, 1, true)->answer, EDEADLK);  /* of three */
	assert_int_equal(try(1, F_UNLCK, 0, 1), 0);
	assert_int_equal(second->answer, 0);
}

static int flock_by(uint64_t owner, int op, struct fuse_req **out)
{
	struct fuse_file_info info = {.lock_owner = owner};

	*out = fresh();
	do_flock(*out, (uintptr_t)&node, &info, op);
	return (*out)->answer;
}

static void flock_and_fcntl_do_not_see_each_other(void **state)
{
	struct fuse_req *request, *waiting;

	assert_int_equal(try(1, F_WRLCK, 0, 0), 0);
	assert_int_equal(flock_by(10, LOCK_EX, &request), 0);
	assert_int_equal(flock_by(11, LOCK_SH | LOCK_NB, &request), EAGAIN);
	assert_int_equal(flock_by(11, LOCK_SH, &waiting), WAITING);
	locks_drop(&memfs, &node, 10, false); /* fcntl's: it has none */
	assert_int_equal(waiting->answer, WAITING);
	locks_drop(&memfs, &node, 10, true);
	assert_int_equal(waiting->answer, 0);
	assert_int_equal(flock_by(11, LOCK_UN, &request), 0);
	assert_int_equal(try(2, F_WRLCK, 0, 1), EAGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(readers_share_and_writers_do_not, teardown),
		cmocka_unit_test_teardown(a_lock_is_split_and_joined, teardown),
		cmocka_unit_test_teardown(who_waits_is_let_go_in_order, teardown),
		cmocka_unit_test_teardown(a_writer_that_becomes_a_reader_lets_readers_go, teardown),
		cmocka_unit_test_teardown(a_signal_ends_the_waiting, teardown),
		cmocka_unit_test_teardown(a_circle_of_waiters_is_refused, teardown),
		cmocka_unit_test_teardown(flock_and_fcntl_do_not_see_each_other, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
