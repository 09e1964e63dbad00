/*
 * What a program can know of Fuselage when it is compiled.
 *
 * Calls that Linux has too keep Linux's numbers and live in musl and <sys/syscall.h>. Fuselage's
 * own are numbered from FUSELAGE_SYSCALL_FIRST up, where Linux has none: <fuselage/syscall.h>.
 */
#ifndef FUSELAGE_VERSION_H
#define FUSELAGE_VERSION_H

#define FUSELAGE_VERSION_MAJOR 0
#define FUSELAGE_VERSION_MINOR 1

#define FUSELAGE_SYSCALL_FIRST 1024

#endif
