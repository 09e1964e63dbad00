/*
 * smaps and smaps_rollup of a process: what the pages of its regions are. Fields of what there is
 * not (swap, pages of hugetlbfs) are 0. Each region is looked at with its space locked, one after
 * the other.
 */
#include "procfs.h"

#include <abi/errno.h>
#include <mm/slab.h>
#include <mm/space.h>

#define KIB_OF(npages) ((npages) * (PAGE_SIZE / KIB))

static void add_kib(struct text *text, const char *name, uint64_t kib)
{
	text_add(text, "%-16s%8lu kB\n", name, kib);
}

static void add_usage(struct text *text, const struct space_usage *usage)
{
	add_kib(text, "Rss:", KIB_OF(usage->resident));
	add_kib(text, "Pss:", usage->proportional_bytes / KIB);
	add_kib(text, "Pss_Dirty:", usage->proportional_dirty_bytes / KIB);
}

static void add_kinds(struct text *text, const struct space_usage *usage)
{
	add_kib(text, "Shared_Clean:", KIB_OF(usage->shared_clean));
	add_kib(text, "Shared_Dirty:", KIB_OF(usage->shared_dirty));
	add_kib(text, "Private_Clean:", KIB_OF(usage->private_clean));
	add_kib(text, "Private_Dirty:", KIB_OF(usage->private_dirty));
	/* Pages come when they are touched, and nobody looks whether they are touched again. */
	add_kib(text, "Referenced:", KIB_OF(usage->resident));
	add_kib(text, "Anonymous:", KIB_OF(usage->anonymous));
	add_kib(text, "LazyFree:", 0); /* it is freed at once */
	add_kib(text, "AnonHugePages:", KIB_OF(usage->huge));
	add_kib(text, "ShmemPmdMapped:", 0);
	add_kib(text, "FilePmdMapped:", 0);
	add_kib(text, "Shared_Hugetlb:", 0);
	add_kib(text, "Private_Hugetlb:", 0);
	add_kib(text, "Swap:", 0);
	add_kib(text, "SwapPss:", 0);
	add_kib(text, "Locked:", usage->proportional_locked_bytes / KIB);
}

/* proc(5) says what the letters mean. */
static void add_flags(struct text *text, const struct region_info *region)
{
	const struct {
		bool is_set;
		const char *letters;
	} flags[] = {
		{region->prot & SPACE_READ, "rd"},       {region->prot & SPACE_WRITE, "wr"},
		{region->prot & SPACE_EXEC, "ex"},       {region->flags & SPACE_SHARED, "sh"},
		{region->max_prot & SPACE_READ, "mr"},   {region->max_prot & SPACE_WRITE, "mw"},
		{region->max_prot & SPACE_EXEC, "me"},   {region->flags & SPACE_SHARED, "ms"},
		{region->flags & SPACE_STACK, "gd"},     {region->flags & SPACE_LOCKED, "lo"},
		{region->flags & SPACE_NO_FORK, "dc"},   {region->flags & SPACE_NO_DUMP, "dd"},
		{region->flags & SPACE_WIPE_FORK, "wf"}, {region->flags & SPACE_HUGE, "hg"},
		{region->flags & SPACE_NO_HUGE, "nh"},
	};

	text_add(text, "VmFlags:");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (flags[i].is_set)
			text_add(text, " %s", flags[i].letters);
	}
	text_add(text, "\n");
}

static void add_region(struct text *text, const struct region_info *region, const char *name,
		       const struct space_usage *usage)
{
	proc_add_region(text, region, name);
	add_kib(text, "Size:", (region->end - region->start) / KIB);
	add_kib(text, "KernelPageSize:", PAGE_SIZE / KIB);
	add_kib(text, "MMUPageSize:", PAGE_SIZE / KIB);
	add_usage(text, usage);
	add_kinds(text, usage);
	text_add(text, "THPeligible:    %8d\n", usage->huge_eligible);
	add_flags(text, region);
}

void proc_process_smaps(struct text *text, const struct proc_subject *subject)
{
	struct space *space = process_space_get(subject->process);
	char *name = kmalloc(PATH_MAX);
	struct region_info region;

	if (!name)
		text->err = -ENOMEM;
	for (vaddr_t from = 0; space && name && !text->err; from = region.end) {
		struct space_usage usage = {0};

		if (!space_next_usage(space, from, &region, name, PATH_MAX, &usage))
			break;
		add_region(text, &region, name, &usage);
	}
	kfree(name);
	if (space)
		space_put(space);
}

void proc_process_smaps_rollup(struct text *text, const struct proc_subject *subject)
{
	struct space *space = process_space_get(subject->process);
	struct space_usage usage = {0};
	struct region_info all = {.flags = 0}, region;

	if (!space) {
		text->err = -ESRCH; /* as Linux */
		return;
	}
	for (vaddr_t from = 0;
	     space_next_usage(space, from, &region, region.name, sizeof(region.name), &usage);
	     from = region.end) {
		all.start = all.start ? all.start : region.start;
		all.end = region.end;
	}
	space_put(space);
	proc_add_region(text, &all, "[rollup]");
	add_usage(text, &usage);
	add_kib(text, "Pss_Anon:", usage.proportional_anonymous_bytes / KIB);
	add_kib(text, "Pss_File:", usage.proportional_file_bytes / KIB);
	add_kib(text, "Pss_Shmem:", usage.proportional_shmem_bytes / KIB);
	add_kinds(text, &usage);
}
