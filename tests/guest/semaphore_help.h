/*
 * What the tests of System V semaphores share: one set at a time, and calls on it.
 */
#ifndef SEMAPHORE_HELP_H
#define SEMAPHORE_HELP_H

#include <sched.h>
#include <sys/sem.h>

#include "check.h"

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

static int id;

static inline int make(int nsems)
{
	id = semget(IPC_PRIVATE, nsems, 0600);
	return id;
}

static inline void drop(void)
{
	semctl(id, 0, IPC_RMID);
}

static inline int operate(int index, int by, int flags)
{
	struct sembuf operation = {(unsigned short)index, (short)by, (short)flags};

	return semop(id, &operation, 1);
}

static inline int value(int index)
{
	return semctl(id, index, GETVAL);
}

static inline int set_value(int index, int to)
{
	return semctl(id, index, SETVAL, (union semun){.val = to});
}

/* Until so many wait for it to grow, or to become 0. */
static inline void until_waiting(int index, int command, int count)
{
	while (semctl(id, index, command) != count)
		sched_yield();
}

static inline int take_one(void)
{
	return operate(0, -1, 0) ? errno : 0;
}

#endif
