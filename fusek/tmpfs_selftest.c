/*
 * Self-tests of tmpfs through the calls by name, in a directory of their own below /tmp, which each
 * test makes and takes away again. The last one races walks against renames.
 */
#include <arch/clock.h>
#include <fusek/file.h>
#include <fusek/mount.h>
#include <lib/selftest.h>
#include <lib/string.h>
#include <mm/kva.h>
#include <mm/slab.h>
#include <sched/thread.h>
#include <sched/wait.h>

#define HERE "/tmp/.selftest"

static bool begin(struct vfs_context *context)
{
	*context = vfs_kernel_context();
	return vfs_mkdir(context, NULL, HERE, 0700) == 0;
}

static void end(const struct vfs_context *context)
{
	selftest_check(vfs_unlink(context, NULL, HERE, AT_REMOVEDIR) == 0);
}

static bool write_text(const struct vfs_context *context, const char *name, const char *text)
{
	struct object *object;
	bool done;

	if (vfs_open(context, NULL, name, O_CREAT | O_TRUNC | O_WRONLY, 0644, &object))
		return false;
	done = object_write_kernel(object, text, strlen(text)) == (ssize_t)strlen(text);
	object_put(object);
	return done;
}

static bool text_is(const struct vfs_context *context, const char *name, const char *text)
{
	struct object *object;
	char found[64];
	ssize_t len_bytes;

	if (vfs_open(context, NULL, name, O_RDONLY, 0, &object))
		return false;
	len_bytes = object_read_kernel(object, found, sizeof(found), 0);
	object_put(object);
	return len_bytes == (ssize_t)strlen(text) && memcmp(found, text, strlen(text)) == 0;
}

static err_t remove_file(const struct vfs_context *context, const char *name)
{
	return vfs_unlink(context, NULL, name, 0);
}

static err_t stat_of(const struct vfs_context *context, const char *name, struct abi_stat *out)
{
	return vfs_stat(context, NULL, name, AT_SYMLINK_NOFOLLOW, out);
}

SELFTEST(tmpfs_file_holds_what_was_written)
{
	struct vfs_context context;
	struct abi_stat stat;

	if (!selftest_check(begin(&context)))
		return;
	selftest_check(write_text(&context, HERE "/file", "first"));
	selftest_check(text_is(&context, HERE "/file", "first"));
	selftest_check(write_text(&context, HERE "/file", "2nd"));
	selftest_check(text_is(&context, HERE "/file", "2nd"));
	selftest_check(stat_of(&context, HERE "/file", &stat) == 0);
	selftest_check(stat.st_size == 3 && stat.st_nlink == 1);
	selftest_check(remove_file(&context, HERE "/file") == 0);
	selftest_check(stat_of(&context, HERE "/file", &stat) == -ENOENT);
	end(&context);
}

SELFTEST(tmpfs_sparse_file_reads_zeros)
{
	struct vfs_context context;
	struct object *object;
	struct abi_stat stat;
	uint64_t position;
	char bytes[4];

	if (!selftest_check(begin(&context)))
		return;
	if (selftest_check(vfs_open(&context, NULL, HERE "/sparse", O_CREAT | O_RDWR, 0600,
				    &object) == 0)) {
		selftest_check(object_seek(object, 3l << 30, SEEK_SET, &position) == 0);
		selftest_check(object_write_kernel(object, "end", 3) == 3);
		selftest_check(object_stat(object, &stat) == 0);
		selftest_check(stat.st_size == (3l << 30) + 3 && stat.st_blocks < 100);
		selftest_check(object_read_kernel(object, bytes, 4, (3l << 30) - 1) == 4);
		selftest_check(memcmp(bytes, "\0end", 4) == 0);
		selftest_check(object_truncate(object, 1) == 0);
		selftest_check(object_truncate(object, 3l << 30) == 0);
		selftest_check(object_stat(object, &stat) == 0 && stat.st_blocks == 0);
		object_put(object);
	}
	selftest_check(remove_file(&context, HERE "/sparse") == 0);
	end(&context);
}

SELFTEST(tmpfs_removed_file_lives_while_open)
{
	struct vfs_context context;
	struct object *object;
	struct abi_stat stat;
	char bytes[5];

	if (!selftest_check(begin(&context)))
		return;
	selftest_check(write_text(&context, HERE "/file", "alive"));
	if (selftest_check(vfs_open(&context, NULL, HERE "/file", O_RDONLY, 0, &object) == 0)) {
		selftest_check(remove_file(&context, HERE "/file") == 0);
		selftest_check(object_stat(object, &stat) == 0 && stat.st_nlink == 0);
		selftest_check(object_read_kernel(object, bytes, 5, 0) == 5);
		selftest_check(memcmp(bytes, "alive", 5) == 0);
		object_put(object);
	}
	end(&context);
}

