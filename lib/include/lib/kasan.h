/*
 * What may be touched and what not, in builds that check every access (preset kasan; elsewhere
 * these calls are nothing). Allocators say so here; the checks are the compiler's calls, which
 * arch/x86_64/sanitize/kasan.c answers.
 *
 * Covered are the direct map and the image. A byte that may not be touched says why.
 */
#ifndef LIB_KASAN_H
#define LIB_KASAN_H

#include <lib/types.h>

/* In the shadow, a byte for eight: 0 all of them, 1 to 7 as many of them, else: none, because. */
enum kasan_reason {
	KASAN_GLOBAL = 0xf9, /* between two variables of the image */
	KASAN_BOUNDS = 0xfa, /* behind an object of the heap */
	KASAN_FREED = 0xfb,  /* a free object */
	KASAN_FRAME = 0xff,  /* a free frame */
};

/* For IS_ON(FUSELAGE_KASAN) alone. */
void kasan_set(const void *start, size_t len_bytes, uint8_t shadow);
void kasan_set_usable(const void *start, size_t len_bytes);
void kasan_check(const void *start, size_t len_bytes, bool write);

/* The start is a multiple of 8; a piece of eight that the range has only in part is taken, too. */
static inline void kasan_forbid(const void *start, size_t len_bytes, enum kasan_reason reason)
{
	if (IS_ON(FUSELAGE_KASAN))
		kasan_set(start, len_bytes, (uint8_t)reason);
}

/* To the byte. */
static inline void kasan_allow(const void *start, size_t len_bytes)
{
	if (IS_ON(FUSELAGE_KASAN))
		kasan_set_usable(start, len_bytes);
}

/* Of a block, the first bytes are an object. */
static inline void kasan_allow_object(const void *block, size_t object_bytes, size_t block_bytes)
{
	if (IS_ON(FUSELAGE_KASAN)) {
		kasan_set(block, block_bytes, KASAN_BOUNDS);
		kasan_set_usable(block, object_bytes);
	}
}

/* For accesses that the compiler does not see, since assembly makes them. */
static inline void kasan_check_read(const void *start, size_t len_bytes)
{
	if (IS_ON(FUSELAGE_KASAN))
		kasan_check(start, len_bytes, false);
}

static inline void kasan_check_write(const void *start, size_t len_bytes)
{
	if (IS_ON(FUSELAGE_KASAN))
		kasan_check(start, len_bytes, true);
}

/* What lib/string.h puts in the place of the functions in assembly: checked, then done. */
void *kasan_memcpy(void *to, const void *from, size_t len_bytes);
void *kasan_memmove(void *to, const void *from, size_t len_bytes);
void *kasan_memset(void *to, int byte, size_t len_bytes);

/* Hook of mm/: says into `to` what lies at the address, e.g. "object of kmalloc-64 at 0x.. + 40".
 */
void kasan_describe(const void *address, char *to, size_t to_bytes);

#endif
