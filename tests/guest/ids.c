/*
 * Users and groups: who may become whom, and what they may do then. What only the administrator can
 * begin with is tested where that is who runs it.
 */
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static int exit_of(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* In a child, which never comes back to what it was. */
#define IN_A_CHILD(steps)                                                                          \
	do {                                                                                       \
		pid_t pid_ = fork();                                                               \
		if (pid_ == 0)                                                                     \
			_exit(steps());                                                            \
		EXPECT_EQUAL(exit_of(pid_), 0);                                                    \
	} while (0)

#define STEP(number, condition)                                                                    \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return number;                                                             \
	} while (0)

static void ids_are_told(void)
{
	uid_t real, effective, saved;

	EXPECT_EQUAL(getresuid(&real, &effective, &saved), 0);
	EXPECT_EQUAL(real, getuid());
	EXPECT_EQUAL(effective, geteuid());
	EXPECT_ERRNO(EFAULT, syscall(SYS_getresuid, 8L, 8L, 8L));
	EXPECT(getgroups(0, NULL) >= 0);
	EXPECT_ERRNO(EINVAL, getgroups(-1, NULL));
}

static int give_up_and_take_back(void)
{
	uid_t real, effective, saved;

	STEP(1, syscall(SYS_setresuid, -1, 1000, -1) == 0 && geteuid() == 1000 && getuid() == 0);
	STEP(2, syscall(SYS_setresuid, -1, 2000, -1) == -1 && errno == EPERM);
	STEP(3, syscall(SYS_setuid, 0) == 0 && geteuid() == 0);
	STEP(4, syscall(SYS_setresuid, 1000, 2000, 3000) == 0);
	STEP(5, !getresuid(&real, &effective, &saved) && real == 1000 && effective == 2000 &&
			saved == 3000);
	STEP(6,
	     syscall(SYS_setreuid, 2000, 3000) == 0); /* ids that are its own may change places */
	STEP(7, syscall(SYS_setuid, 0) == -1 && errno == EPERM);
	STEP(8, syscall(SYS_setuid, -1) == -1 && errno == EINVAL);
	return 0;
}

static int setuid_is_for_good(void)
{
	uid_t real, effective, saved;

	STEP(1, syscall(SYS_setgid, 500) == 0 && getgid() == 500 && getegid() == 500);
	STEP(2, syscall(SYS_setuid, 1000) == 0);
	STEP(3, !getresuid(&real, &effective, &saved) && real == 1000 && effective == 1000 &&
			saved == 1000);
	STEP(4, syscall(SYS_setuid, 0) == -1 && errno == EPERM);
	STEP(5, syscall(SYS_setgid, 0) == -1 && errno == EPERM);
	STEP(6, syscall(SYS_setregid, 0, -1) == -1 && errno == EPERM);
	STEP(7, syscall(SYS_setresgid, -1, 0, -1) == -1 && errno == EPERM);
	STEP(8, setgroups(0, NULL) == -1 && errno == EPERM);
	return 0;
}

static int groups_open_doors(void)
{
	gid_t groups[3] = {777, 55, 600};
	gid_t seen[8];
	char name[] = "/tmp/ids_XXXXXX";
	int fd = mkstemp(name);

	STEP(1, fd >= 0 && !fchown(fd, 0, 600) && !fchmod(fd, 0640));
	STEP(2, syscall(SYS_setgroups, 3, groups) == 0 && getgroups(8, seen) == 3);
	STEP(3, seen[0] == 55 && seen[1] == 600 && seen[2] == 777);
	STEP(4, getgroups(2, seen) == -1 && errno == EINVAL);
	STEP(5, syscall(SYS_setresgid, 500, 500, 500) == 0);
	STEP(6, syscall(SYS_setresuid, -1, 1000, -1) == 0);
	STEP(7, open(name, O_RDONLY) >= 0);
	STEP(8, open(name, O_RDWR) == -1 && errno == EACCES);
	STEP(9, syscall(SYS_setuid, 0) == 0 && syscall(SYS_setgroups, 0, NULL) == 0);
	STEP(10, getgroups(8, seen) == 0);
	STEP(11, syscall(SYS_setresuid, -1, 1000, -1) == 0);
	STEP(12, open(name, O_RDONLY) == -1 && errno == EACCES);
	STEP(13, access(name, R_OK) == 0); /* asks for the real user */
	STEP(14, faccessat(AT_FDCWD, name, R_OK, AT_EACCESS) == -1);
	STEP(15, syscall(SYS_setuid, 0) == 0 && unlink(name) == 0);
	return 0;
}

