/*
 * devpts: the names of pseudo terminals. All mounts of it show the same ones, and the options of
 * the last mount hold for those made from then on. (On Linux each mount has its own.)
 *
 * A slave's node has the pair's serial number, which is never used again, so what somebody does
 * with an old node never reaches a new terminal.
 */
#define LOG_SUBSYSTEM "devpts"

#include "pty.h"

#include <abi/errno.h>
#include <abi/stat.h>
#include <arch/clock.h>
#include <fusek/devfs.h>
#include <fusek/mount.h>
#include <lib/fmt.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/slab.h>

#include "../devices.h"
#include "../time/clocks.h"

#define PTMX_NODE          2
#define FIRST_NODE         16 /* less than it: nodes that are no slaves; to it the serial is added */
#define DEVPTS_SUPER_MAGIC 0x1cd1
#define COOKIE_PTMX        1 /* behind it: the slave's number + 2 */

static struct spinlock options_lock = SPINLOCK_INIT(LOCK_PTYS);
/* [options_lock] */
static struct devpts_options options = {
	.mode = 0620, .uid = UINT32_MAX, .gid = UINT32_MAX, .ptmx_mode = 0, .max = PTYS_MAX};

void devpts_options_get(struct devpts_options *out)
{
	spin_lock(&options_lock);
	*out = options;
	spin_unlock(&options_lock);
}

/* ---- nodes ---- */

static void fill_slave(struct pty *pty, struct server_attr *out)
{
	struct abi_timespec made = timespec_of_ns(pty->made_ns);
	struct pty_attributes attributes;

	pty_get_attributes(pty, &attributes);
	*out = (struct server_attr){.ino = pty->number + 3, /* as Linux's */
				    .mode = S_IFCHR | attributes.mode,
				    .nlink = 1,
				    .uid = attributes.uid,
				    .gid = attributes.gid,
				    .rdev = pty->tty.rdev,
				    .atime = made,
				    .mtime = made,
				    .ctime = made,
				    .block_bytes = 1024};
}

static void fill_ptmx(struct server_attr *out)
{
	struct devpts_options now;

	devpts_options_get(&now);
	*out = (struct server_attr){.ino = 2,
				    .mode = S_IFCHR | now.ptmx_mode,
				    .nlink = 1,
				    .rdev = abi_makedev(DEVICE_TTY_MAJOR, DEVICE_PTMX_MINOR),
				    .block_bytes = 1024};
}

/* "0", "17": no other way to write a number. UINT32_MAX: it is none. */
static uint32_t number_of(struct server_name name)
{
	uint32_t number = 0;

	if (name.len_bytes > 4 || (name.len_bytes > 1 && name.text[0] == '0'))
		return UINT32_MAX;
	for (size_t i = 0; i < name.len_bytes; i++) {
		if (name.text[i] < '0' || name.text[i] > '9')
			return UINT32_MAX;
		number = number * 10 + (uint32_t)(name.text[i] - '0');
	}
	return number;
}

static err_t devpts_lookup(UNUSED struct server *server, UNUSED const struct server_caller *caller,
			   UNUSED struct nodeid parent, struct server_name name,
			   struct server_entry *out)
{
	struct pty *pty;

	*out = (struct server_entry){0}; /* nothing of it may be kept: it comes and goes */
	if (name.len_bytes == 4 && memcmp(name.text, "ptmx", 4) == 0) {
		out->node.value = PTMX_NODE;
		fill_ptmx(&out->attr);
		return 0;
	}
	pty = pty_find(number_of(name));
	if (!pty)
		return -ENOENT;
	out->node.value = FIRST_NODE + pty->serial;
	fill_slave(pty, &out->attr);
	pty_put(pty);
	return 0;
}

static err_t devpts_getattr(UNUSED struct server *server, struct nodeid node,
			    struct server_attr *out, uint64_t *attr_valid_ns)
{
	struct pty *pty;

	*attr_valid_ns = 0;
	if (nodeid_equal(node, SERVER_ROOT)) {
		*attr_valid_ns = SERVER_VALID_FOREVER;
		*out = (struct server_attr){
			.ino = 1, .mode = S_IFDIR | 0755, .nlink = 2, .block_bytes = PAGE_SIZE};
		return 0;
	}
	if (node.value == PTMX_NODE) {
		fill_ptmx(out);
		return 0;
	}
	pty = pty_find_by_serial(node.value - FIRST_NODE);
	if (!pty)
		return -ESTALE;
	fill_slave(pty, out);
	pty_put(pty);
	return 0;
}

static err_t devpts_setattr(struct server *server, UNUSED const struct server_caller *caller,
			    struct nodeid node, const struct server_setattr *set,
			    struct server_attr *out, uint64_t *attr_valid_ns)
{
	struct pty_attributes attributes;
	struct pty *pty;

