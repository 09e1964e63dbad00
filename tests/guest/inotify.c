/*
 * inotify: what is told of files and directories, and in which order.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"

static char folder[] = "/tmp/inotify-XXXXXX";

static int in;
static char text[4096]; /* of what was read: "wd:events name, ..." */

static const struct {
	uint32_t bit;
	const char *name;
} bits[] = {
	{IN_ACCESS, "access"},
	{IN_MODIFY, "modify"},
	{IN_ATTRIB, "attrib"},
	{IN_CLOSE_WRITE, "close_write"},
	{IN_CLOSE_NOWRITE, "close"},
	{IN_OPEN, "open"},
	{IN_MOVED_FROM, "from"},
	{IN_MOVED_TO, "to"},
	{IN_CREATE, "create"},
	{IN_DELETE, "delete"},
	{IN_DELETE_SELF, "delete_self"},
	{IN_MOVE_SELF, "move_self"},
	{IN_IGNORED, "ignored"},
	{IN_Q_OVERFLOW, "overflow"},
	{IN_ISDIR, "dir"},
	{IN_UNMOUNT, "unmount"},
};

static uint32_t cookies[2]; /* of the last events that had one: the two halves of a move */

static void add(const struct inotify_event *event)
{
	size_t used = strlen(text);

	used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%d:", used ? ", " : "",
				 event->wd);
	for (size_t i = 0; i < sizeof(bits) / sizeof(*bits); i++)
		if (event->mask & bits[i].bit)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s ",
						 bits[i].name);
	snprintf(text + used - (event->mask ? 1 : 0), sizeof(text) - used, "%s%s",
		 event->len ? " " : "", event->len ? event->name : "");
	if (event->cookie) {
		cookies[0] = cookies[1];
		cookies[1] = event->cookie;
	}
}

/* All that waits. */
static const char *told(void)
{
	static char bytes[4096] __attribute__((aligned(8)));
	ssize_t n;

	text[0] = 0;
	while ((n = read(in, bytes, sizeof(bytes))) > 0) {
		for (char *at = bytes; at < bytes + n;) {
			const struct inotify_event *event = (void *)at;

			add(event);
			at += sizeof(*event) + event->len;
		}
	}
	return text;
}

#define EXPECT_TOLD(wanted)                                                                        \
	do {                                                                                       \
		if (strcmp(told(), wanted) != 0)                                                   \
			FAIL("told \"%s\", not \"%s\"", text, wanted);                             \
	} while (0)

static bool begin(const char *name, uint32_t mask)
{
	in = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	return in >= 0 && inotify_add_watch(in, name, mask) == 1;
}

static int make(const char *name)
{
	return close(open(name, O_CREAT | O_WRONLY, 0600));
}

static void a_directory_tells_of_its_files(void)
{
	char byte;
	int fd;

	EXPECT(mkdir("d", 0700) == 0 && begin("d", IN_ALL_EVENTS));
	fd = open("d/f", O_CREAT | O_RDWR, 0600);
	EXPECT_TOLD("1:create f, 1:open f");
	EXPECT_EQUAL(write(fd, "ab", 2), 2);
	EXPECT_EQUAL(write(fd, "cd", 2), 2); /* the same again: not twice */
	EXPECT_EQUAL(pread(fd, &byte, 1, 0), 1);
	EXPECT_TOLD("1:modify f, 1:access f");
	EXPECT(ftruncate(fd, 1) == 0 && fchmod(fd, 0640) == 0);
	EXPECT_TOLD("1:modify f, 1:attrib f");
	close(fd);
	EXPECT_TOLD("1:close_write f");
	close(open("d/f", O_RDONLY));
	EXPECT_TOLD("1:open f, 1:close f");
	close(open("d/f", O_WRONLY | O_TRUNC));
	EXPECT_TOLD("1:open f, 1:modify f, 1:close_write f");
	close(open("d/f", O_PATH));
	EXPECT_EQUAL(link("d/f", "d/g"), 0);
	EXPECT_EQUAL(symlink("x", "d/s"), 0);
	EXPECT_EQUAL(mkdir("d/sub", 0700), 0);
	EXPECT_TOLD("1:create g, 1:create s, 1:create dir sub");
	EXPECT(unlink("d/g") == 0 && unlink("d/s") == 0 && rmdir("d/sub") == 0);
	EXPECT_TOLD("1:delete g, 1:delete s, 1:delete dir sub");
	EXPECT_EQUAL(rename("d/f", "d/h"), 0);
	EXPECT_TOLD("1:from f, 1:to h");
	EXPECT(cookies[0] && cookies[0] == cookies[1]);
	EXPECT_EQUAL(rename("d/h", "h"), 0);
	EXPECT_EQUAL(rename("h", "d/h"), 0);
	EXPECT_TOLD("1:from h, 1:to h");
	EXPECT(cookies[0] != cookies[1]);
	EXPECT_EQUAL(unlink("d/h"), 0);
	EXPECT_EQUAL(rmdir("d"), 0);
	EXPECT_TOLD("1:delete h, 1:delete_self, 1:ignored");
	close(in);
}

