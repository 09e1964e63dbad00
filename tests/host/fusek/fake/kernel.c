/*
 * What the filesystem layer needs of the kernel below it, for host tests: one thread, memory from
 * malloc() (so that ASan watches over it), frames from an arena. Freeing by RCU happens at once,
 * which is the strictest that can be: nobody may touch what he has given up.
 */
#include "kernel.h"

#include <arch/clock.h>
#include <arch/paging.h>
#include <arch/spin.h>
#include <arch/user.h>
#include <fusek/by_clock.h>
#include <fusek/driver.h>
#include <fusek/mount.h>
#include <fusek/server.h>
#include <ipc/epoll.h>
#include <lib/log.h>
#include <lib/panic.h>
#include <mm/commit.h>
#include <mm/frame.h>
#include <mm/kva.h>
#include <mm/lend.h>
#include <mm/object.h>
#include <mm/pressure.h>
#include <mm/slab.h>
#include <sched/lock.h>
#include <sched/rcu.h>
#include <sched/wait.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NFRAMES (FAKE_MEMORY_BYTES / PAGE_SIZE)

uint32_t fake_preempt_depth;
char *fake_memory;
char fake_frame_table[NFRAMES * sizeof(struct frame)] __attribute__((aligned(64)));
char fake_log[FAKE_LOG_BYTES];
unsigned fake_locks_held;
uint64_t fake_bad_address;
uint64_t fake_live_blocks;
uint64_t fake_frames_left = NFRAMES;
int64_t fake_committed_pages;
uint64_t fake_fail_allocation_after = UINT64_MAX;

static uint64_t next_frame; /* below: taken or on the free list */
static struct frame *free_frames;

void fake_init(void)
{
	fake_memory = aligned_alloc(PAGE_SIZE, FAKE_MEMORY_BYTES);
	fake_log[0] = 0;
}

/* ---- messages ---- */

static void add_to_log(const char *format, va_list arguments)
{
	size_t used = strlen(fake_log);

	vsnprintf(fake_log + used, sizeof(fake_log) - used, format, arguments);
}

void log_emit(enum log_level level, const char *subsystem, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_to_log(format, arguments);
	va_end(arguments);
}

void log_emit_limited(struct log_limit *limit, enum log_level level, const char *subsystem,
		      const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_to_log(format, arguments);
	va_end(arguments);
}

noreturn void panic(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	abort();
}

/* ---- locks: one thread, so a lock that is taken twice would be a deadlock ---- */

void spin_debug_acquire(const struct spinlock *lock, bool try)
{
	assert(lock->next == lock->serving);
	assert(lock->class >= LOCK_FIRST_SPIN);
}

void spin_debug_release(const struct spinlock *lock)
{
	assert(lock->next != lock->serving);
}

void spin_wait(struct spinlock *lock, uint16_t ticket)
{
	panic("a spinlock is taken twice");
}

void mutex_init(struct mutex *mutex, enum lock_class class)
{
	*mutex = (struct mutex){.class = class};
}

static uint32_t held_classes[16];

void mutex_lock(struct mutex *mutex)
{
	assert(fake_preempt_depth == 0);
	assert(mutex->owner == 0);
	assert(mutex->class < LOCK_FIRST_SPIN);
	for (unsigned i = 0; i < fake_locks_held; i++)
		assert(held_classes[i] < mutex->class);
	held_classes[fake_locks_held++] = mutex->class;
	mutex->owner = 2;
}

bool mutex_trylock(struct mutex *mutex)
{
	if (mutex->owner)
		return false;
	mutex_lock(mutex);
	return true;
}

err_t mutex_lock_killable(struct mutex *mutex)
{
	mutex_lock(mutex);
	return 0;
}

void mutex_unlock(struct mutex *mutex)
{
	assert(mutex->owner == 2);
	assert(held_classes[fake_locks_held - 1] == mutex->class);
	fake_locks_held--;
	mutex->owner = 0;
}

/* ---- the one thread, which cannot sleep: what would wake it happens in fake_block() ---- */

int32_t fake_caller_pid = 1;
uint32_t fake_caller_uid;
unsigned fake_pending;
void (*fake_block)(void);

uint64_t fake_file_limit_bytes = UINT64_MAX;
unsigned fake_limits_met;

uint64_t file_limit_bytes(void)
{
	return fake_file_limit_bytes;
}

void file_limit_met(void)
{
	fake_limits_met++;
}

struct server_caller server_caller_current(void)
{
	return (struct server_caller){
		.uid = fake_caller_uid, .gid = fake_caller_uid, .pid = fake_caller_pid};
}

uint64_t server_caller_capabilities(uint64_t *own)
{
	const uint64_t all = fake_caller_uid ? 0 : UINT64_MAX;

	if (own)
		*own = all;
	return all;
}

bool thread_killed(void)
{
	return fake_pending & THREAD_KILLED;
}

bool thread_interrupted(void)
{
	return fake_pending != 0;
}

