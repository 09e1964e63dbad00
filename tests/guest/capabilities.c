/*
 * Capabilities: how they are told and changed, and what ids and programs make of them. Written for
 * an administrator, who may have lost some of them to the place where this runs.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"

static char folder[] = "/tmp/capabilities-XXXXXX";

#define CHOWN        0
#define DAC_OVERRIDE 1
#define KILL         5
#define SETUID       7
#define SETPCAP      8
#define SYS_ADMIN    21
#define LAST         40

#define VERSION_1 0x19980330u
#define VERSION_3 0x20080522u

#define KEEP_CAPS_BIT 0x10
#define NOROOT_BIT    0x01

struct header {
	unsigned version;
	int pid;
};

struct sets {
	unsigned effective, permitted, inheritable;
};

static struct sets mine[2];

static int get(void)
{
	struct header header = {.version = VERSION_3};

	return (int)syscall(SYS_capget, &header, mine);
}

static int set(void)
{
	struct header header = {.version = VERSION_3};

	return (int)syscall(SYS_capset, &header, mine);
}

static bool has(unsigned number)
{
	return get() == 0 && (mine[number / 32].effective >> (number % 32) & 1);
}

static void versions_are_told(void)
{
	struct header header = {.version = 0};
	struct sets sets[2];

	EXPECT_EQUAL(syscall(SYS_capget, &header, NULL), 0);
	EXPECT_EQUAL(header.version, VERSION_3);
	header.version = 17;
	EXPECT_ERRNO(EINVAL, syscall(SYS_capget, &header, sets));
	EXPECT_EQUAL(header.version, VERSION_3);
	header.version = VERSION_1;
	sets[1].effective = 0x12345678;
	EXPECT_EQUAL(syscall(SYS_capget, &header, sets), 0);
	EXPECT_EQUAL(sets[1].effective, 0x12345678); /* has one word each */
	header = (struct header){.version = VERSION_3, .pid = -1};
	EXPECT_ERRNO(EINVAL, syscall(SYS_capget, &header, sets));
	header.pid = 1 << 22;
	EXPECT_ERRNO(ESRCH, syscall(SYS_capget, &header, sets));
	header.pid = getpid();
	EXPECT_EQUAL(syscall(SYS_capget, &header, sets), 0);
	EXPECT_ERRNO(EFAULT, syscall(SYS_capget, 8L, sets));
	EXPECT_ERRNO(EFAULT, syscall(SYS_capget, &header, 8L));
	EXPECT_ERRNO(EFAULT, syscall(SYS_capset, &header, 8L));
	header.pid = getpid() + 1;
	EXPECT_ERRNO(EPERM, syscall(SYS_capset, &header, sets));
	header.version = 17;
	EXPECT_ERRNO(EINVAL, syscall(SYS_capset, &header, sets));
}

static int drop_and_miss(void)
{
	NEED(get() == 0);
	mine[0].effective &= ~(1u << CHOWN);
	NEED(set() == 0);
	NEED(chown("owned", 1, 1) == -1 && errno == EPERM);
	mine[0].effective |= 1u << CHOWN; /* it is permitted still */
	NEED(set() == 0);
	NEED(chown("owned", 1, 1) == 0);
	NEED(chown("owned", 0, 0) == 0);
	mine[0].effective &= ~(1u << CHOWN);
	mine[0].permitted &= ~(1u << CHOWN);
	NEED(set() == 0);
	mine[0].permitted |= 1u << CHOWN;
	NEED(set() == -1 && errno == EPERM);
	mine[0].permitted &= ~(1u << CHOWN);
	mine[0].effective |= 1u << CHOWN; /* not permitted */
	NEED(set() == -1 && errno == EPERM);
	return 0;
}

static void what_is_dropped_is_missed(void)
{
	if (!has(CHOWN) && may_be_restricted())
		return;
	close(open("owned", O_CREAT | O_WRONLY, 0600));
	EXPECT_EQUAL(in_child_as(0, drop_and_miss), 0);
	unlink("owned");
}

