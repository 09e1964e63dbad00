/*
 * /proc, /sys and fusectl as servers: what tree.c finds, in FUSE's operations. Owns the open files,
 * each with the text that was made for it; `lock` (LOCK_SNAPSHOT) keeps which one that is, a
 * reference keeps the text while it is copied. All texts that are kept have a limit, since a
 * program may open as many files as it likes and each text be as long as its environment: one that
 * is beyond is made anew for each read.
 */
#define LOG_SUBSYSTEM "proc"

#include "../procfs.h"

#include "load.h"
#include "procfs.h"

#include "../namespace/pid.h"
#include "../process/capability.h"
#include "../process/inspect.h"
#include "../process/uthread.h"

#include <abi/errno.h>
#include <arch/spin.h>
#include <fusek/devfs.h>
#include <fusek/file.h>
#include <fusek/mount.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/slab.h>

#define PROC_SUPER_MAGIC 0x9fa0
#define SYSFS_MAGIC      0x62656572
#define FUSECTL_MAGIC    0x65735543

/* All are one tree with several roots. */
struct proc_server {
	struct server server;
	struct nodeid root;
	uint64_t magic;
	struct pid_namespace *namespace; /* constant: a reference; NULL: the first */
};

static struct proc_server *server_of(struct server *server)
{
	return container_of(server, struct proc_server, server);
}

/* The tree's number of a node. */
static struct nodeid inner(struct server *server, struct nodeid node)
{
	return nodeid_equal(node, SERVER_ROOT) ? server_of(server)->root : node;
}

static err_t subject_get(struct server *server, struct nodeid node, struct proc_subject *out)
{
	return proc_subject_get(server_of(server)->namespace, inner(server, node), out);
}

/* ---- texts of open files ---- */

struct snapshot {
	struct refcount references;
	struct text text; /* constant once it is made */
	bool charged;     /* constant once it is kept */
};

struct proc_open {
	struct spinlock lock;
	struct snapshot *snapshot; /* lock: a reference; NULL: not read yet */
	struct credentials opener; /* constant; with a reference to its namespace */
};

static uint64_t kept_bytes; /* atomic: of snapshots that are charged */

/* A 128th of memory. */
static uint64_t kept_bytes_max(void)
{
	return frames_total() * PAGE_SIZE / 128;
}

/* False: there is no room for it beside the others that are kept. */
static bool charge(struct snapshot *snapshot)
{
	uint64_t bytes = snapshot->text.room_bytes;

	snapshot->charged = atomic_fetch_add_full(&kept_bytes, bytes) + bytes <= kept_bytes_max();
	if (!snapshot->charged)
		(void)atomic_fetch_sub_full(&kept_bytes, bytes);
	return snapshot->charged;
}

static void snapshot_put(struct snapshot *snapshot)
{
	if (!snapshot || !refcount_put(&snapshot->references))
		return;
	if (snapshot->charged)
		(void)atomic_fetch_sub_full(&kept_bytes, snapshot->text.room_bytes);
	text_free(&snapshot->text);
	kfree(snapshot);
}

/* May the running thread look at what the entry shows? */
static bool may_look(const struct proc_subject *subject)
{
	unsigned flags = subject->entry->flags;

	if (flags & PROC_TRACER_ONLY &&
	    !process_may_trace(subject->process, &subject->process->ids))
		return false;
	return !(flags & PROC_OWNER_ONLY) || process_may_inspect(subject->process);
}

static err_t make_snapshot(const struct proc_subject *subject, struct snapshot **out)
{
	struct snapshot *snapshot;
	err_t err;

	if (!subject->entry->text)
		return -EINVAL; /* it is only written to */
	snapshot = kzalloc(sizeof(*snapshot));
	if (!snapshot)
		return -ENOMEM;
	refcount_init(&snapshot->references);
	subject->entry->text(&snapshot->text, subject);
	/* Afterwards: it may have begun a program with other rights meanwhile. */
	err = may_look(subject) ? snapshot->text.err : -EACCES;
	if (err)
		snapshot_put(snapshot);
	else
		*out = snapshot;
	return err;
}

/* The file's text is this one now, if it can be kept. */
static void keep_snapshot(struct proc_open *open, struct snapshot *fresh)
{
	struct snapshot *kept = NULL;
	struct snapshot *before;

	if (charge(fresh)) {
		refcount_get(&fresh->references);
		kept = fresh;
	}
	spin_lock(&open->lock);
	before = open->snapshot;
	open->snapshot = kept;
	spin_unlock(&open->lock);
	snapshot_put(before);
}

