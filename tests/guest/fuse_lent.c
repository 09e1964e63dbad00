/*
 * Whole pages between a driver and its client, which change hands where they can instead of being
 * copied: nobody may tell the difference. The driver is a child; it answers with pages of its own,
 * which it lends (<fuselage/fuse.h>) or has copied, and takes what is written in a window. Where
 * nothing can be mounted there is nothing to test.
 */
#include <fcntl.h>
#include <fuselage/fuse.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define AT      "/tmp/lent"
#define FILE_ID 2
#define PAGE    4096
#define NPAGES  32
#define BYTES   (NPAGES * PAGE)
#define CHUNK   BYTES

/* What the driver and the tests agree on, in memory that both have. */
struct agreed {
	bool changes_after; /* the driver changes each page that it has just given out */
	bool protects;      /* and may not write to them meanwhile */
	uint32_t flags;     /* of its answers to READ */
	uint32_t short_by;  /* bytes that it does not give */
	bool stops;         /* it tells of each WRITE, and waits, before it looks into it */
	bool scribbles;     /* it changes what it got, after it has kept it */
	unsigned nlent;     /* WRITEs that came in the window */
	unsigned nkept;     /* of them: that were there after they had been answered */
	char *window;       /* in the driver's memory, BYTES; NULL: none */
};

static int device;
static struct agreed *agreed;
static int told[2], go_on[2]; /* pipes, where it stops */
static bool is_lent;          /* the last request has its payload in the window */
static char content[BYTES] __attribute__((aligned(PAGE))); /* the driver's */
static union {
	struct fuse_in_header header;
	char bytes[CHUNK + PAGE];
} in;
static char buffer[BYTES + PAGE] __attribute__((aligned(PAGE)));

static char expected(size_t at)
{
	return (char)(at * 13 + at / PAGE);
}

/* ---- the driver ---- */

/* The next request is in `in`. */
static void exchange(const struct abi_fuse_reply *reply)
{
	bool was_lent = is_lent;
	ssize_t got = fuselage_fuse_exchange_pages(device, reply, &in, sizeof(in), agreed->window,
						   agreed->window ? BYTES : 0);

	while (got < 0 && errno == ENOENT) /* it was over before Linux had copied it */
		got = fuselage_fuse_exchange_pages(device, NULL, &in, sizeof(in), agreed->window,
						   agreed->window ? BYTES : 0);
	/* Linux's umount may come between taking a request from the queue and giving it out. */
	if (got < 0)
		_exit(errno == ENODEV || errno == ECONNABORTED ? 0 : 1);
	is_lent = in.header.len > got;
	agreed->nlent += is_lent;
	for (size_t i = 0; was_lent && !is_lent && i < BYTES; i += PAGE) {
		if (agreed->window[i])
			agreed->nkept++;
	}
}

static void exchange_with(int error, const void *payload, size_t bytes, uint32_t flags)
{
	struct abi_fuse_reply reply = {.len = (uint32_t)(FUSE_SERVE_HEADER_BYTES + bytes),
				       .error = -error,
				       .unique = in.header.unique,
				       .payload = (uintptr_t)payload,
				       .flags = flags};

	exchange(&reply);
}

static struct fuse_attr attr_of(uint64_t node)
{
	bool is_file = node == FILE_ID;

	return (struct fuse_attr){.ino = node,
				  .mode = is_file ? S_IFREG | 0644 : S_IFDIR | 0755,
				  .size = is_file ? BYTES : 0,
				  .nlink = 1};
}

static void serve_read(void)
{
	struct fuse_read_in asked;
	size_t bytes;

	memcpy(&asked, &in.header + 1, sizeof(asked));
	bytes = asked.offset < BYTES ? BYTES - asked.offset : 0;
	bytes = bytes < asked.size ? bytes : asked.size;
	bytes -= bytes < agreed->short_by ? bytes : agreed->short_by;
	if (agreed->protects && mprotect(content, BYTES, PROT_READ))
		_exit(1);
	exchange_with(0, content + asked.offset, bytes, agreed->flags);
	if (mprotect(content, BYTES, PROT_READ | PROT_WRITE))
		_exit(1);
	/* The next request is there: who read has gone on. */
	if (!agreed->changes_after)
		return;
	for (size_t i = 0; i < bytes; i += PAGE)
		content[asked.offset + i]++;
}

