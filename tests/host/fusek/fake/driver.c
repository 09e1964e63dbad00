/*
 * See driver.h. The driver is called where a caller would sleep; it reads one request and answers
 * it, by the same functions as a program's read and write.
 */
#include "driver_priv.h"

#include "kernel.h"
#include "tree.h"

#include <abi/fuse_notify.h>
#include <fusek/server.h>
#include <string.h>

#define FD 3

struct mock_driver mock;
const char fake_driver_options[] = "fd=3,rootmode=40000,user_id=0,group_id=0";

static struct object *device;
static _Alignas(8) char request[FUSE_MIN_READ_BUFFER * 2];
static _Alignas(8) char late_request[FUSE_MIN_READ_BUFFER * 2];
static const struct fuse_in_header *const late = (const void *)late_request;

struct object *vfs_descriptor(int fd)
{
	struct object *object = fd == FD ? device : fd == FD + 1 ? mock.named : NULL;

	return object ? object_get(object) : NULL;
}

/* ---- answers ---- */

static ssize_t put(uint64_t unique, int error, const void *payload, size_t len, int len_off)
{
	_Alignas(8) char bytes[32768] = {0};
	struct fuse_out_header out = {
		.len = (uint32_t)(sizeof(out) + len), .error = error, .unique = unique};

	out.len += (uint32_t)len_off;
	memcpy(bytes, &out, sizeof(out));
	if (payload)
		memcpy(bytes + sizeof(out), payload, MIN(len, sizeof(bytes) - sizeof(out)));
	return object_write_kernel(device, bytes, sizeof(out) + len);
}

void mock_answer(const struct fuse_in_header *in, const void *payload, size_t len)
{
	static const char junk[8192];
	enum mock_lie lie = in->opcode == mock.lie_opcode ? mock.lie : LIE_NONE;

	if (lie)
		mock.lie = LIE_NONE;
	switch (lie) {
	case LIE_SHORT:
		mock.lie_result = put(in->unique, 0, payload, len - 1, 0);
		return;
	case LIE_LONG:
		mock.lie_result = put(in->unique, 0, junk, len + 4096, 0);
		return;
	case LIE_ERROR_AND_PAYLOAD:
		mock.lie_result = put(in->unique, -ENOENT, payload, len, 0);
		return;
	case LIE_POSITIVE_ERROR:
		mock.lie_result = put(in->unique, 5, NULL, 0, 0);
		break;
	case LIE_FAR_ERROR:
		mock.lie_result = put(in->unique, -512, NULL, 0, 0);
		break;
	case LIE_HEADER:
		mock.lie_result = put(in->unique, 0, payload, len, 8);
		break;
	case LIE_UNIQUE:
		mock.lie_result = put(in->unique + 100, 0, payload, len, 0);
		break;
	case LIE_TWICE:
		(void)!put(in->unique, 0, payload, len, 0);
		mock.lie_result = put(in->unique, 0, payload, len, 0);
		return;
	default:
		if (lie)
			mock.lie_result = put(in->unique, 0, payload, len, 0);
		else
			(void)!put(in->unique, 0, payload, len, 0);
		return;
	}
	(void)!put(in->unique, 0, payload, len, 0);
}

bool mock_lies(const struct fuse_in_header *in, enum mock_lie lie)
{
	return mock.lie == lie && mock.lie_opcode == in->opcode;
}

void mock_refuse(const struct fuse_in_header *in, int error)
{
	(void)!put(in->unique, -error, NULL, 0, 0);
}

static struct fuse_attr attributes(const struct fuse_in_header *in, uint64_t node, uint32_t type)
{
	struct fuse_attr attr = {.ino = node, .mode = type | 0755, .nlink = 1, .uid = mock.uid};

	if (type == S_IFDIR)
		attr.mode = type | mock.folder_mode;
	if (type == S_IFREG)
		attr.size = mock.size, attr.mode = type | mock.mode, attr.mtime = mock.mtime;
	if (mock_lies(in, LIE_TYPE))
		attr.mode = 0755;
	if (mock_lies(in, LIE_OTHER_TYPE))
		attr.mode = S_IFIFO;
	if (mock_lies(in, LIE_FILE))
		attr.mode = S_IFREG | 0644;
	if (mock_lies(in, LIE_SIZE))
		attr.size = 1ull << 63;
	return attr;
}

