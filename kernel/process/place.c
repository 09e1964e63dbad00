/*
 * Where a process is in the file tree: root, working directory, umask. Threads share a place
 * (CLONE_FS), and each one has a copy of it with references of its own, which its calls work with;
 * a change raises the place's generation, and a thread that finds its copy older takes a new one.
 * So looking at the own place costs one comparison, and nobody's directory goes away under a walk.
 */
#include "inspect.h"
#include "uthread.h"

#include <fusek/mount.h>
#include <ipc/fdtable.h>
#include <mm/slab.h>

/*
 *   [l] lock
 */
struct place {
	struct refcount references;
	struct spinlock lock;
	uint32_t generation; /* [l] written under it, read by anybody */
	uint32_t nthreads;   /* [l] whose place it is */
	uint32_t umask;      /* [l] */
	struct path root;    /* [l] */
	struct path cwd;     /* [l] */
};

SLAB_CACHE(place_cache, struct place);

struct place *place_create(struct path root, struct path cwd, uint32_t umask)
{
	struct place *place = slab_alloc(&place_cache);

	if (!place)
		return NULL;
	*place = (struct place){.generation = 1, .root = root, .cwd = cwd, .umask = umask};
	refcount_init(&place->references);
	spin_init(&place->lock, LOCK_PLACE);
	return place;
}

struct place *place_get(struct place *place)
{
	refcount_get(&place->references);
	return place;
}

void place_read(struct place *place, struct path *root, struct path *cwd, uint32_t *umask)
{
	spin_lock(&place->lock);
	*root = path_get(&place->root);
	*cwd = path_get(&place->cwd);
	*umask = place->umask;
	spin_unlock(&place->lock);
}

struct place *place_copy(struct place *place)
{
	struct place *copy;
	struct path root;
	struct path cwd;
	uint32_t umask;

	place_read(place, &root, &cwd, &umask);
	copy = place_create(root, cwd, umask);
	if (!copy) {
		path_put(&root);
		path_put(&cwd);
	}
	return copy;
}

void place_put(struct place *place)
{
	if (!refcount_put(&place->references))
		return;
	path_put(&place->root);
	path_put(&place->cwd);
	slab_free(&place_cache, place);
}

bool place_is_shared(struct place *place)
{
	bool shared;

	spin_lock(&place->lock);
	shared = place->nthreads > 1;
	spin_unlock(&place->lock);
	return shared;
}

/* ---- a thread's copy ---- */

static void refresh(struct uthread *uthread)
{
	struct place *place = uthread->place;
	struct path root = uthread->fs.root;
	struct path cwd = uthread->fs.cwd;

	spin_lock(&place->lock);
	uthread->place_generation = place->generation;
	uthread->fs.root = path_get(&place->root);
	uthread->fs.cwd = path_get(&place->cwd);
	uthread->fs.umask = place->umask;
	spin_unlock(&place->lock);
	path_put(&root);
	path_put(&cwd);
}

static void enter(struct place *place)
{
	spin_lock(&place->lock);
	place->nthreads++;
	spin_unlock(&place->lock);
}

static void leave(struct place *place)
{
	spin_lock(&place->lock);
	place->nthreads--;
	spin_unlock(&place->lock);
}

void uthread_set_place(struct uthread *uthread, struct place *place)
{
	enter(place);
	uthread->place = place;
	uthread->fs.root = (struct path){0};
	uthread->fs.cwd = (struct path){0};
	refresh(uthread);
}

void uthread_drop_files(struct uthread *uthread)
{
	struct process *process = uthread->process;
	struct place *place = uthread->place;
	struct fd_table *fds = uthread->fds;
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	uthread->place = NULL;
	uthread->fds = NULL;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	fd_table_put(fds);
	if (!place)
		return;
	leave(place);
	path_put(&uthread->fs.root);
	path_put(&uthread->fs.cwd);
	place_put(place);
}

err_t uthread_unshare_files(void)
{
	struct uthread *self = uthread_current();
	struct fd_table *before = self->fds, *fds;
	irqflags_t flags;
	err_t err;

	if (read_once(&before->references.count) == 1)
		return 0;
	err = fd_table_copy(before, &fds);
	if (err)
		return err;
	flags = spin_lock_irqsave(&self->process->signal_lock);
	self->fds = fds;
	spin_unlock_irqrestore(&self->process->signal_lock, flags);
	fd_table_put(before);
	return 0;
}

