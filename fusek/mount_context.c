/*
 * What fsopen(2) and fspick(2) give: an object that gathers options, becomes a filesystem or
 * changes one, and keeps the last messages for who reads it. Owns its texts under its lock
 * (LOCK_FSCONTEXT), which is held while the filesystem is made: servers answer that at once.
 */
#include <fusek/mount_context.h>

#include "mount_tree.h"

#include <ipc/anonymous.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <mm/slab.h>

#define TYPE_BYTES    64
#define MESSAGES      8 /* as Linux: older ones are lost */
#define MESSAGE_BYTES 96

enum fs_context_phase {
	CONTEXT_SETS,         /* of a filesystem to come */
	CONTEXT_CREATED,      /* it is there, to be mounted */
	CONTEXT_RECONFIGURES, /* it is mounted; options are gathered for a change */
	CONTEXT_FAILED,       /* good for its messages alone */
};

/*
 *   [c] constant
 *   [l] lock
 */
struct fs_context {
	struct object object;
	struct mutex lock;
	enum fs_context_phase phase;            /* [l] */
	char type[TYPE_BYTES];                  /* [c] */
	char *source;                           /* [l] owned; NULL: none given */
	char *options;                          /* [l] owned: PAGE_SIZE; NULL: none yet */
	bool says_read_only;                    /* [l] "ro" or "rw" was set: */
	bool read_only;                         /* [l] */
	struct filesystem *fs;                  /* [l] a reference; NULL: not yet */
	unsigned nmessages;                     /* [l] not read yet; at most MESSAGES */
	unsigned first_message;                 /* [l] */
	char messages[MESSAGES][MESSAGE_BYTES]; /* [l] */
};

static const struct object_ops context_ops;

static struct fs_context *context_of(struct object *object)
{
	return container_of(object, struct fs_context, object);
}

bool object_is_fs_context(const struct object *object)
{
	return object->ops == &context_ops;
}

/* ---- messages ---- */

static void tell(struct fs_context *context, const char *format, ...) PRINTF(2, 3)
	REQUIRES(context->lock);
static void tell(struct fs_context *context, const char *format, ...)
{
	unsigned index = (context->first_message + context->nmessages) % MESSAGES;
	va_list arguments;

	if (context->nmessages == MESSAGES)
		context->first_message = (context->first_message + 1) % MESSAGES;
	else
		context->nmessages++;
	va_start(arguments, format);
	(void)kernel_format_list(context->messages[index], MESSAGE_BYTES, format, arguments);
	va_end(arguments);
}

/* Out of the ring. */
static err_t take_message(struct fs_context *context, size_t room_bytes, char to[MESSAGE_BYTES])
{
	err_t err = mutex_lock_killable(&context->lock);

	if (err)
		return err;
	if (!context->nmessages) {
		err = -ENODATA;
	} else {
		string_copy(to, MESSAGE_BYTES, context->messages[context->first_message]);
		context->first_message = (context->first_message + 1) % MESSAGES;
		context->nmessages--;
		if (strlen(to) > room_bytes)
			err = -EMSGSIZE; /* and it is lost, as on Linux */
	}
	mutex_unlock(&context->lock);
	return err;
}

/* ---- the object ---- */

static ssize_t context_read(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	char message[MESSAGE_BYTES];
	size_t len_bytes;
	err_t err = offset ? -ESPIPE : 0;

	if (!err)
		err = take_message(context_of(object), buffer_remaining(buffer), message);
	if (err)
		return err;
	len_bytes = strlen(message);
	return buffer_result(buffer_copy_to(buffer, message, len_bytes), len_bytes);
}

static void context_describe(UNUSED struct object *object, char *to, size_t to_bytes)
{
	string_copy(to, to_bytes, "anon_inode:[fscontext]");
}

static uint64_t context_held_bytes(struct object *object)
{
	return sizeof(struct fs_context) +
	       (read_once(&context_of(object)->options) ? PAGE_SIZE : 0);
}

static void context_release(struct object *object)
{
	struct fs_context *context = context_of(object);

	kfree(context->source);
	kfree(context->options);
	if (context->fs)
		filesystem_put(context->fs);
}

static void context_free(struct object *object)
{
	kfree(context_of(object));
}

