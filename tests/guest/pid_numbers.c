/*
 * What numbers calls take and tell in a PID namespace: of processes there as they are there, of
 * those outside none.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"
#include "pid_help.h"

struct clone3_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, size, tls;
	uint64_t set_tid, set_tid_size;
};

static siginfo_t heard;

static void hear(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	heard = *info;
}

static void listen_to(int signal)
{
	struct sigaction action = {.sa_sigaction = hear, .sa_flags = SA_SIGINFO | SA_RESTART};

	sigaction(signal, &action, NULL);
	heard = (siginfo_t){0};
}

/* Another process here, that sleeps. */
static pid_t begin_sleeper(void)
{
	pid_t child = fork();

	if (!child) {
		for (;;)
			pause();
	}
	return child;
}

static int end_sleeper(pid_t child)
{
	return kill(child, SIGKILL) == 0 && status_of(child) == SIGKILL;
}

/* ---- numbers that are wanted ---- */

static pid_t clone_with(int flags, pid_t *numbers, size_t count)
{
	struct clone3_args args = {.flags = (uint64_t)flags,
				   .exit_signal = SIGCHLD,
				   .set_tid = (uint64_t)(uintptr_t)numbers,
				   .set_tid_size = count};
	pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (!child)
		_exit(getpid() == numbers[0] ? 0 : 1);
	return child;
}

static int wish(void)
{
	pid_t one[] = {77}, again[] = {1}, three[] = {5, 6, 7}, new[] = {1, 99}, bad[] = {5, 98};

	NEED(clone_with(0, one, 1) == 77 && status_of(77) == 0);
	NEED(clone_with(0, again, 1) == -1 && errno == EEXIST);
	NEED(clone_with(0, three, 33) == -1 && errno == EINVAL);
	NEED(clone_with(CLONE_NEWPID, new, 2) == 99 && status_of(99) == 0);
	/* There is no other one before its init. */
	NEED(clone_with(CLONE_NEWPID, bad, 2) == -1 && errno == EINVAL);
	one[0] = 0;
	NEED(clone_with(0, one, 1) == -1 && errno == EINVAL);
	return 0;
}

static void one_wishes_a_number_in_each(void)
{
	EXPECT_EQUAL(inside(wish), 0);
}

/* ---- signals ---- */

static int tell_senders(void)
{
	union sigval value = {.sival_int = 5};
	pid_t child;

	listen_to(SIGUSR1);
	child = fork();
	if (!child)
		_exit(kill(1, SIGUSR1) != 0);
	NEED(status_of(child) == 0 && heard.si_pid == child && heard.si_code == SI_USER);
	child = fork();
	if (!child)
		_exit(syscall(SYS_tgkill, 1, 1, SIGUSR1) != 0);
	NEED(status_of(child) == 0 && heard.si_pid == child && heard.si_code == SI_TKILL);
	child = fork();
	if (!child)
		_exit(sigqueue(1, SIGUSR1, value) != 0);
	NEED(status_of(child) == 0 && heard.si_pid == child && heard.si_code == SI_QUEUE);
	listen_to(SIGCHLD);
	child = fork();
	if (!child)
		_exit(3);
	NEED(status_of(child) == 0x300 && heard.si_pid == child && heard.si_code == CLD_EXITED);
	NEED(kill(getppid() + 30000, 0) == -1 && errno == ESRCH);
	return 0;
}

static int ends[2], back[2];

/* Tells who sent it a signal, which somebody outside does. */
static int hear_outsider(void)
{
	sigset_t set;
	siginfo_t info = {.si_pid = 9};

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	NEED(sigprocmask(SIG_BLOCK, &set, NULL) == 0 && write(ends[1], "x", 1) == 1);
	NEED(sigwaitinfo(&set, &info) == SIGUSR1 && info.si_pid == 0 && info.si_code == SI_USER);
	return 0;
}

static int all_of_them(void)
{
	pid_t first = begin_sleeper(), second = begin_sleeper();

	signal(SIGTERM, SIG_IGN);
	NEED(kill(-1, SIGTERM) == 0);
	NEED(status_of(first) == SIGTERM && status_of(second) == SIGTERM);
	NEED(kill(-1, SIGTERM) == -1 && errno == ESRCH);
	return 0;
}

static void a_signal_says_who_sent_it(void)
{
	pid_t child;
	char byte;

	EXPECT_EQUAL(inside(tell_senders), 0);
	EXPECT_EQUAL(pipe(ends), 0);
	child = begin_inside(hear_outsider);
	EXPECT(read(ends[0], &byte, 1) == 1 && kill(child, SIGUSR1) == 0);
	EXPECT_EQUAL(status_of(child), 0);
	close(ends[0]);
	close(ends[1]);
}

