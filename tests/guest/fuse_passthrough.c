/*
 * A driver's file whose data is in another file (FOPEN_PASSTHROUGH): who opens it reads, writes and
 * maps that one, and the driver is not asked. The driver is a thread of this program.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "fuse_driver.h"

/* The headers may be older than the kernel. */
#define OPEN_PASSTHROUGH (1u << 7)
#define FLAG_PASSTHROUGH (UINT64_C(1) << 37)
#define FLAG_WRITEBACK   (UINT64_C(1) << 16)

struct backing_map {
	int32_t fd;
	uint32_t flags;
	uint64_t padding;
};
#define BACKING_OPEN  _IOW(229, 1, struct backing_map)
#define BACKING_CLOSE _IOW(229, 2, uint32_t)

struct opened {
	uint64_t fh;
	uint32_t flags;
	int32_t backing_id;
};

#define BACK_AT  "/tmp/fuse_backing"
#define LOWER_AT "/tmp/fuse_lower"
#define PAGE     4096

static int backing; /* "0123456789" */
static struct opened next_open;
static bool offered; /* by the kernel */

/* OPEN is answered as next_open says, attributes are the backing file's. */
static bool serves(const struct fuse_in_header *in, const void *arguments)
{
	struct fuse_attr_out out = {.attr = attr_of(in->nodeid)};
	struct stat stat;

	if (in->opcode == FUSE_INIT)
		offered = ((const struct fuse_init_in *)arguments)->flags2 & FLAG_PASSTHROUGH >> 32;
	if (in->opcode == FUSE_OPEN) {
		answer(in->unique, 0, &next_open, sizeof(next_open));
		return true;
	}
	if (in->opcode != FUSE_GETATTR || in->nodeid != FILE_ID || fstat(backing, &stat) != 0)
		return false;
	out.attr_valid = 1000;
	out.attr.size = (uint64_t)stat.st_size;
	out.attr.mtime = (uint64_t)stat.st_mtim.tv_sec;
	out.attr.mtimensec = (uint32_t)stat.st_mtim.tv_nsec;
	answer(in->unique, 0, &out, sizeof(out));
	return true;
}

static void set_depth(uint32_t depth)
{
	memcpy((char *)&driver.init + 36, &depth, sizeof(depth));
}

static bool begin_with(uint64_t flags, uint32_t depth)
{
	struct stat stat_of_root;

	if (!driver_prepare(flags))
		return false;
	driver.serves = serves;
	driver.size = 10;
	set_depth(depth);
	memset(&next_open, 0, sizeof(next_open));
	backing = open(BACK_AT, O_RDWR | O_CREAT | O_TRUNC, 0600);
	return backing >= 0 && write(backing, "0123456789", 10) == 10 && driver_mount() &&
	       stat(FILE_AT, &stat_of_root) == 0; /* INIT was answered */
}

static int name_backing(int fd)
{
	struct backing_map map = {.fd = fd};

	return ioctl(driver.device, BACKING_OPEN, &map);
}

static int forget_backing(uint32_t id)
{
	return ioctl(driver.device, BACKING_CLOSE, &id);
}

/* A driver with one backing file, which is what opens get. */
static bool begin(void)
{
	if (!begin_with(FLAG_PASSTHROUGH, 1))
		return false;
	next_open.flags = OPEN_PASSTHROUGH;
	next_open.backing_id = name_backing(backing);
	return next_open.backing_id > 0;
}

static void end(void)
{
	close(backing);
	driver_end();
	unlink(BACK_AT);
}

static bool backing_has(const char *text)
{
	char bytes[64] = {0};
	ssize_t len = pread(backing, bytes, sizeof(bytes) - 1, 0);

	return len == (ssize_t)strlen(text) && strcmp(bytes, text) == 0;
}

