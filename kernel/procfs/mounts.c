/*
 * The mounts as a process sees them: those below its root, with the names that they have from
 * there.
 */
#include "procfs.h"

#include "../process/inspect.h"

#include <abi/errno.h>
#include <fusek/mount.h>
#include <mm/slab.h>

#define SPECIAL " \t\n\\"

typedef void add_line_fn(struct text *text, const struct mount_line *mount, const char *at);

static void for_each_mount(struct text *text, const struct proc_subject *subject,
			   add_line_fn *add_line)
{
	char *at = kmalloc(PATH_MAX);
	struct mount_line mount = {0};
	struct path root, cwd;
	uint32_t umask;

	text->err =
		at ? process_place(subject->process, subject->tid, &root, &cwd, &umask) : -ENOMEM;
	if (!text->err) {
		while (mount_next(mount.number, &root, &mount, at, PATH_MAX))
			add_line(text, &mount, at);
		path_put(&root);
		path_put(&cwd);
	}
	kfree(at);
	if (text->err == -ESRCH)
		text->err = -EINVAL; /* as Linux, of one that has ended */
}

static void add_mount(struct text *text, const struct mount_line *mount, const char *at)
{
	text_add_escaped(text, mount->source, SPECIAL);
	text_add(text, " ");
	text_add_escaped(text, at, SPECIAL);
	text_add(text, " %s %s 0 0\n", mount->type, mount->options);
}

void proc_process_mounts(struct text *text, const struct proc_subject *subject)
{
	for_each_mount(text, subject, add_mount);
}

/* number parent major:minor root at options - type source options-of-all */
static void add_mountinfo(struct text *text, const struct mount_line *mount, const char *at)
{
	text_add(text, "%u %u 0:%u / ", mount->number, mount->parent, mount->number);
	text_add_escaped(text, at, SPECIAL);
	text_add(text, " %s - %s ", mount->options, mount->type);
	text_add_escaped(text, mount->source, SPECIAL);
	text_add(text, " %.2s\n", mount->options); /* ro or rw */
}

void proc_process_mountinfo(struct text *text, const struct proc_subject *subject)
{
	for_each_mount(text, subject, add_mountinfo);
}
