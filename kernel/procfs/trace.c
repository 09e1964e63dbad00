/*
 * What only who may trace a process is shown: its memory, and the call that a thread is in.
 */
#include "procfs.h"

#include "../memory/memory.h"
#include "../process/inspect.h"

#include <abi/errno.h>
#include <mm/space.h>

/* As Linux: a debugger's way, which rights of pages do not stop. */
ssize_t proc_process_mem(const struct proc_subject *subject, struct buffer *buffer,
			 uint64_t offset_bytes, bool is_write)
{
	struct space *space = process_space_get(subject->process);
	ssize_t done;

	if (!space)
		return 0; /* it has ended */
	done = memory_move(space, offset_bytes, buffer,
			   MEMORY_MOVE_FORCE | (is_write ? MEMORY_MOVE_WRITE : 0));
	space_put(space);
	return done == -EFAULT ? -EIO : done;
}

void proc_process_syscall(struct text *text, const struct proc_subject *subject)
{
	struct process_call call;
	err_t err = process_call(subject->process, subject->tid, &call);

	if (err) {
		text->err = err;
	} else if (call.is_running) {
		text_add(text, "running\n");
	} else if (call.number < 0) {
		text_add(text, "-1 0x%lx 0x%lx\n", call.sp, call.ip);
	} else {
		text_add(text, "%ld", call.number);
		for (unsigned i = 0; i < ARRAY_SIZE(call.arguments); i++)
			text_add(text, " 0x%lx", call.arguments[i]);
		text_add(text, " 0x%lx 0x%lx\n", call.sp, call.ip);
	}
}