static void serve_write(void)
{
	struct fuse_write_in asked;
	struct fuse_write_out out;
	char *from, byte = 0;

	memcpy(&asked, &in.header + 1, sizeof(asked));
	from = is_lent ? agreed->window : (char *)(&in.header + 1) + sizeof(asked);
	out = (struct fuse_write_out){.size = asked.size};
	if (agreed->stops && (write(told[1], &byte, 1) != 1 || read(go_on[0], &byte, 1) != 1))
		_exit(1);
	if (asked.offset <= BYTES && asked.size <= BYTES - asked.offset)
		memcpy(content + asked.offset, from, asked.size);
	if (agreed->scribbles)
		memset(from, 'd', asked.size);
	exchange_with(0, &out, sizeof(out), 0);
}

/* Each of these ends with the next request in `in`. */
static void serve_one(void)
{
	struct fuse_init_out init = {
		.major = 7, .minor = 31, .max_write = CHUNK, .flags = FUSE_BIG_WRITES};
	struct fuse_entry_out entry = {.nodeid = FILE_ID, .attr = attr_of(FILE_ID)};
	struct fuse_attr_out attr = {.attr = attr_of(in.header.nodeid)};
	struct fuse_open_out open = {.fh = 1, .open_flags = FOPEN_DIRECT_IO};

	switch (in.header.opcode) {
	case FUSE_INIT:
		exchange_with(0, &init, sizeof(init), 0);
		break;
	case FUSE_LOOKUP:
		exchange_with(0, &entry, sizeof(entry), 0);
		break;
	case FUSE_GETATTR:
		exchange_with(0, &attr, sizeof(attr), 0);
		break;
	case FUSE_OPEN:
		exchange_with(0, &open, sizeof(open), 0);
		break;
	case FUSE_READ:
		serve_read();
		break;
	case FUSE_WRITE:
		serve_write();
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		exchange(NULL);
		break;
	default:
		exchange_with(ENOSYS, NULL, 0, 0);
		break;
	}
}

static bool mount_driver(void)
{
	char options[80];

	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return false;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (mount("lent", AT, "fuse", MS_NOSUID | MS_NODEV, options) == 0)
		return true;
	close(device);
	return false;
}

static pid_t start_with(uint32_t flags, char *window)
{
	pid_t child;

	*agreed = (struct agreed){.flags = flags, .window = window};
	if (!mount_driver())
		return -1;
	child = fork();
	if (child == 0) {
		for (size_t i = 0; i < BYTES; i++)
			content[i] = expected(i);
		exchange(NULL);
		for (;;)
			serve_one();
	}
	close(device);
	return child;
}

static pid_t start(uint32_t flags)
{
	return start_with(flags, NULL);
}

static bool stop(pid_t child)
{
	int status = -1;

	return umount(AT) == 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* ---- reading ---- */

static bool holds(const char *at, size_t from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (at[i] != expected(from + i))
			return false;
	}
	return true;
}

static void reads(uint32_t flags)
{
	pid_t child = start(flags);
	int fd;

	EXPECT(child > 0);
	fd = open(AT "/file", O_RDONLY);
	EXPECT(fd >= 0);
	for (unsigned round = 0; round < 4; round++) {
		memset(buffer, (int)round, sizeof(buffer));
		EXPECT_EQUAL(pread(fd, buffer, BYTES, 0), BYTES);
		EXPECT(holds(buffer, 0, BYTES));
		EXPECT_EQUAL(buffer[BYTES], round);
		/* Again, to where the same pages are already. */
		EXPECT_EQUAL(pread(fd, buffer, BYTES, 0), BYTES);
		EXPECT(holds(buffer, 0, BYTES));
	}
	/* Parts, and places between pages. */
	EXPECT_EQUAL(pread(fd, buffer + 100, 5 * PAGE, PAGE), 5 * PAGE);
	EXPECT(holds(buffer + 100, PAGE, 5 * PAGE) && holds(buffer, 0, 100));
	EXPECT_EQUAL(pread(fd, buffer, 3 * PAGE + 7, 2 * PAGE), 3 * PAGE + 7);
	EXPECT(holds(buffer, 2 * PAGE, 3 * PAGE + 7));
	EXPECT_EQUAL(pread(fd, buffer, 9 * PAGE, BYTES - 2 * PAGE), 2 * PAGE);
	EXPECT(holds(buffer, BYTES - 2 * PAGE, 2 * PAGE));
	agreed->short_by = PAGE / 2;
	EXPECT_EQUAL(pread(fd, buffer, BYTES, 0), BYTES - PAGE / 2);
	EXPECT(holds(buffer, 0, BYTES - PAGE / 2));
	close(fd);
	EXPECT(stop(child));
}

