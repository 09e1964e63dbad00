/*
 * What the CPU can do, read once by the first CPU, and switched on in each.
 */
#ifndef ARCH_FEATURES_H
#define ARCH_FEATURES_H

/* Reads CPUID and patches SMAP's instructions into the text, which must be writable still. First
 * CPU only. */
void features_detect(void);
/* Sets the control registers and the system call's MSRs of the running CPU. */
void features_enable(void);

#endif
