/*
 * What user namespaces mean for those in them: how ids are called in every call that has some, and
 * what capabilities are good for. How one is made: user_namespaces.c.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"
#include "in_user_namespace.h"

/* The caller, user 0 outside, is user 0 inside; 1 to 9 are 5001 to 5009 outside, for groups too. */
static int enter_as_root(void)
{
	struct child child;
	char path[64];
	int fd, failed;

	if (!start_in_namespace(&child))
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", child.pid);
	fd = open(path, O_RDONLY);
	failed = write_of(child.pid, "uid_map", "0 0 1\n1 5001 9\n") ||
		 write_of(child.pid, "gid_map", "0 0 1\n1 5001 9\n") || setns(fd, CLONE_NEWUSER);
	close(fd);
	return end_of(&child) || failed ? -1 : 0;
}

static int own_ids(void)
{
	uid_t real, effective, saved;
	gid_t groups[3] = {5, 2, 9}, got[3];

	NEED(syscall(SYS_setgroups, 0, NULL) == 0);
	NEED(enter_as_root() == 0);
	NEED(getuid() == 0 && getegid() == 0);
	NEED(syscall(SYS_setgroups, 3, groups) == 0 && getgroups(3, got) == 3);
	NEED(got[0] == 2 && got[1] == 5 && got[2] == 9);
	NEED(fails_with(EINVAL, setgroups_of_one(10)));
	NEED(fails_with(EINVAL, setresuid(10, -1, -1)) && fails_with(EINVAL, setreuid(-1, 10)));
	NEED(fails_with(EINVAL, setresgid(10, -1, -1)) && fails_with(EINVAL, setregid(-1, 10)));
	NEED(fails_with(EINVAL, setuid(10)) && fails_with(EINVAL, setgid(10)));
	NEED(syscall(SYS_setfsuid, 10) == 0 && syscall(SYS_setfsuid, -1) == 0);
	NEED(syscall(SYS_setfsuid, 3) == 0 && syscall(SYS_setfsuid, 0) == 3);
	NEED(syscall(SYS_setfsgid, 4) == 0 && syscall(SYS_setfsgid, 0) == 4);
	NEED(setresgid(1, 2, 3) == 0 && setresuid(4, 5, 6) == 0);
	NEED(getresuid(&real, &effective, &saved) == 0);
	NEED(real == 4 && effective == 5 && saved == 6);
	NEED(getresgid(&real, &effective, &saved) == 0);
	NEED(real == 1 && effective == 2 && saved == 3);
	NEED(fails_with(EPERM, setresuid(7, -1, -1)));
	return 0;
}

static void calls_name_ids_as_the_namespace_does(void)
{
	EXPECT_EQUAL(in_child_as(0, own_ids), 0);
}

static int files(void)
{
	char name[] = "/tmp/user_namespaceXXXXXX";
	int fd = mkstemp(name), foreign;
	struct stat status;
	uint32_t more[64]; /* struct statx */
	char other[sizeof(name) + 1];

	snprintf(other, sizeof(other), "%s2", name);
	foreign = open(other, O_RDWR | O_CREAT, 0600);
	NEED(fchown(fd, 5003, 5004) == 0 && fchown(foreign, 7000, 7000) == 0);
	NEED(enter_as_root() == 0);
	NEED(stat(name, &status) == 0 && status.st_uid == 3 && status.st_gid == 4);
	NEED(fstat(foreign, &status) == 0 && status.st_uid == 65534 && status.st_gid == 65534);
	NEED(syscall(SYS_statx, AT_FDCWD, name, 0, 0x18, more) == 0 && more[5] == 3 &&
	     more[6] == 4);
	NEED(chown(name, 5, -1) == 0 && fstat(fd, &status) == 0 && status.st_uid == 5);
	NEED(fails_with(EINVAL, chown(name, 10, -1)) && fails_with(EINVAL, fchown(fd, -1, 10)));
	/* Root over what has mapped owners alone. */
	NEED(chmod(name, 0) == 0 && open(name, O_RDWR) >= 0);
	NEED(fails_with(EACCES, open(other, O_RDONLY)));
	NEED(fails_with(EPERM, chmod(other, 0666)) && fails_with(EPERM, chown(other, 1, 1)));
	NEED(fails_with(EPERM, fchown(foreign, 0, 0)));
	NEED(fails_with(EPERM, mknod("/tmp/user_namespace_device", S_IFCHR | 0600, 0x103)));
	NEED(setresuid(2, 2, 2) == 0);
	NEED(fails_with(EACCES, open(name, O_RDONLY)));
	NEED(fails_with(EPERM, unlink(name)) && fails_with(EPERM, unlink(other)));
	return 0;
}