/* What there was made before, with a reference, or NULL. */
static struct snapshot *kept_snapshot(struct proc_open *open)
{
	struct snapshot *snapshot;

	spin_lock(&open->lock);
	snapshot = open->snapshot;
	if (snapshot)
		refcount_get(&snapshot->references);
	spin_unlock(&open->lock);
	return snapshot;
}

static err_t snapshot_for(struct server *server, struct proc_open *open, struct nodeid node,
			  bool anew, struct snapshot **out)
{
	struct proc_subject subject;
	err_t err;

	*out = anew ? NULL : kept_snapshot(open);
	if (*out)
		return 0;
	err = subject_get(server, node, &subject);
	if (err)
		return -ESRCH; /* as Linux */
	err = make_snapshot(&subject, out);
	proc_subject_put(&subject);
	if (!err)
		keep_snapshot(open, *out);
	return err;
}

/* ---- the operations ---- */

static struct proc_open *open_of(struct handle handle)
{
	return (struct proc_open *)handle.value;
}

static err_t procfs_open(struct server *server, UNUSED const struct server_caller *caller,
			 struct nodeid node, unsigned flags, struct server_open *out)
{
	struct proc_subject subject;
	struct proc_open *open;
	err_t err = subject_get(server, node, &subject);

	if (err)
		return err;
	if (!may_look(&subject))
		err = -EACCES;
	else if ((flags & O_ACCMODE) != O_RDONLY && !subject.entry->write && !subject.entry->move)
		err = -EACCES; /* there is nothing to set, for nobody */
	proc_subject_put(&subject);
	if (err)
		return err;
	open = kzalloc(sizeof(*open));
	if (!open)
		return -ENOMEM;
	spin_init(&open->lock, LOCK_SNAPSHOT);
	open->opener = process_current() ? uthread_current()->ids : credentials_of_user_0();
	(void)user_namespace_get(open->opener.user);
	out->flags |= SERVER_TRUNCATED; /* as Linux: there is nothing to cut */
	out->handle.value = (uint64_t)open;
	return 0;
}

static void procfs_release(UNUSED struct server *server, UNUSED struct nodeid node,
			   struct handle handle, UNUSED unsigned flags)
{
	snapshot_put(open_of(handle)->snapshot);
	user_namespace_put(open_of(handle)->opener.user);
	kfree(open_of(handle));
}

static bool is_moved(struct nodeid node)
{
	return proc_entry_of(node)->move;
}

static ssize_t move(struct server *server, struct nodeid node, struct buffer *buffer,
		    uint64_t offset_bytes, bool is_write)
{
	struct proc_subject subject;
	ssize_t done;

	if (subject_get(server, node, &subject))
		return 0; /* as Linux: its memory is gone */
	done = may_look(&subject) ? subject.entry->move(&subject, buffer, offset_bytes, is_write)
				  : -EACCES;
	proc_subject_put(&subject);
	return done;
}

static ssize_t procfs_read(struct server *server, struct nodeid node, struct handle handle,
			   struct buffer *buffer, uint64_t offset_bytes, UNUSED unsigned flags)
{
	struct snapshot *snapshot;
	size_t wanted = 0, moved = 0;
	err_t err;

	if (is_moved(inner(server, node)))
		return move(server, node, buffer, offset_bytes, false);
	err = snapshot_for(server, open_of(handle), node, offset_bytes == 0, &snapshot);

	if (err)
		return err;
	if (offset_bytes < snapshot->text.len_bytes) {
		wanted = MIN(snapshot->text.len_bytes - offset_bytes, buffer_remaining(buffer));
		moved = buffer_copy_to(buffer, snapshot->text.bytes + offset_bytes, wanted);
	}
	snapshot_put(snapshot);
	return buffer_result(moved, wanted);
}

/* A setting, whole. */
#define WRITE_MAX      128
#define WRITE_MAX_LONG (PAGE_SIZE - 1)

static void cut_blanks(char *text, size_t len_bytes)
{
	while (len_bytes && strchr(" \t\n", text[len_bytes - 1]))
		text[--len_bytes] = '\0';
}

/* `text` has room for `room_bytes` and a NUL. */
static err_t write_text(struct server *server, const struct proc_open *open, struct nodeid node,
			struct buffer *buffer, char *text, size_t room_bytes)
{
	const struct proc_entry *entry = proc_entry_of(inner(server, node));
	size_t len_bytes = MIN(buffer_remaining(buffer), room_bytes);
	struct proc_subject subject;
	err_t err;

