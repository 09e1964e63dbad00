/*
 * posix_spawn, posix_spawnp and what is made of them: each file action, each attribute, and what is
 * left when it fails: nothing. On Fuselage it is one call of its own (abi/spawn.h), whose bad input
 * is tried at the end.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <fuselage/spawn.h>
#include <fuselage/syscall.h>

#include "as_user.h"
#include "check.h"

extern char **environ;
static char self[4096]; /* this program, by its path */

static int exit_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* ---- the other side: this program, run with the name of a part. 0: all is well ---- */

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static bool is_default(int signal)
{
	struct sigaction action;

	return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
}

static bool is_blocked(int signal)
{
	sigset_t mask;

	return sigprocmask(SIG_BLOCK, NULL, &mask) == 0 && sigismember(&mask, signal) == 1;
}

static int part_directory(const char *wanted)
{
	char name[4096];

	return getcwd(name, sizeof(name)) && !strcmp(name, wanted) ? 0 : 1;
}

static int run_part(const char *part, char **arguments)
{
	int number = arguments[0] ? atoi(arguments[0]) : 0;

	if (!strcmp(part, "nothing"))
		return 0;
	if (!strcmp(part, "written"))
		return is_open(7) ? 1 : write(8, "x", 1) != 1;
	if (!strcmp(part, "open"))
		return !is_open(number);
	if (!strcmp(part, "directory"))
		return part_directory(arguments[0]);
	if (!strcmp(part, "group"))
		return getpgrp() != (number ? number : getpid());
	if (!strcmp(part, "session"))
		return getsid(0) != getpid() || getpgrp() != getpid();
	if (!strcmp(part, "mask"))
		return !is_blocked(number) || is_blocked(SIGUSR2);
	if (!strcmp(part, "defaults"))
		return !is_default(SIGUSR1) || !is_default(SIGALRM) || is_default(SIGUSR2);
	if (!strcmp(part, "ids"))
		return geteuid() != getuid() || getegid() != getgid();
	if (!strcmp(part, "policy"))
		return syscall(SYS_sched_getscheduler, 0) != number;
	return 99;
}

static int spawn(pid_t *pid, const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attributes, const char *part, const char *argument)
{
	char *argv[] = {self, (char *)part, (char *)argument, NULL};

	return posix_spawn(pid, self, actions, attributes, argv, environ);
}

/* The part's status, or a thousand more than the error of the spawn. */
static int status_of(const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
		     const char *part, const char *argument)
{
	pid_t pid;
	int error = spawn(&pid, actions, attributes, part, argument);

	return error ? 1000 + error : exit_of(pid);
}

/* ---- file actions ---- */

static void actions_are_done_in_order(void)
{
	posix_spawn_file_actions_t actions;
	struct stat stat_after;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 7, "spawn.file", O_CREAT | O_WRONLY | O_TRUNC,
					 0640);
	posix_spawn_file_actions_adddup2(&actions, 7, 8);
	posix_spawn_file_actions_addclose(&actions, 7);
	EXPECT_EQUAL(status_of(&actions, NULL, "written", NULL), 0);
	posix_spawn_file_actions_destroy(&actions);
	EXPECT_EQUAL(stat("spawn.file", &stat_after), 0);
	EXPECT_EQUAL(stat_after.st_size, 1);
	EXPECT_EQUAL(stat_after.st_mode & 0777, 0640);
	EXPECT(!is_open(7) && !is_open(8)); /* the caller's are its own */
	unlink("spawn.file");
}

static void what_is_duplicated_to_itself_stays_open(void)
{
	posix_spawn_file_actions_t actions;
	char number[12];
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	snprintf(number, sizeof(number), "%d", fd);
	EXPECT_EQUAL(status_of(NULL, NULL, "open", number), 1);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, fd);
	EXPECT_EQUAL(status_of(&actions, NULL, "open", number), 0);
	EXPECT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	posix_spawn_file_actions_destroy(&actions);
	close(fd);
}

