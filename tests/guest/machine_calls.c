/*
 * Calls about the machine: its names, its log, its kinds of filesystem. On Linux the names are
 * changed where nobody else sees it.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/klog.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"

/* ---- names ---- */

static int change_names(void)
{
	struct utsname before, now;
	char longest[65];

	uname(&before);
	memset(longest, 'n', sizeof(longest));
	if (sethostname("other", 5) || setdomainname("example.org", 11))
		return 1;
	uname(&now);
	if (strcmp(now.nodename, "other") || strcmp(now.domainname, "example.org"))
		return 2;
	if (strcmp(now.sysname, before.sysname) || strcmp(now.release, before.release))
		return 3;
	if (sethostname("ab\0cd", 5))
		return 4;
	uname(&now);
	if (strcmp(now.nodename, "ab"))
		return 5;
	if (sethostname(longest, 64))
		return 6;
	uname(&now);
	if (strlen(now.nodename) != 64)
		return 7;
	if (sethostname(longest, 65) != -1 || errno != EINVAL)
		return 8;
	if (syscall(SYS_sethostname, longest, -1) != -1 || errno != EINVAL)
		return 9;
	if (syscall(SYS_setdomainname, longest, 65) != -1 || errno != EINVAL)
		return 10;
	if (syscall(SYS_sethostname, 8, 3) != -1 || errno != EFAULT)
		return 11;
	if (syscall(SYS_setdomainname, 8, 3) != -1 || errno != EFAULT)
		return 12;
	return sethostname(before.nodename, strlen(before.nodename)) ||
	       setdomainname(before.domainname, strlen(before.domainname));
}

static void names_can_be_changed(void)
{
	struct utsname before, now;
	int pid, status;

	if (geteuid() != 0)
		return;
	uname(&before);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWUTS) && may_be_restricted())
			_exit(0);
		_exit(change_names());
	}
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(WEXITSTATUS(status), 0);
	uname(&now);
	EXPECT(strcmp(before.nodename, now.nodename) == 0);
}

static int names_refused(void)
{
	return !(sethostname("x", 1) == -1 && errno == EPERM && setdomainname("x", 1) == -1 &&
		 errno == EPERM);
}

static void only_root_changes_names(void)
{
	if (geteuid() == 0)
		EXPECT_EQUAL(as_user(names_refused), 0);
}

/* ---- the log ---- */

static void the_log_can_be_read(void)
{
	int size = klogctl(10, NULL, 0), len, few;
	char *text, *end;

	EXPECT(size > 0);
	text = malloc((size_t)size);
	EXPECT(text);
	len = klogctl(3, text, size);
	EXPECT(len >= 0 && len <= size);
	if (len == 0)
		goto done; /* somebody has cleared it */
	EXPECT(text[0] == '<' && text[len - 1] == '\n');
	end = memchr(text, '\n', (size_t)len);
	EXPECT(memchr(text, '>', (size_t)(end - text)));
	/* Less room: the youngest lines. */
	few = klogctl(3, text, 1000);
	EXPECT(few > 0 && few <= 1000 && text[0] == '<');
done:
	free(text);
	text = NULL;
	EXPECT_EQUAL(klogctl(3, (char *)&text, 0), 0);
	EXPECT_ERRNO(EINVAL, klogctl(3, NULL, 10));
	EXPECT_ERRNO(EINVAL, klogctl(3, (char *)&size, -1));
	EXPECT_ERRNO(EINVAL, klogctl(77, NULL, 0));
}

static void the_log_is_written_read_and_cleared(void)
{
	char text[8192];
	int len, kmsg;

	if (geteuid() != 0 || may_be_restricted())
		return; /* it is everybody's: not Linux's that runs the test */
	EXPECT_EQUAL(klogctl(0, NULL, 0), 0);
	EXPECT_EQUAL(klogctl(1, NULL, 0), 0);
	kmsg = open("/dev/kmsg", O_WRONLY);
	EXPECT(kmsg >= 0);
	EXPECT_EQUAL(write(kmsg, "<6>a line to be read", 20), 20);
	EXPECT(klogctl(9, NULL, 0) > 0);
	while ((len = klogctl(2, text, sizeof(text))) > 0) {
		if (memmem(text, (size_t)len, "a line to be read", 17))
			break;
	}
	EXPECT(len > 0);
	EXPECT_EQUAL(write(kmsg, "<4>another line", 15), 15);
	EXPECT(klogctl(2, text, 3) == 3 && memcmp(text, "<4>", 3) == 0);
	len = klogctl(4, text, sizeof(text));
	EXPECT(len > 0 && memmem(text, (size_t)len, "another line", 12));
	len = klogctl(3, text, sizeof(text));
	EXPECT(len >= 0 && !memmem(text, (size_t)len, "another line", 12));
	EXPECT_EQUAL(write(kmsg, "<6>a third line", 15), 15);
	EXPECT_EQUAL(klogctl(5, NULL, 0), 0);
	len = klogctl(3, text, sizeof(text));
	EXPECT(len >= 0 && !memmem(text, (size_t)len, "a third line", 12));
	EXPECT_ERRNO(EINVAL, klogctl(8, NULL, 0));
	EXPECT_ERRNO(EINVAL, klogctl(8, NULL, 9));
	EXPECT_EQUAL(klogctl(6, NULL, 0), 0);
	EXPECT_EQUAL(klogctl(7, NULL, 0), 0);
	close(kmsg);
}

