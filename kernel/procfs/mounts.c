/*
 * The mounts as a process sees them: those below its root, with the names that they have from
 * there.
 */
#include "procfs.h"

#include "../process/inspect.h"

#include <abi/errno.h>
#include <fusek/mount.h>
#include <mm/kva.h>

#define SPECIAL " \t\n\\"

typedef void add_line_fn(struct text *text, const struct mount_line *mount,
			 const struct mount_names *names);

static void for_each_mount(struct text *text, const struct proc_subject *subject,
			   add_line_fn *add_line)
{
	struct mount_names *names = kvmalloc(sizeof(*names));
	struct mount_line mount = {0};
	struct path root, cwd;
	uint32_t umask;

	text->err = names ? process_place(subject->process, subject->tid, &root, &cwd, &umask)
			  : -ENOMEM;
	if (!text->err) {
		while (mount_next(mount.id, &root, &mount, names))
			add_line(text, &mount, names);
		path_put(&root);
		path_put(&cwd);
	}
	kvfree(names, sizeof(*names));
	if (text->err == -ESRCH)
		text->err = -EINVAL; /* as Linux, of one that has ended */
}

static void add_mount(struct text *text, const struct mount_line *mount,
		      const struct mount_names *names)
{
	text_add_escaped(text, mount->source, SPECIAL);
	text_add(text, " ");
	text_add_escaped(text, names->at, SPECIAL);
	/* Both begin with ro or rw; then what there is of the mount, then of the filesystem. */
	text_add(text, " ");
	text_add_escaped(text, mount->type, SPECIAL);
	text_add(text, " %s%s%s 0 0\n", mount->read_only ? "ro" : "rw", mount->options + 2,
		 mount->fs_options + 2);
}

void proc_process_mounts(struct text *text, const struct proc_subject *subject)
{
	for_each_mount(text, subject, add_mount);
}

/* id parent major:minor root at options - type source options-of-all */
static void add_mountinfo(struct text *text, const struct mount_line *mount,
			  const struct mount_names *names)
{
	text_add(text, "%u %u 0:%u ", mount->id, mount->parent_id, mount->fs_number);
	text_add_escaped(text, names->root, SPECIAL);
	text_add(text, " ");
	text_add_escaped(text, names->at, SPECIAL);
	text_add(text, " %s ", mount->options);
	if (mount->peers_id)
		text_add(text, "shared:%u ", mount->peers_id);
	if (mount->master_id)
		text_add(text, "master:%u ", mount->master_id);
	text_add(text, "%s- ", mount->unbindable ? "unbindable " : "");
	text_add_escaped(text, mount->type, SPECIAL);
	text_add(text, " ");
	text_add_escaped(text, mount->source, SPECIAL);
	text_add(text, " %s\n", mount->fs_options);
}

void proc_process_mountinfo(struct text *text, const struct proc_subject *subject)
{
	for_each_mount(text, subject, add_mountinfo);
}
