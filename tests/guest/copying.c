/*
 * sendfile and copy_file_range: positions, partial counts, errors.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

#define BYTES 200000 /* more than a pipe holds, and than the kernel moves at once */

static char from_name[] = "/tmp/copy-from-XXXXXX", to_name[] = "/tmp/copy-to-XXXXXX";
static int from, to;
static char data[BYTES], found[BYTES];

static void begin(void)
{
	for (int i = 0; i < BYTES; i++)
		data[i] = (char)(i * 7 + i / 256);
	from = mkstemp(from_name);
	to = mkstemp(to_name);
	if (from < 0 || to < 0 || write(from, data, BYTES) != BYTES)
		_exit(2);
}

static void end(void)
{
	close(from);
	close(to);
	unlink(from_name);
	unlink(to_name);
}

static void rewind_both(void)
{
	lseek(from, 0, SEEK_SET);
	lseek(to, 0, SEEK_SET);
	if (ftruncate(to, 0))
		_exit(2);
}

static void sendfile_moves_both_positions(void)
{
	rewind_both();
	EXPECT_EQUAL(sendfile(to, from, NULL, BYTES + 10), BYTES);
	EXPECT_EQUAL(lseek(from, 0, SEEK_CUR), BYTES);
	EXPECT_EQUAL(lseek(to, 0, SEEK_CUR), BYTES);
	EXPECT_EQUAL(pread(to, found, BYTES, 0), BYTES);
	EXPECT(memcmp(found, data, BYTES) == 0);
	EXPECT_EQUAL(sendfile(to, from, NULL, 10), 0);
}

static void sendfile_with_an_offset_leaves_the_position_alone(void)
{
	off_t offset = 1000;

	rewind_both();
	EXPECT_EQUAL(sendfile(to, from, &offset, 5000), 5000);
	EXPECT_EQUAL(offset, 6000);
	EXPECT_EQUAL(lseek(from, 0, SEEK_CUR), 0);
	EXPECT_EQUAL(pread(to, found, BYTES, 0), 5000);
	EXPECT(memcmp(found, data + 1000, 5000) == 0);
	offset = BYTES + 100;
	EXPECT_EQUAL(sendfile(to, from, &offset, 10), 0);
	EXPECT_EQUAL(offset, BYTES + 100);
}

static void sendfile_into_a_pipe_that_is_full_says_how_much_went(void)
{
	int ends[2];
	ssize_t went;

	rewind_both();
	EXPECT_EQUAL(pipe2(ends, O_NONBLOCK), 0);
	went = sendfile(ends[1], from, NULL, BYTES);
	EXPECT(went >= 4096 && went < BYTES);
	EXPECT_EQUAL(lseek(from, 0, SEEK_CUR), went);
	EXPECT_ERRNO(EAGAIN, sendfile(ends[1], from, NULL, BYTES));
	EXPECT_EQUAL(lseek(from, 0, SEEK_CUR), went);
	EXPECT_EQUAL(read(ends[0], found, BYTES), went);
	EXPECT(memcmp(found, data, (size_t)went) == 0);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	EXPECT_ERRNO(EPIPE, sendfile(ends[1], from, NULL, 10));
	close(ends[1]);
}

static void sendfile_refuses_what_linux_refuses(void)
{
	int ends[2], appending, only_write, directory;
	off_t offset = -1;

	rewind_both();
	EXPECT_EQUAL(pipe(ends), 0);
	appending = open(to_name, O_WRONLY | O_APPEND);
	only_write = open(from_name, O_WRONLY);
	directory = open("/tmp", O_RDONLY);
	EXPECT(appending >= 0 && only_write >= 0 && directory >= 0);
	EXPECT_ERRNO(EBADF, sendfile(-1, from, NULL, 1));
	EXPECT_ERRNO(EBADF, sendfile(to, 1000, NULL, 1));
	EXPECT_ERRNO(EBADF, sendfile(to, only_write, NULL, 1));
	EXPECT_ERRNO(EBADF, sendfile(directory, from, NULL, 1));
	EXPECT_ERRNO(EINVAL, sendfile(appending, from, NULL, 1));
	EXPECT_ERRNO(EINVAL, sendfile(to, directory, NULL, 1));
	EXPECT_ERRNO(EINVAL, sendfile(to, from, &offset, 1));
	offset = 0;
	EXPECT_ERRNO(ESPIPE, sendfile(to, ends[0], &offset, 1));
	EXPECT_ERRNO(EFAULT, syscall(SYS_sendfile, to, from, 8, 1));
	close(ends[0]);
	close(ends[1]);
	close(appending);
	close(only_write);
	close(directory);
}