static int log_refused(void)
{
	static const int others[] = {0, 1, 2, 4, 5, 6, 7, 8, 9};
	char byte;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (klogctl(others[i], &byte, 1) != -1 || errno != EPERM)
			return 1;
	}
	return 0;
}

static void only_root_changes_the_log(void)
{
	if (geteuid() == 0)
		EXPECT_EQUAL(as_user(log_refused), 0);
}

/* ---- filesystems ---- */

struct old_ustat {
	int free_blocks;
	unsigned long free_inodes;
	char name[6], pack[6];
};

static void filesystems_have_numbers(void)
{
	char name[64];
	long count = syscall(SYS_sysfs, 3), tmpfs;

	if (count == -1 && errno == ENOSYS && may_be_restricted())
		return; /* a Linux built without */
	EXPECT(count > 0);
	tmpfs = syscall(SYS_sysfs, 1, "tmpfs");
	EXPECT(tmpfs >= 0 && tmpfs < count);
	EXPECT_EQUAL(syscall(SYS_sysfs, 2, tmpfs, name), 0);
	EXPECT(strcmp(name, "tmpfs") == 0);
	EXPECT_ERRNO(EINVAL, syscall(SYS_sysfs, 1, "no such"));
	EXPECT_ERRNO(EFAULT, syscall(SYS_sysfs, 1, 8));
	EXPECT_ERRNO(EINVAL, syscall(SYS_sysfs, 2, count, name));
	EXPECT_ERRNO(EFAULT, syscall(SYS_sysfs, 2, 0, 8));
	EXPECT_ERRNO(EINVAL, syscall(SYS_sysfs, 4));
}

static void ustat_tells_what_is_free(void)
{
	struct old_ustat ustat = {.free_blocks = -1};
	struct stat stat_;

	EXPECT_EQUAL(stat("/tmp", &stat_), 0);
	EXPECT_EQUAL(syscall(SYS_ustat, stat_.st_dev, &ustat), 0);
	EXPECT(ustat.free_blocks != -1);
	EXPECT_ERRNO(EFAULT, syscall(SYS_ustat, stat_.st_dev, 8));
	EXPECT_ERRNO(EINVAL, syscall(SYS_ustat, 0xfffff, &ustat));
}

/* ---- rebooting: what leads nowhere ---- */

#define MAGIC1 0xfee1dead
#define MAGIC2 672274793

static long reboot_(unsigned magic, unsigned magic2, unsigned command, const void *argument)
{
	return syscall(SYS_reboot, magic, magic2, command, argument);
}

static int reboot_refused(void)
{
	return !(reboot_(MAGIC1, MAGIC2, RB_DISABLE_CAD, NULL) == -1 && errno == EPERM);
}

static void rebooting_is_checked(void)
{
	EXPECT_EQUAL(as_user(reboot_refused), 0);
	if (may_be_restricted())
		return; /* not on the machine that builds */
	EXPECT_ERRNO(EINVAL, reboot_(MAGIC1 + 1, MAGIC2, RB_DISABLE_CAD, NULL));
	EXPECT_ERRNO(EINVAL, reboot_(MAGIC1, MAGIC2 + 1, RB_DISABLE_CAD, NULL));
	EXPECT_ERRNO(EINVAL, reboot_(MAGIC1, MAGIC2, 0x12345678, NULL));
	EXPECT_ERRNO(EINVAL, reboot_(MAGIC1, MAGIC2, RB_KEXEC, NULL));
	EXPECT_ERRNO(EINVAL, reboot_(MAGIC1, MAGIC2, RB_SW_SUSPEND, NULL));
	EXPECT_ERRNO(EFAULT, reboot_(MAGIC1, MAGIC2, 0xa1b2c3d4, (void *)8));
	for (unsigned i = 0; i < 3; i++) {
		static const unsigned other[] = {85072278, 369367448, 537993216};

		EXPECT_EQUAL(reboot_(MAGIC1, other[i], RB_DISABLE_CAD, NULL), 0);
	}
	EXPECT_EQUAL(reboot_(MAGIC1, MAGIC2, RB_ENABLE_CAD, NULL), 0);
}

int main(void)
{
	RUN(names_can_be_changed);
	RUN(only_root_changes_names);
	RUN(the_log_can_be_read);
	RUN(the_log_is_written_read_and_cleared);
	RUN(only_root_changes_the_log);
	RUN(filesystems_have_numbers);
	RUN(ustat_tells_what_is_free);
	RUN(rebooting_is_checked);
	return check_end();
}