static uint32_t type_of(uint64_t node)
{
	static const uint32_t types[] = {0, S_IFDIR, S_IFREG, S_IFDIR, S_IFLNK};

	return node < MOCK_MADE ? types[node] : (uint32_t)(node >> 32);
}

static struct fuse_entry_out entry(const struct fuse_in_header *in, uint64_t node)
{
	struct fuse_entry_out out = {.nodeid = node,
				     .entry_valid = mock.names_expire ? 0 : 100,
				     .attr_valid = mock.attr_valid,
				     .attr = attributes(in, node, type_of(node))};

	if (mock_lies(in, LIE_ROOT))
		out.nodeid = 1;
	else if (!mock_lies(in, LIE_SHORT) && !mock_lies(in, LIE_LONG) &&
		 !mock_lies(in, LIE_ERROR_AND_PAYLOAD))
		mock.nremembered++; /* unless the device refuses it */
	return out;
}

static size_t entry_bytes(void)
{
	return mock.minor < 9 ? FUSE_COMPAT_ENTRY_OUT_SIZE : sizeof(struct fuse_entry_out);
}

/* The number of something new says what it is. */
static uint64_t made(uint32_t type)
{
	static uint64_t last = MOCK_MADE;

	return (uint64_t)type << 32 | ++last;
}

static void do_init(const struct fuse_in_header *in)
{
	const struct fuse_init_out out = {.major = mock.major,
					  .minor = mock.minor,
					  .max_write = 8192,
					  .max_readahead = 65536,
					  .max_background = mock.max_background,
					  .flags = mock.init_flags,
					  .flags2 = mock.init_flags2,
					  .max_stack_depth = mock.max_stack_depth,
					  .request_timeout = mock.request_timeout_s};

	mock_answer(in, &out,
		    mock.minor < 5    ? FUSE_COMPAT_INIT_OUT_SIZE
		    : mock.minor < 23 ? FUSE_COMPAT_22_INIT_OUT_SIZE
				      : sizeof(out));
}

static void do_lookup(const struct fuse_in_header *in, const char *name)
{
	static const char *const names[] = {NULL, NULL, "file", "dir", "link"};
	struct fuse_entry_out out;

	for (uint64_t node = MOCK_FILE; node < MOCK_MADE; node++) {
		if (strcmp(name, names[node]) != 0)
			continue;
		out = entry(in, node);
		mock_answer(in, &out, entry_bytes());
		return;
	}
	mock_refuse(in, ENOENT);
}

static void do_getattr(const struct fuse_in_header *in)
{
	const struct fuse_attr_out out = {.attr_valid = mock.attr_valid,
					  .attr = attributes(in, in->nodeid, type_of(in->nodeid))};

	mock_answer(in, &out, mock.minor < 9 ? FUSE_COMPAT_ATTR_OUT_SIZE : sizeof(out));
}

static void do_setattr(const struct fuse_in_header *in, const struct fuse_setattr_in *set)
{
	if (set->valid & SETATTR_SIZE)
		mock.size = set->size;
	if (set->valid & SETATTR_MODE)
		mock.mode = set->mode & 07777;
	do_getattr(in);
}

static void do_make(const struct fuse_in_header *in, uint32_t type)
{
	const struct fuse_entry_out out = entry(in, made(type));

	mock_answer(in, &out, entry_bytes());
}

static void do_link(const struct fuse_in_header *in, const struct fuse_link_in *link)
{
	const struct fuse_entry_out out = entry(in, link->oldnodeid);

	mock_answer(in, &out, entry_bytes());
}

static void do_open(const struct fuse_in_header *in, uint32_t flags)
{
	const struct fuse_open_out out = {
		.fh = 77, .open_flags = mock.open_flags, .backing_id = mock.backing_id};

	if (!mock.lie || mock.lie_opcode != in->opcode)
		mock.nopen++;
	if (flags & O_TRUNC)
		mock.size = 0;
	mock_answer(in, &out, sizeof(out));
}

