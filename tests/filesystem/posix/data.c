/*
 * Reading and writing: positions, ends, appending, vectors, large files.
 */
#include "posix.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/uio.h>

CASE(read_at_the_end_is_zero)
{
	char byte;

	PUT("f", "text");
	OPEN(fd, "f", O_RDONLY);
	EXPECT_EQUAL(pread(fd, &byte, 1, 4), 0);
	EXPECT_EQUAL(pread(fd, &byte, 1, 4000000), 0);
}

CASE(read_stops_at_the_end)
{
	char bytes[16];

	PUT("f", "text");
	OPEN(fd, "f", O_RDONLY);
	EXPECT_EQUAL(read(fd, bytes, sizeof(bytes)), 4);
	EXPECT_EQUAL(read(fd, bytes, sizeof(bytes)), 0);
}

CASE(write_moves_the_position_and_pwrite_does_not)
{
	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	EXPECT_EQUAL(write(fd, "abcd", 4), 4);
	EXPECT_EQUAL(pwrite(fd, "XY", 2, 1), 2);
	EXPECT_EQUAL(write(fd, "e", 1), 1);
	EXPECT(has("f", "aXYde"));
}

CASE(write_is_read_at_once_by_another_descriptor)
{
	char bytes[5] = "";

	PUT("f", "");
	OPEN(reader, "f", O_RDONLY);
	OPEN(writer, "f", O_WRONLY);
	EXPECT_EQUAL(read(reader, bytes, 4), 0);
	EXPECT_EQUAL(write(writer, "text", 4), 4);
	EXPECT_EQUAL(read(reader, bytes, 4), 4);
	EXPECT(strcmp(bytes, "text") == 0);
	EXPECT_EQUAL(pwrite(writer, "T", 1, 0), 1);
	EXPECT_EQUAL(pread(reader, bytes, 4, 0), 4);
	EXPECT(strcmp(bytes, "Text") == 0);
}

CASE(each_open_has_its_own_position)
{
	char byte;

	PUT("f", "ab");
	OPEN(first, "f", O_RDONLY);
	OPEN(second, "f", O_RDONLY);
	EXPECT_EQUAL(read(first, &byte, 1), 1);
	EXPECT_EQUAL(read(second, &byte, 1), 1);
	EXPECT_EQUAL(byte, 'a');
}

CASE(append_writes_at_the_end_wherever_the_position_is)
{
	PUT("f", "text");
	OPEN(fd, "f", O_WRONLY | O_APPEND);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_SET), 0);
	EXPECT_EQUAL(write(fd, "more", 4), 4);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_CUR), 8);
	EXPECT(has("f", "textmore"));
}

CASE(append_sees_what_others_appended)
{
	OPEN(first, "f", O_CREAT | O_WRONLY | O_APPEND, 0644);
	OPEN(second, "f", O_WRONLY | O_APPEND);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQUAL(write(first, "a", 1), 1);
		EXPECT_EQUAL(write(second, "b", 1), 1);
	}
	EXPECT(has("f", "ababab"));
}

CASE(append_after_truncation_is_at_the_new_end)
{
	PUT("f", "text");
	OPEN(fd, "f", O_WRONLY | O_APPEND);
	EXPECT_EQUAL(write(fd, "more", 4), 4);
	EXPECT_EQUAL(truncate("f", 2), 0);
	EXPECT_EQUAL(write(fd, "X", 1), 1);
	EXPECT(has("f", "teX"));
}

/* Linux, unlike POSIX (pwrite(2), BUGS): the offset is ignored. */
CASE(append_ignores_the_offset_of_pwrite)
{
	PUT("f", "text");
	OPEN(fd, "f", O_WRONLY | O_APPEND);
	EXPECT_EQUAL(pwrite(fd, "more", 4, 0), 4);
	EXPECT(has("f", "textmore"));
}

CASE(append_that_is_set_later_counts)
{
	PUT("f", "text");
	OPEN(fd, "f", O_WRONLY);
	EXPECT_EQUAL(fcntl(fd, F_SETFL, O_APPEND), 0);
	EXPECT_EQUAL(write(fd, "more", 4), 4);
	EXPECT(has("f", "textmore"));
	EXPECT_EQUAL(fcntl(fd, F_SETFL, 0), 0);
	EXPECT_EQUAL(pwrite(fd, "T", 1, 0), 1);
	EXPECT(has("f", "Textmore"));
}

CASE(write_of_nothing_behind_the_end_makes_it_no_longer)
{
	PUT("f", "text");
	OPEN(fd, "f", O_WRONLY);
	EXPECT_EQUAL(pwrite(fd, "", 0, 100), 0);
	EXPECT_EQUAL(size_of("f"), 4);
}

CASE(vectors_are_written_and_read_in_order)
{
	char first[3] = "", second[5] = "";
	struct iovec out[3] = {{"ab", 2}, {"", 0}, {"cdef", 4}};
	struct iovec in[2] = {{first, 2}, {second, 4}};

	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	EXPECT_EQUAL(writev(fd, out, 3), 6);
	EXPECT_EQUAL(preadv(fd, in, 2, 0), 6);
	EXPECT(strcmp(first, "ab") == 0 && strcmp(second, "cdef") == 0);
	EXPECT_EQUAL(pwritev(fd, out, 3, 3), 6);
	EXPECT(has("f", "abcabcdef"));
}

