/*
 * The option string of a FUSE mount. Pure text; believes nothing.
 */
#include "server.h"

#include <abi/stat.h>
#include <lib/string.h>

enum needed {
	NEED_FD = 1 << 0,
	NEED_ROOTMODE = 1 << 1,
	NEED_USER = 1 << 2,
	NEED_GROUP = 1 << 3,
	NEED_ALL = (1 << 4) - 1,
};

/* One option, up to its comma. */
struct word {
	const char *text;
	size_t len_bytes;
};

/* What stands behind "key="; NULL: it is another key. */
static const char *value_of(struct word word, const char *key, size_t *len_bytes)
{
	size_t key_bytes = strlen(key);

	if (word.len_bytes <= key_bytes || memcmp(word.text, key, key_bytes) != 0 ||
	    word.text[key_bytes] != '=')
		return NULL;
	*len_bytes = word.len_bytes - key_bytes - 1;
	return word.text + key_bytes + 1;
}

static bool is_word(struct word word, const char *text)
{
	return word.len_bytes == strlen(text) && memcmp(word.text, text, word.len_bytes) == 0;
}

static err_t number(const char *text, size_t len_bytes, unsigned base, uint32_t *out)
{
	uint64_t value = 0;

	if (!len_bytes)
		return -EINVAL;
	for (size_t i = 0; i < len_bytes; i++) {
		unsigned digit = (unsigned)(text[i] - '0');

		if (digit >= base)
			return -EINVAL;
		value = value * base + digit;
		if (value > UINT32_MAX)
			return -EINVAL;
	}
	*out = (uint32_t)value;
	return 0;
}

static err_t numbered(struct word word, struct fuse_mount_options *out, unsigned *seen)
{
	const struct {
		const char *key;
		unsigned base;
		uint32_t *to;
		unsigned needed;
	} keys[] = {
		{"rootmode", 8, &out->root_mode, NEED_ROOTMODE},
		{"user_id", 10, &out->owner_uid, NEED_USER},
		{"group_id", 10, &out->owner_gid, NEED_GROUP},
		{"max_read", 10, &out->max_read_bytes, 0},
		{"blksize", 10, &out->block_bytes, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t len_bytes;
		const char *value = value_of(word, keys[i].key, &len_bytes);

		if (!value)
			continue;
		*seen |= keys[i].needed;
		return number(value, len_bytes, keys[i].base, keys[i].to);
	}
	return -EINVAL;
}

static err_t one_option(struct word word, struct fuse_mount_options *out, unsigned *seen)
{
	size_t len_bytes;
	const char *value;
	uint32_t fd;
	err_t err;

	if (is_word(word, "allow_other")) {
		out->allow_other = true;
		return 0;
	}
	if (is_word(word, "default_permissions")) {
		out->default_permissions = true;
		return 0;
	}
	value = value_of(word, "fd", &len_bytes);
	if (value) {
		err = number(value, len_bytes, 10, &fd);
		if (err || fd > INT32_MAX)
			return -EINVAL;
		out->fd = (int)fd;
		*seen |= NEED_FD;
		return 0;
	}
	value = value_of(word, "subtype", &len_bytes);
	if (value) {
		if (len_bytes >= sizeof(out->subtype))
			return -EINVAL;
		memcpy(out->subtype, value, len_bytes);
		out->subtype[len_bytes] = 0;
		return 0;
	}
	return numbered(word, out, seen);
}

static bool block_size_fits(const struct fuse_mount_options *options)
{
	uint32_t bytes = options->block_bytes;

	if (!options->is_block)
		return bytes == FUSE_BLOCK_BYTES;
	return bytes >= FUSE_BLOCK_BYTES && bytes <= PAGE_SIZE && !(bytes & (bytes - 1));
}

err_t fuse_parse_options(const char *text, bool is_block, struct fuse_mount_options *out)
{
	unsigned seen = 0;

	*out = (struct fuse_mount_options){
		.fd = -1, .is_block = is_block, .block_bytes = FUSE_BLOCK_BYTES};
	while (*text) {
		const char *end = text;
		err_t err;

		while (*end && *end != ',')
			end++;
		if (end > text) {
			err = one_option((struct word){text, (size_t)(end - text)}, out, &seen);
			if (err)
				return err;
		}
		text = *end ? end + 1 : end;
	}
	if (seen != NEED_ALL || !(S_ISDIR(out->root_mode) || S_ISREG(out->root_mode)) ||
	    !block_size_fits(out))
		return -EINVAL;
	return 0;
}