void waitq_init(struct waitq *queue)
{
	*queue = (struct waitq)WAITQ_INIT(*queue);
}

bool waitq_wake_one(struct waitq *queue)
{
	return false;
}

struct waitq *fake_woken;

void waitq_wake_all_events(struct waitq *queue, unsigned events)
{
	fake_woken = queue;
}

/* Nobody asks for signals. */
void async_forget(struct object *object)
{
	panic("%p has an owner", object);
}

void async_tell_slowly(struct object *object, int fd, unsigned event)
{
	panic("%p has an owner, who would be told of %#x at %d", object, event, fd);
}

/* There is no epoll here, so nothing has entries. */
void epoll_forget(struct object *object)
{
	panic("%p is watched by an epoll", object);
}

void waitq_prepare(struct waitq *queue, struct wait_entry *entry)
{
	entry->queued = true;
}

err_t thread_wait(unsigned end_on, uint64_t deadline_ns)
{
	assert(fake_preempt_depth == 0);
	if (fake_pending & end_on)
		return -EINTR;
	if (fake_now_ns >= deadline_ns)
		return -ETIMEDOUT;
	if (!fake_block)
		panic("the thread would sleep for ever");
	fake_block();
	return 0;
}

void thread_wake(struct thread *thread)
{
}

err_t thread_wait_switch(unsigned end_on, struct thread *partner, struct spinlock *held)
{
	spin_unlock(held);
	return thread_wait(end_on, UINT64_MAX);
}

err_t waitq_block(struct waitq *queue, struct wait_entry *entry, unsigned end_on,
		  uint64_t deadline_ns)
{
	return thread_wait(end_on, deadline_ns);
}

void waitq_finish(struct waitq *queue, struct wait_entry *entry)
{
	entry->queued = false;
}

void rcu_call(struct rcu_head *head, void (*function)(struct rcu_head *head))
{
	assert(fake_preempt_depth == 0);
	function(head);
}

void rcu_synchronize(void)
{
	assert(fake_preempt_depth == 0);
}

void rcu_barrier(void)
{
}

/* ---- memory ---- */

void *kvmalloc(size_t bytes)
{
	if (fake_fail_allocation_after == 0)
		return NULL;
	fake_fail_allocation_after--;
	fake_live_blocks++;
	return malloc(bytes);
}

void *kmalloc(size_t bytes)
{
	assert(bytes <= KMALLOC_MAX);
	return kvmalloc(bytes);
}

void *kzalloc(size_t bytes)
{
	void *block = kmalloc(bytes);

	if (block)
		memset(block, 0, bytes);
	return block;
}

void kfree(void *block)
{
	if (block)
		fake_live_blocks--;
	free(block);
}

void kvfree(void *block, size_t len_bytes)
{
	kfree(block);
}

uint64_t fake_unmapped_first, fake_unmapped_end;
bool fake_unmapped_copies;

/* Tests look at the clock themselves. */
err_t vfs_start_clock(void (*main)(void *argument))
{
	return 0;
}

err_t thread_sleep_ns(uint64_t duration_ns)
{
	fake_now_ns += duration_ns;
	return 0;
}

/* Nobody here has a space of its own: all is copied. */
struct space *vfs_space(void)
{
	return NULL;
}

bool space_is_elsewhere(const struct space *space)
{
	return false;
}

uint32_t space_give_frames(struct space *space, vaddr_t address, struct frame *const *frames,
			   uint32_t npages, bool shared)
{
	return 0;
}

void space_drop_frames(struct space *space, vaddr_t address, uint32_t npages)
{
	(void)space;
	(void)address;
	(void)npages;
}

uint32_t space_lend_frames(struct space *space, vaddr_t address, struct frame **frames,
			   uint32_t npages)
{
	return 0;
}

uint32_t space_hold_frames(struct space *space, vaddr_t address, struct frame **frames,
			   uint32_t npages)
{
	return 0;
}

void mapped_places_unmap(struct mapped_places *places, uint64_t first, uint64_t end,
			 bool copies_too)
{
	assert(fake_preempt_depth == 0);
	for (unsigned i = 0; i < fake_locks_held; i++)
		assert(held_classes[i] < LOCK_SPACE);
	fake_unmapped_first = first;
	fake_unmapped_end = end;
	fake_unmapped_copies = copies_too;
}

struct frame *fake_mapped;
bool fake_mapped_is_used;

void mapped_places_reclaim(struct mapped_places *places, uint64_t first, uint64_t end,
			   bool used_too)
{
	assert(fake_preempt_depth == 0 && fake_locks_held == 0);
	if (!fake_mapped || (fake_mapped_is_used && !used_too))
		return;
	frame_put(fake_mapped);
	fake_mapped = NULL;
}

void *slab_alloc(struct slab_cache *cache)
{
	if (cache->align_bytes <= 16)
		return kmalloc(cache->object_bytes);
	if (fake_fail_allocation_after == 0)
		return NULL;
	fake_fail_allocation_after--;
	fake_live_blocks++;
	return aligned_alloc(cache->align_bytes, ALIGN_UP(cache->object_bytes, cache->align_bytes));
}

