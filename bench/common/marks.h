/*
 * The marks between which qemu/split.c counts: two instructions that do nothing and that no
 * compiler writes, a long `nop` (Intel SDM, volume 2, NOP) with a displacement of our own.
 */
#ifndef BENCH_MARKS_H
#define BENCH_MARKS_H

#define BENCH_MARK_BYTES 8
#define BENCH_MARK_BEGIN 0x0f, 0x1f, 0x84, 0x00, 0x46, 0x55, 0x53, 0x45
#define BENCH_MARK_END   0x0f, 0x1f, 0x84, 0x00, 0x4c, 0x41, 0x47, 0x45

#define BENCH_MARK(...)    BENCH_MARK_OF(__VA_ARGS__)
#define BENCH_MARK_OF(...) __asm__ volatile(".byte " #__VA_ARGS__)

#endif