static void all_are_those_inside(void)
{
	pid_t child = begin_sleeper();

	EXPECT_EQUAL(inside(all_of_them), 0);
	EXPECT(end_sleeper(child));
}

/* ---- waiting and groups ---- */

static int wait_for_them(void)
{
	siginfo_t info = {0};
	pid_t child = begin_sleeper();
	int status, pidfd;

	NEED(child == 2 && setpgid(2, 2) == 0 && getpgid(2) == 2 && kill(-2, SIGSTOP) == 0);
	NEED(waitid(P_PID, 2, &info, WSTOPPED) == 0 && info.si_pid == 2);
	pidfd = (int)syscall(SYS_pidfd_open, 2, 0);
	NEED(pidfd >= 0 && kill(2, SIGKILL) == 0);
	NEED(waitid(P_PGID, 2, &info, WEXITED | WNOWAIT) == 0 && info.si_pid == 2);
	NEED(waitid((idtype_t)3, (id_t)pidfd, &info, WEXITED | WNOWAIT) == 0 && info.si_pid == 2);
	NEED(waitpid(-2, &status, 0) == 2 && status == SIGKILL);
	NEED(setpgid(2, 2) == -1 && errno == ESRCH);
	NEED(getsid(2) == -1 && errno == ESRCH && getpgid(2) == -1 && errno == ESRCH);
	/* Whoever led it has gone, the group has not. */
	child = fork();
	if (!child) {
		NEED(setsid() == 3);
		if (!fork())
			sleep(1000);
		_exit(0);
	}
	NEED(child == 3 && status_of(3) == 0);
	NEED(getpgid(4) == 3 && getsid(4) == 3 && kill(-3, SIGKILL) == 0);
	NEED(waitpid(-3, &status, 0) == 4 && status == SIGKILL);
	return 0;
}

static void children_are_waited_for_by_their_numbers_there(void)
{
	EXPECT_EQUAL(inside(wait_for_them), 0);
}

/* ---- calls that take one ---- */

static int name_by_number(void)
{
	struct rlimit limit;
	struct iovec piece = {&limit, sizeof(limit)};
	pid_t child = begin_sleeper(), none = 3;
	cpu_set_t cpus;
	void *list;
	size_t len;

	NEED(prlimit(child, RLIMIT_CORE, NULL, &limit) == 0);
	NEED(prlimit(none, RLIMIT_CORE, NULL, &limit) == -1 && errno == ESRCH);
	NEED(sched_getaffinity(child, sizeof(cpus), &cpus) == 0);
	NEED(sched_getaffinity(none, sizeof(cpus), &cpus) == -1 && errno == ESRCH);
	NEED(syscall(SYS_sched_getscheduler, child) == SCHED_OTHER);
	NEED(syscall(SYS_sched_getscheduler, none) == -1 && errno == ESRCH);
	NEED(syscall(SYS_getpriority, PRIO_PROCESS, child) == 20);
	NEED(syscall(SYS_getpriority, PRIO_PROCESS, none) == -1 && errno == ESRCH);
	NEED(process_vm_readv(child, &piece, 1, &piece, 1, 0) == sizeof(limit));
	NEED(process_vm_readv(none, &piece, 1, &piece, 1, 0) == -1 && errno == ESRCH);
	NEED(syscall(SYS_get_robust_list, child, &list, &len) == 0);
	NEED(syscall(SYS_get_robust_list, none, &list, &len) == -1 && errno == ESRCH);
	NEED(syscall(SYS_pidfd_open, none, 0) == -1 && errno == ESRCH);
	NEED(syscall(SYS_ioprio_get, 1, child) >= 0);
	NEED(syscall(SYS_ioprio_get, 1, none) == -1 && errno == ESRCH);
	NEED(end_sleeper(child));
	return 0;
}

static int own_files(void)
{
	int file = open("/tmp/pid_locked", O_RDWR | O_CREAT, 0600), pipe_ends[2];
	struct flock lock = {.l_type = F_WRLCK, .l_len = 5};
	pid_t child;

	NEED(file >= 0 && unlink("/tmp/pid_locked") == 0 && pipe(pipe_ends) == 0);
	NEED(fcntl(pipe_ends[0], F_SETOWN, 1) == 0 && fcntl(pipe_ends[0], F_GETOWN) == 1);
	NEED(fcntl(pipe_ends[0], F_SETOWN, 300) == -1 && errno == ESRCH);
	NEED(fcntl(file, F_SETLK, &lock) == 0);
	child = fork();
	if (!child)
		_exit(!(fcntl(file, F_GETLK, &lock) == 0 && lock.l_pid == 1));
	NEED(status_of(child) == 0);
	return 0;
}

