/*
 * The rows of fuse.c and fuse_native.c, which differ in the way that their driver takes.
 */
#ifndef BENCH_FUSE_ROWS_H
#define BENCH_FUSE_ROWS_H

/* A program's main(); `flags` are driver_start()'s. */
int fuse_rows_main(const char *family, unsigned flags, int argc, char **argv);

#endif
