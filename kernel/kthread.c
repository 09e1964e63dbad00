/*
 * Owns the memory of threads that are made at run time. A thread's own end cannot free the stack it
 * stands on: the scheduler calls the release hook from the next thread, and a task gives the memory
 * back.
 */
#define LOG_SUBSYSTEM "thread"
#include "kthread.h"

#include <abi/errno.h>
#include <arch/context.h>
#include <lib/log.h>
#include <lib/panic.h>
#include <mm/kva.h>
#include <mm/slab.h>
#include <sched/task.h>
#include <sched/thread.h>

#define FPU_ALIGN 64ul /* XSAVE: SDM 1, 13.4 */

struct thread_memory {
	struct thread thread;
	struct task reaper; /* after the thread's end */
	void (*deferred)(struct thread *thread);
	vaddr_t stack;
	void *fpu; /* NULL: a kernel thread */
};

SLAB_CACHE(memory_cache, struct thread_memory);
/* States of the size that this machine's CPUs have. Constant after thread_memory_init(). */
static struct slab_cache *fpu_cache;

err_t thread_memory_init(void)
{
	fpu_cache = slab_cache_create("FPU state", fpu_state_bytes(), FPU_ALIGN);
	return fpu_cache ? 0 : -ENOMEM;
}

struct thread_memory *thread_memory_alloc(bool with_fpu)
{
	struct thread_memory *memory = slab_alloc_zeroed(&memory_cache);

	if (!memory)
		return NULL;
	memory->stack = stack_alloc();
	if (!memory->stack)
		goto free_memory;
	if (with_fpu) {
		memory->fpu = slab_alloc(fpu_cache);
		if (!memory->fpu)
			goto free_stack;
		fpu_state_init(memory->fpu);
	}
	return memory;

free_stack:
	stack_free(memory->stack);
free_memory:
	slab_free(&memory_cache, memory);
	return NULL;
}

struct thread *thread_memory_thread(struct thread_memory *memory)
{
	return &memory->thread;
}

vaddr_t thread_memory_stack(const struct thread_memory *memory)
{
	return memory->stack;
}

void *thread_memory_fpu(const struct thread_memory *memory)
{
	return memory->fpu;
}

struct thread_memory *thread_memory_of(struct thread *thread)
{
	return container_of(thread, struct thread_memory, thread);
}

void thread_memory_free(struct thread_memory *memory)
{
	if (!stack_reserve_is_whole(memory->stack))
		log_warn("thread %u (%s) came within %lu bytes of the end of its kernel stack",
			 memory->thread.tid, memory->thread.name, KERNEL_STACK_RESERVE_BYTES);
	slab_free(fpu_cache, memory->fpu);
	stack_free(memory->stack);
	slab_free(&memory_cache, memory);
}

static enum task_poll reaper_poll(struct task *task)
{
	(void)task;
	return TASK_DONE;
}

static void reaper_finished(struct task *task)
{
	struct thread_memory *memory = container_of(task, struct thread_memory, reaper);

	memory->deferred(&memory->thread);
}

void thread_memory_defer(struct thread *thread, void (*function)(struct thread *thread))
{
	struct thread_memory *memory = thread_memory_of(thread);

	memory->deferred = function;
	task_init(&memory->reaper, "reaper", reaper_poll, reaper_finished);
	task_start(&memory->reaper);
}

static void free_thread(struct thread *thread)
{
	thread_memory_free(thread_memory_of(thread));
}

static void kthread_release(struct thread *thread)
{
	thread_memory_defer(thread, free_thread);
}

/* A thread whose maker named no release lies in memory that nobody gives back: those of the start
 * of the machine, which never end. */
void thread_release(struct thread *thread)
{
	(void)thread;
}

err_t kthread_create(const char *name, void (*entry)(void *argument), void *argument,
		     struct thread **out)
{
	struct thread_memory *memory = thread_memory_alloc(false);

	if (!memory)
		return -ENOMEM;
	thread_init(&memory->thread, &(struct thread_params){
					     .name = name,
					     .entry = entry,
					     .argument = argument,
					     .stack_base = memory->stack,
					     .stack_top = memory->stack + KERNEL_STACK_BYTES,
					     .release = kthread_release,
				     });
	*out = &memory->thread;
	return 0;
}

err_t kthread_start(const char *name, void (*entry)(void *argument), void *argument,
		    struct thread **out)
{
	struct thread *thread;
	err_t err = kthread_create(name, entry, argument, &thread);

	if (err)
		return err;
	if (out)
		*out = thread;
	thread_start(thread);
	return 0;
}