static void directories_are_changed(void)
{
	posix_spawn_file_actions_t actions;
	int root = open("/", O_RDONLY | O_DIRECTORY);
	char *argv[] = {self, "directory", "/", NULL};
	pid_t pid;

	mkdir("spawn.dir", 0755);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addchdir_np(&actions, "spawn.dir");
	posix_spawn_file_actions_addopen(&actions, 7, "inside", O_CREAT | O_WRONLY, 0600);
	posix_spawn_file_actions_addfchdir_np(&actions, root);
	/* And the program is looked for from there. */
	EXPECT_EQUAL(posix_spawn(&pid, self + 1, &actions, NULL, argv, environ), 0);
	EXPECT_EQUAL(exit_of(pid), 0);
	EXPECT_EQUAL(unlink("spawn.dir/inside"), 0);
	EXPECT_EQUAL(rmdir("spawn.dir"), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(root);
}

static void a_failed_action_leaves_nothing(void)
{
	static const struct {
		int error, fd, source;
		const char *path;
	} failures[] = {
		{EBADF, 8, 77, NULL},
		{EBADF, 77, 77, NULL},
		{ENOENT, 8, 0, "no/such/file"},
		{EBADF, 77, -1, NULL},
		{ENOTDIR, -1, 0, "/dev/null"},
		{EBADF, 999999, 0, NULL},
		{EISDIR, 8, 0, "/"},
	};

	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		posix_spawn_file_actions_t actions;
		pid_t pid = -5;

		posix_spawn_file_actions_init(&actions);
		if (failures[i].path && failures[i].fd < 0)
			posix_spawn_file_actions_addchdir_np(&actions, failures[i].path);
		else if (failures[i].path)
			posix_spawn_file_actions_addopen(&actions, failures[i].fd, failures[i].path,
							 O_WRONLY, 0);
		else if (failures[i].source < 0)
			posix_spawn_file_actions_addfchdir_np(&actions, failures[i].fd);
		else
			posix_spawn_file_actions_adddup2(&actions, failures[i].source,
							 failures[i].fd);
		EXPECT_EQUAL(spawn(&pid, &actions, NULL, "nothing", NULL), failures[i].error);
		posix_spawn_file_actions_destroy(&actions);
		EXPECT_EQUAL(pid, -5);
		EXPECT_ERRNO(ECHILD, waitpid(-1, NULL, WNOHANG));
	}
}

static void what_is_not_open_may_be_closed(void)
{
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addclose(&actions, 77);
	EXPECT_EQUAL(status_of(&actions, NULL, "nothing", NULL), 0);
	posix_spawn_file_actions_destroy(&actions);
}

static void there_may_be_many_actions(void)
{
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	for (int fd = 20; fd < 120; fd++)
		posix_spawn_file_actions_adddup2(&actions, 0, fd);
	EXPECT_EQUAL(status_of(&actions, NULL, "open", "119"), 0);
	EXPECT_EQUAL(status_of(&actions, NULL, "open", "120"), 1);
	posix_spawn_file_actions_destroy(&actions);
}

/* ---- attributes ---- */

static void groups_and_sessions(void)
{
	posix_spawnattr_t attributes;
	char number[12];
	pid_t leader = fork();

	if (leader == 0) {
		for (;;)
			pause();
	}
	setpgid(leader, leader);
	snprintf(number, sizeof(number), "%d", getpgrp());
	EXPECT_EQUAL(status_of(NULL, NULL, "group", number), 0);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	EXPECT_EQUAL(status_of(NULL, &attributes, "group", "0"), 0);
	posix_spawnattr_setpgroup(&attributes, leader);
	snprintf(number, sizeof(number), "%d", leader);
	EXPECT_EQUAL(status_of(NULL, &attributes, "group", number), 0);
	posix_spawnattr_setpgroup(&attributes, -4);
	EXPECT_EQUAL(spawn(&(pid_t){0}, NULL, &attributes, "nothing", NULL), EINVAL);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
	EXPECT_EQUAL(status_of(NULL, &attributes, "session", NULL), 0);
	/* Who leads a session stays in its group. */
	posix_spawnattr_setpgroup(&attributes, leader);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETPGROUP);
	EXPECT_EQUAL(spawn(&(pid_t){0}, NULL, &attributes, "nothing", NULL), EPERM);
	kill(leader, SIGKILL);
	waitpid(leader, NULL, 0);
}

static void note(int signal)
{
	(void)signal;
}

