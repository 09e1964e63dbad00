/*
 * Starts the threads that serve devices. Owns nothing: struct and stack are never given back.
 */
#include "service.h"

#include <lib/panic.h>
#include <mm/kva.h>

void service_start(struct thread *thread, const char *name, void (*entry)(void *argument),
		   void *argument)
{
	vaddr_t stack = stack_alloc();

	if (!stack)
		panic("no memory for the stack of the thread '%s'", name);
	thread_init(thread, &(struct thread_params){
				    .name = name,
				    .entry = entry,
				    .argument = argument,
				    .stack_base = stack,
				    .stack_top = stack + KERNEL_STACK_BYTES,
				    .policy = POLICY_FIFO,
				    .priority = SERVICE_PRIORITY,
			    });
	thread_start(thread);
}
