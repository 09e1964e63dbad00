/*
 * The options of a tmpfs: how much it may hold, and what its root is like. Pure text but for the
 * room that a remount changes.
 */
#define LOG_SUBSYSTEM "tmpfs"
#include "inode.h"

#include <ipc/user_namespace.h>
#include <lib/fmt.h>
#include <lib/log.h>
#include <lib/string.h>

/* One option, up to its comma. */
struct option {
	const char *text;
	size_t len_bytes;
};

/* Digits of `base` up to *end; false: none, or too many. */
static bool digits(const char **text, const char *end, unsigned base, uint64_t *out)
{
	const char *at = *text;
	uint64_t value = 0;

	for (; at < end; at++) {
		unsigned digit = (unsigned)(*at - '0');

		if (digit >= base)
			break;
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
	}
	if (at == *text)
		return false;
	*text = at;
	*out = value;
	return true;
}

/* With k, m or g behind it. */
static bool amount(const char *text, const char *end, uint64_t *out)
{
	unsigned shift = 0;

	if (!digits(&text, end, 10, out))
		return false;
	if (text < end) {
		switch (*text++ | 0x20) {
		case 'k':
			shift = 10;
			break;
		case 'm':
			shift = 20;
			break;
		case 'g':
			shift = 30;
			break;
		default:
			return false;
		}
	}
	if (text != end || *out > UINT64_MAX >> shift)
		return false;
	*out <<= shift;
	return true;
}

/* Bytes, or with % a part of the memory; 0: no limit. */
static bool parse_size(const char *text, const char *end, struct tmpfs_options *out)
{
	uint64_t value;

	if (end > text && end[-1] == '%') {
		end--;
		if (!digits(&text, end, 10, &value) || text != end || value > 100)
			return false;
		out->frames_max = frames_total() * value / 100;
		return true;
	}
	if (!amount(text, end, &value) || value > UINT64_MAX - PAGE_SIZE)
		return false;
	out->frames_max = ALIGN_UP(value, PAGE_SIZE) / PAGE_SIZE;
	return true;
}

static bool parse_number(const char *text, const char *end, unsigned base, uint64_t max,
			 uint32_t *out)
{
	uint64_t value;

	if (!digits(&text, end, base, &value) || text != end || value > max)
		return false;
	*out = (uint32_t)value;
	return true;
}

/* As who mounts it calls it. */
static bool parse_id(const char *text, const char *end, enum id_kind kind, uint32_t *out)
{
	if (!parse_number(text, end, 10, UINT32_MAX - 1, out))
		return false;
	*out = id_from_program(kind, *out);
	return *out != ID_NONE;
}

static bool parse_one(struct option option, struct tmpfs_options *out)
{
	const char *value = memchr(option.text, '=', option.len_bytes);
	const char *end = option.text + option.len_bytes;
	size_t name_bytes;

	if (!value)
		return false;
	name_bytes = (size_t)(value++ - option.text);
#define IS(name) (name_bytes == strlen(name) && memcmp(option.text, name, name_bytes) == 0)
	if (IS("size"))
		return parse_size(value, end, out);
	if (IS("nr_blocks"))
		return amount(value, end, &out->frames_max);
	if (IS("nr_inodes"))
		return amount(value, end, &out->inodes_max);
	if (IS("mode"))
		return parse_number(value, end, 8, 07777, &out->mode);
	if (IS("uid"))
		return parse_id(value, end, ID_USER, &out->uid);
	if (IS("gid"))
		return parse_id(value, end, ID_GROUP, &out->gid);
#undef IS
	return false;
}

struct tmpfs_options tmpfs_default_options(void)
{
	const struct server_caller caller = server_caller_current();

	return (struct tmpfs_options){.frames_max = tmpfs_frames_max(),
				      .inodes_max = tmpfs_frames_max(),
				      .mode = 01777,
				      .uid = caller.uid,
				      .gid = caller.gid};
}

err_t tmpfs_parse_options(const char *text, struct tmpfs_options *out)
{
	while (*text) {
		const char *comma = strchr(text, ',');
		size_t len = comma ? (size_t)(comma - text) : strlen(text);

		if (len > 0 && !parse_one((struct option){text, len}, out)) {
			log_limited(LOG_WARN, "the option '%.*s' is not known, or not so",
				    (int)MIN(len, 64ul), text);
			return -EINVAL;
		}
		text += len + (comma ? 1 : 0);
	}
	return 0;
}

err_t tmpfs_check_options(const char *options)
{
	struct tmpfs_options unused = tmpfs_default_options();

	return tmpfs_parse_options(options, &unused);
}

/* Linux: nothing is limited below what is there, or that had no limit. */
static bool may_become(uint64_t before, uint64_t used, uint64_t limit)
{
	return limit == before || !limit || (before && limit >= used);
}

err_t tmpfs_reconfigure(struct server *server, const char *text)
{
	struct tmpfs *fs = tmpfs_of(server);
	struct tmpfs_room *room = &fs->room;
	struct tmpfs_options wanted = {.frames_max = read_once(&room->frames_max),
				       .inodes_max = read_once(&room->inodes_max)};
	err_t err = tmpfs_parse_options(text, &wanted);

	if (err)
		return err;
	if (!may_become(read_once(&room->frames_max), read_once(&room->frames_used),
			wanted.frames_max) ||
	    !may_become(read_once(&room->inodes_max), read_once(&room->inodes_used),
			wanted.inodes_max)) {
		log_limited(LOG_WARN, "the size cannot become less than what is used");
		return -EINVAL;
	}
	write_once(&room->frames_max, wanted.frames_max);
	write_once(&room->inodes_max, wanted.inodes_max);
	return 0;
}

static void add(char *to, size_t to_bytes, const char *name, uint64_t value, const char *unit)
{
	size_t len = strlen(to);

	(void)kernel_format(to + len, to_bytes - len, ",%s=%llu%s", name, (unsigned long long)value,
			    unit);
}

void tmpfs_describe(struct server *server, char *to, size_t to_bytes)
{
	struct tmpfs *fs = tmpfs_of(server);
	const struct tmpfs_options *options = &fs->options;
	uint64_t frames_max = read_once(&fs->room.frames_max);
	uint64_t inodes_max = read_once(&fs->room.inodes_max);

	*to = 0;
	if (frames_max != tmpfs_frames_max())
		add(to, to_bytes, "size", frames_max * (PAGE_SIZE / 1024), "k");
	if (inodes_max != tmpfs_frames_max())
		add(to, to_bytes, "nr_inodes", inodes_max, "");
	if (options->mode != 01777 && to_bytes > strlen(to))
		(void)kernel_format(to + strlen(to), to_bytes - strlen(to), ",mode=%03o",
				    options->mode);
	if (options->uid)
		add(to, to_bytes, "uid", id_for_program(ID_USER, options->uid), "");
	if (options->gid)
		add(to, to_bytes, "gid", id_for_program(ID_GROUP, options->gid), "");
}