static void masks_and_defaults(void)
{
	posix_spawnattr_t attributes;
	sigset_t set, before;
	char number[12];

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &before);
	snprintf(number, sizeof(number), "%d", SIGTERM);
	EXPECT_EQUAL(status_of(NULL, NULL, "mask", number), 0);
	sigprocmask(SIG_SETMASK, &before, NULL);
	posix_spawnattr_init(&attributes);
	sigaddset(&set, SIGRTMAX);
	posix_spawnattr_setsigmask(&attributes, &set);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	snprintf(number, sizeof(number), "%d", SIGRTMAX);
	EXPECT_EQUAL(status_of(NULL, &attributes, "mask", number), 0);
	EXPECT(!is_blocked(SIGTERM) && !is_blocked(SIGRTMAX));

	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGALRM, note);
	EXPECT_EQUAL(status_of(NULL, NULL, "defaults", NULL), 1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	posix_spawnattr_setsigdefault(&attributes, &set);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	EXPECT_EQUAL(status_of(NULL, &attributes, "defaults", NULL), 0);
	EXPECT(!is_default(SIGUSR1) && !is_default(SIGALRM));
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	signal(SIGALRM, SIG_DFL);
}

static int spawn_with_ids_reset(void)
{
	posix_spawnattr_t attributes;

	posix_spawnattr_init(&attributes);
	NEED(setegid(1000) == 0 && seteuid(1000) == 0);
	NEED(status_of(NULL, &attributes, "ids", NULL) == 1);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_RESETIDS);
	NEED(status_of(NULL, &attributes, "ids", NULL) == 0);
	NEED(geteuid() == 1000);
	return 0;
}

static void ids_are_reset(void)
{
	EXPECT_EQUAL(in_child_as(0, spawn_with_ids_reset), 0);
}

static void scheduling_is_set(void)
{
	posix_spawnattr_t attributes;
	struct sched_param parameters = {.sched_priority = 0};
	char number[12];
	int policy = -1;

	posix_spawnattr_init(&attributes);
	EXPECT_EQUAL(posix_spawnattr_setschedpolicy(&attributes, SCHED_BATCH), 0);
	EXPECT_EQUAL(posix_spawnattr_getschedpolicy(&attributes, &policy), 0);
	EXPECT_EQUAL(policy, SCHED_BATCH);
	EXPECT_EQUAL(posix_spawnattr_setschedparam(&attributes, &parameters), 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSCHEDULER);
	snprintf(number, sizeof(number), "%d", SCHED_BATCH);
	EXPECT_EQUAL(status_of(NULL, &attributes, "policy", number), 0);
	EXPECT_EQUAL(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
	parameters.sched_priority = 5;
	posix_spawnattr_setschedparam(&attributes, &parameters);
	EXPECT_EQUAL(spawn(&(pid_t){0}, NULL, &attributes, "nothing", NULL), EINVAL);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSCHEDPARAM);
	EXPECT_EQUAL(spawn(&(pid_t){0}, NULL, &attributes, "nothing", NULL), EINVAL);
	parameters.sched_priority = -1;
	posix_spawnattr_getschedparam(&attributes, &parameters);
	EXPECT_EQUAL(parameters.sched_priority, 5);
}

/* ---- the program ---- */

static void what_is_no_program_is_said(void)
{
	char *argv[] = {"x", NULL};
	pid_t pid = -5;
	int fd = open("spawn.file", O_CREAT | O_WRONLY, 0700);

	EXPECT_EQUAL(posix_spawn(&pid, "/no/such/program", NULL, NULL, argv, environ), ENOENT);
	EXPECT_EQUAL(posix_spawn(&pid, "/dev/null", NULL, NULL, argv, environ), EACCES);
	close(fd);
	EXPECT_EQUAL(posix_spawn(&pid, "spawn.file", NULL, NULL, argv, environ), ENOEXEC);
	EXPECT_EQUAL(posix_spawn(&pid, self, NULL, NULL, (char **)8, environ), EFAULT);
	EXPECT_EQUAL(pid, -5);
	EXPECT_ERRNO(ECHILD, waitpid(-1, NULL, WNOHANG));
	unlink("spawn.file");
}

static int find(const char *path, const char *name)
{
	char *argv[] = {"x", "nothing", NULL};
	pid_t pid;
	int error;

	setenv("PATH", path, 1);
	error = posix_spawnp(&pid, name, NULL, NULL, argv, environ);
	return error ? 1000 + error : exit_of(pid);
}

