/*
 * POSIX message queues, of which ipc/mqueue/ knows all but their files.
 */
#ifndef KERNEL_MQUEUE_MQUEUE_H
#define KERNEL_MQUEUE_MQUEUE_H

/* Makes the file system known and mounts it on /dev/mqueue. */
void mqueue_init(void);

#endif
