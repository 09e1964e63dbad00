/*
 * Steps that read and write by descriptor.
 */
#include "exerciser.h"

#include <errno.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static unsigned char buffer[SIZE_MAX_] __attribute__((aligned(PAGE)));

static const char *label(const struct opened *open_file)
{
	static char text[48];

	snprintf(text, sizeof(text), "%s%s%s%s", name_of(file_name(open_file->file)),
		 open_file->flags & O_APPEND ? " append" : "",
		 open_file->flags & O_DIRECT ? " direct" : "",
		 open_file->flags & O_SYNC ? " sync" : "");
	return text;
}

/* What direct reads and writes want of offset and length. */
static void align(const struct opened *open_file, unsigned *offset, unsigned *len)
{
	if (!(open_file->flags & O_DIRECT))
		return;
	*offset -= *offset % PAGE;
	*len = (*len + PAGE - 1) / PAGE * PAGE;
	if (*offset + *len > SIZE_MAX_)
		*offset = SIZE_MAX_ - *len;
}

static void expect_size(int fd, const struct file *file)
{
	struct stat status;

	expect(fstat(fd, &status), 0, "fstat");
	if (status.st_size != file->size)
		wrong("fstat says %lld bytes, not %u", (long long)status.st_size, file->size);
	if (status.st_nlink != file->nnames)
		wrong("fstat says %u links, not %u", (unsigned)status.st_nlink, file->nnames);
}

static void do_read(void)
{
	struct opened *from = draw_opened(O_RDONLY);
	unsigned offset = draw_offset(SIZE_MAX_), len = draw_length(offset), there;
	bool is_vector = draw_below(4) == 0;
	long got;

	if (!from)
		return;
	align(from, &offset, &len);
	there = offset >= from->file->size ? 0 : from->file->size - offset;
	there = there < len ? there : len;
	step("read %s %u+%u%s", label(from), offset, len, is_vector ? " in pieces" : "");
	if (is_vector) {
		unsigned first = from->flags & O_DIRECT ? len / 2 / PAGE * PAGE : len / 2;
		struct iovec pieces[2] = {{buffer, first}, {buffer + first, len - first}};

		got = preadv(from->fd, pieces, 2, offset);
	} else {
		got = pread(from->fd, buffer, len, offset);
	}
	expect(got, there, "read");
	expect_bytes(from->file, offset, buffer, there, "read");
}

static void do_write(void)
{
	struct opened *to = draw_opened(O_WRONLY);
	unsigned offset = draw_offset(SIZE_MAX_), len = draw_length(offset), how = draw_below(4);
	long done;

	if (!to)
		return;
	align(to, &offset, &len);
	if (to->flags & O_APPEND) {
		if (to->flags & O_DIRECT && to->file->size % PAGE)
			return;
		offset = to->file->size;
		if (offset + len > SIZE_MAX_)
			return;
	}
	draw_bytes(buffer, len);
	step("write %s %u+%u%s", label(to), offset, len, how == 0 ? " in pieces" : "");
	if (how == 0) {
		unsigned first = to->flags & O_DIRECT ? len / 2 / PAGE * PAGE : len / 2;
		struct iovec pieces[2] = {{buffer, first}, {buffer + first, len - first}};

		done = pwritev(to->fd, pieces, 2, offset);
	} else if (how == 1) {
		expect(lseek(to->fd, offset, SEEK_SET), offset, "lseek");
		done = write(to->fd, buffer, len);
		expect(lseek(to->fd, 0, SEEK_CUR), offset + len, "lseek");
	} else {
		done = pwrite(to->fd, buffer, len, offset);
	}
	expect(done, len, "write");
	file_write(to->file, offset, buffer, len);
	expect_size(to->fd, to->file);
}

static void do_truncate(void)
{
	struct opened *to = draw_opened(O_WRONLY);
	unsigned size = draw_below(3) ? draw_offset(SIZE_MAX_) : 0, name;

	if (!to)
		return;
	if (to->file->size && draw_below(2))
		size = draw_offset(to->file->size);
	name = file_name(to->file);
	step("truncate %s to %u, was %u", label(to), size, to->file->size);
	if (name < NNAMES && draw_below(2))
		expect(truncate(name_of(name), size), 0, "truncate");
	else
		expect(ftruncate(to->fd, size), 0, "ftruncate");
	file_resize(to->file, size);
	expect_size(to->fd, to->file);
}