CASE(large_write_and_read_agree)
{
	enum { SIZE = 1 << 20 };
	unsigned char *out = malloc(SIZE), *in = malloc(SIZE);

	EXPECT(out && in);
	for (int i = 0; i < SIZE; i++)
		out[i] = (unsigned char)(i * 7 + i / 256);
	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	EXPECT_EQUAL(write(fd, out, SIZE), SIZE);
	EXPECT_EQUAL(pread(fd, in, SIZE, 0), SIZE);
	EXPECT(memcmp(in, out, SIZE) == 0);
	EXPECT_EQUAL(pread(fd, in, 5000, 12345), 5000);
	EXPECT(memcmp(in, out + 12345, 5000) == 0);
	free(out);
	free(in);
}

CASE(small_writes_across_pages_agree)
{
	char bytes[3 * PAGE + 7];

	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	for (int at = 0; at < 3 * PAGE; at += 7)
		EXPECT_EQUAL(pwrite(fd, "1234567", 7, at), 7);
	EXPECT(pread(fd, bytes, sizeof(bytes), 0) >= 3 * PAGE);
	for (int at = 0; at < 3 * PAGE; at++)
		EXPECT_EQUAL(bytes[at], '1' + at % 7);
}

CASE(seek_goes_where_it_is_told)
{
	PUT("f", "0123456789");
	OPEN(fd, "f", O_RDONLY);
	EXPECT_EQUAL(lseek(fd, 3, SEEK_SET), 3);
	EXPECT_EQUAL(lseek(fd, 2, SEEK_CUR), 5);
	EXPECT_EQUAL(lseek(fd, -1, SEEK_END), 9);
	EXPECT_EQUAL(lseek(fd, 100, SEEK_END), 110);
	EXPECT_EQUAL(size_of("f"), 10);
}

CASE(seek_before_the_beginning_is_EINVAL)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDONLY);
	EXPECT_EQUAL(lseek(fd, 2, SEEK_SET), 2);
	EXPECT_ERRNO(EINVAL, lseek(fd, -1, SEEK_SET));
	EXPECT_ERRNO(EINVAL, lseek(fd, -5, SEEK_END));
	EXPECT_ERRNO(EINVAL, lseek(fd, 0, 77));
	EXPECT_EQUAL(lseek(fd, 0, SEEK_CUR), 2);
}

CASE(seek_sees_an_end_that_another_moved)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDONLY);
	OPEN(other, "f", O_WRONLY | O_APPEND);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_END), 4);
	EXPECT_EQUAL(write(other, "more", 4), 4);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_END), 8);
}

CASE(negative_offsets_are_EINVAL)
{
	char byte;

	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	EXPECT_ERRNO(EINVAL, pread(fd, &byte, 1, -1));
	EXPECT_ERRNO(EINVAL, pwrite(fd, "x", 1, -1));
	EXPECT_ERRNO(EINVAL, ftruncate(fd, -1));
	EXPECT_ERRNO(EINVAL, truncate("f", -1));
}

CASE(file_is_larger_than_4_GiB)
{
	char bytes[5] = "";
	off_t far = 5LL << 30;

	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	EXPECT_EQUAL(pwrite(fd, "text", 4, far), 4);
	EXPECT_EQUAL(size_of("f"), far + 4);
	EXPECT_EQUAL(pread(fd, bytes, 4, far), 4);
	EXPECT(strcmp(bytes, "text") == 0);
	EXPECT_EQUAL(pread(fd, bytes, 4, far - 1000000), 4);
	EXPECT(is_zeros(bytes, 4));
}

CASE(limit_of_a_file_s_size_is_EFBIG)
{
	struct rlimit before, limit;

	EXPECT_EQUAL(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 100;
	signal(SIGXFSZ, SIG_IGN);
	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	EXPECT_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ssize_t cut = pwrite(fd, "0123456789", 10, 95), none = pwrite(fd, "x", 1, 100);
	int why = errno, grown = ftruncate(fd, 200);
	EXPECT_EQUAL(setrlimit(RLIMIT_FSIZE, &before), 0);
	EXPECT_EQUAL(cut, 5);
	EXPECT_EQUAL(none, -1);
	EXPECT_EQUAL(why, EFBIG);
	EXPECT_EQUAL(grown, -1);
	EXPECT_EQUAL(size_of("f"), 100);
}

CASE(sync_calls_succeed)
{
	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	EXPECT_EQUAL(write(fd, "text", 4), 4);
	EXPECT_EQUAL(fsync(fd), 0);
	EXPECT_EQUAL(fdatasync(fd), 0);
	OPEN(directory, ".", O_RDONLY | O_DIRECTORY);
	EXPECT_EQUAL(fsync(directory), 0);
	EXPECT_EQUAL(syncfs(fd), 0);
}

CASE(synchronous_writes_are_read_back)
{
	OPEN(fd, "f", O_CREAT | O_RDWR | O_SYNC, 0644);
	EXPECT_EQUAL(write(fd, "text", 4), 4);
	OPEN(other, "f", O_RDWR | O_DSYNC);
	EXPECT_EQUAL(write(other, "T", 1), 1);
	EXPECT(has("f", "Text"));
}

CASE(stat_sees_the_size_after_each_write)
{
	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	for (int i = 1; i <= 20; i++) {
		EXPECT_EQUAL(write(fd, "0123456789", 10), 10);
		EXPECT_EQUAL(size_of("f"), i * 10);
		FSTAT(status, fd);
		EXPECT_EQUAL(status.st_size, i * 10);
	}
}

CASE(written_blocks_are_counted)
{
	static char bytes[16 * PAGE];

	memset(bytes, 'x', sizeof(bytes));
	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	EXPECT_EQUAL(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	EXPECT_EQUAL(fsync(fd), 0);
	STAT(status, "f");
	EXPECT(status.st_blocks >= (blkcnt_t)sizeof(bytes) / 512);
	EXPECT(status.st_blksize >= 512);
}