static int look_at_trusted_without_it(void)
{
	char names[100];

	NEED(listxattr("owned", names, sizeof(names)) == sizeof("trusted.e"));
	NEED(get() == 0);
	mine[0].effective &= ~(1u << SYS_ADMIN);
	NEED(set() == 0);
	NEED(listxattr("owned", names, sizeof(names)) == 0); /* though it is user 0 */
	NEED(getxattr("owned", "trusted.e", NULL, 0) == -1 && errno == ENODATA);
	NEED(setxattr("owned", "trusted.e", "2", 1, 0) == -1 && errno == EPERM);
	NEED(removexattr("owned", "trusted.e") == -1 && errno == EPERM);
	mine[0].effective |= 1u << SYS_ADMIN;
	NEED(set() == 0);
	NEED(removexattr("owned", "trusted.e") == 0);
	return 0;
}

static void trusted_attributes_are_for_administrators(void)
{
	int fd = open("owned", O_CREAT | O_WRONLY, 0600);
	bool may = has(SYS_ADMIN) && fsetxattr(fd, "trusted.e", "1", 1, 0) == 0;

	close(fd);
	if (may || !may_be_restricted())
		EXPECT_EQUAL(in_child_as(0, look_at_trusted_without_it), 0);
	unlink("owned");
}

/* The calls themselves, of the running thread alone. */
static int leave_user_0(void)
{
	NEED(syscall(SYS_setresuid, -1, 1000, -1) == 0);
	NEED(get() == 0 && mine[0].effective == 0 && mine[0].permitted != 0);
	NEED(syscall(SYS_setresuid, -1, 0, -1) == 0);
	NEED(get() == 0 && mine[0].effective == mine[0].permitted);
	NEED(syscall(SYS_setresuid, 1000, 1000, 1000) == 0);
	NEED(get() == 0 && mine[0].effective == 0 && mine[0].permitted == 0);
	NEED(syscall(SYS_setresuid, 0, 0, 0) == -1 && errno == EPERM);
	return 0;
}

static int leave_user_0_and_keep(void)
{
	NEED(prctl(PR_SET_KEEPCAPS, 2) == -1 && errno == EINVAL);
	NEED(prctl(PR_SET_KEEPCAPS, 1) == 0 && prctl(PR_GET_KEEPCAPS) == 1);
	NEED(prctl(PR_GET_SECUREBITS) & KEEP_CAPS_BIT);
	NEED(syscall(SYS_setresuid, 1000, 1000, 1000) == 0);
	NEED(get() == 0 && mine[0].effective == 0 && mine[0].permitted != 0);
	mine[0].effective = 1u << SETUID;
	NEED(set() == 0);
	NEED(syscall(SYS_setresuid, 2000, 3000, 1000) == 0);
	return 0;
}

static void leaving_user_0_gives_capabilities_up(void)
{
	if (!has(SETUID) && may_be_restricted())
		return;
	EXPECT_EQUAL(in_child_as(0, leave_user_0), 0);
	EXPECT_EQUAL(in_child_as(0, leave_user_0_and_keep), 0);
}

static int look_at_files_as_another(void)
{
	NEED(close(open("private", O_CREAT | O_WRONLY, 0600)) == 0);
	NEED(setfsuid(1000) == 0);
	NEED(setfsuid(-1) == 1000); /* changes nothing */
	NEED(!has(DAC_OVERRIDE) && has(SETUID));
	NEED(open("private", O_RDONLY) == -1 && errno == EACCES);
	NEED(geteuid() == 0);
	NEED(setfsuid(0) == 1000 && has(DAC_OVERRIDE));
	NEED(setfsgid(7) == 0 && setfsgid(0) == 7);
	NEED(unlink("private") == 0);
	NEED(syscall(SYS_setresuid, 1000, 1000, 1000) == 0);
	NEED(setfsuid(5) == 1000 && setfsuid(5) == 1000); /* not one of his */
	return 0;
}

static void the_user_for_files_is_another_one(void)
{
	if ((!has(SETUID) || !has(DAC_OVERRIDE)) && may_be_restricted())
		return;
	EXPECT_EQUAL(in_child_as(0, look_at_files_as_another), 0);
}

