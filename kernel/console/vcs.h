/*
 * /dev/vcs, vcsa and vcsu: the consoles' cells as files.
 */
#ifndef KERNEL_CONSOLE_VCS_H
#define KERNEL_CONSOLE_VCS_H

/* Registers them for the consoles that there are. Once, after these. */
void vcs_init(void);

#endif