static void read_and_write_go_to_the_backing_file(void)
{
	char bytes[32] = {0};
	struct stat before, after;
	int file;

	EXPECT(begin());
	file = open(FILE_AT, O_RDWR);
	EXPECT(file >= 0);
	EXPECT_EQUAL(read(file, bytes, sizeof(bytes)), 10);
	EXPECT(strcmp(bytes, "0123456789") == 0);
	EXPECT_EQUAL(fstat(file, &before), 0);
	EXPECT_EQUAL(before.st_size, 10);
	EXPECT_EQUAL(write(file, "ab", 2), 2);
	EXPECT_EQUAL(pwrite(file, "XY", 2, 1), 2);
	EXPECT(backing_has("0XY3456789ab"));
	EXPECT_EQUAL(fstat(file, &after), 0); /* asked for anew */
	EXPECT_EQUAL(after.st_size, 12);
	EXPECT_EQUAL(lseek(file, 0, SEEK_CUR), 12);
	EXPECT_EQUAL(asked(FUSE_READ), 0);
	EXPECT_EQUAL(asked(FUSE_WRITE), 0);
	close(file);
	end();
}

static void appending_goes_to_its_end(void)
{
	int file, other;

	EXPECT(begin());
	file = open(FILE_AT, O_WRONLY | O_APPEND);
	other = open(FILE_AT, O_RDWR);
	EXPECT(file >= 0 && other >= 0);
	EXPECT_EQUAL(write(file, "ab", 2), 2);
	EXPECT_EQUAL(lseek(file, 0, SEEK_CUR), 12);
	EXPECT_EQUAL(write(other, "c", 1), 1);
	EXPECT_EQUAL(fcntl(other, F_SETFL, O_APPEND), 0);
	EXPECT_EQUAL(write(other, "d", 1), 1);
	EXPECT_EQUAL(lseek(other, 0, SEEK_CUR), 13);
	EXPECT(backing_has("c123456789abd"));
	close(file);
	close(other);
	end();
}

static void it_is_mapped(void)
{
	char *mapped;
	int file;

	EXPECT(begin());
	file = open(FILE_AT, O_RDWR);
	EXPECT(file >= 0);
	mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	EXPECT(mapped != MAP_FAILED);
	close(file);
	EXPECT(memcmp(mapped, "0123456789", 10) == 0);
	mapped[2] = 'm';
	EXPECT(backing_has("01m3456789"));
	EXPECT_EQUAL(pwrite(backing, "w", 1, 0), 1);
	EXPECT_EQUAL(mapped[0], 'w');
	EXPECT_EQUAL(asked(FUSE_READ) + asked(FUSE_WRITE), 0);
	EXPECT_EQUAL(munmap(mapped, PAGE), 0);
	end();
}

static void who_opened_it_keeps_it_when_the_id_is_gone(void)
{
	char bytes[4];
	int file;

	EXPECT(begin());
	file = open(FILE_AT, O_RDONLY);
	EXPECT(file >= 0);
	EXPECT_EQUAL(forget_backing((uint32_t)next_open.backing_id), 0);
	EXPECT_ERRNO(ENOENT, forget_backing((uint32_t)next_open.backing_id));
	EXPECT_EQUAL(pread(file, bytes, 4, 3), 4);
	EXPECT(memcmp(bytes, "3456", 4) == 0);
	EXPECT_ERRNO(EIO, open(FILE_AT, O_RDONLY));
	close(file);
	end();
}