static void do_create(const struct fuse_in_header *in)
{
	_Alignas(8) char bytes[sizeof(struct fuse_entry_out) + sizeof(struct fuse_open_out)];
	const struct fuse_entry_out out = entry(in, made(S_IFREG));
	const struct fuse_open_out opened = {.fh = 77,
					     .open_flags = mock.open_flags & FOPEN_PASSTHROUGH,
					     .backing_id = mock.backing_id};

	mock.nopen++;
	memcpy(bytes, &out, entry_bytes());
	memcpy(bytes + entry_bytes(), &opened, sizeof(opened));
	mock_answer(in, bytes, entry_bytes() + sizeof(opened));
}

static void do_read(const struct fuse_in_header *in, const struct fuse_read_in *read)
{
	size_t from = MIN(read->offset, mock.size);

	mock.last_read_bytes = read->size;

	mock_answer(in, mock.data + from, MIN(mock.size - from, (uint64_t)read->size));
}

static void do_write(const struct fuse_in_header *in, const struct fuse_write_in *write)
{
	const struct fuse_write_out out = {.size = write->size +
						   (mock_lies(in, LIE_COUNT) ? 1 : 0)};
	size_t head = mock.minor < 9 ? FUSE_COMPAT_READ_WRITE_IN_SIZE : sizeof(*write);

	mock.last_write = *write;
	if (!mock_lies(in, LIE_COUNT)) {
		memcpy(mock.data + write->offset, (const char *)write + head, write->size);
		mock.size = MAX(mock.size, write->offset + write->size);
	}
	mock_answer(in, &out, sizeof(out));
}

static void do_readdir(const struct fuse_in_header *in, const struct fuse_read_in *read)
{
	const char *const names[] = {".", "..", mock_lies(in, LIE_NAME) ? "a/b" : "file", "dir"};
	_Alignas(8) char records[1024] = {0};
	size_t used = 0;

	for (uint64_t i = read->offset; i < ARRAY_SIZE(names); i++) {
		struct fuse_dirent *record;

		if (in->opcode == FUSE_READDIRPLUS && i >= 2)
			*(struct fuse_entry_out *)(records + used) = entry(in, i);
		if (in->opcode == FUSE_READDIRPLUS)
			used += sizeof(struct fuse_entry_out);
		record = (void *)(records + used);
		*record = (struct fuse_dirent){.ino = 5,
					       .off = i + 1 == ARRAY_SIZE(names) && mock.last_cookie
							      ? mock.last_cookie
							      : i + 1,
					       .type = 8,
					       .namelen = (uint32_t)strlen(names[i])};
		memcpy(record->name, names[i], record->namelen);
		used += ALIGN_UP(FUSE_NAME_OFFSET + record->namelen, 8);
	}
	mock_answer(in, records, used);
}

static void forgotten(uint64_t nlookup)
{
	mock.nremembered -= (int64_t)nlookup;
}

static void do_batch_forget(const struct fuse_batch_forget_in *batch)
{
	const struct fuse_forget_one *nodes = (const void *)(batch + 1);

	for (uint32_t i = 0; i < batch->count; i++)
		forgotten(nodes[i].nlookup);
}