static void a_file_tells_of_itself(void)
{
	int fd;

	EXPECT(make("f") == 0 && begin("f", IN_ALL_EVENTS));
	EXPECT_EQUAL(chmod("f", 0644), 0);
	EXPECT_EQUAL(link("f", "g"), 0);
	EXPECT_EQUAL(rename("f", "h"), 0);
	EXPECT_TOLD("1:attrib, 1:move_self");
	EXPECT_EQUAL(unlink("g"), 0);
	fd = open("h", O_RDONLY);
	EXPECT_TOLD("1:attrib, 1:open");
	EXPECT_EQUAL(unlink("h"), 0);
	EXPECT_TOLD("1:attrib");
	close(fd); /* its last user */
	EXPECT_TOLD("1:close, 1:delete_self, 1:ignored");
	EXPECT_ERRNO(EINVAL, inotify_rm_watch(in, 1));
	close(in);
	/* Replaced by another. */
	EXPECT(make("f") == 0 && make("g") == 0 && begin("f", IN_ALL_EVENTS));
	EXPECT_EQUAL(rename("g", "f"), 0);
	EXPECT_TOLD("1:attrib, 1:delete_self, 1:ignored");
	unlink("f");
	close(in);
}

static void masks_say_what_and_how(void)
{
	int fd;

	EXPECT(make("f") == 0 && mkdir("d", 0700) == 0 && begin("f", IN_ATTRIB));
	close(open("f", O_RDONLY));
	EXPECT_TOLD("");
	EXPECT_EQUAL(inotify_add_watch(in, "f", IN_OPEN | IN_MASK_ADD), 1);
	EXPECT(close(open("f", O_RDONLY)) == 0 && chmod("f", 0600) == 0);
	EXPECT_TOLD("1:open, 1:attrib");
	EXPECT_EQUAL(inotify_add_watch(in, "f", IN_OPEN), 1);
	EXPECT_EQUAL(chmod("f", 0644), 0);
	EXPECT_TOLD("");
	EXPECT_ERRNO(EEXIST, inotify_add_watch(in, "f", IN_OPEN | IN_MASK_CREATE));
	EXPECT_ERRNO(EINVAL, inotify_add_watch(in, "f", IN_MASK_ADD | IN_MASK_CREATE | IN_OPEN));
	EXPECT_ERRNO(EINVAL, inotify_add_watch(in, "f", 0));
	EXPECT_ERRNO(ENOTDIR, inotify_add_watch(in, "f", IN_OPEN | IN_ONLYDIR));
	EXPECT_ERRNO(ENOENT, inotify_add_watch(in, "none", IN_OPEN));
	EXPECT_ERRNO(EFAULT, syscall(SYS_inotify_add_watch, in, 8, IN_OPEN));
	EXPECT_ERRNO(EBADF, inotify_add_watch(999, "f", IN_OPEN));
	EXPECT_ERRNO(EINVAL, inotify_add_watch(0, "f", IN_OPEN));
	EXPECT_ERRNO(EBADF, inotify_rm_watch(999, 1));
	EXPECT_ERRNO(EINVAL, inotify_rm_watch(0, 1));
	EXPECT_ERRNO(EINVAL, inotify_init1(1));
	EXPECT_EQUAL(symlink("f", "s"), 0);
	EXPECT_EQUAL(inotify_add_watch(in, "s", IN_OPEN), 1); /* the file again */
	EXPECT_EQUAL(inotify_add_watch(in, "s", IN_ALL_EVENTS | IN_DONT_FOLLOW), 2);
	EXPECT_EQUAL(unlink("s"), 0);
	EXPECT_TOLD("2:attrib, 2:delete_self, 2:ignored");
	EXPECT_EQUAL(inotify_add_watch(in, "f", IN_OPEN | IN_ONESHOT), 1);
	EXPECT(close(open("f", O_RDONLY)) == 0 && close(open("f", O_RDONLY)) == 0);
	EXPECT_TOLD("1:open, 1:ignored");
	/* Of a file that has lost its name only who wants to hears. */
	EXPECT(rename("f", "d/f") == 0 && (fd = open("d/f", O_RDWR)) >= 0);
	EXPECT_EQUAL(inotify_add_watch(in, "d", IN_MODIFY), 3);
	EXPECT_EQUAL(unlink("d/f"), 0);
	EXPECT_EQUAL(write(fd, "x", 1), 1);
	EXPECT_TOLD("3:modify f");
	EXPECT_EQUAL(inotify_add_watch(in, "d", IN_MODIFY | IN_EXCL_UNLINK), 3);
	EXPECT_EQUAL(write(fd, "x", 1), 1);
	EXPECT_TOLD("");
	EXPECT_EQUAL(inotify_rm_watch(in, 3), 0);
	EXPECT_TOLD("3:ignored");
	close(fd);
	rmdir("d");
	close(in);
}

