/*
 * What can be set about memory: oom_score_adj of a process, and how much is promised to all
 * (/proc/sys/vm). Numbers are read by settings.c.
 */
#include "procfs.h"

#include "../memory/oom.h"
#include "../process/capability.h"

#include <abi/capability.h>
#include <abi/errno.h>
#include <fusek/mount.h>
#include <mm/commit.h>
#include <mm/frame.h>
#include <mm/pressure.h>

/* ---- when memory is short ---- */

#define OLD_ADJ_NEVER (-17)
#define OLD_ADJ_MAX   15

void proc_oom_score(struct text *text, const struct proc_subject *subject)
{
	text_add(text, "%u\n", oom_score(subject->process));
}

void proc_oom_score_adj(struct text *text, const struct proc_subject *subject)
{
	text_add(text, "%d\n", read_once(&subject->process->oom_score_adj));
}

/* As Linux: each step is a seventeenth, but the most is the most. */
void proc_oom_adj(struct text *text, const struct proc_subject *subject)
{
	int adj = read_once(&subject->process->oom_score_adj);

	text_add(text, "%d\n",
		 adj == OOM_ADJ_MAX ? OLD_ADJ_MAX : adj * -OLD_ADJ_NEVER / OOM_ADJ_MAX);
}

static err_t set_adj(struct process *process, int64_t adj)
{
	bool privileged = capable(CAP_SYS_RESOURCE);

	if (adj < read_once(&process->oom_score_adj_min) && !privileged)
		return -EACCES;
	write_once(&process->oom_score_adj, (int16_t)adj);
	if (privileged)
		write_once(&process->oom_score_adj_min, (int16_t)adj);
	return 0;
}

err_t proc_oom_score_adj_write(const struct proc_subject *subject, const char *text)
{
	int64_t adj;
	err_t err = proc_read_number(text, OOM_ADJ_MIN, OOM_ADJ_MAX, &adj);

	return err ? err : set_adj(subject->process, adj);
}

err_t proc_oom_adj_write(const struct proc_subject *subject, const char *text)
{
	int64_t adj;
	err_t err = proc_read_number(text, OLD_ADJ_NEVER, OLD_ADJ_MAX, &adj);

	if (err)
		return err;
	return set_adj(subject->process,
		       adj == OLD_ADJ_MAX ? OOM_ADJ_MAX : adj * OOM_ADJ_MAX / -OLD_ADJ_NEVER);
}

/* ---- what is promised ---- */

void proc_overcommit_memory(struct text *text, UNUSED const struct proc_subject *subject)
{
	text_add(text, "%d\n", commit_get().mode);
}

void proc_overcommit_ratio(struct text *text, UNUSED const struct proc_subject *subject)
{
	text_add(text, "%u\n", commit_get().ratio);
}

void proc_overcommit_kbytes(struct text *text, UNUSED const struct proc_subject *subject)
{
	text_add(text, "%lu\n", commit_get().kbytes);
}

#define DROP_PAGES (1 << 0)
#define DROP_NAMES (1 << 1)
#define DROP_MAX   4 /* which Linux takes for its log alone */

err_t proc_drop_caches_write(UNUSED const struct proc_subject *subject, const char *text)
{
	int64_t what;
	err_t err = proc_read_number(text, 1, DROP_MAX, &what);

	if (err)
		return err;
	if (what & DROP_PAGES)
		page_caches_drop();
	if (what & DROP_NAMES)
		names_evict();
	return 0;
}

err_t proc_overcommit_memory_write(UNUSED const struct proc_subject *subject, const char *text)
{
	int64_t mode;
	err_t err = proc_read_number(text, 0, COMMIT_MODES - 1, &mode);

	if (!err)
		commit_set_mode((enum commit_mode)mode);
	return err;
}

err_t proc_overcommit_ratio_write(UNUSED const struct proc_subject *subject, const char *text)
{
	int64_t ratio;
	err_t err = proc_read_number(text, 0, INT32_MAX, &ratio);

	if (!err)
		commit_set_ratio((uint32_t)ratio);
	return err;
}

err_t proc_overcommit_kbytes_write(UNUSED const struct proc_subject *subject, const char *text)
{
	int64_t kbytes;
	err_t err = proc_read_number(text, 0, INT64_MAX, &kbytes);

	if (!err)
		commit_set_kbytes((uint64_t)kbytes);
	return err;
}

/* ---- what cannot be set ---- */

void proc_min_free(struct text *text, UNUSED const struct proc_subject *subject)
{
	struct memory_marks marks;

	memory_marks(&marks);
	text_add(text, "%lu\n", marks.min * (PAGE_SIZE / KIB));
}