void *slab_alloc_zeroed(struct slab_cache *cache)
{
	void *block = slab_alloc(cache);

	if (block)
		memset(block, 0, cache->object_bytes);
	return block;
}

void slab_free(struct slab_cache *cache, void *block)
{
	kfree(block);
}

uint64_t frames_total(void)
{
	return NFRAMES;
}

err_t commit_check(uint64_t npages)
{
	return npages > NFRAMES ? -ENOMEM : 0;
}

void commit_add(int64_t npages)
{
	fake_committed_pages += npages;
}

uint64_t frames_free(void)
{
	return fake_frames_left;
}

/* Nobody is there who could give some back. */
err_t memory_wait(struct memory_wait *wait)
{
	return -ENOMEM;
}

err_t frame_alloc_waiting(unsigned flags, struct frame **out)
{
	*out = frame_alloc(0, flags);
	return *out ? 0 : -ENOMEM;
}

void memory_register_reclaimer(struct memory_reclaimer *reclaimer)
{
}

struct frame *frame_alloc(unsigned order, unsigned flags)
{
	struct frame *frame = free_frames;

	assert(order == 0);
	if (frame)
		free_frames = frame->owner;
	else if (next_frame < NFRAMES)
		frame = FRAME_TABLE + next_frame++;
	else
		return NULL;
	fake_frames_left--;
	frame->refs = 1;
	memset(frame_virt(frame), (flags & FRAME_ZERO) ? 0 : 0xa5, PAGE_SIZE);
	return frame;
}

void frame_put(struct frame *frame)
{
	assert(frame->refs > 0);
	if (--frame->refs)
		return;
	memset(frame_virt(frame), 0x5a, PAGE_SIZE);
	frame->owner = free_frames;
	free_frames = frame;
	fake_frames_left++;
}

paddr_t fake_memory_take(size_t len_bytes)
{
	paddr_t start = next_frame * PAGE_SIZE;

	next_frame += (len_bytes + PAGE_MASK) / PAGE_SIZE;
	fake_frames_left -= (len_bytes + PAGE_MASK) / PAGE_SIZE;
	assert(next_frame < NFRAMES);
	return start;
}

bool kernel_translate(vaddr_t address, paddr_t *out)
{
	*out = address - (vaddr_t)fake_memory;
	return true;
}

/* ---- programs' memory: the test's own, but for one address that faults ---- */

bool user_range_ok(uptr_t address, size_t len_bytes)
{
	return address.value + len_bytes >= address.value;
}

static size_t bytes_before_fault(uint64_t address, size_t len_bytes)
{
	if (fake_bad_address && fake_bad_address >= address &&
	    fake_bad_address - address < len_bytes)
		return fake_bad_address - address;
	return len_bytes;
}

size_t user_copy_in_partial(void *to, uptr_t from, size_t len_bytes)
{
	size_t good = bytes_before_fault(from.value, len_bytes);

	memcpy(to, (const void *)from.value, good);
	return len_bytes - good;
}

size_t user_copy_out_partial(uptr_t to, const void *from, size_t len_bytes)
{
	size_t good = bytes_before_fault(to.value, len_bytes);

	memcpy((void *)to.value, from, good);
	return len_bytes - good;
}

size_t user_copy_out_no_fault(uptr_t to, const void *from, size_t len_bytes)
{
	return user_copy_out_partial(to, from, len_bytes);
}

err_t user_clear(uptr_t to, size_t len_bytes)
{
	size_t good = bytes_before_fault(to.value, len_bytes);

	memset((void *)to.value, 0, good);
	return good < len_bytes ? -EFAULT : 0;
}

err_t user_copy_in(void *to, uptr_t from, size_t len_bytes)
{
	return user_copy_in_partial(to, from, len_bytes) ? -EFAULT : 0;
}

err_t user_copy_out(uptr_t to, const void *from, size_t len_bytes)
{
	return user_copy_out_partial(to, from, len_bytes) ? -EFAULT : 0;
}

/* ---- time ---- */

uint64_t fake_now_ns = 1000;

uint64_t clock_ns(void)
{
	return fake_now_ns;
}

uint64_t clock_wall_ns(void)
{
	return UINT64_C(1700000000) * NSEC_PER_SEC + fake_now_ns;
}

/* ---- FIFOs: only their names are tested ---- */

struct file;
struct object;
struct pipe;
err_t fifo_open_file(struct file *file, unsigned flags);
struct object *fifo_end(struct object *object);
void fifo_put(struct pipe *pipe);

err_t fifo_open_file(struct file *file, unsigned flags)
{
	return -EOPNOTSUPP;
}

struct object *fifo_end(struct object *object)
{
	return NULL;
}

void fifo_put(struct pipe *pipe)
{
}

/* ---- programs: there are none ---- */

void vfs_replace_root(const struct path *old, const struct path *fresh)
{
}