static void act(const struct fuse_in_header *in)
{
	const void *arguments = in + 1;

	switch (in->opcode) {
	case FUSE_INIT:
		return do_init(in);
	case FUSE_LOOKUP:
		return do_lookup(in, arguments);
	case FUSE_GETATTR:
		mock.last_getattr = *(const struct fuse_getattr_in *)arguments;
		return do_getattr(in);
	case FUSE_SETATTR:
		return do_setattr(in, arguments);
	case FUSE_READLINK:
		return mock_lies(in, LIE_NUL) ? mock_answer(in, "f\0le", 4)
					      : mock_answer(in, "file", 4);
	case FUSE_SYMLINK:
		strcpy(mock.last_target, (const char *)arguments + strlen(arguments) + 1);
		return do_make(in, S_IFLNK);
	case FUSE_MKNOD:
		return do_make(in, S_IFREG);
	case FUSE_MKDIR:
		mock.last_mkdir = *(const struct fuse_mkdir_in *)arguments;
		return do_make(in, S_IFDIR);
	case FUSE_LINK:
		return do_link(in, arguments);
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		return do_open(in, ((const struct fuse_open_in *)arguments)->flags);
	case FUSE_CREATE:
	case FUSE_TMPFILE:
		return do_create(in);
	case FUSE_GETLK:
		return mock_do_getlk(in, arguments);
	case FUSE_SETLK:
	case FUSE_SETLKW:
		return mock_do_setlk(in, arguments);
	case FUSE_IOCTL:
		return mock_do_ioctl(in, arguments);
	case FUSE_POLL:
		return mock_do_poll(in, arguments);
	case FUSE_STATX:
		return mock_do_statx(in);
	case FUSE_READ:
		return do_read(in, arguments);
	case FUSE_WRITE:
		return do_write(in, arguments);
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		return do_readdir(in, arguments);
	case FUSE_SETXATTR:
		return mock_do_setxattr(in, arguments);
	case FUSE_GETXATTR:
		return mock_do_getxattr(in, arguments);
	case FUSE_LISTXATTR:
		return mock_do_listxattr(in, arguments);
	case FUSE_REMOVEXATTR:
		return mock_do_removexattr(in);
	case FUSE_FALLOCATE:
		return mock_do_fallocate(in, arguments);
	case FUSE_LSEEK:
		return mock_do_lseek(in, arguments);
	case FUSE_COPY_FILE_RANGE:
		return mock_do_copy(in, arguments);
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		mock.last_release = *(const struct fuse_release_in *)arguments;
		mock.nopen--;
		return mock_answer(in, NULL, 0);
	case FUSE_STATFS: {
		const struct fuse_kstatfs out = {.blocks = 100, .bsize = 4096, .namelen = 255};

		return mock_answer(in, &out,
				   mock.minor < 4 ? FUSE_COMPAT_STATFS_SIZE : sizeof(out));
	}
	case FUSE_DESTROY:
	case FUSE_UNLINK:
	case FUSE_RMDIR:
	case FUSE_RENAME:
	case FUSE_FLUSH:
		return mock_answer(in, NULL, 0);
	default:
		return mock_refuse(in, ENOSYS);
	}
}

/* ---- one request ---- */

static void close_device(void)
{
	struct object *closed = device;

	device = NULL;
	object_put(closed);
}

/* Things that happen to the caller while its request is with the driver. True: no answer now. */
static bool disturb(const struct fuse_in_header *in)
{
	if (in->opcode == mock.die_at) {
		close_device();
		return true;
	}
	if (in->opcode == mock.kill_at) {
		mock.kill_at = 0;
		memcpy(late_request, request, in->len);
		fake_pending = THREAD_KILLED;
		return true;
	}
	if (in->opcode == mock.hold_at) {
		mock.hold_at = 0;
		memcpy(late_request, request, in->len);
		return true;
	}
	if (in->opcode == mock.signal_at) {
		mock.signal_at = 0;
		memcpy(late_request, request, in->len);
		fake_pending = THREAD_INTERRUPTED;
		return true;
	}
	return false;
}

static void interrupted(const struct fuse_interrupt_in *interrupt)
{
	if (interrupt->unique == late->unique && !mock.ignores_interrupts)
		fake_driver_answer_late();
}

static void keep_reply(const struct fuse_in_header *in)
{
	mock.last_reply = *in;
	memcpy(mock.last_reply_bytes, in + 1,
	       MIN(in->len - sizeof(*in), sizeof(mock.last_reply_bytes)));
}

/* Reads and answers one request. False: there is none. */
static bool step(void)
{
	const struct fuse_in_header *in = (const void *)request;
	struct buffer buffer;
	ssize_t got;

	if (!device)
		return false;
	buffer_init_kernel(&buffer, request, sizeof(request));
	got = object_read(device, &buffer, NULL);
	if (got < 0)
		return false;
	mock.nasked[in->opcode]++;
	mock.last_unique = in->unique;
	if (mock.unknown & (1ull << in->opcode))
		mock_refuse(in, ENOSYS);
	else if (in->opcode == mock.stale_at && mock.nstale && mock.nstale--)
		mock_refuse(in, ESTALE);
	else if (in->opcode == FUSE_FORGET)
		forgotten(((const struct fuse_forget_in *)(in + 1))->nlookup);
	else if (in->opcode == FUSE_BATCH_FORGET)
		do_batch_forget((const void *)(in + 1));
	else if (in->opcode == FUSE_NOTIFY_REPLY)
		keep_reply(in);
	else if (in->opcode == FUSE_INTERRUPT)
		interrupted((const void *)(in + 1));
	else if (!disturb(in))
		act(in);
	return true;
}

