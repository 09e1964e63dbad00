/*
 * What the mock driver does with a file beside reading and writing it. See driver_priv.h.
 */
#include "driver_priv.h"

#include <string.h>

void mock_do_setxattr(const struct fuse_in_header *in, const struct fuse_setxattr_in *set)
{
	const char *name =
		(const char *)set +
		(mock.init_flags & FUSE_SETXATTR_EXT ? sizeof(*set) : FUSE_COMPAT_SETXATTR_IN_SIZE);

	if (strcmp(name, "user.mock") != 0 || set->size >= sizeof(mock.xattr))
		return mock_refuse(in, ENOSPC);
	memset(mock.xattr, 0, sizeof(mock.xattr));
	memcpy(mock.xattr, name + strlen(name) + 1, set->size);
	mock_answer(in, NULL, 0);
}

/* A size, or the bytes if there is room. */
static void answer_bytes(const struct fuse_in_header *in, const struct fuse_getxattr_in *get,
			 const char *bytes, size_t len)
{
	const struct fuse_getxattr_out out = {.size = mock_lies(in, LIE_SIZE) ? UINT32_MAX
									      : (uint32_t)len};

	if (!get->size)
		mock_answer(in, &out, sizeof(out));
	else if (get->size < len)
		mock_refuse(in, ERANGE);
	else
		mock_answer(in, bytes, len);
}

void mock_do_getxattr(const struct fuse_in_header *in, const struct fuse_getxattr_in *get)
{
	if (strcmp((const char *)(get + 1), "user.mock") != 0 || !mock.xattr[0])
		return mock_refuse(in, ENODATA);
	answer_bytes(in, get, mock.xattr, strlen(mock.xattr));
}

void mock_do_listxattr(const struct fuse_in_header *in, const struct fuse_getxattr_in *get)
{
	static const char names[] = "user.mock", empty[] = "user.mock\0";

	if (mock_lies(in, LIE_NUL))
		mock_answer(in, names, sizeof(names) - 1);
	else if (mock_lies(in, LIE_EMPTY))
		mock_answer(in, empty, sizeof(empty));
	else
		answer_bytes(in, get, names, mock.xattr[0] ? sizeof(names) : 0);
}

void mock_do_removexattr(const struct fuse_in_header *in)
{
	if (!mock.xattr[0])
		return mock_refuse(in, ENODATA);
	mock.xattr[0] = 0;
	mock_answer(in, NULL, 0);
}

void mock_do_fallocate(const struct fuse_in_header *in, const struct fuse_fallocate_in *allocate)
{
	mock.last_fallocate = *allocate;
	if (allocate->mode & FALLOC_FL_PUNCH_HOLE)
		memset(mock.data + allocate->offset, 0, allocate->length);
	else
		mock.size = MAX(mock.size, allocate->offset + allocate->length);
	mock_answer(in, NULL, 0);
}

/* The first 8 bytes are a hole. */
void mock_do_lseek(const struct fuse_in_header *in, const struct fuse_lseek_in *seek)
{
	struct fuse_lseek_out out = {.offset = seek->whence == SEEK_HOLE ? mock.size : 8};

	if (seek->offset >= mock.size)
		return mock_refuse(in, ENXIO);
	if (seek->whence == SEEK_HOLE ? seek->offset < 8 : seek->offset >= 8)
		out.offset = seek->offset;
	if (mock_lies(in, LIE_SIZE))
		out.offset = 1ull << 63;
	mock_answer(in, &out, sizeof(out));
}

void mock_do_copy(const struct fuse_in_header *in, const struct fuse_copy_file_range_in *copy)
{
	const struct fuse_write_out out = {.size = (uint32_t)copy->len +
						   (mock_lies(in, LIE_COUNT) ? 1 : 0)};

	if (!mock_lies(in, LIE_COUNT)) {
		memmove(mock.data + copy->off_out, mock.data + copy->off_in, copy->len);
		mock.size = MAX(mock.size, copy->off_out + copy->len);
	}
	mock_answer(in, &out, sizeof(out));
}

void mock_do_setlk(const struct fuse_in_header *in, const struct fuse_lk_in *lock)
{
	mock.last_lock = *lock;
	if (mock.blocker.type != F_UNLCK && lock->lk.type != F_UNLCK)
		return mock_refuse(in, EAGAIN);
	mock_answer(in, NULL, 0);
}

void mock_do_getlk(const struct fuse_in_header *in, const struct fuse_lk_in *lock)
{
	struct fuse_lk_out out = {.lk = mock.blocker};

	mock.last_lock = *lock;
	if (mock_lies(in, LIE_TYPE))
		out.lk.type = 7;
	if (mock_lies(in, LIE_COUNT))
		out.lk = (struct fuse_file_lock){.start = 5, .end = 4, .type = F_WRLCK};
	if (mock_lies(in, LIE_SIZE))
		out.lk = (struct fuse_file_lock){.end = UINT64_MAX, .type = F_WRLCK};
	mock_answer(in, &out, sizeof(out));
}

/* What came in goes out again, each byte one more. */
void mock_do_ioctl(const struct fuse_in_header *in, const struct fuse_ioctl_in *ioctl)
{
	_Alignas(8) char bytes[sizeof(struct fuse_ioctl_out) + 256] = {0};
	struct fuse_ioctl_out out = {.result = 5};
	const char *from = (const char *)(ioctl + 1);
	uint32_t len = MIN(ioctl->in_size, ioctl->out_size);

	mock.last_ioctl = *ioctl;
	if (mock_lies(in, LIE_TYPE))
		out.flags = FUSE_IOCTL_RETRY;
	if (mock_lies(in, LIE_COUNT))
		out.result = -512;
	memcpy(bytes, &out, sizeof(out));
	for (uint32_t i = 0; i < len; i++)
		bytes[sizeof(out) + i] = (char)(from[i] + 1);
	mock_answer(in, bytes, sizeof(out) + len);
}

void mock_do_poll(const struct fuse_in_header *in, const struct fuse_poll_in *poll)
{
	const struct fuse_poll_out out = {.revents = mock.revents};

	mock.last_poll = *poll;
	mock_answer(in, &out, sizeof(out));
}

void mock_do_statx(const struct fuse_in_header *in)
{
	const struct fuse_statx_out out = {
		.stat = {.mask = STATX_BTIME,
			 .btime = {.tv_sec = 1234,
				   .tv_nsec = mock_lies(in, LIE_SIZE) ? 1000000000 : 56}}};

	mock_answer(in, &out, sizeof(out));
}