SELFTEST(tmpfs_rename_rules)
{
	struct vfs_context context;

	if (!selftest_check(begin(&context)))
		return;
	selftest_check(vfs_mkdir(&context, NULL, HERE "/a", 0700) == 0);
	selftest_check(vfs_mkdir(&context, NULL, HERE "/b", 0700) == 0);
	selftest_check(write_text(&context, HERE "/a/file", "1"));
	selftest_check(write_text(&context, HERE "/other", "2"));
	selftest_check(vfs_rename(&context, NULL, HERE "/a", NULL, HERE "/a/x", 0) == -EINVAL);
	selftest_check(vfs_rename(&context, NULL, HERE "/b", NULL, HERE "/a", 0) == -ENOTEMPTY);
	selftest_check(vfs_rename(&context, NULL, HERE "/a", NULL, HERE "/other", 0) == -ENOTDIR);
	selftest_check(vfs_rename(&context, NULL, HERE "/other", NULL, HERE "/b", 0) == -EISDIR);
	selftest_check(vfs_rename(&context, NULL, HERE "/other", NULL, HERE "/a/file",
				  RENAME_NOREPLACE) == -EEXIST);
	selftest_check(vfs_rename(&context, NULL, HERE "/other", NULL, "/lib/x", 0) == -EXDEV);
	selftest_check(vfs_rename(&context, NULL, HERE "/other", NULL, HERE "/a/file",
				  RENAME_EXCHANGE) == 0);
	selftest_check(text_is(&context, HERE "/other", "1"));
	selftest_check(vfs_rename(&context, NULL, HERE "/other", NULL, HERE "/a/file", 0) == 0);
	selftest_check(vfs_rename(&context, NULL, HERE "/a", NULL, HERE "/b", 0) == 0);
	selftest_check(text_is(&context, HERE "/b/file", "1"));
	selftest_check(remove_file(&context, HERE "/b/file") == 0);
	selftest_check(vfs_unlink(&context, NULL, HERE "/b", AT_REMOVEDIR) == 0);
	end(&context);
}

SELFTEST(tmpfs_links_count)
{
	struct vfs_context context;
	struct abi_stat stat;

	if (!selftest_check(begin(&context)))
		return;
	selftest_check(write_text(&context, HERE "/one", "shared"));
	selftest_check(vfs_link(&context, NULL, HERE "/one", NULL, HERE "/two", 0) == 0);
	selftest_check(stat_of(&context, HERE "/one", &stat) == 0 && stat.st_nlink == 2);
	selftest_check(vfs_symlink(&context, "two", NULL, HERE "/link") == 0);
	selftest_check(remove_file(&context, HERE "/one") == 0);
	selftest_check(text_is(&context, HERE "/link", "shared"));
	selftest_check(stat_of(&context, HERE "/link", &stat) == 0 && S_ISLNK(stat.st_mode));
	selftest_check(remove_file(&context, HERE "/two") == 0);
	selftest_check(!text_is(&context, HERE "/link", "shared"));
	selftest_check(remove_file(&context, HERE "/link") == 0);
	end(&context);
}

SELFTEST(tmpfs_directory_must_be_empty)
{
	struct vfs_context context;
	struct abi_stat stat;

	if (!selftest_check(begin(&context)))
		return;
	selftest_check(vfs_mkdir(&context, NULL, HERE "/d", 0700) == 0);
	selftest_check(vfs_mkdir(&context, NULL, HERE "/d/e", 0700) == 0);
	selftest_check(stat_of(&context, HERE "/d", &stat) == 0 && stat.st_nlink == 3);
	selftest_check(vfs_unlink(&context, NULL, HERE "/d", AT_REMOVEDIR) == -ENOTEMPTY);
	selftest_check(vfs_unlink(&context, NULL, HERE "/d", 0) == -EISDIR);
	selftest_check(vfs_unlink(&context, NULL, HERE "/d/e", AT_REMOVEDIR) == 0);
	selftest_check(vfs_unlink(&context, NULL, HERE "/d", AT_REMOVEDIR) == 0);
	end(&context);
}

/* What a program can make without end is counted: names, and what links lead to. */
SELFTEST(tmpfs_names_and_targets_take_room)
{
	struct abi_statfs before, with, after;
	struct vfs_context context;
	char target[200];

	if (!selftest_check(begin(&context)))
		return;
	memset(target, 'x', sizeof(target) - 1);
	target[sizeof(target) - 1] = 0;
	selftest_check(write_text(&context, HERE "/a", ""));
	selftest_check(vfs_statfs(&context, NULL, HERE, 0, &before) == 0);
	selftest_check(vfs_link(&context, NULL, HERE "/a", NULL, HERE "/b", 0) == 0);
	selftest_check(vfs_symlink(&context, target, NULL, HERE "/c") == 0);
	selftest_check(vfs_symlink(&context, "short", NULL, HERE "/d") == 0);
	selftest_check(vfs_statfs(&context, NULL, HERE, 0, &with) == 0);
	selftest_check(before.f_ffree - with.f_ffree == 3);
	selftest_check(before.f_bfree - with.f_bfree == 1);
	selftest_check(remove_file(&context, HERE "/a") == 0);
	selftest_check(remove_file(&context, HERE "/c") == 0);
	selftest_check(remove_file(&context, HERE "/d") == 0);
	selftest_check(vfs_statfs(&context, NULL, HERE, 0, &after) == 0);
	selftest_check(after.f_ffree == before.f_ffree && after.f_bfree == before.f_bfree);
	selftest_check(remove_file(&context, HERE "/b") == 0);
	end(&context);
}

