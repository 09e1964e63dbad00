/*
 * Capabilities of threads: how they follow from ids and programs, and who has which. Pure rules on
 * struct credentials, which belongs to the running thread.
 */
#ifndef KERNEL_PROCESS_CAPABILITY_H
#define KERNEL_PROCESS_CAPABILITY_H

#include "../process.h"

#include <abi/capability.h>
#include <ipc/user_namespace.h>

/* Has the running thread this capability, over all that there is only one of? The kernel's own
 * threads have all, here and below. */
bool capable(unsigned capability);
/* Over what belongs to a user namespace: that has the thread's own, or one below it; or the thread
 * made it, or one above it, in its own. */
bool capable_in(const struct user_namespace *over, unsigned capability);
/* Over a process: what belongs to the namespace that it is in. */
bool capable_over(const struct process *process, unsigned capability);
/* The same as capable_in() for whoever has these credentials. */
bool credentials_capable(const struct credentials *ids, const struct user_namespace *over,
			 unsigned capability);
/* `ids` may do nothing that `before` might not. */
bool credentials_are_within(const struct credentials *ids, const struct credentials *before);

/* What the kernel gives to the programs that it starts: user 0 with all. */
struct credentials credentials_of_user_0(void);
/* Other ids were set than `before` had: what that takes and gives. */
void credentials_ids_changed(struct credentials *ids, const struct credentials *before);
/* What access(2) looks at: those that the real user would have. */
uint64_t credentials_real_capabilities(const struct credentials *ids);
/* As credentials_ids_changed(), for the user that files are looked at as. */
void credentials_fs_user_changed(struct credentials *ids, uint32_t before);
/* A program is executed with these ids. `set_id`: its file has set one of them, `before` is who
 * executes. True: its libraries shall trust nothing from outside (AT_SECURE). */
bool credentials_execute(struct credentials *ids, const struct credentials *before, bool set_id);

/* prctl's part. -ENODATA: not one of its operations. */
int64_t capability_prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

#endif