	if (buffer_copy_from(buffer, text, len_bytes) < len_bytes)
		return -EFAULT;
	text[len_bytes] = '\0';
	if (!(entry->flags & PROC_AS_WRITTEN))
		cut_blanks(text, len_bytes);
	err = subject_get(server, node, &subject);
	if (err)
		return -ESRCH; /* as Linux */
	subject.opener = &open->opener;
	err = entry->write ? entry->write(&subject, text) : -EINVAL;
	proc_subject_put(&subject);
	return err;
}

static err_t write_long_text(struct server *server, const struct proc_open *open,
			     struct nodeid node, struct buffer *buffer)
{
	char *text = kmalloc(WRITE_MAX_LONG + 1);
	err_t err = text ? write_text(server, open, node, buffer, text, WRITE_MAX_LONG) : -ENOMEM;

	kfree(text);
	return err;
}

static ssize_t procfs_write(struct server *server, UNUSED const struct server_caller *caller,
			    struct nodeid node, struct handle handle, struct buffer *buffer,
			    uint64_t offset_bytes, UNUSED unsigned flags, uint64_t *end_bytes)
{
	unsigned entry_flags = proc_entry_of(inner(server, node))->flags;
	size_t all_bytes = buffer_remaining(buffer);
	char text[WRITE_MAX + 1];
	err_t err;

	*end_bytes = 0; /* it has no size */
	if (is_moved(inner(server, node)))
		return move(server, node, buffer, offset_bytes, true);
	if (entry_flags & PROC_LONG)
		err = offset_bytes || all_bytes > WRITE_MAX_LONG
			      ? -EINVAL
			      : write_long_text(server, open_of(handle), node, buffer);
	else if (all_bytes > WRITE_MAX && !(entry_flags & PROC_AS_WRITTEN))
		err = -EINVAL;
	else
		err = write_text(server, open_of(handle), node, buffer, text, WRITE_MAX);
	return err ? err : (ssize_t)all_bytes;
}

static err_t procfs_lookup(struct server *server, UNUSED const struct server_caller *caller,
			   struct nodeid parent, struct server_name name, struct server_entry *out)
{
	struct proc_subject subject;
	err_t err = subject_get(server, parent, &subject);

	if (err)
		return err;
	err = proc_lookup(&subject, name, out);
	proc_subject_put(&subject);
	return err;
}

static err_t procfs_getattr(struct server *server, struct nodeid node, struct server_attr *out,
			    uint64_t *attr_valid_ns)
{
	struct proc_subject subject;
	err_t err = subject_get(server, node, &subject);

	if (err)
		return err;
	*attr_valid_ns = proc_subject_stays(&subject) ? SERVER_VALID_FOREVER : 0;
	proc_attr(&subject, node, out);
	proc_subject_put(&subject);
	return 0;
}

static err_t procfs_readdir(struct server *server, struct nodeid node, UNUSED struct handle handle,
			    uint64_t cookie, struct dirent_sink *sink)
{
	struct proc_subject subject;
	err_t err = subject_get(server, node, &subject);

	if (err)
		return err;
	err = proc_readdir(&subject, cookie, sink);
	proc_subject_put(&subject);
	return err;
}

/* Whether what was found by a link may be told: as in make_snapshot(), afterwards. */
static err_t link_result(struct proc_subject *subject, bool is_link)
{
	err_t err = may_look(subject) ? 0 : -EACCES;

	proc_subject_put(subject);
	return is_link ? err : -EINVAL;
}

static ssize_t procfs_readlink(struct server *server, struct nodeid node, char *to, size_t to_bytes)
{
	struct proc_subject subject;
	char *text = kmalloc(PATH_MAX);
	ssize_t len = 0;
	err_t err = text ? subject_get(server, node, &subject) : -ENOMEM;

	if (!err) {
		if (subject.entry->link)
			len = subject.entry->link(&subject, text, PATH_MAX);
		err = link_result(&subject, subject.entry->link);
	}
	if (!err && len > 0) {
		len = MIN(len, (ssize_t)to_bytes);
		memcpy(to, text, (size_t)len);
	}
	kfree(text);
	return err ? err : len;
}

static err_t procfs_follow(struct server *server, UNUSED const struct server_caller *caller,
			   struct nodeid node, struct path *out)
{
	struct proc_subject subject;
	err_t found = -ENOSYS;
	err_t err = subject_get(server, node, &subject);