static void all_who_have_it_open_use_the_same(void)
{
	struct opened cached = {.fh = 1}, direct = {.fh = 1, .flags = FOPEN_DIRECT_IO}, first;
	int file, other, second;

	EXPECT(begin());
	first = next_open;
	second = open(BACK_AT ".2", O_RDWR | O_CREAT | O_TRUNC, 0600);
	EXPECT(second >= 0);
	unlink(BACK_AT ".2");
	file = open(FILE_AT, O_RDONLY);
	other = open(FILE_AT, O_RDWR);
	EXPECT(file >= 0 && other >= 0);
	close(other);
	next_open = cached;
	EXPECT_ERRNO(EIO, open(FILE_AT, O_RDONLY));
	next_open = direct;
	EXPECT_ERRNO(EIO, open(FILE_AT, O_RDONLY));
	next_open = first;
	next_open.backing_id = name_backing(second);
	EXPECT(next_open.backing_id > 0 && next_open.backing_id != first.backing_id);
	EXPECT_ERRNO(EIO, open(FILE_AT, O_RDONLY));
	close(file);
	/* Nobody has it open: any of them will do. */
	file = open(FILE_AT, O_RDONLY);
	EXPECT(file >= 0);
	close(file);
	next_open = cached;
	file = open(FILE_AT, O_RDONLY);
	EXPECT(file >= 0);
	next_open = first;
	EXPECT_ERRNO(EIO, open(FILE_AT, O_RDONLY));
	close(file);
	next_open = direct; /* past the cache: it is in nobody's way */
	file = open(FILE_AT, O_RDONLY);
	next_open = first;
	other = open(FILE_AT, O_RDONLY);
	EXPECT(file >= 0 && other >= 0);
	EXPECT(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0) == MAP_FAILED);
	EXPECT_EQUAL(errno, ENODEV);
	close(file);
	close(other);
	close(second);
	end();
}

static void with_direct_io_it_is_only_mapped(void)
{
	char bytes[16], *mapped;
	int file;

	EXPECT(begin());
	memcpy(driver.data, "the driver", 10);
	next_open.flags |= FOPEN_DIRECT_IO;
	file = open(FILE_AT, O_RDWR);
	EXPECT(file >= 0);
	EXPECT_EQUAL(pread(file, bytes, 10, 0), 10);
	EXPECT(memcmp(bytes, "the driver", 10) == 0);
	EXPECT_EQUAL(asked(FUSE_READ), 1);
	mapped = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
	EXPECT(mapped != MAP_FAILED);
	EXPECT(memcmp(mapped, "0123456789", 10) == 0);
	munmap(mapped, PAGE);
	close(file);
	end();
}

static void answers_that_cannot_be_are_eio(void)
{
	struct opened good;

	EXPECT(begin());
	good = next_open;
	next_open.backing_id = 0;
	EXPECT_ERRNO(EIO, open(FILE_AT, O_RDONLY));
	next_open.backing_id = good.backing_id + 1;
	EXPECT_ERRNO(EIO, open(FILE_AT, O_RDONLY));
	next_open.backing_id = -1;
	EXPECT_ERRNO(EIO, open(FILE_AT, O_RDONLY));
	next_open = good;
	next_open.flags |= FOPEN_KEEP_CACHE;
	EXPECT_ERRNO(EIO, open(FILE_AT, O_RDONLY));
	end();
}

static void what_can_be_named_is_a_regular_file(void)
{
	struct backing_map map = {.fd = 0};
	int folder, device, own;

	EXPECT(begin());
	folder = open("/tmp", O_RDONLY | O_DIRECTORY);
	device = open("/dev/null", O_RDWR);
	own = open(FILE_AT, O_RDONLY);
	EXPECT(folder >= 0 && device >= 0 && own >= 0);
	EXPECT_ERRNO(EISDIR, name_backing(folder));
	EXPECT_ERRNO(EINVAL, name_backing(device));
	EXPECT_ERRNO(EBADF, name_backing(-1));
	EXPECT_ERRNO(ELOOP, name_backing(own));
	map = (struct backing_map){.fd = backing, .flags = 1};
	EXPECT_ERRNO(EINVAL, ioctl(driver.device, BACKING_OPEN, &map));
	map = (struct backing_map){.fd = backing, .padding = 1};
	EXPECT_ERRNO(EINVAL, ioctl(driver.device, BACKING_OPEN, &map));
	EXPECT_ERRNO(EFAULT, ioctl(driver.device, BACKING_OPEN, (void *)8));
	EXPECT_ERRNO(EINVAL, forget_backing(0));
	EXPECT_ERRNO(ENOENT, forget_backing(12345));
	close(folder);
	close(device);
	close(own);
	end();
}

