/*
 * The rows of fuse.c, fuse_native.c and libfuse.c, which differ in the way that their driver takes.
 */
#ifndef BENCH_FUSE_ROWS_H
#define BENCH_FUSE_ROWS_H

#define FUSE_ROWS_MOUNT "bench.fuse" /* in /tmp */

/* A program's main() with driver.c's; `flags` are driver_start()'s. */
int fuse_rows_main(const char *family, unsigned flags, int argc, char **argv);

/* The rest of a main() that has mounted a driver of another kind at FUSE_ROWS_MOUNT, which holds
 * what driver.h says of DRIVER_FRESH and DRIVER_FOLDER and has nothing remembered: the rows that
 * ask it. `error`: 0, or why there is none (a negative errno). It ends when it is unmounted. */
int fuse_rows_of(const char *family, long error, int argc, char **argv);

#endif