static int drop_from_bounds(void)
{
	NEED(prctl(PR_CAPBSET_READ, KILL) == 1);
	NEED(prctl(PR_CAPBSET_DROP, KILL) == 0);
	NEED(prctl(PR_CAPBSET_READ, KILL) == 0);
	NEED(has(KILL)); /* until a program is executed */
	NEED(prctl(PR_CAPBSET_DROP, 64) == -1 && errno == EINVAL);
	mine[0].inheritable |= 1u << KILL; /* permitted, but not bounded */
	NEED(set() == -1 && errno == EPERM);
	mine[0].inheritable &= ~(1u << KILL);
	mine[0].effective &= ~(1u << SETPCAP);
	NEED(set() == 0);
	NEED(prctl(PR_CAPBSET_DROP, CHOWN) == -1 && errno == EPERM);
	execl("/proc/self/exe", "capabilities", "no-kill", NULL);
	return 1;
}

static int have_nothing_by_exec(void)
{
	NEED(prctl(PR_SET_SECUREBITS, 0x1000) == -1 && errno == EPERM);
	NEED(prctl(PR_SET_SECUREBITS, NOROOT_BIT | NOROOT_BIT << 1) == 0);
	NEED(prctl(PR_SET_SECUREBITS, 0) == -1 && errno == EPERM); /* locked */
	execl("/proc/self/exe", "capabilities", "nothing", NULL);
	return 1;
}

static int take_along(void)
{
	NEED(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, KILL, 0, 0) == -1 && errno == EPERM);
	NEED(get() == 0);
	mine[0].inheritable |= 1u << KILL;
	NEED(set() == 0);
	NEED(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, KILL, 0, 0) == 0);
	NEED(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, KILL, 0, 0) == 1);
	NEED(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, KILL, 0, 0) == 0);
	NEED(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, KILL, 0, 0) == 0);
	NEED(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, KILL, 0, 0) == 0);
	NEED(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 99, 0, 0) == -1 && errno == EINVAL);
	NEED(prctl(PR_CAP_AMBIENT, 9, KILL, 0, 0) == -1 && errno == EINVAL);
	NEED(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0) == -1 && errno == EINVAL);
	NEED(prctl(PR_SET_KEEPCAPS, 1) == 0);
	NEED(prctl(PR_SET_SECUREBITS, KEEP_CAPS_BIT | 4) == 0); /* no fixing of ids' changes */
	NEED(syscall(SYS_setresuid, 1000, 1000, 1000) == 0);
	execl("/proc/self/exe", "capabilities", "kill-alone", NULL);
	return 1;
}

static void programs_get_what_they_may_have(void)
{
	if ((!has(SETPCAP) || !has(KILL) || !has(SETUID)) && may_be_restricted())
		return;
	EXPECT_EQUAL(in_child_as(0, drop_from_bounds), 0);
	EXPECT_EQUAL(in_child_as(0, have_nothing_by_exec), 0);
	EXPECT_EQUAL(in_child_as(0, take_along), 0);
	EXPECT_ERRNO(EINVAL, prctl(PR_CAPBSET_READ, 64));
}

/* What a program finds that one of the above has executed. */
static int executed(const char *how)
{
	get();
	if (strcmp(how, "no-kill") == 0)
		return mine[0].permitted & 1u << KILL || !(mine[0].permitted & 1u << CHOWN);
	if (strcmp(how, "nothing") == 0)
		return mine[0].permitted || mine[0].effective;
	return mine[0].permitted != 1u << KILL || mine[0].effective != 1u << KILL ||
	       getuid() != 1000;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return executed(argv[1]);
	if (!mkdtemp(folder) || chmod(folder, 0777) || chdir(folder))
		return 1;
	RUN(versions_are_told);
	RUN(what_is_dropped_is_missed);
	RUN(trusted_attributes_are_for_administrators);
	RUN(leaving_user_0_gives_capabilities_up);
	RUN(the_user_for_files_is_another_one);
	RUN(programs_get_what_they_may_have);
	if (chdir("/") || rmdir(folder))
		return 1;
	return check_end();
}