static void do_fallocate(void)
{
	static const struct {
		int mode;
		bool grows, clears;
		enum feature needs;
	} modes[] = {{0, true, false, NFEATURES},
		     {FALLOC_FL_KEEP_SIZE, false, false, NFEATURES},
		     {FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, false, true, PUNCH},
		     {FALLOC_FL_ZERO_RANGE, true, true, ZERO},
		     {FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, false, true, ZERO}};
	struct opened *to = draw_opened(O_WRONLY);
	unsigned offset = draw_offset(SIZE_MAX_), len = draw_length(offset);
	unsigned which = draw_below(sizeof(modes) / sizeof(modes[0])), end = offset + len;

	if (!to || (modes[which].needs < NFEATURES && !can[modes[which].needs]))
		return;
	step("fallocate %s mode %#x %u+%u", label(to), modes[which].mode, offset, len);
	expect(fallocate(to->fd, modes[which].mode, offset, len), 0, "fallocate");
	if (modes[which].grows && end > to->file->size)
		file_resize(to->file, end);
	if (end > to->file->size)
		end = to->file->size;
	if (modes[which].clears && offset < end)
		memset(to->file->bytes + offset, 0, end - offset);
	expect_size(to->fd, to->file);
}

static void do_copy(void)
{
	struct opened *from = draw_opened(O_RDONLY), *to = draw_opened(O_WRONLY);
	unsigned offset = draw_offset(SIZE_MAX_), target = draw_offset(SIZE_MAX_);
	unsigned len = draw_length(offset > target ? offset : target), there;
	off_t in = offset, out = target;
	long done;

	if (!can[COPY] || !from || !to || to->flags & O_APPEND)
		return;
	if (from->file == to->file && offset < target + len && target < offset + len)
		return;
	there = offset >= from->file->size ? 0 : from->file->size - offset;
	there = there < len ? there : len;
	step("copy %s %u+%u to %s", name_of(file_name(from->file)), offset, len, label(to));
	for (unsigned copied = 0; copied < there; copied += (unsigned)done) {
		done = copy_file_range(from->fd, &in, to->fd, &out, there - copied, 0);
		if (done <= 0)
			wrong("copy_file_range after %u of %u bytes: %ld, %s", copied, there, done,
			      strerror(errno));
	}
	if (there)
		memcpy(buffer, from->file->bytes + offset, there);
	file_write(to->file, there ? target : 0, buffer, there);
	expect_size(to->fd, to->file);
}

/* Data is where bytes are not zero; what is called a hole reads as zeros. */
static void do_seek(void)
{
	struct opened *in = draw_opened(O_RDONLY);
	unsigned offset;
	off_t data, hole;

	if (!in || !in->file->size)
		return;
	offset = draw_offset(in->file->size);
	step("seek %s from %u", label(in), offset);
	/* On Linux a driver that is asked knows nothing of what mappings have stored since. */
	expect(fsync(in->fd), 0, "fsync");
	data = lseek(in->fd, offset, SEEK_DATA);
	if (data < 0 && errno != ENXIO)
		wrong("SEEK_DATA: %s", strerror(errno));
	if (data < 0)
		data = in->file->size;
	for (unsigned i = offset; i < (unsigned)data; i++) {
		if (in->file->bytes[i])
			wrong("SEEK_DATA from %u is %lld, but there is some at %u", offset,
			      (long long)data, i);
	}
	hole = lseek(in->fd, offset, SEEK_HOLE);
	if (hole < offset || hole > in->file->size)
		wrong("SEEK_HOLE from %u is %lld, %s", offset, (long long)hole, strerror(errno));
	for (unsigned i = (unsigned)hole; i < in->file->size && i % PAGE; i++) {
		if (in->file->bytes[i])
			wrong("SEEK_HOLE from %u is %lld, but there is data at %u", offset,
			      (long long)hole, i);
	}
}

static void do_sync(void)
{
	struct opened *to = draw_opened(O_WRONLY);

	if (!to)
		return;
	step("sync %s", label(to));
	expect(draw_below(2) ? fsync(to->fd) : fdatasync(to->fd), 0, "fsync");
}

static void do_peer_read(void)
{
	unsigned name = draw_name(true), offset = draw_offset(SIZE_MAX_);
	unsigned len = draw_length(offset), there;
	const struct file *file;

	if (name == NNAMES)
		return;
	file = names[name];
	there = offset >= file->size ? 0 : file->size - offset;
	there = there < len ? there : len;
	step("another process reads %s %u+%u", name_of(name), offset, len);
	expect(peer_size(name), file->size, "the size that another process sees");
	expect(peer_read(name, offset, buffer, len), there,
	       "the length that another process reads");
	expect_bytes(file, offset, buffer, there, "read by another process");
}

static void do_peer_write(void)
{
	unsigned name = draw_name(true), offset = draw_offset(SIZE_MAX_), len = draw_length(offset);

	if (name == NNAMES)
		return;
	draw_bytes(buffer, len);
	step("another process writes %s %u+%u", name_of(name), offset, len);
	expect(peer_write(name, offset, buffer, len), len, "what another process writes");
	file_write(names[name], offset, buffer, len);
}

const struct kind data_steps[] = {
	{do_read, 20}, {do_write, 24}, {do_truncate, 6},  {do_fallocate, 6},  {do_copy, 5},
	{do_seek, 3},  {do_sync, 1},   {do_peer_read, 4}, {do_peer_write, 4}, {NULL, 0}};
