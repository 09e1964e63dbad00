/*
 * Random system calls, by the table of all that there are: fuzz_calls SEED CALLS [-v].
 *
 * A supervisor starts workers, as root and as a user, each with a second thread, and counts what
 * they do in a page that all share. Workers may do what they like to themselves: one that ends is
 * replaced, one that makes no progress is interrupted, then killed. After each round everybody is
 * killed and what was left (files, System V objects) is removed, so that the memory of before must
 * be back at the end. Nothing is left out by name; fuzz_choice.h says which arguments are.
 *
 * The seed decides what each worker does, not who comes first. Exit status 1: it hung.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz_choice.h"

#define WORKERS     8
#define ROUND       12500 /* calls */
#define STACK_BYTES 65536
#define POLL_NS     2000000
#define BELIEVED    100000 /* calls between two looks: more were written by accident */
#define NUDGE_POLLS 3      /* without progress: a signal */
#define KILL_POLLS  12     /* SIGKILL */
#define HANG_POLLS  15000
#define USER        1000

struct worker {
	pid_t pid;
	uint64_t ncalls_seen;
	unsigned stalled;
	unsigned life; /* how many there were before it, in this place */
};

/* What workers count. They may write anything there by accident. */
struct shared {
	volatile uint64_t ncalls[WORKERS][2]; /* of the two threads of each */
	volatile uint32_t successes[FUZZ_NUMBERS];
};

static struct shared *shared;
static struct worker workers[WORKERS]; /* each process has its own copy */
static uint64_t ncounted;
static uint64_t seed;
static uint64_t nended, nnudged, nkilled;

/* ---- one call ---- */

noreturn void fuzz_child(void);

/* What a new process or thread does, on whatever stack it got: a few calls. */
noreturn void fuzz_child(void)
{
	struct random own = {child_seed};

	for (unsigned left = random_below(&own, 6); left && !in_child; left--) {
		struct chosen call;

		in_child++; /* its own children do nothing */
		choose_call(&own, &call);
		raw_call(&call);
		in_child--;
	}
	for (;;)
		leave();
}

/* ---- workers ---- */

static void fuzz_forever(struct random *random, volatile uint64_t *ncalls)
{
	for (;;) {
		struct chosen call;
		long result;

		choose_call(random, &call);
		result = raw_call(&call);
		(*ncalls)++;
		if (result >= 0 || result < -4095) {
			shared->successes[call.number]++;
			remember(random, &call, result);
		}
	}
}

struct thread_start {
	struct random random;
	volatile uint64_t *ncalls;
};
static struct thread_start second;

static int second_main(void *argument)
{
	(void)argument;
	fuzz_forever(&second.random, second.ncalls);
	return 0;
}

static void ignore(int signal)
{
	(void)signal;
}

static void limit(int resource, rlim_t value)
{
	struct rlimit both = {value, value};

	setrlimit(resource, &both);
}

/* It may not outrank the supervisor, nor fill the memory. */
static void confine(bool as_user)
{
	struct {
		uint32_t version;
		int pid;
	} header = {0x20080522, 0};
	struct {
		uint32_t effective, permitted, inheritable;
	} sets[2];

	limit(RLIMIT_AS, 16 << 20);
	limit(RLIMIT_FSIZE, 256 << 10);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_RTPRIO, 50);
	if (as_user) {
		limit(RLIMIT_NPROC, 200);
		setgroups(0, NULL);
		setresgid(USER, USER, USER);
		setresuid(USER, USER, USER);
	} else if (syscall(SYS_capget, &header, sets) == 0) {
		sets[0].effective &= ~(1u << 23); /* CAP_SYS_NICE */
		sets[0].permitted &= ~(1u << 23);
		syscall(SYS_capset, &header, sets);
	}
}