	if (err)
		return err;
	if (subject.entry->follow)
		found = subject.entry->follow(&subject, out);
	err = link_result(&subject, subject.entry->link);
	if (err && !found)
		path_put(out);
	return err ? err : found;
}

static err_t procfs_statfs(struct server *server, struct server_statfs *out)
{
	*out = (struct server_statfs){.block_bytes = PAGE_SIZE,
				      .name_bytes = NAME_MAX,
				      .magic = server_of(server)->magic};
	return 0;
}

static void procfs_destroy(struct server *server)
{
	namespace_put(pid_namespace_head(server_of(server)->namespace));
	kfree(server_of(server));
}

static const struct server_ops procfs_ops = {
	.lookup = procfs_lookup,
	.getattr = procfs_getattr,
	.readlink = procfs_readlink,
	.follow = procfs_follow,
	.readdir = procfs_readdir,
	.open = procfs_open,
	.release = procfs_release,
	.read = procfs_read,
	.write = procfs_write,
	.statfs = procfs_statfs,
	.destroy = procfs_destroy,
};

/* ---- mounting ---- */

err_t procfs_process(struct object *directory, struct process **out)
{
	struct proc_subject subject;
	struct server *server;
	struct nodeid node;
	err_t err = file_node(directory, &server, &node);

	if (err)
		return err;
	if (server->ops != &procfs_ops ||
	    proc_entry_of(inner(server, node)) != &proc_entries[PROC_ENTRY_PROCESS])
		return -EBADF;
	err = subject_get(server, node, &subject);
	if (err)
		return -ESRCH;
	*out = subject.process;
	return 0;
}

static err_t create(const struct proc_server *shape, const char *options, struct server **out)
{
	struct proc_server *made;

	if (*options)
		return -EINVAL; /* hidepid and the like */
	made = kzalloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	*made = *shape;
	made->namespace = process_current() ? process_current()->pid_namespace : NULL;
	namespace_get(pid_namespace_head(made->namespace));
	*out = &made->server;
	return 0;
}

static err_t create_proc(UNUSED const char *source, const char *options, struct server **out)
{
	static const struct proc_server shape = {.server = {.ops = &procfs_ops,
							    .type = "proc",
							    .source = "proc",
							    .flags = SERVER_MODES_EXPIRE},
						 .root = {PROC_ENTRY_ROOT},
						 .magic = PROC_SUPER_MAGIC};

	return create(&shape, options, out);
}

static err_t create_sysfs(UNUSED const char *source, const char *options, struct server **out)
{
	static const struct proc_server shape = {
		.server = {.ops = &procfs_ops, .type = "sysfs", .source = "sysfs"},
		.root = {PROC_ENTRY_SYSFS},
		.magic = SYSFS_MAGIC};

	return create(&shape, options, out);
}

static err_t create_fusectl(UNUSED const char *source, const char *options, struct server **out)
{
	static const struct proc_server shape = {
		.server = {.ops = &procfs_ops, .type = "fusectl", .source = "fusectl"},
		.root = {PROC_ENTRY_FUSECTL},
		.magic = FUSECTL_MAGIC};

	return create(&shape, options, out);
}

static void mount_type(const struct filesystem_type *type, const char *at)
{
	const struct vfs_context context = vfs_kernel_context();
	err_t err = filesystem_register(type);

	if (!err)
		err = vfs_mount(&context, type->name, at, type->name, 0, "");
	if (err)
		log_warn("no %s: error %d", at, -err);
}

static void make_device_links(void)
{
	static const char *const links[][2] = {{"fd", "/proc/self/fd"},
					       {"stdin", "/proc/self/fd/0"},
					       {"stdout", "/proc/self/fd/1"},
					       {"stderr", "/proc/self/fd/2"}};

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		err_t err = devfs_register_link(links[i][0], links[i][1]);

		if (err)
			log_err("/dev/%s cannot be made (error %d)", links[i][0], -err);
	}
}

void procfs_init(void)
{
	static const struct filesystem_type proc = {.name = "proc", .create = create_proc};
	static const struct filesystem_type sysfs = {.name = "sysfs", .create = create_sysfs};
	static const struct filesystem_type fusectl = {.name = "fusectl", .create = create_fusectl};
	err_t err = nameless_init();

	if (err)
		log_warn("no links to what has no name: error %d", -err);
	mount_type(&proc, "/proc");
	mount_type(&sysfs, "/sys");
	mount_type(&fusectl, "/sys/fs/fuse/connections");
	make_device_links();
	load_start();
}