	if (node.value < FIRST_NODE)
		return -EPERM; /* the mount's options say it */
	pty = pty_find_by_serial(node.value - FIRST_NODE);
	if (!pty)
		return -ESTALE;
	pty_get_attributes(pty, &attributes);
	if (set->valid & SETATTR_MODE)
		attributes.mode = set->mode & 07777;
	if (set->valid & SETATTR_UID)
		attributes.uid = set->uid;
	if (set->valid & SETATTR_GID)
		attributes.gid = set->gid;
	pty_set_attributes(pty, &attributes);
	pty_put(pty);
	return devpts_getattr(server, node, out, attr_valid_ns);
}

static err_t devpts_readdir(UNUSED struct server *server, UNUSED struct nodeid node,
			    UNUSED struct handle handle, uint64_t cookie, struct dirent_sink *sink)
{
	uint32_t number = cookie > COOKIE_PTMX ? (uint32_t)(cookie - COOKIE_PTMX) : 0;
	struct pty *pty;
	char text[12];
	bool fits = true;

	if (cookie < COOKIE_PTMX &&
	    !sink->emit(sink, (struct server_name){"ptmx", 4}, 2, S_IFCHR, COOKIE_PTMX))
		return 0;
	while (fits && (pty = pty_next(&number))) {
		kernel_format(text, sizeof(text), "%u", number);
		fits = sink->emit(sink, (struct server_name){text, strlen(text)}, number + 3,
				  S_IFCHR, COOKIE_PTMX + number + 1);
		number++;
		pty_put(pty);
	}
	return 0;
}

static err_t devpts_statfs(UNUSED struct server *server, struct server_statfs *out)
{
	*out = (struct server_statfs){
		.block_bytes = PAGE_SIZE, .name_bytes = NAME_MAX, .magic = DEVPTS_SUPER_MAGIC};
	return 0;
}

static void devpts_destroy(struct server *server)
{
	kfree(server);
}

static const struct server_ops devpts_ops = {
	.lookup = devpts_lookup,
	.getattr = devpts_getattr,
	.setattr = devpts_setattr,
	.readdir = devpts_readdir,
	.statfs = devpts_statfs,
	.destroy = devpts_destroy,
};

/* ---- mounting ---- */

static bool parse_number(const char *text, size_t len, unsigned base, uint32_t *out)
{
	uint64_t number = 0;

	if (len == 0 || len > 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(text[i] - '0');

		if (digit >= base)
			return false;
		number = number * base + digit;
	}
	*out = (uint32_t)number;
	return number < UINT32_MAX;
}

static const struct {
	const char *name;
	size_t offset_bytes;
	unsigned base;
	uint32_t max;
} words[] = {
	{"mode=", offsetof(struct devpts_options, mode), 8, 0777},
	{"ptmxmode=", offsetof(struct devpts_options, ptmx_mode), 8, 0777},
	{"uid=", offsetof(struct devpts_options, uid), 10, UINT32_MAX - 1},
	{"gid=", offsetof(struct devpts_options, gid), 10, UINT32_MAX - 1},
	{"max=", offsetof(struct devpts_options, max), 10, UINT32_MAX - 1},
};

static bool parse_word(const char *word, size_t len, struct devpts_options *out)
{
	if (len == strlen("newinstance") && memcmp(word, "newinstance", len) == 0)
		return true; /* Linux ignores it as well */
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		size_t name_len = strlen(words[i].name);
		uint32_t *to = (uint32_t *)((char *)out + words[i].offset_bytes);

		if (len > name_len && memcmp(word, words[i].name, name_len) == 0)
			return parse_number(word + name_len, len - name_len, words[i].base, to) &&
			       *to <= words[i].max;
	}
	return false;
}

static err_t parse_options(const char *text, struct devpts_options *out)
{
	while (*text) {
		const char *comma = strchr(text, ',');
		size_t len = comma ? (size_t)(comma - text) : strlen(text);

		if (len > 0 && !parse_word(text, len, out))
			return -EINVAL;
		text += len + (comma ? 1 : 0);
	}
	return 0;
}

static err_t check(const char *option)
{
	struct devpts_options unused;

	return parse_options(option, &unused);
}

static err_t create(UNUSED const char *source, const char *text, struct server **out)
{
	struct devpts_options wanted = {.mode = 0600,
					.uid = UINT32_MAX,
					.gid = UINT32_MAX,
					.ptmx_mode = 0,
					.max = PTYS_MAX};
	struct server *server;
	err_t err = parse_options(text, &wanted);

	if (err)
		return err;
	server = kzalloc(sizeof(*server));
	if (!server)
		return -ENOMEM;
	*server = (struct server){.ops = &devpts_ops,
				  .type = "devpts",
				  .source = "devpts",
				  .flags = SERVER_MODES_EXPIRE};
	spin_lock(&options_lock);
	options = wanted;
	spin_unlock(&options_lock);
	*out = server;
	return 0;
}

void devpts_init(void)
{
	static const struct filesystem_type type = {
		.name = "devpts", .create = create, .check = check};
	const struct vfs_context context = vfs_kernel_context();
	err_t err = devfs_register_directory("pts");

	if (!err)
		err = filesystem_register(&type);
	if (!err)
		err = vfs_mount(&context, "devpts", "/dev/pts", "devpts", 0,
				"gid=5,mode=620,ptmxmode=666");
	if (err)
		log_warn("no /dev/pts: error %d", -err);
}
