/*
 * A filesystem driver on the raw protocol, as small as one can be: one thread that answers at once
 * from what it holds, so that what a row measures is the kernel's way to a driver and back. It
 * runs in a process of its own.
 *
 * DRIVER_FRESH   of which nothing may be remembered, and whose pages are not cached
 * DRIVER_CACHED  names, attributes and pages may be kept for ever
 * DRIVER_COLD    as DRIVER_CACHED, but each open forgets the pages
 * DRIVER_FOLDER  a directory of DRIVER_NAMES files
 * Any other name does not exist until it is created; one such file at a time.
 */
#ifndef BENCH_DRIVER_H
#define BENCH_DRIVER_H

#define DRIVER_FRESH      "fresh"
#define DRIVER_CACHED     "cached"
#define DRIVER_COLD       "cold"
#define DRIVER_FOLDER     "folder"
#define DRIVER_NAMES      100
#define DRIVER_FILE_BYTES (1UL << 20)
#define DRIVER_CHUNK      (128UL << 10) /* the most that a READ or WRITE may carry */

/* With DRIVER_NO_OPEN it answers OPEN with ENOSYS: the kernel need not ask again. With
 * DRIVER_NATIVE it answers and waits by one call (<fuselage/fuse.h>). */
enum { DRIVER_NO_OPEN = 1, DRIVER_NATIVE = 2 };

/*
 * Mounts the filesystem at `directory`, which is made where it is missing, and starts its driver,
 * which ends when it is unmounted. 0 or a negative errno.
 */
long driver_start(const char *directory, unsigned flags);

#endif
