/*
 * System V semaphores: semget, semop, semtimedop, semctl.
 */
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

#include "as_user.h"
#include "check.h"
#include "ipc_help.h"
#include "semaphore_help.h"
#include "signal_help.h"

#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif

static struct semid_ds set;
static key_t own_key; /* of this run */

static void values_are_set_and_told(void)
{
	unsigned short values[3] = {1, 2, SEM_UNDO & 0};

	EXPECT(make(3) >= 0);
	EXPECT_EQUAL(value(2), 0);
	EXPECT_EQUAL(semctl(id, 1, GETPID), 0);
	EXPECT_EQUAL(set_value(1, 32767), 0);
	EXPECT_EQUAL(value(1), 32767);
	EXPECT_EQUAL(semctl(id, 1, GETPID), getpid());
	EXPECT_ERRNO(ERANGE, set_value(1, 32768));
	EXPECT_ERRNO(ERANGE, set_value(1, -1));
	EXPECT_ERRNO(EINVAL, set_value(3, 0));
	EXPECT_ERRNO(EINVAL, set_value(-1, 0));
	EXPECT_EQUAL(semctl(id, 0, SETALL, (union semun){.array = values}), 0);
	EXPECT_EQUAL(value(1), 2);
	values[0] = 32768;
	EXPECT_ERRNO(ERANGE, semctl(id, 0, SETALL, (union semun){.array = values}));
	memset(values, 0xff, sizeof(values));
	EXPECT_EQUAL(semctl(id, 0, GETALL, (union semun){.array = values}), 0);
	EXPECT_EQUAL(values[0], 1);
	EXPECT_EQUAL(values[1], 2);
	EXPECT_EQUAL(values[2], 0);
	drop();
	EXPECT_ERRNO(EINVAL, value(0));
}

