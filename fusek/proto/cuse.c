/*
 * CUSE_INIT: version, how much one request may carry, the device's number and name. And ioctls of
 * such drivers: the first reply may say which pieces of the program's memory are wanted.
 */
#include "message.h"

#include <abi/cuse.h>
#include <lib/string.h>

#define NAME_KEY "DEVNAME="

void fuse_ask_cuse_init(struct fuse_message *message)
{
	const struct cuse_init_in in = {
		.major = FUSE_MAJOR, .minor = FUSE_MINOR, .flags = CUSE_UNRESTRICTED_IOCTL};

	fuse_message_begin(message, CUSE_INIT, (struct nodeid){0});
	fuse_message_put(message, &in, sizeof(in));
	fuse_message_expect(message, sizeof(struct cuse_init_out),
			    sizeof(struct cuse_init_out) + CUSE_INIT_INFO_MAX);
}

static bool is_name(const char *text, size_t len_bytes)
{
	return len_bytes && len_bytes < CUSE_NAME_BYTES && !memchr(text, '/', len_bytes) &&
	       strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

/* The texts behind the structure. */
static err_t find_name(const char *info, size_t len_bytes, char *name)
{
	const size_t key_bytes = sizeof(NAME_KEY) - 1;

	while (len_bytes) {
		size_t text_bytes = strnlen(info, len_bytes);

		if (text_bytes == len_bytes)
			return -EINVAL; /* it has no end */
		if (text_bytes > key_bytes && memcmp(info, NAME_KEY, key_bytes) == 0) {
			if (!is_name(info + key_bytes, text_bytes - key_bytes))
				return -EINVAL;
			memcpy(name, info + key_bytes, text_bytes - key_bytes + 1);
			return 0;
		}
		info += text_bytes + 1;
		len_bytes -= text_bytes + 1;
	}
	return -EINVAL;
}

static uint32_t transfer_bytes(uint32_t said_bytes)
{
	return MIN(MAX(said_bytes, (uint32_t)PAGE_SIZE), FUSE_TRANSFER_MAX) & ~(uint32_t)PAGE_MASK;
}

err_t fuse_answer_cuse_init(const struct fuse_reply *reply, struct fuse_cuse *out)
{
	const struct cuse_init_out *answer = reply->bytes;

	if (reply->len_bytes < sizeof(*answer) || answer->major != FUSE_MAJOR || answer->minor < 11)
		return -EPROTO;
	*out = (struct fuse_cuse){
		.session = {.minor = MIN(answer->minor, (uint32_t)FUSE_MINOR),
			    .flags = FUSE_PARALLEL_DIROPS,
			    .max_read_bytes = transfer_bytes(answer->max_read),
			    .max_write_bytes = transfer_bytes(answer->max_write),
			    .max_background = FUSE_MAX_BACKGROUND,
			    .congestion_threshold = FUSE_MAX_BACKGROUND * 3 / 4},
		.unrestricted = answer->flags & CUSE_UNRESTRICTED_IOCTL,
		.major = answer->dev_major,
		.minor = answer->dev_minor,
	};
	if (answer->dev_major > 0xfff || answer->dev_minor > 0xfffff)
		return -EINVAL;
	return find_name((const char *)(answer + 1), reply->len_bytes - sizeof(*answer), out->name);
}

err_t fuse_answer_ioctl_retry(const struct fuse_reply *reply, struct fuse_ioctl_pieces *out)
{
	const struct fuse_ioctl_out *answer = reply->bytes;
	uint64_t sum[2] = {0};
	size_t npieces;

	if (reply->len_bytes < sizeof(*answer) || !(answer->flags & FUSE_IOCTL_RETRY))
		return -EINVAL;
	npieces = (size_t)answer->in_iovs + answer->out_iovs;
	if (npieces > FUSE_IOCTL_PIECES)
		return -ENOMEM;
	if (reply->len_bytes - sizeof(*answer) != npieces * sizeof(out->pieces[0]))
		return -EIO;
	out->nin = answer->in_iovs;
	out->nout = answer->out_iovs;
	memcpy(out->pieces, answer + 1, npieces * sizeof(out->pieces[0]));
	for (size_t i = 0; i < npieces; i++) {
		uint64_t *total = &sum[i >= out->nin];

		if (out->pieces[i].len > FUSE_IOCTL_BYTES)
			return -ENOMEM;
		*total += out->pieces[i].len;
	}
	if (sum[0] > FUSE_IOCTL_BYTES || sum[1] > FUSE_IOCTL_BYTES)
		return -ENOMEM;
	out->in_bytes = (uint32_t)sum[0];
	out->out_bytes = (uint32_t)sum[1];
	return 0;
}