static int clean_up(void)
{
	return system("rm -f /tmp/user_namespace*");
}

static void files_have_owners_and_root_is_that_of_mapped_ones(void)
{
	EXPECT_EQUAL(in_child_as(0, files), 0);
	EXPECT_EQUAL(clean_up(), 0);
}

/* ---- processes ---- */

static volatile sig_atomic_t sender = -1;

static void note(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	sender = (sig_atomic_t)info->si_uid;
}

/* It goes with whoever has the other end of `hold`, who may have no right to kill it. */
static pid_t waiting_child_as(unsigned uid, int ready[2], int hold[2])
{
	pid_t child = fork();
	char byte = 0;

	if (child)
		return read(ready[0], &byte, 1) == 1 ? child : -1;
	close(hold[1]);
	if (uid && (setresgid(uid, uid, uid) || setresuid(uid, uid, uid)))
		_exit(1);
	(void)!write(ready[1], &byte, 1);
	_exit(read(hold[0], &byte, 1) != 0);
}

static bool take_down(pid_t child)
{
	int status;

	return kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child;
}

static int signals(void)
{
	struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART};
	pid_t self = getpid(), inside;
	int ready[2], hold[2], status;
	siginfo_t info;
	pid_t foreign;

	NEED(pipe(ready) == 0 && pipe(hold) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
	foreign = waiting_child_as(7000, ready, hold);
	inside = fork();
	if (!inside) {
		if (enter_as_root() || setresuid(5, 5, 5))
			_exit(1);
		/* Neither him who is outside of the map nor outside root. */
		if (!fails_with(EPERM, kill(foreign, 0)) || !fails_with(EPERM, kill(self, 0)))
			_exit(2);
		_exit(0);
	}
	NEED(waitpid(inside, &status, 0) == inside && status == 0);
	inside = fork();
	if (!inside)
		_exit(enter_as_root() || kill(self, SIGUSR1) || setresuid(3, 3, 3) ? 1 : 0);
	NEED(waitid(P_PID, (id_t)inside, &info, WEXITED) == 0 && info.si_status == 0);
	NEED(info.si_uid == 5003 && sender == 0);
	NEED(enter_as_root() == 0);
	NEED(fails_with(EPERM, kill(foreign, SIGTERM)));
	inside = waiting_child_as(4, ready, hold);
	NEED(setpriority(PRIO_USER, 4, 5) == 0 && getpriority(PRIO_PROCESS, (id_t)inside) == 5);
	NEED(fails_with(ESRCH, getpriority(PRIO_USER, 77)));
	NEED(waitid(P_PID, (id_t)inside, &info, WEXITED | WNOHANG) == 0);
	NEED(take_down(inside));
	NEED(fails_with(EPERM, setpriority(PRIO_PROCESS, (id_t)foreign, 5)));
	return 0;
}

static void signals_come_from_users_by_name(void)
{
	EXPECT_EQUAL(in_child_as(0, signals), 0);
}

/* Whom one's namespace has made, one may trace; nobody outside. */
static int tracing(void)
{
	pid_t outside = getpid(), inside;
	struct rlimit limit;
	int ready[2], status;
	char path[64];

	NEED(pipe(ready) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0);
	if (fork() == 0) {
		if (unshare(CLONE_NEWUSER))
			_exit(1);
		if (!fails_with(EPERM, ptrace(PTRACE_ATTACH, outside, 0, 0)))
			_exit(2);
		if (!fails_with(EPERM,
				syscall(SYS_prlimit64, outside, RLIMIT_CORE, NULL, &limit)) &&
		    errno)
			_exit(3);
		snprintf(path, sizeof(path), "/proc/%d/ns/user", outside);
		if (!fails_with(EACCES, open(path, O_RDONLY)))
			_exit(4);
		_exit(0);
	}
	NEED(wait(&status) > 0);
	NEED(status == 0);
	inside = fork();
	if (!inside) {
		if (unshare(CLONE_NEWUSER))
			_exit(1);
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* not traced, nobody takes it down */
		(void)!write(ready[1], path, 1);
		for (;;)
			pause();
	}
	NEED(read(ready[0], path, 1) == 1);
	NEED(ptrace(PTRACE_ATTACH, inside, 0, 0) == 0); /* it is his, who made it */
	NEED(waitpid(inside, &status, 0) == inside && WIFSTOPPED(status));
	NEED(take_down(inside));
	return 0;
}

static void only_what_is_below_is_traced(void)
{
	EXPECT_EQUAL(as_user(tracing), 0);
}

/* ---- what belongs to namespaces ---- */

