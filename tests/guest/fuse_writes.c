/*
 * What a driver gets of a program's writes past the page cache, which it reads straight from that
 * program's memory: all of it, and nothing that the program puts there later. One driver reads its
 * requests into memory that is a file of another one (fuse_driver.h), so what stops it in the
 * middle is the other one's READ.
 */
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "fuse_driver.h"

#define WRITTEN_AT "/tmp/fuse_written"
#define PAGE       4096
#define CHUNK      (32 * PAGE)
#define HEAD       (sizeof(struct fuse_in_header) + sizeof(struct fuse_write_in))
#define SMALL      (2 * PAGE) /* of the place: every request but a long WRITE goes in there */
#define PLACE      (SMALL + CHUNK)

/* The driver is a child: nobody waits for a page of a file that he serves himself. */
static struct {
	int device;
	pid_t child;
	char *place; /* where it reads requests to; both have the beginning */
	bool pieces; /* by several pieces of that */
} written;

/* What both have. */
static struct {
	char data[2 * CHUNK];
	pid_t writer;     /* set before it writes */
	bool saw_new;     /* what was put there after the write: atomic */
	bool was_stopped; /* atomic: the driver has been in the middle */
} * shared;

static char buffer[CHUNK + PAGE] __attribute__((aligned(PAGE)));

/* ---- the driver ---- */

static void reply(const struct fuse_in_header *in, int error, const void *bytes, size_t len)
{
	struct fuse_out_header out = {
		.len = (uint32_t)(sizeof(out) + len), .error = -error, .unique = in->unique};
	struct iovec parts[] = {{&out, sizeof(out)}, {(void *)(uintptr_t)bytes, len}};

	if (writev(written.device, parts, 2) < 0)
		return; /* whoever asked has gone */
}

static void take_write(const struct fuse_in_header *in, const struct fuse_write_in *write)
{
	struct fuse_write_out out = {.size = write->size};

	memcpy(shared->data + write->offset, write + 1, write->size);
	reply(in, 0, &out, sizeof(out));
}

static struct fuse_attr file_or_root(uint64_t node)
{
	bool is_file = node == FILE_ID;

	return (struct fuse_attr){
		.ino = node, .mode = is_file ? S_IFREG | 0644 : S_IFDIR | 0755, .nlink = 1};
}