static void calls_take_the_numbers_there(void)
{
	EXPECT_EQUAL(inside(name_by_number), 0);
	EXPECT_EQUAL(inside(own_files), 0);
}

/* ---- sockets ---- */

static int pair[2];

static ssize_t receive_sender(int socket, struct ucred *from)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char byte;
	struct iovec piece = {&byte, 1};
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	ssize_t len = recvmsg(socket, &message, 0);

	if (len == 1)
		memcpy(from, CMSG_DATA(&control.header), sizeof(*from));
	return len;
}

static int send_and_hear(void)
{
	struct ucred from = {.pid = 9};
	socklen_t len = sizeof(from);
	int own[2];
	pid_t child;

	NEED(write(pair[1], "x", 1) == 1);
	NEED(receive_sender(pair[1], &from) == 1 && from.pid == 0);
	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, own) == 0);
	NEED(setsockopt(own[0], SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)) == 0);
	NEED(getsockopt(own[0], SOL_SOCKET, SO_PEERCRED, &from, &len) == 0 && from.pid == 1);
	NEED(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &from, &len) == 0 && from.pid == 0);
	child = fork();
	if (!child)
		_exit(write(own[1], "x", 1) != 1);
	NEED(receive_sender(own[0], &from) == 1 && from.pid == child && status_of(child) == 0);
	return 0;
}

static void messages_say_who_sent_them(void)
{
	struct ucred from;
	pid_t child;

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	EXPECT_EQUAL(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)), 0);
	EXPECT_EQUAL(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)), 0);
	child = begin_inside(send_and_hear);
	EXPECT_EQUAL(receive_sender(pair[0], &from), 1);
	EXPECT_EQUAL(from.pid, child);
	EXPECT_EQUAL(write(pair[0], "x", 1), 1);
	EXPECT_EQUAL(status_of(child), 0);
	close(pair[0]);
	close(pair[1]);
}

/* ---- who used an object last ---- */

static int queue, set, segment;

static int use_objects(void)
{
	struct sembuf up = {.sem_op = 1};
	struct msqid_ds queue_state;
	struct shmid_ds segment_state;
	struct {
		long type;
		char byte;
	} message = {1, 'x'};
	pid_t child;

	NEED(msgctl(queue, IPC_STAT, &queue_state) == 0 && queue_state.msg_lspid == 0);
	child = fork();
	if (!child) {
		NEED(msgsnd(queue, &message, 1, 0) == 0 && semop(set, &up, 1) == 0);
		NEED(shmat(segment, NULL, 0) != (void *)-1);
		_exit(0);
	}
	NEED(child == 2 && status_of(child) == 0);
	NEED(msgctl(queue, IPC_STAT, &queue_state) == 0 && queue_state.msg_lspid == 2);
	NEED(semctl(set, 0, GETPID) == 2);
	NEED(shmctl(segment, IPC_STAT, &segment_state) == 0 && segment_state.shm_lpid == 2);
	NEED(segment_state.shm_cpid == 0);
	return 0;
}

static void objects_say_who_used_them(void)
{
	struct msqid_ds state;
	struct {
		long type;
		char byte;
	} message = {1, 'x'};
	int result;

	queue = msgget(IPC_PRIVATE, 0600);
	set = semget(IPC_PRIVATE, 1, 0600);
	segment = shmget(IPC_PRIVATE, 4096, 0600);
	EXPECT(queue >= 0 && set >= 0 && segment >= 0);
	EXPECT_EQUAL(msgsnd(queue, &message, 1, 0), 0);
	result = inside(use_objects);
	EXPECT_EQUAL(result, 0);
	EXPECT_EQUAL(msgctl(queue, IPC_STAT, &state), 0);
	msgctl(queue, IPC_RMID, NULL);
	semctl(set, 0, IPC_RMID);
	shmctl(segment, IPC_RMID, NULL);
}

/* ---- futexes that lend priority ---- */