static void programs_are_searched_for(void)
{
	char many[600] = "/no";
	char *before = getenv("PATH");

	before = before ? strdup(before) : NULL;
	mkdir("spawn.dir", 0755);
	symlink(self, "spawn.dir/found");
	symlink(self, "here");
	close(open("spawn.dir/denied", O_CREAT | O_WRONLY, 0600));
	for (int i = 0; i < 60; i++)
		strcat(many, ":/no/dir");
	strcat(many, ":spawn.dir");
	EXPECT_EQUAL(find("/no/such:/dev/null:spawn.dir:/no", "found"), 0);
	EXPECT_EQUAL(find("/no/such::spawn.dir", "here"), 0);
	EXPECT_EQUAL(find("", "here"), 0);
	EXPECT_EQUAL(find(many, "found"), 0);
	EXPECT_EQUAL(find("/no/such:spawn.dir", "missing"), 1000 + ENOENT);
	EXPECT_EQUAL(find("/no/such:spawn.dir:/no", "denied"), 1000 + EACCES);
	EXPECT_EQUAL(find("spawn.dir", "./found"), 1000 + ENOENT);
	EXPECT_EQUAL(find("spawn.dir", "spawn.dir/found"), 0);
	EXPECT_EQUAL(find("spawn.dir", ""), 1000 + ENOENT);
	if (before)
		setenv("PATH", before, 1);
	else
		unsetenv("PATH");
	free(before);
	unlink("spawn.dir/found");
	unlink("spawn.dir/denied");
	unlink("here");
	rmdir("spawn.dir");
}

static void shells_are_made_of_it(void)
{
	char line[20] = "";
	FILE *pipe;

	EXPECT_EQUAL(system("exit 7") >> 8, 7);
	pipe = popen("echo spoken; exit 3", "r");
	EXPECT(pipe && fgets(line, sizeof(line), pipe));
	EXPECT(!strcmp(line, "spoken\n"));
	EXPECT_EQUAL(pclose(pipe) >> 8, 3);
}

/* ---- others who interfere ---- */

/* A group of its own, all of which is stopped while the new process waits for a writer. */
static int wait_for_writer(void)
{
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 7, "spawn.fifo", O_RDONLY, 0);
	return status_of(&actions, NULL, "open", "7") & 127;
}

static void a_stop_is_no_failure(void)
{
	pid_t middle;
	int fd;

	mkfifo("spawn.fifo", 0600);
	middle = fork();
	if (middle == 0) {
		setpgid(0, 0);
		_exit(wait_for_writer());
	}
	setpgid(middle, middle);
	for (int i = 0; i < 20; i++) {
		kill(-middle, SIGSTOP);
		sched_yield();
		kill(-middle, SIGCONT);
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	fd = open("spawn.fifo", O_WRONLY);
	EXPECT_EQUAL(exit_of(middle), 0);
	close(fd);
	unlink("spawn.fifo");
}

static int traced_main(void)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		return 100;
	raise(SIGSTOP);
	return status_of(NULL, NULL, "nothing", NULL) & 127;
}

static void a_tracer_sees_it_as_vfork(void)
{
	int nforks = 0, nexecs = 0, nended = 0, status;
	pid_t parent = fork(), pid;

	if (parent == 0)
		_exit(traced_main());
	EXPECT_EQUAL(waitpid(parent, &status, 0), parent);
	EXPECT_EQUAL(ptrace(PTRACE_SETOPTIONS, parent, NULL,
			    PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL),
		     0);
	ptrace(PTRACE_CONT, parent, NULL, NULL);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (!WIFSTOPPED(status)) {
			nended += WIFEXITED(status) && WEXITSTATUS(status) == 0;
			continue;
		}
		nforks += status >> 8 == (SIGTRAP | PTRACE_EVENT_VFORK << 8);
		nexecs += status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8);
		ptrace(PTRACE_CONT, pid, NULL, WSTOPSIG(status) == SIGCHLD ? SIGCHLD : 0);
	}
	EXPECT_EQUAL(nforks, 1);
	EXPECT_EQUAL(nexecs, 1);
	EXPECT_EQUAL(nended, 2);
}

/* ---- the call itself, which Linux does not have ---- */

static char *const own_argv[] = {self, "nothing", NULL};
static const char *const own_paths[] = {self, NULL};

static struct abi_spawn plain_request(void)
{
	return (struct abi_spawn){
		.dirfd = AT_FDCWD,
		.paths = (uint64_t)own_paths,
		.argv = (uint64_t)own_argv,
		.envp = (uint64_t)environ,
	};
}