static const struct object_ops context_ops = {
	.read = context_read,
	.stat = anonymous_stat,
	.describe = context_describe,
	.held_bytes = context_held_bytes,
	.release = context_release,
	.free = context_free,
};

static struct fs_context *make_context(const char *type, enum fs_context_phase phase)
{
	struct fs_context *context = kzalloc(sizeof(*context));

	if (!context)
		return NULL;
	object_init(&context->object, &context_ops, OBJECT_OTHER, O_RDWR);
	mutex_init(&context->lock, LOCK_FSCONTEXT);
	context->phase = phase;
	string_copy(context->type, sizeof(context->type), type);
	return context;
}

err_t fs_context_open(const char *type, struct object **out)
{
	struct fs_context *context;

	if (strlen(type) >= TYPE_BYTES || !filesystem_type_exists(type))
		return -ENODEV;
	context = make_context(type, CONTEXT_SETS);
	if (!context)
		return -ENOMEM;
	*out = &context->object;
	return 0;
}

err_t fs_context_pick(const struct path *at, struct object **out)
{
	struct fs_context *context;

	if (!path_is_mount_root(at))
		return -EINVAL;
	context = make_context(at->mount->fs->server->type, CONTEXT_RECONFIGURES);
	if (!context)
		return -ENOMEM;
	context->fs = filesystem_get(at->mount->fs);
	*out = &context->object;
	return 0;
}

/* ---- options ---- */

static err_t set_source(struct fs_context *context, const char *value) REQUIRES(context->lock);
static err_t set_source(struct fs_context *context, const char *value)
{
	size_t bytes;

	if (!value || context->phase != CONTEXT_SETS) {
		tell(context, "e %s: a source is a name, for a new mount", context->type);
		return -EINVAL;
	}
	if (context->source) {
		tell(context, "e %s: more than one source", context->type);
		return -EINVAL;
	}
	bytes = strlen(value) + 1;
	context->source = kmalloc(bytes);
	if (!context->source)
		return -ENOMEM;
	memcpy(context->source, value, bytes);
	return 0;
}

/* One that is for the type itself: it goes to the others. */
static err_t add_option(struct fs_context *context, const char *key, const char *value)
	REQUIRES(context->lock);
static err_t add_option(struct fs_context *context, const char *key, const char *value)
{
	size_t len, added;
	char *end;

	if (!context->options) {
		context->options = kmalloc(PAGE_SIZE);
		if (!context->options)
			return -ENOMEM;
		*context->options = '\0';
	}
	len = strlen(context->options);
	end = context->options + len;
	added = kernel_format(end, PAGE_SIZE - len, "%s%s%s%s", len ? "," : "", key,
			      value ? "=" : "", value ? value : "");
	if (len + added >= PAGE_SIZE) {
		*end = '\0';
		tell(context, "e %s: too many options", context->type);
		return -EINVAL;
	}
	if (!strchr(key, ',') && !(value && strchr(value, ',')) &&
	    !filesystem_check_option(context->type, end + (len ? 1 : 0)))
		return 0;
	*end = '\0';
	tell(context, "e %s: Unknown parameter '%.60s'", context->type, key);
	return -EINVAL;
}

/* Those that every filesystem takes. False: it is none. */
static bool set_common(struct fs_context *context, const char *key) REQUIRES(context->lock);
static bool set_common(struct fs_context *context, const char *key)
{
	static const char *const nothing[] = {"sync",       "async", "dirsync", "lazytime",
					      "nolazytime", "mand",  "nomand"};

	if (strcmp(key, "ro") == 0 || strcmp(key, "rw") == 0) {
		context->says_read_only = true;
		context->read_only = key[1] == 'o';
		return true;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(nothing); i++) {
		if (strcmp(key, nothing[i]) == 0)
			return true; /* as MS_SYNCHRONOUS of mount(2) */
	}
	return false;
}

static err_t set_locked(struct fs_context *context, const char *key, const char *value)
	REQUIRES(context->lock);
static err_t set_locked(struct fs_context *context, const char *key, const char *value)
{
	if (context->phase != CONTEXT_SETS && context->phase != CONTEXT_RECONFIGURES)
		return -EBUSY;
	if (!*key)
		return -EINVAL;
	if (!value && set_common(context, key))
		return 0;
	return strcmp(key, "source") == 0 ? set_source(context, value)
					  : add_option(context, key, value);
}

