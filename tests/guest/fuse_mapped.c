/*
 * Shared mappings of a driver's file that are written to: what was changed reaches the driver when
 * somebody syncs, closes or unmaps, and agrees with what read, write and truncate do meanwhile. The
 * driver is a thread of this program.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "fuse_driver.h"

#define PAGE   4096
#define NPAGES 8

static int file;
static char *mapped;

static bool begin(uint64_t flags, uint64_t size)
{
	if (!driver_begin(flags))
		return false;
	memset(driver.data, '.', size);
	driver.size = size;
	driver.open_flags = FOPEN_KEEP_CACHE;
	file = open(FILE_AT, O_RDWR);
	mapped = mmap(NULL, NPAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	return file >= 0 && mapped != MAP_FAILED;
}

static void end(void)
{
	munmap(mapped, NPAGES * PAGE);
	close(file);
	driver_end();
}

static bool driver_has(size_t offset, const char *text)
{
	return memcmp(driver.data + offset, text, strlen(text)) == 0;
}

static void msync_brings_it_to_the_driver(void)
{
	EXPECT(begin(0, 3 * PAGE));
	memcpy(mapped + 10, "mapped", 6);
	memcpy(mapped + 2 * PAGE, "third", 5);
	EXPECT_EQUAL(msync(mapped, NPAGES * PAGE, MS_SYNC), 0);
	EXPECT(driver_has(8, "..mapped.."));
	EXPECT(driver_has(2 * PAGE, "third"));
	/* And again: the page is watched. */
	memcpy(mapped + 10, "MAPPED", 6);
	EXPECT_EQUAL(msync(mapped, NPAGES * PAGE, MS_SYNC), 0);
	EXPECT(driver_has(8, "..MAPPED.."));
	end();
}

static void fsync_brings_it_to_the_driver(void)
{
	EXPECT(begin(0, PAGE));
	memcpy(mapped, "synced", 6);
	EXPECT_EQUAL(fsync(file), 0);
	EXPECT(driver_has(0, "synced."));
	end();
}

static void close_brings_it_to_the_driver(void)
{
	EXPECT(begin(0, PAGE));
	memcpy(mapped, "closed", 6);
	EXPECT_EQUAL(close(dup(file)), 0);
	EXPECT(driver_has(0, "closed."));
	end();
}

static void munmap_brings_it_to_the_driver(void)
{
	EXPECT(begin(0, PAGE));
	EXPECT_EQUAL(close(file), 0);
	memcpy(mapped, "unmapped", 8);
	EXPECT_EQUAL(munmap(mapped, NPAGES * PAGE), 0);
	EXPECT(driver_has(0, "unmapped."));
	driver_end();
}

static void a_program_that_is_killed_has_written(void)
{
	pid_t child;
	int status;

	EXPECT(begin(0, PAGE));
	child = fork();
	if (child == 0) {
		memcpy(mapped, "killed", 6);
		kill(getpid(), SIGKILL);
	}
	EXPECT_EQUAL(waitpid(child, &status, 0), child);
	EXPECT(WIFSIGNALED(status));
	EXPECT_EQUAL(memcmp(mapped, "killed", 6), 0);
	EXPECT_EQUAL(fsync(file), 0);
	EXPECT(driver_has(0, "killed."));
	end();
}

static void nothing_is_sent_of_what_was_only_read(void)
{
	EXPECT(begin(0, 2 * PAGE));
	EXPECT_EQUAL(mapped[PAGE], '.');
	EXPECT_EQUAL(fsync(file), 0);
	EXPECT_EQUAL(asked(FUSE_WRITE), 0);
	mapped[PAGE] = '!';
	EXPECT_EQUAL(fsync(file), 0);
	EXPECT_EQUAL(fsync(file), 0);
	EXPECT_EQUAL(asked(FUSE_WRITE), 1);
	end();
}