static int mode_of(const char *name)
{
	struct stat stat;

	return lstat(name, &stat) ? -1 : (int)(stat.st_mode & 07777);
}

/* In a directory that gives its group away. */
static int strangers_make_files_in(const char *directory)
{
	int fd;

	STEP(1, chdir(directory) == 0 && chown(".", 0, 600) == 0 && chmod(".", 02777) == 0);
	umask(0);
	STEP(2, syscall(SYS_setgroups, 0, NULL) == 0 && syscall(SYS_setresgid, 500, 500, 500) == 0);
	STEP(3, syscall(SYS_setresuid, -1, 1000, -1) == 0);
	STEP(4, (fd = open("made", O_CREAT | O_WRONLY, 02755)) >= 0 && mode_of("made") == 0755);
	STEP(5, mknod("node", S_IFREG | 02775, 0) == 0 && mode_of("node") == 0775);
	STEP(6, open("locked", O_CREAT | O_WRONLY, 02745) >= 0 && mode_of("locked") == 02745);
	STEP(7, mkdir("below", 0755) == 0 && mode_of("below") == 02755);
	umask(010); /* it comes after that */
	STEP(8, open("masked", O_CREAT | O_WRONLY, 02755) >= 0 && mode_of("masked") == 0745);
	STEP(9, syscall(SYS_setuid, 0) == 0);
	umask(0);
	STEP(10, open("own", O_CREAT | O_WRONLY, 02755) >= 0 && mode_of("own") == 02755);
	return 0;
}

static int strangers_make_files(void)
{
	char directory[] = "/tmp/ids_XXXXXX";
	int result;

	STEP(100, mkdtemp(directory) != NULL);
	result = strangers_make_files_in(directory);
	STEP(101, geteuid() == 0 || syscall(SYS_setuid, 0) == 0);
	for (const char *const *made =
		     (const char *const[]){"made", "node", "locked", "masked", "own", NULL};
	     *made; made++)
		unlink(*made);
	rmdir("below");
	STEP(102, rmdir(directory) == 0 || result);
	return result;
}

/* What a stranger writes to runs as nobody else any more. */
static int changed_programs(const char *name, int fd)
{
	STEP(1, ftruncate(fd, 4) == 0 && mode_of(name) == 06777); /* user 0 may keep them */
	STEP(2, syscall(SYS_setresuid, -1, 1000, -1) == 0);
	STEP(3, write(fd, "x", 0) == 0 && mode_of(name) == 06777);
	STEP(4, write(fd, "x", 1) == 1 && mode_of(name) == 0777);
	STEP(5, syscall(SYS_setresuid, -1, 0, -1) == 0 && chmod(name, 06767) == 0);
	STEP(6, syscall(SYS_setresuid, -1, 1000, -1) == 0);
	STEP(7, ftruncate(fd, 2) == 0 && mode_of(name) == 02767); /* no program for its group */
	STEP(8, syscall(SYS_setresuid, -1, 0, -1) == 0 && chmod(name, 04777) == 0);
	STEP(9, syscall(SYS_setresuid, -1, 1000, -1) == 0);
	STEP(10, truncate(name, 3) == 0 && mode_of(name) == 0777);
	STEP(11, syscall(SYS_setresuid, -1, 0, -1) == 0 && chmod(name, 04777) == 0);
	STEP(12, syscall(SYS_setresuid, -1, 1000, -1) == 0);
	STEP(13, open(name, O_WRONLY | O_TRUNC) >= 0 && mode_of(name) == 0777);
	STEP(14, syscall(SYS_setresuid, -1, 0, -1) == 0 && chmod(name, 04777) == 0);
	STEP(15, syscall(SYS_setresuid, -1, 1000, -1) == 0);
	STEP(16, posix_fallocate(fd, 0, 10) != 0 || mode_of(name) == 0777);
	return 0;
}

