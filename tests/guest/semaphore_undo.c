/*
 * What the end of a process gives back to System V semaphores (SEM_UNDO of semop).
 */
#include <pthread.h>

#include "as_user.h"
#include "ipc_help.h"
#include "semaphore_help.h"

static int end_owing(void)
{
	return operate(0, -3, SEM_UNDO) || operate(1, 2, SEM_UNDO) || operate(0, 1, 0) ? 1 : 0;
}

static void the_end_of_a_process_takes_back(void)
{
	EXPECT(make(2) >= 0);
	set_value(0, 3);
	EXPECT_EQUAL(end_of(child_of(end_owing)), 0);
	EXPECT_EQUAL(value(0), 4);
	EXPECT_EQUAL(value(1), 0);
	drop();
}

static int take_and_be_killed(void)
{
	operate(0, -1, SEM_UNDO);
	kill(getpid(), SIGKILL);
	return 1;
}

static void so_does_being_killed_and_it_lets_others_go(void)
{
	pid_t taker;

	EXPECT(make(1) >= 0);
	set_value(0, 1);
	EXPECT_EQUAL(operate(0, -1, 0), 0);
	taker = child_of(take_one);
	until_waiting(0, GETNCNT, 1);
	EXPECT_EQUAL(operate(0, 1, 0), 0);
	EXPECT_EQUAL(end_of(taker), 0);
	set_value(0, 1);
	EXPECT_EQUAL(end_of(child_of(take_and_be_killed)), -1 - SIGKILL);
	EXPECT_EQUAL(value(0), 1);
	EXPECT_EQUAL(end_of(child_of(take_one)), 0);
	drop();
}

static int end_at_once(void)
{
	return 0;
}

static int fork_after_taking(void)
{
	NEED(operate(0, -1, SEM_UNDO) == 0);
	NEED(end_of(child_of(end_at_once)) == 0);
	NEED(value(0) == 0); /* the child's end took nothing back */
	return 0;
}

static void a_fork_does_not_inherit_it(void)
{
	EXPECT(make(1) >= 0);
	set_value(0, 1);
	EXPECT_EQUAL(end_of(child_of(fork_after_taking)), 0);
	EXPECT_EQUAL(value(0), 1);
	drop();
}

static int exec_after_taking(void)
{
	char text[16];

	NEED(operate(0, -1, SEM_UNDO) == 0);
	snprintf(text, sizeof(text), "%d", id);
	execl("/proc/self/exe", "semaphore_undo", text, NULL);
	return 1;
}

/* The program after that exec: it still owes. */
static int look_after_exec(const char *of)
{
	id = atoi(of);
	return value(0) == 0 ? 0 : 2;
}

static void an_exec_keeps_it(void)
{
	EXPECT(make(1) >= 0);
	set_value(0, 1);
	EXPECT_EQUAL(end_of(child_of(exec_after_taking)), 0);
	EXPECT_EQUAL(value(0), 1);
	drop();
}

static void *take_in_thread(void *argument)
{
	operate(0, -1, SEM_UNDO);
	return argument;
}

static int thread_takes(void)
{
	pthread_t thread;

	NEED(pthread_create(&thread, NULL, take_in_thread, NULL) == 0);
	NEED(pthread_join(thread, NULL) == 0);
	NEED(value(0) == 0); /* the process lives on */
	return 0;
}

static void threads_owe_together(void)
{
	EXPECT(make(1) >= 0);
	set_value(0, 1);
	EXPECT_EQUAL(end_of(child_of(thread_takes)), 0);
	EXPECT_EQUAL(value(0), 1);
	drop();
}

static int owe_then_set(void)
{
	unsigned short all[2] = {4, 4};

	NEED(operate(0, -1, SEM_UNDO) == 0 && operate(1, -1, SEM_UNDO) == 0);
	NEED(set_value(0, 5) == 0);
	if (value(1) == 7)
		NEED(semctl(id, 0, SETALL, (union semun){.array = all}) == 0);
	return 0;
}

static void setting_a_value_forgets_what_is_owed(void)
{
	EXPECT(make(2) >= 0);
	set_value(0, 1);
	set_value(1, 1);
	EXPECT_EQUAL(end_of(child_of(owe_then_set)), 0);
	EXPECT_EQUAL(value(0), 5);
	EXPECT_EQUAL(value(1), 1);
	set_value(1, 8);
	EXPECT_EQUAL(end_of(child_of(owe_then_set)), 0);
	EXPECT_EQUAL(value(0), 4);
	EXPECT_EQUAL(value(1), 4);
	drop();
}

static int owe_of_many_sets(void)
{
	for (int i = 0; i < 50; i++) {
		NEED(make(2) >= 0);
		NEED(operate(1, 1, SEM_UNDO) == 0);
		drop();
	}
	return 0;
}

static int owe_too_much(void)
{
	NEED(operate(0, 32767, SEM_UNDO) == 0);
	NEED(operate(0, -32767, 0) == 0);
	NEED(operate(0, 1, SEM_UNDO) == 0); /* 32768 is still one that it can be less */
	NEED(operate(0, 1, SEM_UNDO) == -1 && errno == ERANGE);
	NEED(value(0) == 1);
	return 0;
}

static void what_is_owed_has_bounds(void)
{
	EXPECT_EQUAL(end_of(child_of(owe_of_many_sets)), 0);
	EXPECT(make(1) >= 0);
	EXPECT_EQUAL(end_of(child_of(owe_too_much)), 0);
	EXPECT_EQUAL(value(0), 0); /* not below */
	drop();
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return look_after_exec(argv[1]);
	RUN(the_end_of_a_process_takes_back);
	RUN(so_does_being_killed_and_it_lets_others_go);
	RUN(a_fork_does_not_inherit_it);
	RUN(an_exec_keeps_it);
	RUN(threads_owe_together);
	RUN(setting_a_value_forgets_what_is_owed);
	RUN(what_is_owed_has_bounds);
	return check_end();
}