static void copied_pages_are_read(void)
{
	reads(0);
}

static void lent_pages_are_read(void)
{
	reads(FUSE_SERVE_LEND);
}

static void what_was_read_is_the_reader_s_own(void)
{
	pid_t child = start(FUSE_SERVE_LEND);
	char *other = aligned_alloc(PAGE, BYTES);
	int fd;

	EXPECT(child > 0 && other);
	fd = open(AT "/file", O_RDONLY);
	memset(other, 1, BYTES);
	EXPECT_EQUAL(pread(fd, buffer, BYTES, 0), BYTES);
	memset(buffer, 'x', BYTES);
	EXPECT_EQUAL(pread(fd, other, BYTES, 0), BYTES);
	EXPECT(holds(other, 0, BYTES)); /* the driver has its own still */
	EXPECT(buffer[0] == 'x' && buffer[BYTES - 1] == 'x');
	EXPECT_EQUAL(pread(fd, buffer, BYTES, 0), BYTES);
	other[0]++;
	EXPECT(holds(buffer, 0, BYTES)); /* and two readers do not share */
	close(fd);
	free(other);
	EXPECT(stop(child));
}

static void changes_are_not_seen(bool protects)
{
	pid_t child = start(FUSE_SERVE_LEND);
	struct stat found;
	int fd;

	EXPECT(child > 0);
	fd = open(AT "/file", O_RDONLY);
	memset(buffer, 1, BYTES);
	agreed->protects = protects;
	agreed->changes_after = true;
	EXPECT_EQUAL(pread(fd, buffer, BYTES, 0), BYTES);
	EXPECT_EQUAL(fstat(fd, &found), 0);
	EXPECT_EQUAL(fstat(fd, &found), 0); /* the first one was what it waited for */
	EXPECT(holds(buffer, 0, BYTES));
	agreed->changes_after = false;
	EXPECT_EQUAL(pread(fd, buffer, BYTES, 0), BYTES);
	EXPECT_EQUAL(buffer[0], (char)(expected(0) + 1));
	EXPECT_EQUAL(buffer[PAGE], (char)(expected(PAGE) + 1));
	EXPECT(holds(buffer + 1, 1, PAGE - 1));
	close(fd);
	EXPECT(stop(child));
}

static void what_the_driver_changes_later_is_not_seen(void)
{
	changes_are_not_seen(false);
}

static void what_the_driver_may_change_later_is_not_seen(void)
{
	changes_are_not_seen(true);
}

static void a_child_has_what_was_read(void)
{
	pid_t child = start(FUSE_SERVE_LEND), reader;
	int fd, status = -1;

	EXPECT(child > 0);
	fd = open(AT "/file", O_RDONLY);
	memset(buffer, 1, BYTES);
	reader = fork();
	if (reader == 0) {
		bool good = pread(fd, buffer, BYTES, 0) == BYTES && holds(buffer, 0, BYTES);

		_exit(good ? 0 : 1);
	}
	waitpid(reader, &status, 0);
	EXPECT_EQUAL(status, 0);
	EXPECT(buffer[0] == 1 && buffer[BYTES - 1] == 1); /* and its parent has not */
	EXPECT_EQUAL(pread(fd, buffer, BYTES, 0), BYTES);
	reader = fork();
	if (reader == 0) {
		buffer[0]++;
		_exit(holds(buffer + 1, 1, BYTES - 1) ? 0 : 1);
	}
	waitpid(reader, &status, 0);
	EXPECT_EQUAL(status, 0);
	EXPECT(holds(buffer, 0, BYTES));
	close(fd);
	EXPECT(stop(child));
}