static void events_wait_to_be_read(void)
{
	struct pollfd item = {.events = POLLIN};
	char bytes[256];
	int n;

	EXPECT(mkdir("d", 0700) == 0 && begin("d", IN_CREATE));
	item.fd = in;
	EXPECT_EQUAL(fcntl(in, F_GETFD), FD_CLOEXEC);
	EXPECT_EQUAL(poll(&item, 1, 0), 0);
	EXPECT_ERRNO(EAGAIN, read(in, bytes, sizeof(bytes)));
	EXPECT(make("d/one") == 0 && make("d/sixteen_letters_") == 0);
	EXPECT_EQUAL(poll(&item, 1, -1), 1);
	EXPECT_EQUAL(ioctl(in, FIONREAD, &n), 0);
	EXPECT_EQUAL(n, 32 + 48); /* each name has a NUL, and fills sixteens */
	EXPECT_ERRNO(EINVAL, read(in, bytes, 31));
	EXPECT_EQUAL(read(in, bytes, 79), 32); /* whole ones alone */
	EXPECT_ERRNO(EFAULT, syscall(SYS_read, in, 8, 100));
	EXPECT(unlink("d/one") == 0 && unlink("d/sixteen_letters_") == 0 && rmdir("d") == 0);
	close(in);
}

static void a_queue_has_an_end(void)
{
	char bytes[32 * 64];
	uint32_t last = 0;
	ssize_t n;
	long sum = 0;

	in = inotify_init();
	EXPECT(in >= 0 && fcntl(in, F_SETFL, O_NONBLOCK) == 0);
	EXPECT(make("f") == 0 && inotify_add_watch(in, "f", IN_OPEN | IN_CLOSE) == 1);
	for (int i = 0; i < 9000; i++) /* no two equal ones behind each other */
		close(open("f", O_RDONLY));
	while ((n = read(in, bytes, sizeof(bytes))) > 0) {
		const struct inotify_event *event = (void *)(bytes + n - (ssize_t)sizeof(*event));

		sum += n / (ssize_t)sizeof(*event);
		last = event->mask;
	}
	EXPECT_EQUAL(last, IN_Q_OVERFLOW);
	EXPECT_EQUAL(sum, 16384 + 1);
	unlink("f");
	close(in);
}

static void an_unmount_is_told(void)
{
	EXPECT_EQUAL(mkdir("m", 0755), 0);
	if (mount("none", "m", "tmpfs", 0, NULL) && may_be_restricted()) {
		rmdir("m");
		return;
	}
	EXPECT(make("m/f") == 0 && begin("m/f", IN_ALL_EVENTS));
	EXPECT_EQUAL(umount("m"), 0);
	EXPECT_TOLD("1:unmount, 1:ignored");
	EXPECT_EQUAL(rmdir("m"), 0);
	close(in);
}

static int watch_without_permission(void)
{
	in = inotify_init();
	NEED(in >= 0);
	NEED(inotify_add_watch(in, "f", IN_OPEN) == -1 && errno == EACCES);
	NEED(inotify_add_watch(in, ".", IN_OPEN) == 1);
	return 0;
}

static void who_may_not_read_is_told_nothing(void)
{
	EXPECT_EQUAL(make("f"), 0);
	EXPECT_EQUAL(as_user(watch_without_permission), 0);
	unlink("f");
}

/* Linux's limit is one for each user, and can be set. */
static void there_are_not_too_many(void)
{
	static int others[2000];
	struct rlimit limit = {.rlim_cur = 2100, .rlim_max = 4096};
	int n = 0;

	if (may_be_restricted())
		return;
	EXPECT_EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while (n < 2000 && (others[n] = inotify_init()) >= 0)
		n++;
	EXPECT_EQUAL(errno, EMFILE);
	EXPECT(n >= 128 && n < 2000); /* it is not the limit of descriptors */
	while (n)
		close(others[--n]);
	in = inotify_init();
	EXPECT(in >= 0);
	close(in);
}

int main(void)
{
	if (!mkdtemp(folder) || chmod(folder, 0755) || chdir(folder))
		return 1;
	RUN(a_directory_tells_of_its_files);
	RUN(a_file_tells_of_itself);
	RUN(masks_say_what_and_how);
	RUN(events_wait_to_be_read);
	RUN(a_queue_has_an_end);
	RUN(an_unmount_is_told);
	RUN(who_may_not_read_is_told_nothing);
	RUN(there_are_not_too_many);
	if (chdir("/") || rmdir(folder))
		return 1;
	return check_end();
}
