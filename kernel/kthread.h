/*
 * Threads of the kernel's own that are made while it runs: memory and stack come from here and go
 * back when the thread ends.
 */
#ifndef KERNEL_KTHREAD_H
#define KERNEL_KTHREAD_H

#include <lib/types.h>

struct thread;

/* Starts a thread that calls entry(argument) and ends when that returns. *out (may be NULL) names
 * it until it ends. -ENOMEM. */
err_t must_check kthread_start(const char *name, void (*entry)(void *argument), void *argument,
			       struct thread **out);

/* The same without starting it: thread_start() does, from then on *out is as above. */
err_t must_check kthread_create(const char *name, void (*entry)(void *argument), void *argument,
				struct thread **out);

/* Before the first program starts. -ENOMEM. */
err_t must_check thread_memory_init(void);
/* A thread's memory: struct, stack and, for one that will run programs, the FPU's registers. */
struct thread_memory *thread_memory_alloc(bool with_fpu);
struct thread *thread_memory_thread(struct thread_memory *memory);
vaddr_t thread_memory_stack(const struct thread_memory *memory);
void *thread_memory_fpu(const struct thread_memory *memory);
/* The one that holds `thread`. */
struct thread_memory *thread_memory_of(struct thread *thread);
/* Not from the thread itself. */
void thread_memory_free(struct thread_memory *memory);
/* Calls function(thread) from a task, when the thread's stack is no longer in use: for its release.
 * The function must not sleep; it may free the memory. */
void thread_memory_defer(struct thread *thread, void (*function)(struct thread *thread));

#endif
