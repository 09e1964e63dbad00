/*
 * The write-back cache (FUSE_WRITEBACK_CACHE): what is written stays in memory until somebody syncs
 * or closes, and size and times are the kernel's until then. The driver is a thread of this
 * program.
 */
#include <sys/mman.h>

#include "fuse_driver.h"

#define PAGE 4096

static int file;

static bool begin(uint64_t size)
{
	if (!driver_begin(FUSE_WRITEBACK_CACHE | FUSE_ATOMIC_O_TRUNC))
		return false;
	memset(driver.data, '.', size);
	driver.size = size;
	driver.mtime = 1000;
	driver.open_flags = FOPEN_KEEP_CACHE;
	file = open(FILE_AT, O_RDWR);
	return file >= 0;
}

static void end(void)
{
	close(file);
	driver_end();
}

static bool driver_has(size_t offset, const char *text)
{
	return memcmp(driver.data + offset, text, strlen(text)) == 0;
}

static void many_small_writes_become_one(void)
{
	EXPECT(begin(100));
	for (int i = 0; i < 4; i++)
		EXPECT_EQUAL(pwrite(file, "four", 4, 8 + 4 * i), 4);
	EXPECT_EQUAL(asked(FUSE_WRITE), 0);
	EXPECT_EQUAL(asked(FUSE_READ), 1); /* what was in the page */
	EXPECT_EQUAL(fsync(file), 0);
	EXPECT_EQUAL(asked(FUSE_WRITE), 1);
	EXPECT(driver_has(6, "..fourfourfourfour.."));
	EXPECT_EQUAL(driver.size, 100);
	EXPECT_EQUAL(fsync(file), 0);
	EXPECT_EQUAL(asked(FUSE_WRITE), 1);
	end();
}

static void whole_pages_are_not_read_before(void)
{
	static char page[PAGE];

	EXPECT(begin(2 * PAGE));
	memset(page, 'w', sizeof(page));
	EXPECT_EQUAL(pwrite(file, page, PAGE, PAGE), PAGE);
	EXPECT_EQUAL(pwrite(file, "behind the end", 14, 2 * PAGE), 14);
	EXPECT_EQUAL(asked(FUSE_READ), 0);
	EXPECT_EQUAL(fsync(file), 0);
	EXPECT_EQUAL(driver.size, 2 * PAGE + 14);
	EXPECT(driver_has(2 * PAGE - 2, "wwbehind the end"));
	EXPECT_EQUAL(driver.data[PAGE - 1], '.');
	end();
}

static void the_size_is_the_kernel_s(void)
{
	struct stat stat_;
	char text[16];

	EXPECT(begin(10));
	driver.valid_s = 0;
	EXPECT_EQUAL(pwrite(file, "grown", 5, 20), 5);
	EXPECT_EQUAL(stat(FILE_AT, &stat_), 0);
	EXPECT_EQUAL(stat_.st_size, 25);
	EXPECT_EQUAL(fstat(file, &stat_), 0);
	EXPECT_EQUAL(stat_.st_size, 25);
	EXPECT_EQUAL(driver.size, 10);
	EXPECT_EQUAL(pread(file, text, sizeof(text), 15), 10);
	EXPECT_EQUAL(memcmp(text, "\0\0\0\0\0grown", 10), 0);
	EXPECT_EQUAL(lseek(file, 0, SEEK_END), 25);
	EXPECT_EQUAL(fsync(file), 0);
	EXPECT_EQUAL(driver.size, 25);
	end();
}

static void the_time_of_change_is_the_kernel_s(void)
{
	struct stat before, after;

	EXPECT(begin(10));
	driver.valid_s = 0;
	EXPECT_EQUAL(fstat(file, &before), 0);
	EXPECT_EQUAL(before.st_mtim.tv_sec, 1000);
	EXPECT_EQUAL(pwrite(file, "x", 1, 0), 1);
	EXPECT_EQUAL(fstat(file, &after), 0);
	EXPECT(after.st_mtim.tv_sec > 1000);
	EXPECT_EQUAL(driver.mtime, 1000);
	EXPECT_EQUAL(fsync(file), 0);
	EXPECT_EQUAL(driver.mtime, after.st_mtim.tv_sec);
	EXPECT_EQUAL(asked(FUSE_SETATTR), 1);
	end();
}

static void close_writes_all(void)
{
	EXPECT(begin(10));
	EXPECT_EQUAL(write(file, "closed", 6), 6);
	EXPECT_EQUAL(close(file), 0);
	EXPECT(driver_has(0, "closed...."));
	driver_end();
}