err_t uthread_unshare_place(void)
{
	struct uthread *self = uthread_current();
	struct place *before = self->place, *place;
	irqflags_t flags;

	if (!place_is_shared(before))
		return 0;
	place = place_copy(before);
	if (!place)
		return -ENOMEM;
	enter(place);
	flags = spin_lock_irqsave(&self->process->signal_lock);
	self->place = place;
	spin_unlock_irqrestore(&self->process->signal_lock, flags);
	leave(before);
	refresh(self);
	place_put(before);
	return 0;
}

struct vfs_context *uthread_fs(void)
{
	struct uthread *uthread = uthread_current();

	if (unlikely(read_once(&uthread->place->generation) != uthread->place_generation))
		refresh(uthread);
	return &uthread->fs;
}

/* ---- changes ---- */

/* `which` is one of the running thread's place. Its own copy follows at once: one that is kept
 * until the next look would keep a mount busy that the program has left. */
static void set_path(struct place *place, struct path *which, struct path to)
{
	struct path before;

	spin_lock(&place->lock);
	before = *which;
	*which = to;
	write_once(&place->generation, place->generation + 1);
	spin_unlock(&place->lock);
	path_put(&before);
	refresh(uthread_current());
}

void place_set_cwd(struct path cwd)
{
	struct place *place = uthread_current()->place;

	set_path(place, &place->cwd, cwd);
}

void place_set_root(struct path root)
{
	struct place *place = uthread_current()->place;

	set_path(place, &place->root, root);
}

/* Both at once, of a place that nobody else has; the references are taken over. */
static void set_both(struct uthread *uthread, struct path root, struct path cwd)
{
	struct place *place = uthread->place;
	struct path old_root, old_cwd;

	spin_lock(&place->lock);
	old_root = place->root;
	old_cwd = place->cwd;
	place->root = root;
	place->cwd = cwd;
	write_once(&place->generation, place->generation + 1);
	spin_unlock(&place->lock);
	path_put(&old_root);
	path_put(&old_cwd);
	refresh(uthread);
}

void place_follow_mounts(struct uthread *uthread, const struct mount_tree *tree)
{
	struct path root, cwd;
	uint32_t umask;

	place_read(uthread->place, &root, &cwd, &umask);
	mount_tree_follow(tree, &root);
	mount_tree_follow(tree, &cwd);
	set_both(uthread, root, cwd);
}

void place_enter_mounts(struct mount_tree *tree)
{
	struct path root = mount_tree_root(tree);

	set_both(uthread_current(), root, path_get(&root));
}

/* A pair of places, on its way through all threads. */
struct exchange {
	const struct path *old, *fresh;
};

/* The references that it gives up are not the last ones: who asks holds `old`. */
static void exchange_path(struct path *which, const struct exchange *exchange)
{
	if (!path_equal(which, exchange->old))
		return;
	path_put(which);
	*which = path_get(exchange->fresh);
}

static void exchange_in_place(struct place *place, const struct exchange *exchange)
{
	spin_lock(&place->lock);
	if (path_equal(&place->root, exchange->old) || path_equal(&place->cwd, exchange->old)) {
		exchange_path(&place->root, exchange);
		exchange_path(&place->cwd, exchange);
		write_once(&place->generation, place->generation + 1);
	}
	spin_unlock(&place->lock);
}

static void exchange_in_process(struct process *process, const struct exchange *exchange)
{
	int32_t tid = 0;

	while ((tid = pid_next_thread(process, tid))) {
		struct place *place = process_place_of(process, tid);

		if (!place)
			continue; /* it is just ending */
		exchange_in_place(place, exchange);
		place_put(place);
	}
}

/* By rising numbers; who is made meanwhile has a higher one, until the numbers begin again. */
void vfs_replace_root(const struct path *old, const struct path *fresh)
{
	const struct exchange exchange = {.old = old, .fresh = fresh};
	struct process *process = process_find_next(0);

	while (process) {
		int32_t pid = process->pid;

		exchange_in_process(process, &exchange);
		process_put(process);
		process = process_find_next(pid);
	}
}

uint32_t place_set_umask(uint32_t umask)
{
	struct place *place = uthread_current()->place;
	uint32_t before;

	spin_lock(&place->lock);
	before = place->umask;
	place->umask = umask;
	write_once(&place->generation, place->generation + 1);
	spin_unlock(&place->lock);
	return before;
}