static void who_has_not_agreed_names_none(void)
{
	static const struct {
		uint64_t flags;
		uint32_t depth;
	} rows[] = {{0, 1},
		    {FLAG_PASSTHROUGH, 0},
		    {FLAG_PASSTHROUGH, 3},
		    {FLAG_PASSTHROUGH | FLAG_WRITEBACK, 1}};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EXPECT(begin_with(rows[i].flags, rows[i].depth));
		EXPECT_ERRNO(EPERM, name_backing(backing));
		EXPECT_ERRNO(EPERM, forget_backing(1));
		next_open = (struct opened){.fh = 1, .flags = OPEN_PASSTHROUGH, .backing_id = 1};
		EXPECT_ERRNO(EIO, open(FILE_AT, O_RDONLY));
		end();
	}
}

/* ---- one on the other ---- */

static int to_lower[2], from_lower[2];

/* A driver of its own, whose mount goes out of the way of the next one. */
static void be_lower(void)
{
	char byte;

	mkdir(LOWER_AT, 0755);
	if (begin() && mount(AT, LOWER_AT, NULL, MS_MOVE, NULL) == 0 &&
	    write(from_lower[1], "", 1) == 1 && read(to_lower[0], &byte, 1) == 1)
		umount2(LOWER_AT, MNT_DETACH);
	_exit(0);
}

static bool begin_lower(void)
{
	char byte;

	if (pipe(to_lower) != 0 || pipe(from_lower) != 0)
		return false;
	if (fork() == 0)
		be_lower();
	close(from_lower[1]);
	return read(from_lower[0], &byte, 1) == 1;
}

static void end_lower(void)
{
	close(to_lower[0]);
	if (write(to_lower[1], "", 1) != 1)
		abort();
	close(to_lower[1]);
	close(from_lower[0]);
	wait(NULL);
	rmdir(LOWER_AT);
	unlink(BACK_AT);
}

static void a_deeper_driver_may_lie_on_another(void)
{
	char bytes[16] = {0};
	int lower, file;

	EXPECT(begin_lower());
	lower = open(LOWER_AT "/file", O_RDWR);
	EXPECT(lower >= 0);
	EXPECT(begin_with(FLAG_PASSTHROUGH, 1));
	EXPECT_ERRNO(ELOOP, name_backing(lower));
	close(backing);
	driver_end();
	EXPECT(begin_with(FLAG_PASSTHROUGH, 2));
	next_open.flags = OPEN_PASSTHROUGH;
	next_open.backing_id = name_backing(lower);
	EXPECT(next_open.backing_id > 0);
	close(lower);
	file = open(FILE_AT, O_RDWR);
	EXPECT(file >= 0);
	EXPECT_EQUAL(pwrite(file, "through", 7, 2), 7);
	EXPECT_EQUAL(pread(file, bytes, sizeof(bytes), 0), 10);
	EXPECT(strcmp(bytes, "01through9") == 0);
	EXPECT(backing_has("01through9"));
	close(file);
	close(backing);
	driver_end();
	end_lower();
}

/* A kernel may be built without it. */
static bool is_offered(void)
{
	bool begun = begin_with(0, 0);

	if (begun)
		end();
	if (begun && offered)
		return true;
	if (begun && may_be_restricted())
		printf("ok this_kernel_does_not_offer_passthrough\n");
	else
		printf("not ok passthrough_is_offered\n");
	return false;
}

int main(void)
{
	if (!driver_possible() || !is_offered())
		return may_be_restricted() ? 0 : 1;
	RUN(read_and_write_go_to_the_backing_file);
	RUN(appending_goes_to_its_end);
	RUN(it_is_mapped);
	RUN(who_opened_it_keeps_it_when_the_id_is_gone);
	RUN(all_who_have_it_open_use_the_same);
	RUN(with_direct_io_it_is_only_mapped);
	RUN(answers_that_cannot_be_are_eio);
	RUN(what_can_be_named_is_a_regular_file);
	RUN(who_has_not_agreed_names_none);
	RUN(a_deeper_driver_may_lie_on_another);
	driver_over();
	return check_end();
}