static void bad_requests_are_refused(void)
{
	struct abi_spawn request = plain_request();
	struct {
		struct abi_spawn known;
		uint64_t more;
	} longer = {.known = request};
	pid_t pid;

	if (fuselage_spawn(&request, 0) < 0 && errno == ENOSYS)
		return;
	EXPECT_ERRNO(EINVAL, fuselage_spawn(&request, sizeof(request) - 8));
	EXPECT_ERRNO(E2BIG, fuselage_spawn(&request, 1 << 20));
	EXPECT_ERRNO(EFAULT, fuselage_spawn((void *)8, sizeof(request)));
	pid = fuselage_spawn(&longer, sizeof(longer));
	EXPECT_EQUAL(exit_of(pid), 0);
	longer.more = 1;
	EXPECT_ERRNO(E2BIG, fuselage_spawn(&longer, sizeof(longer)));
	request.flags = 1u << 31;
	EXPECT_ERRNO(EINVAL, fuselage_spawn(&request, sizeof(request)));
	request = plain_request();
	request.nactions = SPAWN_ACTIONS_MAX + 1;
	EXPECT_ERRNO(E2BIG, fuselage_spawn(&request, sizeof(request)));
	request.nactions = 1;
	request.actions = 8;
	EXPECT_ERRNO(EFAULT, fuselage_spawn(&request, sizeof(request)));
	request.actions = (uint64_t) & (struct abi_spawn_action){.kind = 99};
	EXPECT_ERRNO(EINVAL, fuselage_spawn(&request, sizeof(request)));
	request.actions =
		(uint64_t) & (struct abi_spawn_action){.kind = SPAWN_ACTION_CLOSE, .reserved = 1};
	EXPECT_ERRNO(EINVAL, fuselage_spawn(&request, sizeof(request)));
	request = plain_request();
	request.paths = 8;
	EXPECT_ERRNO(EFAULT, fuselage_spawn(&request, sizeof(request)));
	request = plain_request();
	request.at_flags = 1u << 30;
	EXPECT_ERRNO(EINVAL, fuselage_spawn(&request, sizeof(request)));
	EXPECT_ERRNO(ECHILD, waitpid(-1, NULL, WNOHANG));
}

static void the_program_may_be_a_descriptor(void)
{
	struct abi_spawn request = plain_request();
	const char *const nothing[] = {"", NULL};

	request.dirfd = open(self, O_RDONLY | O_CLOEXEC);
	request.paths = (uint64_t)nothing;
	request.at_flags = AT_EMPTY_PATH;
	if (!may_be_restricted())
		EXPECT_EQUAL(exit_of(fuselage_spawn(&request, sizeof(request))), 0);
	close(request.dirfd);
	if (!may_be_restricted())
		EXPECT_ERRNO(EBADF, fuselage_spawn(&request, sizeof(request)));
}

/* Which shows that it is one call: musl's own way needs a pipe. */
static int spawn_without_descriptors(void)
{
	NEED(set_limit(RLIMIT_NOFILE, 0));
	NEED(status_of(NULL, NULL, "nothing", NULL) == 0);
	return 0;
}

static void no_descriptor_is_needed(void)
{
	if (!may_be_restricted())
		EXPECT_EQUAL(in_child_as(0, spawn_without_descriptors), 0);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return run_part(argv[1], argv + 2);
	if (!realpath("/proc/self/exe", self))
		return 2;
	RUN(actions_are_done_in_order);
	RUN(what_is_duplicated_to_itself_stays_open);
	RUN(directories_are_changed);
	RUN(a_failed_action_leaves_nothing);
	RUN(what_is_not_open_may_be_closed);
	RUN(there_may_be_many_actions);
	RUN(groups_and_sessions);
	RUN(masks_and_defaults);
	RUN(ids_are_reset);
	RUN(scheduling_is_set);
	RUN(what_is_no_program_is_said);
	RUN(programs_are_searched_for);
	RUN(shells_are_made_of_it);
	RUN(a_stop_is_no_failure);
	RUN(a_tracer_sees_it_as_vfork);
	RUN(bad_requests_are_refused);
	RUN(the_program_may_be_a_descriptor);
	RUN(no_descriptor_is_needed);
	return check_end();
}