static noreturn void worker_main(unsigned place)
{
	struct worker *worker = &workers[place];
	struct sigaction action = {.sa_handler = ignore};
	struct sched_param usual = {0};
	int null = open("/dev/null", O_RDWR);
	struct random random;
	char *stack;

	/* Its output is not for the console. */
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	close(null);
	random.state = seed * 0x9e3779b97f4a7c15 + place * 0x10001 + worker->life * 0x1000003 + 1;
	sched_setscheduler(0, SCHED_OTHER, &usual);
	setsid();
	confine(place & 1);
	sigaction(SIGALRM, &action, NULL);
	arguments_init();
	stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	second.random.state = random_next(&random) | 1;
	second.ncalls = &shared->ncalls[place][1];
	clone(second_main, stack + STACK_BYTES,
	      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
	      NULL);
	fuzz_forever(&random, &shared->ncalls[place][0]);
	_exit(0);
}

/* ---- the supervisor ---- */

static void start_worker(unsigned place)
{
	struct worker *worker = &workers[place];

	worker->stalled = 0;
	worker->life++;
	worker->pid = fork();
	if (worker->pid == 0)
		worker_main(place);
}

static uint64_t total(void)
{
	return ncounted;
}

static void reap(bool replace)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		for (unsigned i = 0; i < WORKERS; i++) {
			if (workers[i].pid != pid)
				continue;
			workers[i].pid = 0;
			nended++;
			if (replace)
				start_worker(i);
		}
	}
}

static void watch(unsigned place)
{
	struct worker *worker = &workers[place];
	uint64_t ncalls = shared->ncalls[place][0] + shared->ncalls[place][1];
	uint64_t more = ncalls - worker->ncalls_seen;

	if (more) {
		worker->ncalls_seen = ncalls;
		worker->stalled = 0;
		if (more < BELIEVED)
			ncounted += more;
		return;
	}
	worker->stalled++;
	if (worker->pid <= 0)
		return;
	if (worker->stalled >= KILL_POLLS)
		nkilled += kill(worker->pid, SIGKILL) == 0;
	else if (worker->stalled >= NUDGE_POLLS)
		nnudged += kill(worker->pid, SIGALRM) == 0;
}

static void rest(void)
{
	nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
}

/* False: nothing happened for long. */
static bool run_round(uint64_t until)
{
	uint64_t before = total();
	unsigned idle = 0;

	for (unsigned i = 0; i < WORKERS; i++)
		start_worker(i);
	while (total() < until && idle < HANG_POLLS) {
		uint64_t now;

		rest();
		reap(true);
		for (unsigned i = 0; i < WORKERS; i++) {
			watch(i);
			if (workers[i].pid <= 0)
				start_worker(i); /* no process was to be had */
		}
		now = total();
		idle = now == before ? idle + 1 : 0;
		before = now;
	}
	return idle < HANG_POLLS;
}

/* False: somebody cannot be killed. */
static bool end_all(void)
{
	for (unsigned polls = 0; polls < HANG_POLLS; polls++) {
		kill(-1, SIGKILL);
		reap(false);
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return true;
		rest();
	}
	return false;
}

