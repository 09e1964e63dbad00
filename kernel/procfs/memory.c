/*
 * What lies in a process's memory: the arguments, the environment and the auxiliary vector where
 * exec has put them (a program may have changed them since), and the regions. It is read as the
 * program itself would read it, with no lock held while a page is waited for.
 */
#include "procfs.h"

#include "../process/inspect.h"

#include <abi/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/space.h>

/* Where Linux writes the names in maps, counted from the line's beginning. */
#define MAPS_NAME_COLUMN 73

/* ---- strings ---- */

/* What is not mapped any more is not there. */
static void add_memory(struct text *text, struct space *space, vaddr_t from, vaddr_t to)
{
	size_t len_bytes = to > from ? to - from : 0;
	char *bytes = text_reserve(text, len_bytes);
	err_t err;

	if (!bytes)
		return;
	err = space_read(space, from, bytes, len_bytes);
	if (!err)
		text->len_bytes += len_bytes;
	else if (err == -ENOMEM || err == -EINTR)
		text->err = err;
}

void proc_process_cmdline(struct text *text, const struct proc_subject *subject)
{
	struct exec_places given;
	struct space *space = process_given(subject->process, &given);

	if (!space)
		return; /* it has ended, and has none */
	add_memory(text, space, given.arguments, given.arguments_end);
	/* As Linux: a title that a program has written over its arguments, and beyond. */
	if (text->len_bytes && text->bytes[text->len_bytes - 1]) {
		add_memory(text, space, given.environment, given.environment_end);
		if (text->bytes)
			text->len_bytes = strnlen(text->bytes, text->len_bytes);
	}
	space_put(space);
}

void proc_process_environ(struct text *text, const struct proc_subject *subject)
{
	struct exec_places given;
	struct space *space = process_given(subject->process, &given);

	if (!space)
		return;
	add_memory(text, space, given.environment, given.environment_end);
	space_put(space);
}

void proc_process_auxv(struct text *text, const struct proc_subject *subject)
{
	struct exec_places given;
	struct space *space = process_given(subject->process, &given);

	if (!space)
		return;
	add_memory(text, space, given.auxiliary, given.auxiliary_end);
	space_put(space);
}

/* ---- regions ---- */

void proc_add_region(struct text *text, const struct region_info *region, const char *name)
{
	size_t start = text->len_bytes;

	text_add(text, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", region->start, region->end,
		 region->prot & SPACE_READ ? 'r' : '-', region->prot & SPACE_WRITE ? 'w' : '-',
		 region->prot & SPACE_EXEC ? 'x' : '-', region->flags & SPACE_SHARED ? 's' : 'p',
		 region->offset_bytes, (unsigned)(region->device >> 8 & 0xfff),
		 (unsigned)((region->device & 0xff) | (region->device >> 12 & 0xfff00)),
		 region->inode);
	/* Other names are our own, for ksh's `vm`. */
	if (*name == '/' || *name == '[') {
		while (!text->err && text->len_bytes - start < MAPS_NAME_COLUMN)
			text_add(text, " ");
		text_add_escaped(text, name, "\n");
	}
	text_add(text, "\n");
}

void proc_process_maps(struct text *text, const struct proc_subject *subject)
{
	struct space *space = process_space_get(subject->process);
	char *name = kmalloc(PATH_MAX);
	struct region_info region;

	if (!name)
		text->err = -ENOMEM;
	for (vaddr_t from = 0; space && name && !text->err; from = region.end) {
		if (!space_next_named(space, from, &region, name, PATH_MAX))
			break;
		proc_add_region(text, &region, name);
	}
	kfree(name);
	if (space)
		space_put(space);
}