err_t fs_context_set(struct object *object, const char *key, const char *value)
{
	struct fs_context *context = context_of(object);
	err_t err = mutex_lock_killable(&context->lock);

	if (err)
		return err;
	err = set_locked(context, key, value);
	mutex_unlock(&context->lock);
	return err;
}

err_t fs_context_refuse(struct object *object, const char *key)
{
	struct fs_context *context = context_of(object);
	err_t err = mutex_lock_killable(&context->lock);

	if (err)
		return err;
	if (context->phase != CONTEXT_SETS && context->phase != CONTEXT_RECONFIGURES) {
		err = -EBUSY;
	} else {
		tell(context, "e %s: '%.60s' is not of that kind", context->type, key);
		err = -EINVAL;
	}
	mutex_unlock(&context->lock);
	return err;
}

/* ---- the filesystem ---- */

static err_t create_locked(const struct vfs_context *who, struct fs_context *context,
			   bool exclusive) REQUIRES(context->lock);
static err_t create_locked(const struct vfs_context *who, struct fs_context *context,
			   bool exclusive)
{
	err_t err;

	if (context->phase != CONTEXT_SETS || (exclusive && filesystem_is_shared(context->type)))
		return -EBUSY;
	if (!user_namespace_caller_capable(filesystem_owner(context->type), CAP_SYS_ADMIN))
		return -EPERM;
	err = filesystem_for_mount(who, context->type, context->source ? context->source : "none",
				   context->options ? context->options : "", context->read_only,
				   &context->fs);
	if (err)
		tell(context, "e %s: cannot be made with these options (error %d)", context->type,
		     -err);
	context->phase = err ? CONTEXT_FAILED : CONTEXT_CREATED;
	return err;
}

err_t fs_context_create(const struct vfs_context *who, struct object *object, bool exclusive)
{
	struct fs_context *context = context_of(object);
	err_t err = mutex_lock_killable(&context->lock);

	if (err)
		return err;
	err = create_locked(who, context, exclusive);
	mutex_unlock(&context->lock);
	return err;
}

/* From here on options are for a change. */
static void begin_anew(struct fs_context *context) REQUIRES(context->lock);
static void begin_anew(struct fs_context *context)
{
	context->phase = CONTEXT_RECONFIGURES;
	context->says_read_only = false;
	if (context->options)
		*context->options = '\0';
}

static err_t reconfigure_locked(struct fs_context *context) REQUIRES(context->lock);
static err_t reconfigure_locked(struct fs_context *context)
{
	err_t err = 0;

	if (context->phase != CONTEXT_RECONFIGURES)
		return -EBUSY;
	if (!user_namespace_caller_capable(context->fs->user, CAP_SYS_ADMIN))
		return -EPERM;
	if (context->options && *context->options)
		err = filesystem_reconfigure(context->fs, context->options);
	if (!err && context->says_read_only)
		err = filesystem_set_read_only(context->fs, context->read_only);
	if (err) {
		tell(context, "e %s: cannot be changed so (error %d)", context->type, -err);
		context->phase = CONTEXT_FAILED;
	} else {
		begin_anew(context);
	}
	return err;
}

err_t fs_context_reconfigure(struct object *object)
{
	struct fs_context *context = context_of(object);
	err_t err = mutex_lock_killable(&context->lock);

	if (err)
		return err;
	err = reconfigure_locked(context);
	mutex_unlock(&context->lock);
	return err;
}

static err_t mount_locked(struct fs_context *context, unsigned flags, struct object **out)
	REQUIRES(context->lock);
static err_t mount_locked(struct fs_context *context, unsigned flags, struct object **out)
{
	struct mount *mount;
	err_t err;

	if (!context->fs)
		return -EINVAL;
	if (context->phase != CONTEXT_CREATED)
		return -EBUSY;
	mount = mount_alloc(context->fs, context->fs->root, flags);
	err = mount ? mount_open_detached(mount, out) : -ENOMEM;
	if (!err)
		begin_anew(context);
	return err;
}

err_t fs_context_mount(struct object *object, unsigned flags, struct object **out)
{
	struct fs_context *context = context_of(object);
	err_t err = mutex_lock_killable(&context->lock);

	if (err)
		return err;
	err = mount_locked(context, flags, out);
	mutex_unlock(&context->lock);
	return err;
}
