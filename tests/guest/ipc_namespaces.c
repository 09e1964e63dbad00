/*
 * IPC namespaces (CLONE_NEWIPC): System V's objects and POSIX message queues are seen in one alone,
 * and go with the last of those who are in it; limits and lists are those of who looks. Written for
 * an administrator.
 */
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"
#include "ipc_help.h"

#define OWN        "/proc/self/ns/ipc"
#define DIR        "/tmp/ipc_namespaces"
#define KEY        0x46495043
#define NAME       "/ipc_namespaces"
#define PIDFD_OPEN 434
#define NS_TYPE    0xb703

static long number_of(const char *path)
{
	struct stat status;

	return stat(path, &status) ? -1 : (long)status.st_ino;
}

static long setting(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	close(fd);
	return atol(text);
}

static bool set(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return done;
}

/* How many lines a list has, but for the first. */
static int nlisted(const char *path)
{
	FILE *file = fopen(path, "r");
	int byte, lines = -1;

	while (file && (byte = fgetc(file)) != EOF)
		lines += byte == '\n';
	if (file)
		fclose(file);
	return lines;
}

static int make_set(void)
{
	return semget(KEY, 1, IPC_CREAT | IPC_EXCL | 0600);
}

static bool is_empty(void)
{
	return nlisted("/proc/sysvipc/shm") == 0 && nlisted("/proc/sysvipc/sem") == 0 &&
	       nlisted("/proc/sysvipc/msg") == 0;
}

/* ---- what is in one ---- */

static int leave(void)
{
	int shm = shmget(KEY, 4096, IPC_CREAT | 0600), set = make_set();
	int queue = msgget(KEY, IPC_CREAT | 0600);
	int back = open(OWN, O_RDONLY);

	NEED(shm >= 0 && set >= 0 && queue >= 0 && back >= 0);
	NEED(unshare(CLONE_NEWIPC) == 0 && is_empty());
	NEED(shmget(KEY, 0, 0) == -1 && errno == ENOENT);
	NEED(semget(KEY, 0, 0) == -1 && errno == ENOENT);
	NEED(msgget(KEY, 0) == -1 && errno == ENOENT);
	NEED(semctl(set, 0, GETVAL) == -1 && errno == EINVAL);
	NEED(shmat(shm, NULL, 0) == (void *)-1 && errno == EINVAL);
	NEED(make_set() >= 0 && nlisted("/proc/sysvipc/sem") == 1);
	NEED(setns(back, CLONE_NEWIPC) == 0);
	NEED(shmctl(shm, IPC_RMID, NULL) == 0 && semctl(set, 0, IPC_RMID) == 0);
	NEED(msgctl(queue, IPC_RMID, NULL) == 0 && semget(KEY, 0, 0) == -1);
	return 0;
}

static void objects_are_seen_in_theirs_alone(void)
{
	EXPECT_EQUAL(in_child_as(0, leave), 0);
}

static int have_limits(void)
{
	NEED(unshare(CLONE_NEWIPC) == 0);
	NEED(set("/proc/sys/kernel/sem", "10 20 30 1") && set("/proc/sys/kernel/msgmax", "77"));
	NEED(set("/proc/sys/kernel/shmmni", "5") && set("/proc/sys/fs/mqueue/queues_max", "3"));
	NEED(make_set() >= 0);
	NEED(semget(IPC_PRIVATE, 1, 0600) == -1 && errno == ENOSPC);
	NEED(unshare(CLONE_NEWIPC) == 0); /* not a copy */
	NEED(setting("/proc/sys/kernel/sem") == 32000 &&
	     setting("/proc/sys/kernel/msgmax") == 8192);
	NEED(setting("/proc/sys/kernel/shmmni") == 4096);
	NEED(setting("/proc/sys/fs/mqueue/queues_max") == 256);
	NEED(make_set() >= 0 && semget(IPC_PRIVATE, 1, 0600) >= 0);
	return 0;
}

static void limits_are_those_of_one(void)
{
	long before = setting("/proc/sys/kernel/msgmax");

	EXPECT_EQUAL(in_child_as(0, have_limits), 0);
	EXPECT_EQUAL(setting("/proc/sys/kernel/msgmax"), before);
}

/* ---- its end ---- */