static void copy_file_range_copies_between_files_and_within_one(void)
{
	off_t in = 100, out = 50;

	rewind_both();
	EXPECT_EQUAL(copy_file_range(from, NULL, to, NULL, 1000, 0), 1000);
	EXPECT_EQUAL(lseek(from, 0, SEEK_CUR), 1000);
	EXPECT_EQUAL(lseek(to, 0, SEEK_CUR), 1000);
	EXPECT_EQUAL(copy_file_range(from, &in, to, &out, 300, 0), 300);
	EXPECT(in == 400 && out == 350);
	EXPECT_EQUAL(lseek(from, 0, SEEK_CUR), 1000);
	EXPECT_EQUAL(pread(to, found, 1000, 0), 1000);
	EXPECT(memcmp(found, data, 50) == 0 && memcmp(found + 50, data + 100, 300) == 0);
	EXPECT(memcmp(found + 350, data + 350, 650) == 0);
	in = 0;
	out = 2000;
	EXPECT_EQUAL(copy_file_range(to, &in, to, &out, 1000, 0), 1000);
	EXPECT_EQUAL(lseek(to, 0, SEEK_END), 3000);
	in = BYTES;
	EXPECT_EQUAL(copy_file_range(from, &in, to, NULL, 10, 0), 0);
	/* To its own end, however much is asked for: what there is does not lie over itself. */
	in = 0;
	out = 3000;
	EXPECT_EQUAL(copy_file_range(to, &in, to, &out, 1000000, 0), 3000);
	EXPECT_EQUAL(lseek(to, 0, SEEK_END), 6000);
}

static void copy_file_range_refuses_what_linux_refuses(void)
{
	int ends[2], appending, directory;
	off_t in = 0, out = 5;

	EXPECT_EQUAL(pipe(ends), 0);
	appending = open(to_name, O_WRONLY | O_APPEND);
	directory = open("/tmp", O_RDONLY);
	EXPECT(appending >= 0 && directory >= 0);
	EXPECT_ERRNO(EINVAL, copy_file_range(from, NULL, to, NULL, 10, 1));
	EXPECT_ERRNO(EINVAL, copy_file_range(ends[0], NULL, to, NULL, 10, 0));
	EXPECT_ERRNO(EINVAL, copy_file_range(from, &in, from, &out, 10, 0));
	EXPECT_ERRNO(EBADF, copy_file_range(from, NULL, appending, NULL, 10, 0));
	EXPECT_ERRNO(EISDIR, copy_file_range(directory, NULL, to, NULL, 10, 0));
	EXPECT_ERRNO(EBADF, copy_file_range(from, NULL, -1, NULL, 10, 0));
	close(ends[0]);
	close(ends[1]);
	close(appending);
	close(directory);
}

int main(void)
{
	begin();
	RUN(sendfile_moves_both_positions);
	RUN(sendfile_with_an_offset_leaves_the_position_alone);
	RUN(sendfile_into_a_pipe_that_is_full_says_how_much_went);
	RUN(sendfile_refuses_what_linux_refuses);
	RUN(copy_file_range_copies_between_files_and_within_one);
	RUN(copy_file_range_refuses_what_linux_refuses);
	end();
	return check_end();
}
