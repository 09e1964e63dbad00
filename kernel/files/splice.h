/*
 * What splice(2) keeps.
 */
#ifndef KERNEL_FILES_SPLICE_H
#define KERNEL_FILES_SPLICE_H

/* Once, before memory is taken back: memory_register_reclaimer(). */
void splice_init(void);

#endif