SELFTEST(tmpfs_mapped_page_is_the_file)
{
	const struct object_map_request request = {
		.len_bytes = PAGE_SIZE, .shared = true, .write = true};
	struct vfs_context context;
	struct memory_object *memory;
	struct page_ref page;
	struct object *object;

	if (!selftest_check(begin(&context)))
		return;
	selftest_check(write_text(&context, HERE "/file", "mapped"));
	if (selftest_check(vfs_open(&context, NULL, HERE "/file", O_RDWR, 0, &object) == 0)) {
		if (selftest_check(object_map(object, &request, &memory) == 0)) {
			selftest_check(memory->ops->get_page(memory, 0, FAULT_WRITE | FAULT_SHARED,
							     &page) == 0);
			memcpy(phys_to_virt(page.phys), "M", 1);
			frame_put(page.frame);
			memory_object_put(memory);
		}
		object_put(object);
	}
	selftest_check(text_is(&context, HERE "/file", "Mapped"));
	selftest_check(remove_file(&context, HERE "/file") == 0);
	end(&context);
}

/* ---- walks against renames ---- */

struct racer {
	struct thread thread;
	vaddr_t stack;
	bool ended;        /* atomic */
	uint64_t nfound;   /* the racer, then who joined it */
	uint64_t nstrange; /* answers that neither side of a rename explains */
};

static bool race_over; /* atomic */
static WAITQ(race_joiners);

static void race_walk(void *argument)
{
	const struct vfs_context context = vfs_kernel_context();
	struct racer *racer = argument;

	while (!read_once(&race_over)) {
		struct abi_stat stat;
		err_t here = stat_of(&context, HERE "/a/file", &stat);
		err_t there = stat_of(&context, HERE "/b/file", &stat);

		racer->nfound += !here + !there;
		racer->nstrange += (here && here != -ENOENT) || (there && there != -ENOENT);
		thread_yield();
	}
}

static void racer_released(struct thread *thread)
{
	store_release(&container_of(thread, struct racer, thread)->ended, true);
	waitq_wake_all(&race_joiners);
}

static bool racer_start(struct racer *racer)
{
	racer->stack = stack_alloc();
	if (!racer->stack)
		return false;
	thread_init(&racer->thread,
		    &(struct thread_params){.name = "selftest",
					    .entry = race_walk,
					    .argument = racer,
					    .stack_base = racer->stack,
					    .stack_top = racer->stack + KERNEL_STACK_BYTES,
					    .policy = POLICY_OTHER,
					    .release = racer_released});
	thread_start(&racer->thread);
	return true;
}

static void racer_join(struct racer *racer)
{
	wait_event(&race_joiners, load_acquire(&racer->ended));
	stack_free(racer->stack);
	selftest_check(racer->nstrange == 0);
}

SELFTEST(names_walk_while_they_are_renamed)
{
	static struct racer racers[2];
	struct vfs_context context;
	unsigned nstarted = 0;
	uint64_t until_ns;

	if (!selftest_check(begin(&context)))
		return;
	selftest_check(vfs_mkdir(&context, NULL, HERE "/a", 0700) == 0);
	selftest_check(write_text(&context, HERE "/a/file", "x"));
	write_once(&race_over, false);
	for (unsigned i = 0; i < ARRAY_SIZE(racers); i++) {
		racers[i] = (struct racer){0};
		if (!selftest_check(racer_start(&racers[i])))
			break;
		nstarted++;
	}
	until_ns = clock_ns() + 20 * NSEC_PER_MSEC;
	while (clock_ns() < until_ns) {
		selftest_check(vfs_rename(&context, NULL, HERE "/a", NULL, HERE "/b", 0) == 0);
		thread_yield();
		selftest_check(vfs_rename(&context, NULL, HERE "/b", NULL, HERE "/a", 0) == 0);
		thread_yield();
	}
	write_once(&race_over, true);
	for (unsigned i = 0; i < nstarted; i++)
		racer_join(&racers[i]);
	selftest_check(nstarted && racers[0].nfound > 0);
	selftest_check(text_is(&context, HERE "/a/file", "x"));
	selftest_check(remove_file(&context, HERE "/a/file") == 0);
	selftest_check(vfs_unlink(&context, NULL, HERE "/a", AT_REMOVEDIR) == 0);
	end(&context);
}