static int strangers_change_programs(void)
{
	char name[] = "/tmp/ids_XXXXXX";
	int fd = mkstemp(name), result;

	STEP(100, fd >= 0 && fchmod(fd, 06777) == 0);
	result = changed_programs(name, fd);
	STEP(101, syscall(SYS_setresuid, -1, 0, -1) == 0 && unlink(name) == 0);
	return result;
}

/* Its "..", which changes, is written in it. */
static int move_directories(void)
{
	char top[] = "/tmp/ids_XXXXXX";
	int result = 0;

	STEP(1, mkdtemp(top) && chdir(top) == 0 && chmod(".", 0777) == 0);
	umask(0);
	STEP(2, mkdir("a", 0777) == 0 && mkdir("b", 0777) == 0 && mkdir("a/moved", 0755) == 0 &&
			mkdir("b/other", 0777) == 0);
	STEP(3, syscall(SYS_setresuid, -1, 1000, -1) == 0);
	if (rename("a/moved", "b/moved") == 0 || errno != EACCES)
		result = 4;
	else if (rename("a/moved", "a/renamed") || rename("a/renamed", "a/moved"))
		result = 5;
	else if (syscall(SYS_renameat2, AT_FDCWD, "b/other", AT_FDCWD, "a/moved", 2) == 0 ||
		 errno != EACCES)
		result = 6;
	else if (rename("b/other", "a/other") || rename("a/other", "b/other"))
		result = 7;
	STEP(8, syscall(SYS_setresuid, -1, 0, -1) == 0);
	rmdir("a/moved");
	rmdir("b/other");
	rmdir("a");
	rmdir("b");
	STEP(9, rmdir(top) == 0 || result);
	return result;
}

static int signals_need_the_right(void)
{
	pid_t other = fork();
	int result;

	if (other == 0) {
		for (;;)
			pause();
	}
	STEP(1, syscall(SYS_setresuid, 1000, 1000, 0) == 0);
	result = kill(other, 0) == -1 && errno == EPERM;
	STEP(2, kill(getpid(), 0) == 0);
	STEP(3, syscall(SYS_setresuid, 0, 0, 0) == 0);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	return result ? 0 : 4;
}

static int priorities_need_the_right(void)
{
	pid_t other = fork();
	int result = 0;

	if (other == 0) {
		for (;;)
			pause();
	}
	STEP(1, setpriority(PRIO_PROCESS, other, 5) == 0);
	STEP(2, syscall(SYS_setresuid, 1000, 1000, 0) == 0);
	if (setpriority(PRIO_PROCESS, other, 10) != -1 || errno != EPERM)
		result = 3;
	STEP(4, setpriority(PRIO_PROCESS, 0, 3) == 0);
	if (setpriority(PRIO_PROCESS, 0, 2) != -1 || errno != EACCES)
		result = 5;
	STEP(6, syscall(SYS_setresuid, 0, 0, 0) == 0);
	if (getpriority(PRIO_PROCESS, other) != 5)
		result = 7;
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	return result;
}

static void ids_can_be_given_up_and_taken_back(void)
{
	IN_A_CHILD(give_up_and_take_back);
}

static void what_was_given_up_is_gone(void)
{
	IN_A_CHILD(setuid_is_for_good);
}

static void supplementary_groups_open_files(void)
{
	IN_A_CHILD(groups_open_doors);
}

static void a_group_given_away_gets_no_program(void)
{
	IN_A_CHILD(strangers_make_files);
}

static void who_changes_a_program_takes_its_rights(void)
{
	IN_A_CHILD(strangers_change_programs);
}

static void who_moves_a_directory_writes_to_it(void)
{
	IN_A_CHILD(move_directories);
}

static void strangers_cannot_be_signalled(void)
{
	IN_A_CHILD(signals_need_the_right);
}

static void strangers_keep_their_priority(void)
{
	IN_A_CHILD(priorities_need_the_right);
}

int main(void)
{
	RUN(ids_are_told);
	if (geteuid() != 0)
		return check_end();
	RUN(ids_can_be_given_up_and_taken_back);
	RUN(what_was_given_up_is_gone);
	RUN(supplementary_groups_open_files);
	RUN(a_group_given_away_gets_no_program);
	RUN(who_changes_a_program_takes_its_rights);
	RUN(who_moves_a_directory_writes_to_it);
	RUN(strangers_cannot_be_signalled);
	RUN(strangers_keep_their_priority);
	return check_end();
}
