/*
 * What whoever has mounted a driver can see and do about it: /proc/mounts, fusectl, and a name that
 * became stale. The driver is a thread of this program.
 */
#include <dirent.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "fuse_driver.h"

#include "mount_help.h"

#define CONTROL       "/tmp/fuse_control"
#define FUSECTL_MAGIC 0x65735543

static char *of_connection(const char *file)
{
	static char name[256];
	struct stat stat;

	if (lstat(AT, &stat))
		return NULL;
	snprintf(name, sizeof(name), CONTROL "/%u/%s", minor(stat.st_dev), file);
	return name;
}

static long told_number(const char *file)
{
	char text[32] = "";
	int fd = open(of_connection(file), O_RDONLY);
	ssize_t got = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	close(fd);
	return got > 0 ? strtol(text, NULL, 10) : -1;
}

static ssize_t tell(const char *file, const char *text)
{
	int fd = open(of_connection(file), O_WRONLY);
	ssize_t done = fd >= 0 ? write(fd, text, strlen(text)) : -1;
	int error = errno;

	close(fd);
	errno = error;
	return done;
}

#define SETTINGS "/proc/sys/fs/fuse/"

static long setting(const char *file)
{
	char text[32] = "";
	int fd = open(file, O_RDONLY);
	ssize_t got = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	close(fd);
	return got > 0 ? strtol(text, NULL, 10) : -1;
}

static ssize_t set(const char *file, long value)
{
	char text[32];
	int fd = open(file, O_WRONLY), len = snprintf(text, sizeof(text), "%ld\n", value);
	ssize_t done = fd >= 0 ? write(fd, text, (size_t)len) : -1;
	int error = errno;

	close(fd);
	errno = error;
	return done == len ? 0 : -1;
}

/* Linux has them since 6.14, and not everybody may set them. */
static void each_time_out_is_a_setting_of_its_own(void)
{
	const char *common = SETTINGS "default_request_timeout",
		   *most = SETTINGS "max_request_timeout";
	long common_s = setting(common), most_s = setting(most);

	if ((common_s < 0 || set(common, common_s)) && may_be_restricted())
		return;
	EXPECT_EQUAL(set(most, 70), 0);
	EXPECT_EQUAL(set(common, 60), 0);
	EXPECT_EQUAL(setting(most), 70);
	EXPECT_EQUAL(setting(common), 60);
	EXPECT_EQUAL(set(most, 65535), 0);
	EXPECT_EQUAL(setting(common), 60);
	EXPECT_EQUAL(setting(most), 65535);
	EXPECT_ERRNO(EINVAL, set(most, 65536));
	EXPECT_EQUAL(set(most, most_s), 0);
	EXPECT_EQUAL(set(common, common_s), 0);
	EXPECT_EQUAL(setting(common), common_s);
	EXPECT_EQUAL(setting(most), most_s);
}

static void mounts_tell_who_mounted(void)
{
	EXPECT(driver_begin(0));
	EXPECT(mountinfo_says("rw,user_id=0,group_id=0"));
	EXPECT(strstr(told(AT, 6), "nosuid"));
	driver_end();
}

static void each_connection_has_a_folder(void)
{
	struct statfs statfs_;
	struct stat stat_;

	EXPECT_EQUAL(statfs(CONTROL, &statfs_), 0);
	EXPECT_EQUAL(statfs_.f_type, FUSECTL_MAGIC);
	EXPECT(driver_begin(0));
	EXPECT_EQUAL(stat(of_connection(""), &stat_), 0);
	EXPECT_EQUAL(stat_.st_mode, S_IFDIR | 0500);
	EXPECT_EQUAL(stat(of_connection("waiting"), &stat_), 0);
	EXPECT_EQUAL(stat_.st_mode, S_IFREG | 0400);
	EXPECT_EQUAL(stat(of_connection("abort"), &stat_), 0);
	EXPECT_EQUAL(stat_.st_mode, S_IFREG | 0200);
	EXPECT_EQUAL(stat(of_connection("max_background"), &stat_), 0);
	EXPECT_EQUAL(stat_.st_mode, S_IFREG | 0600);
	EXPECT_ERRNO(ENOENT, stat(of_connection("nothing"), &stat_));
	driver_end();
	EXPECT_ERRNO(ENOENT, stat(CONTROL "/0", &stat_));
}