static void keys_find_sets(void)
{
	int first = semget(own_key, 2, IPC_CREAT | IPC_EXCL | 0600);

	EXPECT(first >= 0);
	EXPECT_EQUAL(semget(own_key, 2, IPC_CREAT | 0600), first);
	EXPECT_EQUAL(semget(own_key, 0, 0), first);
	EXPECT_ERRNO(EEXIST, semget(own_key, 2, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_ERRNO(EINVAL, semget(own_key, 3, 0));
	EXPECT_EQUAL(semctl(first, 0, IPC_RMID), 0);
	EXPECT_ERRNO(ENOENT, semget(own_key, 2, 0600));
	EXPECT_ERRNO(EINVAL, semget(own_key, 0, IPC_CREAT | 0600));
	EXPECT_ERRNO(EINVAL, semget(own_key, -1, IPC_CREAT | 0600));
	EXPECT_ERRNO(EINVAL, semget(own_key, 32001, IPC_CREAT | 0600));
}

static void operations_are_all_done_or_none(void)
{
	struct sembuf operations[] = {{0, 1, 0}, {1, -1, IPC_NOWAIT}, {0, 5, 0}};

	EXPECT(make(2) >= 0);
	EXPECT_ERRNO(EAGAIN, semop(id, operations, 3));
	EXPECT_EQUAL(value(0), 0);
	set_value(1, 1);
	EXPECT_EQUAL(semop(id, operations, 3), 0);
	EXPECT_EQUAL(value(0), 6);
	EXPECT_EQUAL(value(1), 0);
	EXPECT_ERRNO(EAGAIN, operate(0, 0, IPC_NOWAIT));
	EXPECT_EQUAL(operate(1, 0, IPC_NOWAIT), 0);
	set_value(0, 32767);
	EXPECT_ERRNO(ERANGE, operate(0, 1, 0));
	operations[0].sem_num = 2;
	EXPECT_ERRNO(EFBIG, semop(id, operations, 3));
	EXPECT_ERRNO(EINVAL, semop(id, operations, 0));
	EXPECT_ERRNO(EINVAL, semop(-1, operations, 1));
	EXPECT_ERRNO(E2BIG, semop(id, operations, 501));
	EXPECT_ERRNO(EFAULT, syscall(SYS_semop, id, (void *)1, 1));
	drop();
	EXPECT_ERRNO(EINVAL, operate(0, 1, 0));
}

/* Later operations see what earlier ones of the same call did, on the same semaphore too. */
static void operations_are_done_in_their_order(void)
{
	struct sembuf operations[200] = {{0, 0, 0}, {0, 1, 0}};

	EXPECT(make(1) >= 0);
	EXPECT_EQUAL(semop(id, operations, 2), 0); /* a lock: wait for 0, make it 1 */
	operations[0].sem_flg = IPC_NOWAIT;
	EXPECT_ERRNO(EAGAIN, semop(id, operations, 2));
	for (int i = 0; i < 200; i++)
		operations[i] = (struct sembuf){0, i % 2 ? -1 : 1, 0};
	EXPECT_EQUAL(semop(id, operations, 200), 0);
	EXPECT_EQUAL(value(0), 1);
	drop();
}

static int take_two(void)
{
	return operate(0, -2, 0) ? errno : 0;
}

static int wait_for_zero(void)
{
	return operate(0, 0, 0) ? errno : 0;
}

static int take_both(void)
{
	struct sembuf operations[] = {{0, -1, 0}, {1, -1, 0}};

	return semop(id, operations, 2) ? errno : 0;
}

static void who_waits_goes_on_when_it_can(void)
{
	pid_t taker, zero;

	EXPECT(make(2) >= 0);
	taker = child_of(take_two);
	until_waiting(0, GETNCNT, 1);
	EXPECT_EQUAL(operate(0, 1, 0), 0);
	EXPECT_EQUAL(semctl(id, 0, GETNCNT), 1);
	zero = child_of(wait_for_zero);
	until_waiting(0, GETZCNT, 1);
	EXPECT_EQUAL(operate(0, 1, 0), 0); /* lets the one go, and that the other */
	EXPECT_EQUAL(end_of(taker), 0);
	EXPECT_EQUAL(end_of(zero), 0);
	EXPECT_EQUAL(value(0), 0);
	EXPECT_EQUAL(semctl(id, 0, GETNCNT), 0);
	EXPECT_EQUAL(semctl(id, 0, GETZCNT), 0);
	drop();
}

/* One that waits for two is counted where it is stuck, and takes nothing before it has all. */
static void who_needs_two_takes_none_alone(void)
{
	pid_t both;

	EXPECT(make(2) >= 0);
	both = child_of(take_both);
	until_waiting(0, GETNCNT, 1);
	EXPECT_EQUAL(semctl(id, 1, GETNCNT), 0);
	EXPECT_EQUAL(set_value(0, 1), 0);
	until_waiting(1, GETNCNT, 1);
	EXPECT_EQUAL(semctl(id, 0, GETNCNT), 0);
	EXPECT_EQUAL(value(0), 1);
	EXPECT_EQUAL(operate(0, -1, IPC_NOWAIT), 0); /* somebody else has it first */
	EXPECT_EQUAL(operate(1, 1, 0), 0);
	until_waiting(0, GETNCNT, 1);
	EXPECT_EQUAL(value(1), 1);
	EXPECT_EQUAL(operate(0, 1, 0), 0);
	EXPECT_EQUAL(end_of(both), 0);
	EXPECT_EQUAL(value(0) + value(1), 0);
	drop();
}

static int take_one_and_tell(void)
{
	struct sembuf operations[] = {{0, -1, 0}, {1, 1, 0}};

	return semop(id, operations, 2) ? errno : 0;
}

static void the_longest_waiting_goes_first(void)
{
	pid_t first, second;

	EXPECT(make(2) >= 0);
	first = child_of(take_one);
	until_waiting(0, GETNCNT, 1);
	second = child_of(take_one_and_tell);
	until_waiting(0, GETNCNT, 2);
	EXPECT_EQUAL(operate(0, 1, 0), 0);
	EXPECT_EQUAL(end_of(first), 0);
	EXPECT_EQUAL(value(1), 0);
	EXPECT_EQUAL(operate(0, 1, 0), 0);
	EXPECT_EQUAL(end_of(second), 0);
	EXPECT_EQUAL(value(1), 1);
	drop();
}

static void who_waits_learns_that_the_set_is_removed(void)
{
	pid_t taker;

	EXPECT(make(1) >= 0);
	taker = child_of(take_one);
	until_waiting(0, GETNCNT, 1);
	EXPECT_EQUAL(semctl(id, 0, IPC_RMID), 0);
	EXPECT_EQUAL(end_of(taker), EIDRM);
}

static int take_with_handler(void)
{
	install(SIGUSR1, note, SA_RESTART);
	return take_one();
}

static void a_signal_interrupts(void)
{
	pid_t taker;

	EXPECT(make(1) >= 0);
	taker = child_of(take_with_handler);
	until_waiting(0, GETNCNT, 1);
	kill(taker, SIGUSR1);
	EXPECT_EQUAL(end_of(taker), EINTR);
	EXPECT_EQUAL(semctl(id, 0, GETNCNT), 0);
	taker = child_of(take_one);
	until_waiting(0, GETNCNT, 1);
	kill(taker, SIGKILL);
	EXPECT_EQUAL(end_of(taker), -1 - SIGKILL);
	EXPECT_EQUAL(semctl(id, 0, GETNCNT), 0);
	drop();
}

static void waiting_ends_in_time(void)
{
	struct sembuf take = {0, -1, 0};
	struct timespec time = {.tv_nsec = 1000000};

	EXPECT(make(1) >= 0);
	EXPECT_ERRNO(EAGAIN, semtimedop(id, &take, 1, &time));
	time.tv_nsec = 0;
	EXPECT_ERRNO(EAGAIN, semtimedop(id, &take, 1, &time));
	time.tv_nsec = 1000000000;
	EXPECT_ERRNO(EINVAL, semtimedop(id, &take, 1, &time));
	time = (struct timespec){.tv_sec = -1};
	EXPECT_ERRNO(EINVAL, semtimedop(id, &take, 1, &time));
	EXPECT_ERRNO(EFAULT, syscall(SYS_semtimedop, id, &take, 1, (void *)1));
	EXPECT_ERRNO(EFAULT, syscall(SYS_semtimedop, id, (void *)1, 1, NULL));
	EXPECT_ERRNO(EINVAL, semtimedop(id, &take, 0, NULL));
	EXPECT_ERRNO(E2BIG, semtimedop(id, &take, 501, NULL));
	set_value(0, 1);
	time = (struct timespec){.tv_sec = 1000};
	EXPECT_EQUAL(semtimedop(id, &take, 1, &time), 0);
	drop();
}

/* ---- semctl ---- */

static void stat_tells_who_and_how_many(void)
{
	EXPECT(make(5) >= 0);
	EXPECT_EQUAL(semctl(id, 0, IPC_STAT, (union semun){.buf = &set}), 0);
	EXPECT_EQUAL(set.sem_nsems, 5);
	EXPECT_EQUAL(set.sem_otime, 0);
	EXPECT(set.sem_ctime > 0);
	EXPECT_EQUAL(set.sem_perm.mode, 0600);
	EXPECT_EQUAL(set.sem_perm.cuid, geteuid());
	EXPECT_EQUAL(operate(0, 1, 0), 0);
	EXPECT_EQUAL(semctl(id, 0, IPC_STAT, (union semun){.buf = &set}), 0);
	EXPECT(set.sem_otime >= set.sem_ctime);
	EXPECT(is_listed("sem", id));
	drop();
	EXPECT(!is_listed("sem", id));
}

static int may_do_nothing(void)
{
	unsigned short all[1] = {0};

	NEED(operate(0, 1, 0) == -1 && errno == EACCES);
	NEED(operate(0, 0, 0) == -1 && errno == EACCES);
	NEED(value(0) == -1 && errno == EACCES);
	NEED(set_value(0, 1) == -1 && errno == EACCES);
	NEED(semctl(id, 0, GETALL, (union semun){.array = all}) == -1 && errno == EACCES);
	NEED(semctl(id, 0, SETALL, (union semun){.array = all}) == -1 && errno == EACCES);
	NEED(semctl(id, 0, IPC_STAT, (union semun){.buf = &set}) == -1 && errno == EACCES);
	NEED(semctl(id, 0, IPC_SET, (union semun){.buf = &set}) == -1 && errno == EPERM);
	NEED(semctl(id, 0, IPC_RMID) == -1 && errno == EPERM);
	NEED(semget(own_key, 0, 0200) == -1 && errno == EACCES);
	return 0;
}

static int may_read(void)
{
	NEED(operate(0, 1, 0) == -1 && errno == EACCES);
	NEED(operate(0, 0, 0) == 0);
	NEED(value(0) == 0);
	return 0;
}

static int owns(void)
{
	NEED(operate(0, 1, 0) == 0);
	NEED(semctl(id, 0, IPC_RMID) == 0);
	return 0;
}

static void permissions_are_those_of_files(void)
{
	if (geteuid())
		return;
	EXPECT((id = semget(own_key, 1, IPC_CREAT | IPC_EXCL | 0600)) >= 0);
	EXPECT_EQUAL(as_user(may_do_nothing), 0);
	EXPECT_EQUAL(semctl(id, 0, IPC_STAT, (union semun){.buf = &set}), 0);
	set.sem_perm.mode = 0640;
	EXPECT_EQUAL(semctl(id, 0, IPC_SET, (union semun){.buf = &set}), 0);
	EXPECT_EQUAL(as_user(may_read), 0);
	set.sem_perm.mode = 0600;
	set.sem_perm.uid = 1000;
	EXPECT_EQUAL(semctl(id, 0, IPC_SET, (union semun){.buf = &set}), 0);
	EXPECT_EQUAL(as_user(owns), 0);
	EXPECT_ERRNO(EINVAL, value(0));
}

static void the_whole_is_told(void)
{
	struct seminfo info, limits;
	int highest, found = 0;

	EXPECT(make(3) >= 0);
	highest = semctl(0, 0, SEM_INFO, &info);
	EXPECT(highest >= 0);
	EXPECT(info.semusz >= 1 && info.semaem >= 3);
	EXPECT(semctl(0, 0, IPC_INFO, &limits) >= 0);
	EXPECT_EQUAL(limits.semmsl, 32000);
	EXPECT_EQUAL(limits.semopm, 500);
	EXPECT_EQUAL(limits.semvmx, 32767);
	for (int i = 0; i <= highest; i++) {
		if (semctl(i, 0, SEM_STAT, (union semun){.buf = &set}) == id) {
			EXPECT_EQUAL(set.sem_nsems, 3);
			EXPECT_EQUAL(semctl(i, 0, SEM_STAT_ANY, (union semun){.buf = &set}), id);
			found++;
		}
	}
	EXPECT_EQUAL(found, 1);
	drop();
}

static void what_makes_no_sense_is_refused(void)
{
	EXPECT(make(1) >= 0);
	EXPECT_ERRNO(EINVAL, semctl(id, 0, 1000));
	EXPECT_ERRNO(EINVAL, semctl(-1, 0, GETVAL));
	EXPECT_ERRNO(EINVAL, semctl(id, 1, GETVAL));
	EXPECT_ERRNO(EINVAL, semctl(id, 1, GETNCNT));
	EXPECT_ERRNO(EINVAL, semctl(32767, 0, SEM_STAT, (union semun){.buf = &set}));
	EXPECT_ERRNO(EFAULT, syscall(SYS_semctl, id, 0, IPC_STAT, 1));
	EXPECT_ERRNO(EFAULT, syscall(SYS_semctl, id, 0, IPC_SET, 1));
	EXPECT_ERRNO(EFAULT, syscall(SYS_semctl, id, 0, GETALL, 1));
	EXPECT_ERRNO(EFAULT, syscall(SYS_semctl, id, 0, SETALL, 1));
	EXPECT_ERRNO(EFAULT, syscall(SYS_semctl, id, 0, SEM_INFO, 1));
	drop();
}

int main(void)
{
	own_key = 0x46000000 + getpid();
	RUN(values_are_set_and_told);
	RUN(keys_find_sets);
	RUN(operations_are_all_done_or_none);
	RUN(operations_are_done_in_their_order);
	RUN(who_waits_goes_on_when_it_can);
	RUN(who_needs_two_takes_none_alone);
	RUN(the_longest_waiting_goes_first);
	RUN(who_waits_learns_that_the_set_is_removed);
	RUN(a_signal_interrupts);
	RUN(waiting_ends_in_time);
	RUN(stat_tells_who_and_how_many);
	RUN(permissions_are_those_of_files);
	RUN(the_whole_is_told);
	RUN(what_makes_no_sense_is_refused);
	return check_end();
}
