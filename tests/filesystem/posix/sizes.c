/*
 * Sizes and holes: truncate(2), fallocate(2), lseek(2) with SEEK_HOLE, copy_file_range(2).
 */
#include "posix.h"

#include <linux/falloc.h>

/* Pages of 'a', 'b', ... */
static bool put_pages(int fd, int npages)
{
	char page[PAGE];

	for (int i = 0; i < npages; i++) {
		memset(page, 'a' + i, PAGE);
		if (pwrite(fd, page, PAGE, (off_t)i * PAGE) != PAGE)
			return false;
	}
	return true;
}

/* What a range holds: one byte again and again, or -1. */
static int all_of(int fd, off_t offset, size_t len_bytes)
{
	static char bytes[8 * PAGE];

	if (pread(fd, bytes, len_bytes, offset) != (ssize_t)len_bytes)
		return -1;
	for (size_t i = 1; i < len_bytes; i++) {
		if (bytes[i] != bytes[0])
			return -1;
	}
	return bytes[0];
}

CASE(truncate_cuts)
{
	PUT("f", "0123456789");
	EXPECT_EQUAL(truncate("f", 4), 0);
	EXPECT(has("f", "0123"));
	EXPECT_EQUAL(truncate("f", 0), 0);
	EXPECT(has("f", ""));
}

CASE(truncate_grows_by_zeros)
{
	char bytes[8];

	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	EXPECT_EQUAL(ftruncate(fd, 100000), 0);
	EXPECT_EQUAL(size_of("f"), 100000);
	EXPECT_EQUAL(pread(fd, bytes, 8, 2), 8);
	EXPECT(memcmp(bytes, "xt\0\0\0\0\0\0", 8) == 0);
	EXPECT_EQUAL(all_of(fd, 99000, 1000), 0);
}

CASE(what_was_cut_off_reads_as_zeros_when_it_comes_back)
{
	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	EXPECT(put_pages(fd, 3));
	EXPECT_EQUAL(ftruncate(fd, 100), 0);
	EXPECT_EQUAL(ftruncate(fd, 3 * PAGE), 0);
	EXPECT_EQUAL(all_of(fd, 0, 100), 'a');
	EXPECT_EQUAL(all_of(fd, 100, 3 * PAGE - 100), 0);
}

CASE(write_behind_a_cut_leaves_zeros_between)
{
	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	EXPECT(put_pages(fd, 2));
	EXPECT_EQUAL(ftruncate(fd, 10), 0);
	EXPECT_EQUAL(pwrite(fd, "x", 1, 2 * PAGE), 1);
	EXPECT_EQUAL(all_of(fd, 0, 10), 'a');
	EXPECT_EQUAL(all_of(fd, 10, 2 * PAGE - 10), 0);
}

CASE(truncate_leaves_positions_alone)
{
	PUT("f", "0123456789");
	OPEN(fd, "f", O_RDWR);
	EXPECT_EQUAL(lseek(fd, 8, SEEK_SET), 8);
	EXPECT_EQUAL(ftruncate(fd, 2), 0);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_CUR), 8);
	EXPECT_EQUAL(write(fd, "x", 1), 1);
	EXPECT_EQUAL(size_of("f"), 9);
	EXPECT_EQUAL(all_of(fd, 2, 6), 0);
}

CASE(ftruncate_of_what_is_open_to_read_is_EINVAL)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDONLY);
	EXPECT_ERRNO(EINVAL, ftruncate(fd, 0));
	EXPECT(has("f", "text"));
}

CASE(truncate_of_a_directory_is_EISDIR)
{
	MKDIR("d", 0755);
	EXPECT_ERRNO(EISDIR, truncate("d", 0));
}

CASE(truncate_of_a_fifo_is_EINVAL)
{
	EXPECT_EQUAL(mkfifo("p", 0644), 0);
	EXPECT_ERRNO(EINVAL, truncate("p", 0));
}

CASE(hole_reads_as_zeros)
{
	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	EXPECT_EQUAL(pwrite(fd, "x", 1, 5 * PAGE + 17), 1);
	EXPECT_EQUAL(all_of(fd, 0, 5 * PAGE + 17), 0);
	EXPECT_EQUAL(size_of("f"), 5 * PAGE + 18);
}

CASE(hole_takes_no_room)
{
	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	EXPECT_EQUAL(pwrite(fd, "x", 1, 64 << 20), 1);
	EXPECT_EQUAL(fsync(fd), 0);
	STAT(status, "f");
	EXPECT(status.st_blocks < 1024);
}

CASE(hole_is_filled_by_a_write)
{
	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	EXPECT_EQUAL(ftruncate(fd, 4 * PAGE), 0);
	EXPECT_EQUAL(pwrite(fd, "xx", 2, 2 * PAGE - 1), 2);
	EXPECT_EQUAL(all_of(fd, 0, 2 * PAGE - 1), 0);
	EXPECT_EQUAL(all_of(fd, 2 * PAGE - 1, 2), 'x');
	EXPECT_EQUAL(all_of(fd, 2 * PAGE + 1, 2 * PAGE - 1), 0);
}

/* lseek(2): a file system may know of no holes but the one behind the end. */
CASE(seek_finds_data_and_holes_or_the_end)
{
	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	EXPECT_EQUAL(pwrite(fd, "x", 1, 16 * PAGE), 1);
	EXPECT_EQUAL(ftruncate(fd, 32 * PAGE), 0);
	off_t data = lseek(fd, 0, SEEK_DATA), hole = lseek(fd, 16 * PAGE, SEEK_HOLE);
	EXPECT(data == 0 || data == 16 * PAGE);
	EXPECT(hole == 17 * PAGE || hole == 32 * PAGE);
	hole = lseek(fd, 0, SEEK_HOLE);
	EXPECT(hole == 0 || hole == 32 * PAGE);
	EXPECT(lseek(fd, 20 * PAGE, SEEK_DATA) == (data ? -1 : 20 * PAGE));
}