static void serve_one(void)
{
	if (mock.hangs)
		fake_now_ns += NSEC_PER_SEC;
	else
		(void)step();
}

void fake_driver_serve(void)
{
	while (step())
		;
}

void fake_driver_answer_late(void)
{
	act(late);
}

ssize_t fake_driver_notify_inode(uint64_t node, int64_t offset)
{
	return fake_driver_notify_range(node, offset, 0);
}

ssize_t fake_driver_notify_range(uint64_t node, int64_t offset, int64_t len_bytes)
{
	const struct fuse_notify_inval_inode_out out = {
		.ino = node, .off = offset, .len = len_bytes};

	return put(0, FUSE_NOTIFY_INVAL_INODE, &out, sizeof(out), 0);
}

ssize_t fake_driver_notify_entry(uint64_t parent, const char *name)
{
	struct fuse_notify_inval_entry_out *out;
	_Alignas(8) char bytes[64] = {0};

	out = (void *)bytes;
	*out = (struct fuse_notify_inval_entry_out){.parent = parent,
						    .namelen = (uint32_t)strlen(name)};
	strcpy(bytes + sizeof(*out), name);
	return put(0, FUSE_NOTIFY_INVAL_ENTRY, bytes, sizeof(*out) + strlen(name) + 1, 0);
}

ssize_t fake_driver_notify(int code, const void *bytes, size_t len)
{
	return put(0, code, bytes, len, 0);
}

ssize_t fake_driver_notify_poll(uint64_t kh)
{
	const struct fuse_notify_poll_wakeup_out out = {.kh = kh};

	return put(0, FUSE_NOTIFY_POLL, &out, sizeof(out), 0);
}

ssize_t fake_driver_notify_delete(uint64_t parent, uint64_t child, const char *name)
{
	struct fuse_notify_delete_out *out;
	_Alignas(8) char bytes[64] = {0};

	out = (void *)bytes;
	*out = (struct fuse_notify_delete_out){
		.parent = parent, .child = child, .namelen = (uint32_t)strlen(name)};
	strcpy(bytes + sizeof(*out), name);
	return put(0, FUSE_NOTIFY_DELETE, bytes, sizeof(*out) + strlen(name) + 1, 0);
}

ssize_t fake_driver_read_short(void)
{
	char bytes[FUSE_MIN_READ_BUFFER - 1];
	struct buffer buffer;

	buffer_init_kernel(&buffer, bytes, sizeof(bytes));
	return object_read(device, &buffer, NULL);
}

ssize_t fake_driver_read_end(void)
{
	struct buffer buffer;
	ssize_t got;

	buffer_init_kernel(&buffer, request, sizeof(request));
	got = object_read(device, &buffer, NULL);
	return got > 0 ? 0 : got;
}

/* ---- life ---- */

int fake_driver_register(void)
{
	return fuse_device_init();
}

void fake_driver_start(void)
{
	mock = (struct mock_driver){.major = 7,
				    .minor = 38,
				    .init_flags = FUSE_ATOMIC_O_TRUNC,
				    .attr_valid = 100,
				    .blocker = {.type = F_UNLCK},
				    .data = "0123456789",
				    .size = 10,
				    .mode = 0755,
				    .folder_mode = 0755};
	device = open_ok("/dev/fuse", O_RDWR | O_NONBLOCK);
	fake_block = serve_one;
}

void fake_driver_stop(void)
{
	fake_driver_serve();
	if (device)
		close_device();
	fake_block = NULL;
}

void frame_free(struct frame *frame, unsigned order)
{
	assert(order == 0 && frame->refs == 1);
	frame_put(frame);
}