static void take(const struct fuse_in_header *in)
{
	const struct fuse_init_out init = {
		.major = 7, .minor = 31, .max_write = CHUNK, .flags = FUSE_BIG_WRITES};
	const struct fuse_entry_out entry = {.nodeid = FILE_ID, .attr = file_or_root(FILE_ID)};
	const struct fuse_attr_out attr = {.attr = file_or_root(in->nodeid)};
	const struct fuse_open_out open = {.open_flags = FOPEN_DIRECT_IO};

	switch (in->opcode) {
	case FUSE_INIT:
		reply(in, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		reply(in, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		reply(in, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		reply(in, 0, &open, sizeof(open));
		break;
	case FUSE_WRITE:
		take_write(in, (const void *)(in + 1));
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(in, ENOSYS, NULL, 0);
		break;
	}
}

static ssize_t next_request(void)
{
	struct iovec pieces[] = {{written.place, 48},
				 {written.place + 48, 5000},
				 {written.place + 5048, PLACE - 5048}};

	return written.pieces ? readv(written.device, pieces, 3)
			      : read(written.device, written.place, PLACE);
}

/* Before that the rest of its place is not touched. */
static bool stopped(void)
{
	return __atomic_load_n(&shared->was_stopped, __ATOMIC_ACQUIRE);
}

static void take_all(void)
{
	for (;;) {
		ssize_t len = next_request();

		/* Whoever asked has been killed while it was read. */
		if (len < 0 && (errno == ENOENT || errno == EINTR))
			continue;
		if (len <= 0)
			break;
		if (stopped() && memchr(written.place + HEAD, 'n', PLACE - HEAD))
			__atomic_store_n(&shared->saw_new, true, __ATOMIC_RELEASE);
		take((const void *)written.place);
	}
	_exit(errno == ENODEV ? 0 : 1);
}

static bool written_begin(char *place, bool pieces)
{
	char options[80];

	memset(shared, 0, sizeof(*shared));
	written.place = place;
	written.pieces = pieces;
	written.device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0",
		 written.device);
	mkdir(WRITTEN_AT, 0755);
	if (!place || written.device < 0 ||
	    mount("written", WRITTEN_AT, "fuse", MS_NOSUID | MS_NODEV, options) != 0)
		return false;
	written.child = fork();
	if (written.child == 0)
		take_all();
	return written.child > 0;
}

/* False: the driver has failed. */
static bool written_end(void)
{
	int status = -1;

	umount2(WRITTEN_AT, MNT_DETACH);
	waitpid(written.child, &status, 0);
	close(written.device);
	munmap(written.place, PLACE);
	rmdir(WRITTEN_AT);
	return status == 0;
}

static char *memory(void)
{
	char *at = mmap(NULL, PLACE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* ---- all of it arrives ---- */

static void fill(unsigned salt)
{
	for (size_t i = 0; i < sizeof(buffer); i++)
		buffer[i] = (char)('A' + (i * 7 + i / PAGE + salt) % 26);
}

static void any_piece_arrives(bool pieces)
{
	static const size_t from[] = {0, 1, 8, 4000},
			    lengths[] = {1, 1024, 4096, 4097, 20000, CHUNK};
	int fd;

	EXPECT(written_begin(memory(), pieces));
	fd = open(WRITTEN_AT "/file", O_WRONLY);
	EXPECT(fd >= 0);
	for (unsigned i = 0; i < 4 * 6; i++) {
		const char *at = buffer + from[i % 4];
		size_t len = lengths[i / 4];

		fill(i);
		EXPECT_EQUAL(pwrite(fd, at, len, 100), len);
		EXPECT_EQUAL(memcmp(shared->data + 100, at, len), 0);
	}
	close(fd);
	EXPECT(written_end());
}

static void what_is_written_arrives(void)
{
	any_piece_arrives(false);
}

static void what_is_written_arrives_in_pieces(void)
{
	any_piece_arrives(true);
}

static void what_a_copy_shares_arrives(void)
{
	int fd, status = -1;
	pid_t child;

	EXPECT(written_begin(memory(), false));
	fd = open(WRITTEN_AT "/file", O_WRONLY);
	fill(1);
	child = fork();
	if (child == 0)
		_exit(pwrite(fd, buffer, CHUNK, 0) == CHUNK ? 0 : 1);
	EXPECT(waitpid(child, &status, 0) == child && status == 0);
	EXPECT_EQUAL(memcmp(shared->data, buffer, CHUNK), 0);
	buffer[PAGE]++;
	EXPECT_EQUAL(pwrite(fd, buffer, CHUNK, CHUNK), CHUNK);
	EXPECT_EQUAL(memcmp(shared->data + CHUNK, buffer, CHUNK), 0);
	close(fd);
	EXPECT(written_end());
}

/* ---- and no more ---- */

static void (*when_stopped)(void);
static sem_t changed;

static bool stops(const struct fuse_in_header *in, const void *arguments)
{
	(void)arguments;
	if (in->opcode != FUSE_READ || stopped())
		return false;
	__atomic_store_n(&shared->was_stopped, true, __ATOMIC_RELEASE);
	when_stopped();
	return false;
}

/* Memory whose beginning is there; the rest is the other driver's file. */
static char *place_that_stops(void (*meanwhile)(void))
{
	char *at;
	int fd;

	when_stopped = meanwhile;
	if (!driver_begin(0))
		return NULL;
	driver.size = CHUNK;
	driver.serves = stops;
	at = memory();
	if (!at)
		return NULL;
	fd = open(FILE_AT, O_RDWR);
	if (mmap(at + SMALL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0) ==
	    MAP_FAILED)
		return NULL;
	close(fd);
	return at;
}

/* An answer to what is still being read. Where it is taken the writer goes on. */
static void answer_too_early(void)
{
	struct fuse_write_out size = {.size = CHUNK};
	struct fuse_out_header out = {.len = sizeof(out) + sizeof(size),
				      .unique = ((struct fuse_in_header *)written.place)->unique};
	struct iovec parts[] = {{&out, sizeof(out)}, {&size, sizeof(size)}};

	if (writev(written.device, parts, 2) > 0)
		sem_wait(&changed);
}

static void what_is_put_there_after_a_write_is_not_seen(void)
{
	struct stat found;
	int fd;

	sem_init(&changed, 0, 0);
	EXPECT(written_begin(place_that_stops(answer_too_early), false));
	fd = open(WRITTEN_AT "/file", O_WRONLY);
	memset(buffer, 'o', CHUNK);
	EXPECT(pwrite(fd, buffer, CHUNK, 0) == CHUNK);
	memset(buffer, 'n', CHUNK);
	sem_post(&changed);
	EXPECT_EQUAL(fstat(fd, &found), 0); /* it has gone on */
	EXPECT(stopped());
	EXPECT(!__atomic_load_n(&shared->saw_new, __ATOMIC_ACQUIRE));
	close(fd);
	EXPECT(written_end());
	driver_end();
}

static void kill_writer(void)
{
	kill(shared->writer, SIGKILL);
}

static void a_writer_that_is_killed_takes_nothing_with_it(void)
{
	char *place = place_that_stops(kill_writer);
	int fd, status = -1;
	pid_t writer;

	EXPECT(written_begin(place, false));
	fd = open(WRITTEN_AT "/file", O_WRONLY);
	memset(buffer, 'o', CHUNK);
	writer = fork();
	if (writer == 0) {
		shared->writer = getpid();
		(void)!pwrite(fd, buffer, CHUNK, 0);
		_exit(0);
	}
	EXPECT_EQUAL(waitpid(writer, &status, 0), writer);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT(stopped());
	memset(buffer, 'p', CHUNK);
	EXPECT_EQUAL(pwrite(fd, buffer, CHUNK, CHUNK), CHUNK);
	EXPECT_EQUAL(memcmp(shared->data + CHUNK, buffer, CHUNK), 0);
	close(fd);
	EXPECT(written_end());
	driver_end();
}

int main(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return 1;
	if (!driver_possible())
		return may_be_restricted() ? 0 : 1;
	RUN(what_is_written_arrives);
	RUN(what_is_written_arrives_in_pieces);
	RUN(what_a_copy_shares_arrives);
	RUN(what_is_put_there_after_a_write_is_not_seen);
	RUN(a_writer_that_is_killed_takes_nothing_with_it);
	driver_over();
	return check_end();
}