CASE(seek_of_data_and_holes_behind_the_end_is_ENXIO)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDONLY);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_DATA), 0);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_HOLE), 4);
	EXPECT_ERRNO(ENXIO, lseek(fd, 4, SEEK_DATA));
	EXPECT_ERRNO(ENXIO, lseek(fd, 4, SEEK_HOLE));
	EXPECT_ERRNO(ENXIO, lseek(fd, 5, SEEK_DATA));
}

CASE(fallocate_grows_a_file_by_zeros)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	EXPECT_EQUAL(fallocate(fd, 0, 0, 2 * PAGE), 0);
	EXPECT_EQUAL(size_of("f"), 2 * PAGE);
	EXPECT_EQUAL(all_of(fd, 4, 2 * PAGE - 4), 0);
	STAT(status, "f");
	EXPECT(status.st_blocks >= 2 * PAGE / 512);
}

CASE(fallocate_keeps_the_size_when_told)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	EXPECT_EQUAL(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4 * PAGE), 0);
	EXPECT(has("f", "text"));
}

CASE(fallocate_keeps_what_is_there)
{
	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	EXPECT(put_pages(fd, 2));
	EXPECT_EQUAL(fallocate(fd, 0, 0, PAGE), 0);
	EXPECT_EQUAL(size_of("f"), 2 * PAGE);
	EXPECT_EQUAL(all_of(fd, 0, PAGE), 'a');
	EXPECT_EQUAL(all_of(fd, PAGE, PAGE), 'b');
}

CASE(punched_hole_reads_as_zeros)
{
	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	EXPECT(put_pages(fd, 4));
	EXPECT_EQUAL(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 2 * PAGE), 0);
	EXPECT_EQUAL(all_of(fd, 0, 100), 'a');
	EXPECT_EQUAL(all_of(fd, 100, 2 * PAGE), 0);
	EXPECT_EQUAL(all_of(fd, 2 * PAGE + 100, PAGE - 100), 'c');
	EXPECT_EQUAL(size_of("f"), 4 * PAGE);
}

CASE(punched_hole_behind_the_end_keeps_the_size)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	EXPECT_EQUAL(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 10 * PAGE), 0);
	EXPECT_EQUAL(size_of("f"), 4);
	EXPECT_EQUAL(all_of(fd, 2, 2), 0);
}

CASE(fallocate_refuses_what_makes_no_sense)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	OPEN(reader, "f", O_RDONLY);
	EXPECT_ERRNO(EINVAL, fallocate(fd, 0, 0, 0));
	EXPECT_ERRNO(EINVAL, fallocate(fd, 0, -1, 1));
	EXPECT_ERRNO(EOPNOTSUPP, fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 1));
	EXPECT_ERRNO(EBADF, fallocate(reader, 0, 0, 1));
}

CASE(copy_between_files_agrees)
{
	off_t from = 100, to = 50;

	OPEN(in, "f", O_CREAT | O_RDWR, 0644);
	EXPECT(put_pages(in, 2));
	OPEN(out, "g", O_CREAT | O_RDWR, 0644);
	EXPECT_EQUAL(copy_file_range(in, &from, out, &to, PAGE, 0), PAGE);
	EXPECT_EQUAL(from, PAGE + 100);
	EXPECT_EQUAL(to, PAGE + 50);
	EXPECT_EQUAL(size_of("g"), PAGE + 50);
	EXPECT_EQUAL(all_of(out, 0, 50), 0);
	EXPECT_EQUAL(all_of(out, 50, PAGE - 100), 'a');
	EXPECT_EQUAL(all_of(out, PAGE - 50, 100), 'b');
}

CASE(copy_moves_both_positions)
{
	PUT("f", "0123456789");
	OPEN(in, "f", O_RDONLY);
	OPEN(out, "g", O_CREAT | O_RDWR, 0644);
	EXPECT_EQUAL(copy_file_range(in, NULL, out, NULL, 4, 0), 4);
	EXPECT_EQUAL(copy_file_range(in, NULL, out, NULL, 100, 0), 6);
	EXPECT_EQUAL(copy_file_range(in, NULL, out, NULL, 100, 0), 0);
	EXPECT(has("g", "0123456789"));
}

CASE(copy_within_a_file_refuses_what_overlaps)
{
	off_t from = 0, to = 6;

	PUT("f", "0123456789");
	OPEN(fd, "f", O_RDWR);
	EXPECT_EQUAL(copy_file_range(fd, &from, fd, &to, 4, 0), 4);
	EXPECT(has("f", "0123450123"));
	from = 0, to = 2;
	EXPECT_ERRNO(EINVAL, copy_file_range(fd, &from, fd, &to, 4, 0));
}

CASE(copy_checks_its_descriptors)
{
	PUT("f", "text");
	MKDIR("d", 0755);
	OPEN(reader, "f", O_RDONLY);
	OPEN(appender, "g", O_CREAT | O_WRONLY | O_APPEND, 0644);
	OPEN(directory, "d", O_RDONLY);
	EXPECT_ERRNO(EBADF, copy_file_range(reader, NULL, reader, NULL, 4, 0));
	EXPECT_ERRNO(EBADF, copy_file_range(reader, NULL, appender, NULL, 4, 0));
	EXPECT_ERRNO(EISDIR, copy_file_range(directory, NULL, appender, NULL, 4, 0));
	EXPECT_ERRNO(EINVAL, copy_file_range(reader, NULL, appender, NULL, 4, 1));
}