/* Memory of a namespace that all have left; what is not mapped went. */
static int keep_memory(void)
{
	int shm, other;
	int *memory;

	NEED(unshare(CLONE_NEWIPC) == 0);
	shm = shmget(IPC_PRIVATE, 8192, 0600);
	other = shmget(IPC_PRIVATE, 1 << 20, 0600);
	memory = shmat(shm, NULL, 0);
	NEED(shm >= 0 && other >= 0 && memory != (void *)-1);
	*(int *)shmat(other, NULL, 0) = 1;
	memory[1024] = 77;
	NEED(unshare(CLONE_NEWIPC) == 0 && is_empty());
	NEED(memory[1024] == 77 && memory[1] == 0);
	NEED(shmat(shm, NULL, 0) == (void *)-1 && errno == EINVAL);
	if (!fork()) {
		memory[1024]++;
		_exit(shmdt(memory));
	}
	NEED(wait(&other) > 0 && other == 0 && memory[1024] == 78);
	return shmdt(memory);
}

/* One that many sets, queues and segments are left in, waited for by nobody. */
static int leave_all(void)
{
	struct sembuf up = {0, 1, SEM_UNDO};
	struct {
		long type;
		char text[100];
	} message = {.type = 1};

	NEED(unshare(CLONE_NEWIPC) == 0);
	for (int i = 0; i < 20; i++) {
		int set = semget(IPC_PRIVATE, 10, 0600), queue = msgget(IPC_PRIVATE, 0600);

		NEED(set >= 0 && queue >= 0 && semop(set, &up, 1) == 0);
		NEED(msgsnd(queue, &message, sizeof(message.text), 0) == 0);
		NEED(shmget(KEY + i, 65536, IPC_CREAT | 0600) >= 0);
	}
	NEED(mq_open(NAME, O_RDWR | O_CREAT, 0600, NULL) >= 0);
	return 0;
}

static void what_is_in_one_goes_with_the_last(void)
{
	for (int i = 0; i < 4; i++)
		EXPECT_EQUAL(in_child_as(0, leave_all), 0);
	EXPECT_EQUAL(in_child_as(0, keep_memory), 0);
	EXPECT_ERRNO(ENOENT, mq_open(NAME, O_RDWR));
}

/* What one owes to semaphores is paid when one leaves. */
static int pay(void)
{
	struct sembuf up = {0, 3, SEM_UNDO};
	int set, back;

	NEED(unshare(CLONE_NEWIPC) == 0);
	set = semget(IPC_PRIVATE, 1, 0600);
	back = open(OWN, O_RDONLY);
	NEED(semop(set, &up, 1) == 0 && semctl(set, 0, GETVAL) == 3);
	NEED(unshare(CLONE_NEWIPC) == 0);
	NEED(setns(back, 0) == 0 && semctl(set, 0, GETVAL) == 0);
	NEED(semop(set, &up, 1) == 0);
	NEED(setns(back, 0) == 0 && semctl(set, 0, GETVAL) == 0);
	return 0;
}

static void debts_to_semaphores_are_paid_on_leaving(void)
{
	EXPECT_EQUAL(in_child_as(0, pay), 0);
}

/* ---- message queues ---- */

static int use_queues(void)
{
	mqd_t here = mq_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, NULL), there;
	int back = open(OWN, O_RDONLY);
	char text[8192];

	NEED(here >= 0 && unshare(CLONE_NEWIPC) == 0);
	NEED(mq_open(NAME, O_RDWR) == -1 && errno == ENOENT);
	there = mq_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, NULL);
	NEED(there >= 0 && mq_send(there, "there", 5, 0) == 0);
	NEED(mq_send(here, "here", 4, 0) == 0); /* what is open is used from anywhere */
	NEED(setns(back, 0) == 0);
	NEED(mq_receive(here, text, sizeof(text), NULL) == 4);
	/* It lives while it is open. */
	NEED(mq_receive(there, text, sizeof(text), NULL) == 5);
	return mq_unlink(NAME);
}

static void queues_have_names_in_theirs_alone(void)
{
	EXPECT_EQUAL(in_child_as(0, use_queues), 0);
	EXPECT_ERRNO(ENOENT, mq_unlink(NAME));
}