static int others_of_ours(void)
{
	NEED(unshare(CLONE_NEWUSER) == 0);
	NEED(fails_with(EPERM, sethostname("mine", 4)));
	NEED(unshare(CLONE_NEWUTS) == 0 && sethostname("mine", 4) == 0);
	NEED(unshare(CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS) == 0);
	NEED(unshare(CLONE_NEWUSER) == -1); /* without ids */
	return 0;
}

static int outside_stays_outside(void)
{
	struct rlimit more = {100, RLIM_INFINITY};

	NEED(set_limit(RLIMIT_NOFILE, 100));
	NEED(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){1, 1}) == 0);
	NEED(unshare(CLONE_NEWUSER) == 0);
	NEED(fails_with(EPERM, setrlimit(RLIMIT_MEMLOCK, &more)));
	NEED(fails_with(EPERM, syscall(SYS_settimeofday, &(long[2]){0, 0}, NULL)));
	NEED(fails_with(EPERM, syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL)));
	NEED(fails_with(EPERM, umount2("/proc", MNT_DETACH)));
	NEED(fails_with(EPERM, setpriority(PRIO_PROCESS, 0, -5)) || errno == EACCES);
	return 0;
}

static void capabilities_reach_what_is_the_namespaces(void)
{
	EXPECT_EQUAL(as_user(others_of_ours), 0);
	EXPECT_EQUAL(as_user(outside_stays_outside), 0);
}

static int shared_memory(void)
{
	struct shmid_ds about;
	int id = shmget(IPC_PRIVATE, 4096, 0600), own;

	NEED(shmctl(id, IPC_STAT, &about) == 0);
	about.shm_perm.uid = 5003;
	NEED(shmctl(id, IPC_SET, &about) == 0);
	NEED(enter_as_root() == 0);
	NEED(shmctl(id, IPC_STAT, &about) == 0 && about.shm_perm.uid == 3);
	about.shm_perm.uid = 10;
	NEED(fails_with(EINVAL, shmctl(id, IPC_SET, &about)));
	NEED(unshare(CLONE_NEWIPC) == 0);
	own = shmget(IPC_PRIVATE, 4096, 0);
	NEED(own >= 0 && shmat(own, NULL, 0) != (void *)-1); /* CAP_IPC_OWNER of its own */
	return 0;
}

static int peers(void)
{
	struct ucred who = {0};
	socklen_t bytes = sizeof(who);
	int ends[2], on = 1, status;
	char byte = 'x', space[CMSG_SPACE(sizeof(who))];
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	struct cmsghdr *header;

	NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
	NEED(setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
	if (fork() == 0) {
		if (enter_as_root() || setresgid(2, 2, 2) || setresuid(4, 4, 4))
			_exit(1);
		if (getsockopt(ends[1], SOL_SOCKET, SO_PEERCRED, &who, &bytes) || who.uid != 0)
			_exit(2);
		_exit(write(ends[1], "x", 1) == 1 ? 0 : 3);
	}
	NEED(wait(&status) > 0 && status == 0);
	message.msg_control = space;
	message.msg_controllen = sizeof(space);
	NEED(recvmsg(ends[0], &message, 0) == 1);
	header = CMSG_FIRSTHDR(&message);
	NEED(header && header->cmsg_type == SCM_CREDENTIALS);
	memcpy(&who, CMSG_DATA(header), sizeof(who));
	NEED(who.uid == 5004 && who.gid == 5002);
	return 0;
}

static void ids_of_objects_and_peers_are_translated(void)
{
	EXPECT_EQUAL(in_child_as(0, shared_memory), 0);
	EXPECT_EQUAL(in_child_as(0, peers), 0);
}

static int status_file(void)
{
	char text[4096];

	NEED(enter_as_root() == 0);
	NEED(read_text("/proc/self/status", text, sizeof(text)) > 0);
	NEED(strstr(text, "Uid:\t0\t0\t0\t0\n"));
	NEED(setresgid(2, 3, 4) == 0);
	NEED(read_text("/proc/thread-self/status", text, sizeof(text)) > 0);
	NEED(strstr(text, "Gid:\t2\t3\t4\t3\n"));
	return 0;
}

static void proc_tells_ids_to_who_reads(void)
{
	EXPECT_EQUAL(in_child_as(0, status_file), 0);
}

int main(void)
{
	RUN(calls_name_ids_as_the_namespace_does);
	RUN(files_have_owners_and_root_is_that_of_mapped_ones);
	RUN(signals_come_from_users_by_name);
	RUN(only_what_is_below_is_traced);
	RUN(capabilities_reach_what_is_the_namespaces);
	RUN(ids_of_objects_and_peers_are_translated);
	RUN(proc_tells_ids_to_who_reads);
	return check_end();
}