static void limits_are_the_driver_s_and_can_be_set(void)
{
	EXPECT(driver_prepare(0));
	driver.init.max_background = 20;
	EXPECT(driver_mount());
	EXPECT_EQUAL(access(FILE_AT, F_OK), 0);
	EXPECT_EQUAL(told_number("max_background"), 20);
	EXPECT_EQUAL(tell("max_background", "5"), 1);
	EXPECT_EQUAL(told_number("max_background"), 5);
	EXPECT_EQUAL(tell("congestion_threshold", "4\n"), 2);
	EXPECT_EQUAL(told_number("congestion_threshold"), 4);
	EXPECT_ERRNO(EINVAL, tell("max_background", "65536"));
	EXPECT_ERRNO(EINVAL, tell("max_background", "many"));
	EXPECT_EQUAL(told_number("max_background"), 5);
	driver_end();
}

static void *look(void *error)
{
	struct stat stat_;

	*(int *)error = stat(AT "/other", &stat_) ? errno : 0;
	return NULL;
}

static void an_abort_ends_what_waits(void)
{
	int error = 0, fd;
	pthread_t looker;
	char name[256];
	struct stat stat_;

	EXPECT(driver_begin(0));
	EXPECT_EQUAL(access(FILE_AT, F_OK), 0);
	EXPECT_EQUAL(told_number("waiting"), 0);
	snprintf(name, sizeof(name), "%s", of_connection("abort"));
	driver.hold_opcode = FUSE_LOOKUP;
	EXPECT_EQUAL(pthread_create(&looker, NULL, look, &error), 0);
	wait_held();
	fd = open(of_connection("waiting"), O_RDONLY);
	EXPECT_EQUAL(read(fd, name + 200, 8), 2);
	EXPECT_EQUAL(name[200], '1');
	close(fd);
	fd = open(name, O_WRONLY);
	EXPECT_EQUAL(write(fd, "1", 1), 1);
	close(fd);
	pthread_join(looker, NULL);
	EXPECT_EQUAL(error, ECONNABORTED);
	EXPECT_ERRNO(ENOTCONN, stat(AT "/other", &stat_));
	driver_end();
}

static void a_name_that_went_stale_is_asked_for_again(void)
{
	int fd;

	EXPECT(driver_begin(0));
	EXPECT_EQUAL(access(FILE_AT, F_OK), 0);
	EXPECT_EQUAL(asked(FUSE_LOOKUP), 1);
	driver.stale_opcode = FUSE_OPEN;
	driver.nstale = 1;
	fd = open(FILE_AT, O_RDONLY);
	EXPECT(fd >= 0);
	EXPECT_EQUAL(asked(FUSE_LOOKUP), 2);
	EXPECT_EQUAL(asked(FUSE_OPEN), 2);
	close(fd);
	driver.nstale = 2;
	EXPECT_ERRNO(ESTALE, open(FILE_AT, O_RDONLY));
	driver_end();
}

int main(void)
{
	if (!driver_possible())
		return may_be_restricted() ? 0 : 1;
	mkdir(CONTROL, 0755);
	if (mount("none", CONTROL, "fusectl", 0, NULL))
		return 1;
	RUN(each_time_out_is_a_setting_of_its_own);
	RUN(mounts_tell_who_mounted);
	RUN(each_connection_has_a_folder);
	RUN(limits_are_the_driver_s_and_can_be_set);
	RUN(an_abort_ends_what_waits);
	RUN(a_name_that_went_stale_is_asked_for_again);
	umount(CONTROL);
	rmdir(CONTROL);
	driver_over();
	return check_end();
}