static void appending_goes_to_the_end_that_the_kernel_knows(void)
{
	int other;

	EXPECT(begin(10));
	other = open(FILE_AT, O_RDWR | O_APPEND);
	EXPECT_EQUAL(pwrite(file, "+", 1, 10), 1);
	EXPECT_EQUAL(write(other, "one", 3), 3);
	EXPECT_EQUAL(write(other, "two", 3), 3);
	EXPECT_EQUAL(close(other), 0);
	EXPECT_EQUAL(driver.size, 17);
	EXPECT(driver_has(8, "..+onetwo"));
	end();
}

static void truncation_and_writes_keep_their_order(void)
{
	struct stat stat_;

	EXPECT(begin(2 * PAGE));
	EXPECT_EQUAL(pwrite(file, "before", 6, PAGE + 10), 6);
	EXPECT_EQUAL(ftruncate(file, 5), 0);
	EXPECT_EQUAL(driver.size, 5);
	EXPECT_EQUAL(pwrite(file, "after", 5, 8), 5);
	EXPECT_EQUAL(fstat(file, &stat_), 0);
	EXPECT_EQUAL(stat_.st_size, 13);
	EXPECT_EQUAL(fsync(file), 0);
	EXPECT_EQUAL(driver.size, 13);
	EXPECT_EQUAL(memcmp(driver.data, ".....\0\0\0after", 13), 0);
	end();
}

static void opening_with_truncation_forgets_what_was_written(void)
{
	struct stat stat_;
	int other;

	EXPECT(begin(PAGE));
	EXPECT_EQUAL(pwrite(file, "gone", 4, 0), 4);
	other = open(FILE_AT, O_RDWR | O_TRUNC);
	driver.size = 0; /* which the driver does with O_TRUNC */
	EXPECT(other >= 0);
	EXPECT_EQUAL(fstat(other, &stat_), 0);
	EXPECT_EQUAL(stat_.st_size, 0);
	EXPECT_EQUAL(pwrite(other, "new", 3, 0), 3);
	EXPECT_EQUAL(close(other), 0);
	EXPECT_EQUAL(driver.size, 3);
	EXPECT(driver_has(0, "new"));
	end();
}

static void mappings_see_what_is_written_and_the_other_way(void)
{
	char text[8], *mapped;

	EXPECT(begin(PAGE));
	mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	EXPECT(mapped != MAP_FAILED);
	EXPECT_EQUAL(pwrite(file, "written", 7, 0), 7);
	EXPECT_EQUAL(memcmp(mapped, "written.", 8), 0);
	memcpy(mapped + 8, "mapped", 6);
	EXPECT_EQUAL(pread(file, text, 8, 7), 8);
	EXPECT_EQUAL(memcmp(text, ".mapped.", 8), 0);
	EXPECT_EQUAL(munmap(mapped, PAGE), 0);
	EXPECT_EQUAL(fsync(file), 0);
	EXPECT(driver_has(0, "written.mapped."));
	end();
}

/* What the setting was; -1: it may not be changed here. */
static long set_centiseconds(const char *name, long value)
{
	char path[64], text[32];
	ssize_t len = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/vm/dirty_%s_centisecs", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = read(fd, text, sizeof(text) - 1);
	text[len > 0 ? len : 0] = 0;
	if (len <= 0 || lseek(fd, 0, SEEK_SET) || dprintf(fd, "%ld\n", value) < 0)
		len = -1;
	close(fd);
	return len < 0 ? -1 : strtol(text, NULL, 10);
}

static void what_is_old_is_written_by_itself(void)
{
	const struct fuse_write_out written = {.size = 10};
	long age = set_centiseconds("expire", 1), interval = set_centiseconds("writeback", 1);

	if (may_be_restricted() && (age < 0 || interval < 0))
		return;
	EXPECT_EQUAL(age, 3000);
	EXPECT_EQUAL(interval, 500);
	EXPECT(begin(10));
	driver.hold_opcode = FUSE_WRITE;
	EXPECT_EQUAL(pwrite(file, "old", 3, 0), 3);
	wait_held(); /* nobody has synced or closed */
	EXPECT_EQUAL(set_centiseconds("expire", age), 1);
	EXPECT_EQUAL(set_centiseconds("writeback", interval), 1);
	driver.hold_opcode = 0;
	answer(driver.held, 0, &written, sizeof(written));
	end();
}

int main(void)
{
	if (!driver_possible())
		return may_be_restricted() ? 0 : 1;
	RUN(many_small_writes_become_one);
	RUN(whole_pages_are_not_read_before);
	RUN(the_size_is_the_kernel_s);
	RUN(the_time_of_change_is_the_kernel_s);
	RUN(close_writes_all);
	RUN(appending_goes_to_the_end_that_the_kernel_knows);
	RUN(truncation_and_writes_keep_their_order);
	RUN(opening_with_truncation_forgets_what_was_written);
	RUN(mappings_see_what_is_written_and_the_other_way);
	RUN(what_is_old_is_written_by_itself);
	driver_over();
	return check_end();
}