static int lock_here(void)
{
	int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = fork();

	if (!child) {
		NEED(syscall(SYS_futex, word, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
		NEED(__atomic_load_n(word, __ATOMIC_SEQ_CST) == 2);
		NEED(write(ends[1], "x", 1) == 1 && read(back[0], &(char){0}, 1) == 1);
		_exit((int)syscall(SYS_futex, word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	}
	NEED(read(ends[0], &(char){0}, 1) == 1);
	NEED(syscall(SYS_futex, word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0) == -1);
	NEED(errno == EAGAIN && write(back[1], "x", 1) == 1);
	NEED(syscall(SYS_futex, word, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
	NEED((*word & FUTEX_TID_MASK) == 1 && status_of(child) == 0);
	NEED(syscall(SYS_futex, word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0 && *word == 0);
	return 0;
}

static void a_futex_says_who_has_it(void)
{
	EXPECT(pipe(ends) == 0 && pipe(back) == 0);
	EXPECT_EQUAL(inside(lock_here), 0);
	close(ends[0]);
	close(ends[1]);
	close(back[0]);
	close(back[1]);
}

/* ---- tracing ---- */

static int trace_here(void)
{
	unsigned long born;
	int status;
	pid_t child = fork();

	if (!child) {
		NEED(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
		kill(getpid(), SIGSTOP);
		if (!fork())
			_exit(0);
		_exit(wait(NULL) == 3 ? 0 : 1);
	}
	NEED(waitpid(2, &status, 0) == 2 && WIFSTOPPED(status));
	NEED(ptrace(PTRACE_SETOPTIONS, 2, 0, PTRACE_O_TRACEFORK) == 0);
	NEED(ptrace(PTRACE_CONT, 2, 0, 0) == 0 && waitpid(2, &status, 0) == 2);
	NEED(status >> 8 == (SIGTRAP | PTRACE_EVENT_FORK << 8));
	NEED(ptrace(PTRACE_GETEVENTMSG, 2, 0, &born) == 0 && born == 3);
	NEED(waitpid(3, &status, __WALL) == 3 && ptrace(PTRACE_DETACH, 3, 0, 0) == 0);
	NEED(ptrace(PTRACE_DETACH, 2, 0, 0) == 0 && status_of(2) == 0);
	return 0;
}

static void a_tracer_learns_numbers_there(void)
{
	EXPECT_EQUAL(inside(trace_here), 0);
}

/* ---- /proc ---- */

static bool has_line(const char *path, const char *line)
{
	char text[4096] = "\n";
	int fd = open(path, O_RDONLY);
	ssize_t len = fd < 0 ? -1 : read(fd, text + 1, sizeof(text) - 2);

	close(fd);
	return len > 0 && strstr(text, line);
}

static int count_processes(void)
{
	DIR *directory = opendir("/proc");
	const struct dirent *entry;
	int count = 0;

	while ((entry = readdir(directory)))
		count += entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
	closedir(directory);
	return count;
}

static int look_at_proc(void)
{
	char text[64] = "", path[64], line[64];
	pid_t child = begin_sleeper();
	int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	pid_t told;

	NEED(readlink("/proc/self", text, sizeof(text)) == 1 && text[0] == '1');
	NEED(readlink("/proc/thread-self", text, sizeof(text)) == 8);
	NEED(strcmp(text, "1/task/1") == 0);
	NEED(count_processes() == 2 && access("/proc/2/task/2", F_OK) == 0);
	NEED(access("/proc/3", F_OK) == -1 && errno == ENOENT);
	NEED(has_line("/proc/2/status", "\nTgid:\t2\n"));
	NEED(has_line("/proc/2/status", "\nPPid:\t1\n"));
	NEED(has_line("/proc/1/status", "\nNSpid:\t1\n"));
	NEED(has_line("/proc/1/status", "\nNSsid:\t0\n"));
	NEED(has_line("/proc/2/stat", "\n2 ("));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	NEED(has_line(path, "\nPid:\t2\nNSpid:\t2\n"));
	/* Another mount shows what its maker sees. */
	NEED(umount("/proc") == 0);
	NEED(readlink("/proc/self", text, sizeof(text)) > 0);
	told = (pid_t)strtol(text, NULL, 10);
	snprintf(path, sizeof(path), "/proc/%d/status", told);
	snprintf(line, sizeof(line), "\nNSpid:\t%d\t1\n", told);
	NEED(told > 1 && has_line(path, line) && end_sleeper(child));
	return 0;
}

static int look_from_outside(void)
{
	char text[64] = "";

	/* Who makes something inside is not there itself. */
	NEED(unshare(CLONE_NEWPID) == 0 && mount_proc_and() == 0);
	NEED(readlink("/proc/self", text, sizeof(text)) > 0);
	NEED((pid_t)strtol(text, NULL, 10) == getpid());
	return 0;
}

static void a_mount_of_proc_shows_the_numbers_there(void)
{
	after_mount = look_at_proc;
	EXPECT_EQUAL(inside(mount_proc_and), 0);
	after_mount = NULL;
	EXPECT_EQUAL(in_child_as(0, look_from_outside), 0);
}

int main(void)
{
	RUN(one_wishes_a_number_in_each);
	RUN(a_signal_says_who_sent_it);
	RUN(all_are_those_inside);
	RUN(children_are_waited_for_by_their_numbers_there);
	RUN(calls_take_the_numbers_there);
	RUN(messages_say_who_sent_them);
	RUN(objects_say_who_used_them);
	RUN(a_futex_says_who_has_it);
	RUN(a_tracer_learns_numbers_there);
	RUN(a_mount_of_proc_shows_the_numbers_there);
	return check_end();
}