static bool sees_flags(const struct fuse_in_header *in, const void *arguments)
{
	const struct fuse_write_in *write = arguments;

	if (in->opcode == FUSE_WRITE && !(write->write_flags & FUSE_WRITE_CACHE))
		answer(in->unique, EPROTO, NULL, 0);
	else if (in->opcode == FUSE_WRITE && write->offset + write->size > driver.size)
		answer(in->unique, EFBIG, NULL, 0);
	else
		return false;
	return true;
}

/* The last page ends where the file does, and says that it was cached. */
static void no_more_is_sent_than_the_file_has(void)
{
	EXPECT(begin(0, PAGE + 100));
	driver.serves = sees_flags;
	memset(mapped + PAGE, 'x', 200);
	EXPECT_EQUAL(fsync(file), 0);
	EXPECT_EQUAL(driver.size, PAGE + 100);
	EXPECT_EQUAL(driver.data[PAGE + 99], 'x');
	end();
}

static void read_and_write_agree_with_the_mapping(void)
{
	char text[32];

	EXPECT(begin(0, PAGE));
	memcpy(mapped, "by mapping", 10);
	EXPECT_EQUAL(pread(file, text, 12, 0), 12);
	EXPECT_EQUAL(memcmp(text, "by mapping..", 12), 0);
	EXPECT_EQUAL(pwrite(file, "by write", 8, 20), 8);
	EXPECT_EQUAL(memcmp(mapped + 18, "..by write..", 12), 0);
	memcpy(mapped + 20, "BY", 2);
	EXPECT_EQUAL(fsync(file), 0);
	EXPECT(driver_has(0, "by mapping..........BY write.."));
	end();
}

static void truncation_takes_what_was_changed_behind_it(void)
{
	EXPECT(begin(0, 2 * PAGE));
	memcpy(mapped, "stays and goes", 14);
	memcpy(mapped + PAGE, "goes", 4);
	EXPECT_EQUAL(ftruncate(file, 5), 0);
	EXPECT_EQUAL(ftruncate(file, 2 * PAGE), 0);
	EXPECT_EQUAL(mapped[PAGE], 0);
	EXPECT_EQUAL(mapped[5], 0);
	EXPECT_EQUAL(fsync(file), 0);
	EXPECT(driver_has(0, "stays"));
	EXPECT_EQUAL(driver.data[6], 0);
	EXPECT_EQUAL(driver.data[PAGE], 0);
	end();
}

static bool refuses_writes(const struct fuse_in_header *in, const void *arguments)
{
	(void)arguments;
	if (in->opcode != FUSE_WRITE)
		return false;
	answer(in->unique, ENOSPC, NULL, 0);
	return true;
}

static void who_syncs_is_told_once_of_what_was_lost(void)
{
	EXPECT(begin(0, PAGE));
	driver.serves = refuses_writes;
	mapped[0] = 'x';
	EXPECT_ERRNO(ENOSPC, fsync(file));
	EXPECT_EQUAL(fsync(file), 0);
	driver.serves = NULL;
	end();
}

static void what_goes_past_the_cache_is_mapped_if_that_was_agreed(void)
{
	int other;

	EXPECT(begin(0, PAGE));
	driver.open_flags = FOPEN_DIRECT_IO;
	other = open(FILE_AT, O_RDWR);
	EXPECT(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, other, 0) == MAP_FAILED);
	EXPECT_EQUAL(errno, ENODEV);
	close(other);
	end();
}

int main(void)
{
	if (!driver_possible())
		return may_be_restricted() ? 0 : 1;
	RUN(msync_brings_it_to_the_driver);
	RUN(fsync_brings_it_to_the_driver);
	RUN(close_brings_it_to_the_driver);
	RUN(munmap_brings_it_to_the_driver);
	RUN(a_program_that_is_killed_has_written);
	RUN(nothing_is_sent_of_what_was_only_read);
	RUN(no_more_is_sent_than_the_file_has);
	RUN(read_and_write_agree_with_the_mapping);
	RUN(truncation_takes_what_was_changed_behind_it);
	RUN(who_syncs_is_told_once_of_what_was_lost);
	RUN(what_goes_past_the_cache_is_mapped_if_that_was_agreed);
	driver_over();
	return check_end();
}