/* A mount shows those of who made it, whoever looks. */
static int mount_queues(void)
{
	int back = open(OWN, O_RDONLY), fd;
	char text[8192];

	NEED(mkdir(DIR, 0755) == 0 || errno == EEXIST);
	NEED(unshare(CLONE_NEWIPC | CLONE_NEWNS) == 0);
	NEED(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	NEED(mount("none", DIR, "mqueue", 0, NULL) == 0);
	NEED(mq_open(NAME, O_RDWR | O_CREAT, 0600, NULL) >= 0);
	NEED(setns(back, 0) == 0 && access(DIR NAME, F_OK) == 0);
	NEED(mq_open(NAME, O_RDWR) == -1 && errno == ENOENT);
	fd = open(DIR NAME, O_RDWR);
	NEED(fd >= 0 && mq_send(fd, "x", 1, 0) == 0);
	NEED(mq_receive(fd, text, sizeof(text), NULL) == 1);
	NEED(unlink(DIR NAME) == 0 && access(DIR NAME, F_OK) == -1);
	close(fd);
	return umount(DIR);
}

static void a_mount_shows_those_of_who_made_it(void)
{
	EXPECT_EQUAL(in_child_as(0, mount_queues), 0);
	rmdir(DIR);
}

/* ---- getting there ---- */

static int enter_by_process(void)
{
	int ends[2], back[2], pidfd;
	char byte, path[64];
	pid_t child;

	NEED(pipe(ends) == 0 && pipe(back) == 0);
	child = (pid_t)syscall(SYS_clone, CLONE_NEWIPC | SIGCHLD, 0, 0, 0, 0);
	if (!child) {
		NEED(is_empty() && make_set() >= 0 && write(ends[1], "x", 1) == 1);
		_exit(read(back[0], &byte, 1) == 1 ? 0 : 1);
	}
	NEED(read(ends[0], &byte, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%d/ns/ipc", child);
	pidfd = (int)syscall(PIDFD_OPEN, child, 0);
	NEED(number_of(path) > 0 && number_of(path) != number_of(OWN));
	NEED(setns(pidfd, CLONE_NEWIPC) == 0 && number_of(path) == number_of(OWN));
	NEED(write(back[1], "x", 1) == 1 && end_of(child) == 0);
	/* We are the last one now. */
	NEED(semget(KEY, 1, 0) >= 0);
	return 0;
}

static void one_enters_that_of_a_process(void)
{
	EXPECT_EQUAL(in_child_as(0, enter_by_process), 0);
	EXPECT_ERRNO(ENOENT, semget(KEY, 1, 0));
}

static void a_file_stands_for_it(void)
{
	char text[64] = "", expected[64];
	int fd = open(OWN, O_RDONLY);

	EXPECT_EQUAL(ioctl(fd, NS_TYPE), CLONE_NEWIPC);
	snprintf(expected, sizeof(expected), "ipc:[%ld]", number_of(OWN));
	EXPECT(readlink(OWN, text, sizeof(text) - 1) > 0 && strcmp(text, expected) == 0);
	EXPECT_ERRNO(EINVAL, setns(fd, CLONE_NEWUTS));
	EXPECT_ERRNO(EINVAL,
		     syscall(SYS_clone, CLONE_NEWIPC | CLONE_SYSVSEM | SIGCHLD, 0, 0, 0, 0));
	close(fd);
}

static int without_rights(void)
{
	int fd = open(OWN, O_RDONLY);

	NEED(unshare(CLONE_NEWIPC) == -1 && errno == EPERM);
	NEED(syscall(SYS_clone, CLONE_NEWIPC | CLONE_SYSVSEM | SIGCHLD, 0, 0, 0, 0) == -1);
	NEED(errno == EPERM && fd >= 0 && setns(fd, CLONE_NEWIPC) == -1 && errno == EPERM);
	return 0;
}

static void it_is_the_administrators_affair(void)
{
	EXPECT_EQUAL(as_user(without_rights), 0);
}

int main(void)
{
	RUN(objects_are_seen_in_theirs_alone);
	RUN(limits_are_those_of_one);
	RUN(what_is_in_one_goes_with_the_last);
	RUN(debts_to_semaphores_are_paid_on_leaving);
	RUN(queues_have_names_in_theirs_alone);
	RUN(a_mount_shows_those_of_who_made_it);
	RUN(one_enters_that_of_a_process);
	RUN(a_file_stands_for_it);
	RUN(it_is_the_administrators_affair);
	return check_end();
}