static void remove_below(const char *name)
{
	DIR *directory;
	struct dirent *entry;

	while (umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	if (unlink(name) == 0 || chmod(name, 0700) || chdir(name))
		return;
	directory = opendir(".");
	while (directory && (entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			remove_below(entry->d_name);
	}
	if (directory)
		closedir(directory);
	if (chdir("..") == 0)
		rmdir(name);
}

static void remove_sysv(void)
{
	union {
		struct shmid_ds shm;
		struct semid_ds sem;
		struct msqid_ds msg;
		char room[256];
	} ds;
	int highest;

	highest = shmctl(0, SHM_INFO, &ds.shm);
	for (int i = 0; i <= highest; i++)
		shmctl(shmctl(i, SHM_STAT, &ds.shm), IPC_RMID, NULL);
	highest = semctl(0, 0, SEM_INFO, &ds);
	for (int i = 0; i <= highest; i++)
		semctl(semctl(i, 0, SEM_STAT, &ds), 0, IPC_RMID);
	highest = msgctl(0, MSG_INFO, &ds.msg);
	for (int i = 0; i <= highest; i++)
		msgctl(msgctl(i, MSG_STAT, &ds.msg), IPC_RMID, NULL);
}

/* Descriptors of all kinds, which the workers inherit; their numbers begin at 3. */
static void open_all(void)
{
	static const char *const files[] = {"/dev/zero",       "/dev/full",     "/dev/random",
					    "/proc/self/maps", "/proc/self/fd", "/dev/fuse",
					    "/proc/stat"};
	int pair[2], epoll;
	sigset_t all;

	sigfillset(&all);
	for (unsigned i = 0; i < sizeof(files) / sizeof(*files); i++)
		open(files[i], O_RDWR) < 0 ? open(files[i], O_RDONLY) : 0;
	open("a", O_RDWR | O_CREAT, 0666);
	open(".", O_RDONLY | O_DIRECTORY);
	open("a", O_PATH);
	open("dir", O_RDONLY);
	pipe2(pair, O_NONBLOCK);
	pipe(pair);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair);
	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
	socket(AF_UNIX, SOCK_STREAM, 0);
	eventfd(1, EFD_NONBLOCK);
	timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	signalfd(-1, &all, SFD_NONBLOCK);
	inotify_init1(IN_NONBLOCK);
	memfd_create("memory", MFD_ALLOW_SEALING);
	epoll = epoll_create1(0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &(struct epoll_event){.events = EPOLLIN});
	posix_openpt(O_RDWR | O_NOCTTY);
	syscall(SYS_mq_open, "fuzz", O_RDWR | O_CREAT | O_NONBLOCK, 0666, NULL);
	syscall(SYS_mq_unlink, "fuzz");
	syscall(SYS_fsopen, "tmpfs", 0);
	syscall(SYS_open_tree, AT_FDCWD, "dir", 1 /* OPEN_TREE_CLONE */);
}

static void close_all(void)
{
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
}

static void make_scratch(void)
{
	mkdir("dir", 0777);
	chmod("dir", 0777);
	symlink("a", "link");
	symlink("loop", "loop");
	symlink("/dev/null", "nothing");
	symlink("/proc/self", "self");
	symlink("/bin/true", "true");
	mkfifo("fifo", 0666);
}

static bool one_round(const char *scratch, uint64_t until)
{
	bool fine;

	if (mkdir(scratch, 0777) || chmod(scratch, 0777) || chdir(scratch)) {
		perror(scratch);
		exit(2);
	}
	make_scratch();
	open_all();
	fine = run_round(until) && end_all();
	close_all();
	if (chdir("/tmp") == 0)
		remove_below("fuzz");
	remove_sysv();
	return fine;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void report(uint64_t ms, bool verbose)
{
	unsigned never = 0;

	for (unsigned i = 0; i < FUZZ_NUMBERS; i++) {
		if (!call_name(i) || shared->successes[i])
			continue;
		never++;
		if (verbose)
			printf("never succeeded: %s\n", call_name(i));
	}
	printf("%lu interrupted, %lu killed\n", nnudged, nkilled);
	printf("fuzzed %lu calls in %lu ms, seed %lu: %lu workers ended, %u calls never "
	       "succeeded\n",
	       total(), ms, seed, nended, never);
}

int main(int argc, char **argv)
{
	struct sched_param highest = {.sched_priority = 99};
	uint64_t start_ms = now_ms(), wanted;
	bool fine = true;

	if (argc < 3) {
		fprintf(stderr, "usage: fuzz_calls SEED CALLS [-v]\n");
		return 2;
	}
	seed = strtoul(argv[1], NULL, 0);
	wanted = strtoul(argv[2], NULL, 0);
	supervisor = getpid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sched_setscheduler(0, SCHED_FIFO, &highest);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED) {
		perror("fuzz_calls");
		return 2;
	}
	while (fine && total() < wanted)
		fine = one_round("/tmp/fuzz",
				 total() + (wanted - total() < ROUND ? wanted - total() : ROUND));
	report(now_ms() - start_ms, argc > 3);
	if (!fine)
		printf("it hung\n");
	return fine ? 0 : 1;
}
