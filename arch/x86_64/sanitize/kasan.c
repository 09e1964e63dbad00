/*
 * The address sanitizer's side of the kernel: the compiler (-fsanitize=kernel-address, all checks
 * as calls) asks here before each access. Owns the shadow memory, one byte for eight of the direct
 * map and of the image, at Linux's place; paging_init() maps it, allocators write it (lib/kasan.h).
 * Their own locks serialise them; a check only reads.
 *
 * Asleep until kasan_start(), since instrumented code runs before there is a shadow, and again from
 * the first report on.
 */
#include "kasan.h"

#include "../x86.h"

#include <arch/boot.h>
#include <arch/paging.h>
#include <lib/atomic.h>
#include <lib/fmt.h>
#include <lib/kasan.h>
#include <lib/panic.h>
#include <lib/string.h>

#define GRANULE 8

static bool awake;         /* atomic */
static vaddr_t direct_end; /* constant after kasan_start() */

/* ---- the shadow ---- */

static uint8_t *shadow_of(vaddr_t address)
{
	return (uint8_t *)kasan_shadow(address);
}

static bool covered(vaddr_t address)
{
	return (address >= DIRECT_MAP_BASE && address < direct_end) ||
	       (address >= (vaddr_t)kernel_image_start && address < (vaddr_t)kernel_image_end);
}

void kasan_set(const void *start, size_t len_bytes, uint8_t shadow)
{
	if (read_once(&awake) && covered((vaddr_t)start))
		memset(shadow_of((vaddr_t)start), shadow, (len_bytes + GRANULE - 1) / GRANULE);
}

void kasan_set_usable(const void *start, size_t len_bytes)
{
	kasan_set(start, len_bytes, 0);
	if (len_bytes % GRANULE)
		kasan_set((const char *)start + len_bytes / GRANULE * GRANULE, 1,
			  len_bytes % GRANULE);
}

/* ---- checks ---- */

static const char *reason_text(uint8_t shadow)
{
	switch (shadow) {
	case KASAN_GLOBAL:
		return "out of bounds of a variable";
	case KASAN_FREED:
		return "use after free";
	case KASAN_FRAME:
		return "use of a free frame";
	default:
		return "out of bounds of an object";
	}
}

static void report(vaddr_t bad, vaddr_t address, size_t len_bytes, bool write)
{
	const uint8_t *shadow = shadow_of(bad);
	uint8_t reason = *shadow;
	char what[96];

	/* The end of an object within eight bytes: the reason follows. */
	if (reason < GRANULE)
		reason = shadow[1];
	write_once(&awake, false);
	kasan_describe((const void *)bad, what, sizeof(what));
	panic("KASAN: %s: %s of %lu bytes at %#lx (%s)", reason_text(reason),
	      write ? "write" : "read", len_bytes, address, what);
}

/* As far as it lies in what is covered: a length that is none runs out of it. */
static NOINLINE void check(vaddr_t address, size_t len_bytes, bool write)
{
	size_t left = len_bytes;
	vaddr_t at = address;

	while (left && read_once(&awake) && covered(at)) {
		size_t step = MIN(left, GRANULE - at % GRANULE);
		uint8_t shadow = *shadow_of(at);
		vaddr_t last = at + step - 1;

		if (unlikely(shadow) && (shadow >= GRANULE || last % GRANULE >= shadow))
			report(last, address, len_bytes, write);
		at += step;
		left -= step;
	}
}

/* Nearly all accesses lie within one piece of eight that may be touched whole. */
static inline void check_small(vaddr_t address, size_t len_bytes, bool write)
{
	bool one_piece = address % GRANULE + len_bytes <= GRANULE;

	if (!read_once(&awake) || !covered(address) || (one_piece && !*shadow_of(address)))
		return;
	check(address, len_bytes, write);
}

/* The compiler's names: a size of 1 to 16 in the name, or N and as an argument. */
#define CHECKS(size)                                                                               \
	void __asan_load##size##_noabort(vaddr_t address);                                         \
	void __asan_load##size##_noabort(vaddr_t address)                                          \
	{                                                                                          \
		check_small(address, size, false);                                                 \
	}                                                                                          \
	void __asan_store##size##_noabort(vaddr_t address);                                        \
	void __asan_store##size##_noabort(vaddr_t address)                                         \
	{                                                                                          \
		check_small(address, size, true);                                                  \
	}
CHECKS(1)
CHECKS(2)
CHECKS(4)
CHECKS(8)
CHECKS(16)

void __asan_loadN_noabort(vaddr_t address, size_t len_bytes);
void __asan_loadN_noabort(vaddr_t address, size_t len_bytes)
{
	check(address, len_bytes, false);
}

void __asan_storeN_noabort(vaddr_t address, size_t len_bytes);
void __asan_storeN_noabort(vaddr_t address, size_t len_bytes)
{
	check(address, len_bytes, true);
}

/* Before a function that does not return: stacks have no shadow, there is nothing to clear. */
void __asan_handle_no_return(void);
void __asan_handle_no_return(void)
{
}

void kasan_check(const void *start, size_t len_bytes, bool write)
{
	check((vaddr_t)start, len_bytes, write);
}

/* The functions themselves: what the compiler knows may be given no NULL, though it be for nothing.
 */
void *kasan_memcpy(void *to, const void *from, size_t len_bytes)
{
	check((vaddr_t)from, len_bytes, false);
	check((vaddr_t)to, len_bytes, true);
	return (memcpy)(to, from, len_bytes);
}

void *kasan_memmove(void *to, const void *from, size_t len_bytes)
{
	check((vaddr_t)from, len_bytes, false);
	check((vaddr_t)to, len_bytes, true);
	return (memmove)(to, from, len_bytes);
}

void *kasan_memset(void *to, int byte, size_t len_bytes)
{
	check((vaddr_t)to, len_bytes, true);
	return (memset)(to, byte, len_bytes);
}

/* ---- variables ---- */

/* As gcc lays it out (libsanitizer, struct __asan_global). */
struct asan_global {
	const void *start;
	size_t len_bytes;
	size_t with_red_zone_bytes;
	const char *name;
	const char *module;
	size_t has_dynamic_init;
	const void *location;
	size_t odr_indicator;
};

void __asan_register_globals(const struct asan_global *globals, size_t count);
void __asan_register_globals(const struct asan_global *globals, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		kasan_set(globals[i].start, globals[i].with_red_zone_bytes, KASAN_GLOBAL);
		kasan_set_usable(globals[i].start, globals[i].len_bytes);
	}
}

void __asan_unregister_globals(const struct asan_global *globals, size_t count);
void __asan_unregister_globals(const struct asan_global *globals, size_t count)
{
	(void)globals, (void)count;
}

/* ---- the start ---- */

extern void (*const constructors_start[])(void);
extern void (*const constructors_end[])(void);

void kasan_start(void)
{
	direct_end = DIRECT_MAP_BASE + boot_info->ranges[boot_info->nranges - 1].end;
	write_once(&awake, true);
	for (void (*const *register_variables)(void) = constructors_start;
	     register_variables < constructors_end; register_variables++)
		(*register_variables)();
}
