/*
 * poll() of a driver's file beside another descriptor. The driver is a thread of this program, and
 * answers POLL late: what happens to the other descriptor meanwhile is not to be missed. And one
 * that says that it was interrupted, whom nobody asks for ever. Where nothing can be mounted there
 * is nothing to test.
 */
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define AT      "/tmp/polled"
#define FILE_ID 2

static int device;
static int event;
static bool happened;
static volatile bool is_interrupted; /* what OPEN is answered */

static void answer(uint64_t unique, int error, const void *bytes, size_t len)
{
	struct {
		struct fuse_out_header header;
		char bytes[256];
	} out = {.header = {.len = (uint32_t)(sizeof(out.header) + len),
			    .error = -error,
			    .unique = unique}};

	memcpy(out.bytes, bytes, len);
	if (write(device, &out, out.header.len) < 0)
		return; /* whoever asked has gone */
}

static struct fuse_attr attr_of(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node, .mode = node == FILE_ID ? S_IFREG | 0444 : S_IFDIR | 0755, .nlink = 1};
}

static void happen(void)
{
	uint64_t one = 1;

	if (!happened && write(event, &one, sizeof(one)) == sizeof(one))
		happened = true;
}

static void serve(const struct fuse_in_header *in)
{
	static unsigned npolls;
	struct fuse_init_out init = {.major = 7, .minor = 31, .max_write = 4096};
	struct fuse_entry_out entry = {.nodeid = FILE_ID, .attr = attr_of(FILE_ID)};
	struct fuse_attr_out attr = {.attr = attr_of(in->nodeid)};
	struct fuse_open_out open = {.fh = 1};
	struct fuse_poll_out nothing = {0};
	struct pollfd more = {.fd = device, .events = POLLIN};

	switch (in->opcode) {
	case FUSE_INIT:
		answer(in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		answer(in->unique, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		answer(in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		answer(in->unique, is_interrupted ? EINTR : 0, &open,
		       is_interrupted ? 0 : sizeof(open));
		break;
	case FUSE_POLL:
		/* The second one finds a caller who waits for both. */
		if (++npolls == 2)
			happen();
		answer(in->unique, 0, &nothing, sizeof(nothing));
		if (npolls == 1 && poll(&more, 1, 50) == 0)
			happen(); /* there will be no second one */
		break;
	case FUSE_FORGET:
		break;
	default:
		answer(in->unique, ENOSYS, NULL, 0);
		break;
	}
}

static void *drive(void *unused)
{
	static union {
		struct fuse_in_header header;
		char bytes[FUSE_MIN_READ_BUFFER + 4096];
	} in;

	while (read(device, &in, sizeof(in)) > 0)
		serve(&in.header);
	return unused;
}

static void what_happens_while_a_driver_is_asked_is_seen(void)
{
	struct pollfd items[2] = {{.events = POLLIN}, {.events = POLLIN}};
	struct timespec before, after;

	items[0].fd = event;
	items[1].fd = open(AT "/file", O_RDONLY);
	EXPECT(items[1].fd >= 0);
	clock_gettime(CLOCK_MONOTONIC, &before);
	EXPECT_EQUAL(poll(items, 2, 30000), 1);
	clock_gettime(CLOCK_MONOTONIC, &after);
	EXPECT_EQUAL(items[0].revents, POLLIN);
	EXPECT_EQUAL(items[1].revents, 0);
	EXPECT(after.tv_sec - before.tv_sec < 15); /* and not when the time is over */
	close(items[1].fd);
}

static void an_interrupted_driver_fails_a_spawn(void)
{
	char *arguments[] = {"nothing", NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;

	is_interrupted = true;
	EXPECT_ERRNO(EINTR, open(AT "/file", O_RDONLY));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, AT "/file", O_RDONLY, 0);
	EXPECT_EQUAL(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments, arguments + 1),
		     EINTR);
	posix_spawn_file_actions_destroy(&actions);
	is_interrupted = false;
}

int main(void)
{
	char options[80];
	pthread_t driver;

	/* On a machine that has them: nobody else sees the mount. */
	if (unshare(CLONE_NEWNS) == 0)
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	device = open("/dev/fuse", O_RDWR);
	event = eventfd(0, 0);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	mkdir(AT, 0755);
	if ((device < 0 || mount("polled", AT, "fuse", MS_NOSUID | MS_NODEV, options)) &&
	    may_be_restricted()) {
		printf("ok nothing_can_be_mounted_here\n");
		rmdir(AT);
		return 0;
	}
	if (pthread_create(&driver, NULL, drive, NULL))
		return 1;
	RUN(what_happens_while_a_driver_is_asked_is_seen);
	RUN(an_interrupted_driver_fails_a_spawn);
	if (umount(AT))
		return 1;
	pthread_join(driver, NULL);
	rmdir(AT);
	return check_end();
}