static char *map(int prot, int flags)
{
	char *at = mmap(NULL, BYTES, prot, flags | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static void any_memory_can_be_read_into(void)
{
	pid_t child = start(FUSE_SERVE_LEND);
	char *untouched = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	char *shared = map(PROT_READ | PROT_WRITE, MAP_SHARED);
	char *sealed = map(PROT_READ, MAP_PRIVATE);
	char *half = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	ssize_t moved;
	int fd;

	EXPECT(child > 0 && untouched && shared && sealed && half);
	fd = open(AT "/file", O_RDONLY);
	EXPECT_EQUAL(pread(fd, untouched, BYTES, 0), BYTES);
	EXPECT(holds(untouched, 0, BYTES));
	memset(shared, 1, BYTES);
	EXPECT_EQUAL(pread(fd, shared, BYTES, 0), BYTES);
	EXPECT(holds(shared, 0, BYTES));
	EXPECT_EQUAL(sealed[0] + sealed[PAGE], 0);
	EXPECT_ERRNO(EFAULT, pread(fd, sealed, BYTES, 0));
	EXPECT_EQUAL(sealed[0] + sealed[PAGE], 0);
	memset(half, 1, BYTES);
	EXPECT_EQUAL(munmap(half + BYTES / 2, BYTES / 2), 0);
	moved = pread(fd, half, BYTES, 0);
	EXPECT(moved == BYTES / 2 || (moved == -1 && errno == EFAULT));
	EXPECT(moved < 0 || holds(half, 0, BYTES / 2));
	munmap(untouched, BYTES);
	munmap(shared, BYTES);
	munmap(sealed, BYTES);
	munmap(half, BYTES / 2);
	close(fd);
	EXPECT(stop(child));
}

/* ---- writing ---- */

static void writes(char *window)
{
	pid_t child = start_with(0, window);
	int fd;

	EXPECT(child > 0);
	fd = open(AT "/file", O_RDWR);
	for (unsigned round = 1; round < 4; round++) {
		memset(buffer, (int)round, sizeof(buffer));
		EXPECT_EQUAL(pwrite(fd, buffer, BYTES, 0), BYTES);
		buffer[0] = 'y'; /* the writer's again */
		EXPECT_EQUAL(pwrite(fd, buffer + 1, PAGE, PAGE), PAGE);
		EXPECT_EQUAL(pwrite(fd, buffer, 2 * PAGE, 8 * PAGE), 2 * PAGE);
		memset(buffer, 0, sizeof(buffer));
		EXPECT_EQUAL(pread(fd, buffer, BYTES, 0), BYTES);
		EXPECT_EQUAL(buffer[8 * PAGE], 'y');
		EXPECT_EQUAL(buffer[0], round);
		EXPECT_EQUAL(buffer[2 * PAGE - 1], round);
		EXPECT_EQUAL(buffer[BYTES - 1], round);
	}
	close(fd);
	EXPECT(stop(child));
}

static void whole_pages_are_written(void)
{
	writes(NULL);
}

/* Where the call is, such pages come by it, and go with the answer. */
static void written_pages_come_in_a_window(void)
{
	char *window = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);

	EXPECT(window);
	writes(window);
	EXPECT(may_be_restricted() || agreed->nlent >= 3);
	EXPECT_EQUAL(agreed->nkept, 0);
	munmap(window, BYTES);
}

static void any_memory_can_be_a_window(void)
{
	char *shared = map(PROT_READ | PROT_WRITE, MAP_SHARED);
	char *sealed = map(PROT_READ, MAP_PRIVATE);
	char *half = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	char *hidden = map(PROT_NONE, MAP_PRIVATE);

	EXPECT(shared && sealed && half && hidden);
	EXPECT_EQUAL(munmap(half + BYTES / 2, BYTES / 2), 0);
	writes(shared);
	writes(sealed);
	writes(half);
	writes(hidden);
	EXPECT_EQUAL(agreed->nlent, 0);
	writes((char *)(~0ULL << 47)); /* the kernel's, and nobody's */
	EXPECT_EQUAL(agreed->nlent, 0);
	munmap(shared, BYTES);
	munmap(sealed, BYTES);
	munmap(half, BYTES / 2);
	munmap(hidden, BYTES);
}

static void a_window_is_of_whole_pages(void)
{
	EXPECT(mount_driver());
	EXPECT_ERRNO(EINVAL, fuselage_fuse_exchange_pages(device, NULL, &in, sizeof(in), buffer + 8,
							  BYTES));
	EXPECT_ERRNO(EINVAL,
		     fuselage_fuse_exchange_pages(device, NULL, &in, sizeof(in), buffer, PAGE + 1));
	EXPECT_EQUAL(umount(AT), 0);
	close(device);
}

static void *write_all(void *fd)
{
	return (void *)pwrite((int)(intptr_t)fd, buffer, BYTES, 0);
}

/* The driver has a request in its hands; the writer goes on, and it sees what was written. */
static void later_changes_are_not_seen(void)
{
	char *window = map(PROT_READ | PROT_WRITE, MAP_PRIVATE), byte = 0;
	pid_t child;
	pthread_t writer;
	void *written;
	int fd;

	EXPECT(window && pipe(told) == 0 && pipe(go_on) == 0);
	child = start_with(0, window);
	EXPECT(child > 0);
	fd = open(AT "/file", O_RDWR);
	agreed->stops = true;
	for (unsigned round = 1; round < 4; round++) {
		memset(buffer, (int)round, BYTES);
		EXPECT_EQUAL(pthread_create(&writer, NULL, write_all, (void *)(intptr_t)fd), 0);
		EXPECT_EQUAL(read(told[0], &byte, 1), 1);
		memset(buffer, 'l', BYTES);
		EXPECT_EQUAL(write(go_on[1], &byte, 1), 1);
		pthread_join(writer, &written);
		EXPECT_EQUAL((intptr_t)written, BYTES);
		EXPECT_EQUAL(pread(fd, buffer, BYTES, 0), BYTES);
		EXPECT(buffer[0] == (char)round && buffer[BYTES - 1] == (char)round);
	}
	close(fd);
	EXPECT(stop(child));
	for (unsigned i = 0; i < 2; i++) {
		close(told[i]);
		close(go_on[i]);
	}
	munmap(window, BYTES);
}

static void what_the_driver_does_to_it_is_its_own(void)
{
	char *window = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	pid_t child;
	int fd;

	EXPECT(window);
	child = start_with(0, window);
	EXPECT(child > 0);
	agreed->scribbles = true;
	fd = open(AT "/file", O_RDWR);
	memset(buffer, 'o', BYTES);
	for (unsigned round = 0; round < 3; round++) {
		EXPECT_EQUAL(pwrite(fd, buffer, BYTES, 0), BYTES);
		EXPECT(buffer[0] == 'o' && buffer[BYTES - 1] == 'o');
		buffer[PAGE]++;
	}
	EXPECT_EQUAL(pread(fd, buffer, BYTES, 0), BYTES);
	EXPECT(buffer[0] == 'o' && buffer[PAGE] == 'o' + 2 && buffer[BYTES - 1] == 'o');
	EXPECT_EQUAL(agreed->nkept, 0);
	close(fd);
	EXPECT(stop(child));
	munmap(window, BYTES);
}

static void what_is_not_there_is_written_as_zeros(void)
{
	pid_t child = start(0);
	char *untouched = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	ssize_t moved;
	int fd;

	EXPECT(child > 0 && untouched);
	fd = open(AT "/file", O_RDWR);
	untouched[PAGE] = 7; /* and some of it is there */
	EXPECT_EQUAL(pwrite(fd, untouched, BYTES, 0), BYTES);
	EXPECT_EQUAL(pread(fd, buffer, BYTES, 0), BYTES);
	EXPECT_EQUAL(buffer[PAGE], 7);
	EXPECT_EQUAL(buffer[0] + buffer[2 * PAGE] + buffer[BYTES - 1], 0);
	EXPECT_EQUAL(munmap(untouched + BYTES / 2, BYTES / 2), 0);
	moved = pwrite(fd, untouched, BYTES, 0);
	EXPECT(moved == BYTES / 2 || (moved == -1 && errno == EFAULT));
	munmap(untouched, BYTES / 2);
	close(fd);
	EXPECT(stop(child));
}

int main(void)
{
	agreed = mmap(NULL, sizeof(*agreed), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	/* On a machine that has them: nobody else sees the mounts. */
	if (unshare(CLONE_NEWNS) == 0)
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mkdir(AT, 0755);
	if (agreed == MAP_FAILED || (!mount_driver() && may_be_restricted())) {
		printf("ok nothing_can_be_mounted_here\n");
		rmdir(AT);
		return 0;
	}
	umount(AT);
	close(device);
	RUN(copied_pages_are_read);
	RUN(lent_pages_are_read);
	RUN(what_was_read_is_the_reader_s_own);
	RUN(what_the_driver_changes_later_is_not_seen);
	RUN(what_the_driver_may_change_later_is_not_seen);
	RUN(a_child_has_what_was_read);
	RUN(any_memory_can_be_read_into);
	RUN(whole_pages_are_written);
	RUN(written_pages_come_in_a_window);
	RUN(any_memory_can_be_a_window);
	RUN(a_window_is_of_whole_pages);
	RUN(later_changes_are_not_seen);
	RUN(what_the_driver_does_to_it_is_its_own);
	RUN(what_is_not_there_is_written_as_zeros);
	rmdir(AT);
	return check_end();
}
