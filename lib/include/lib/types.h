/*
 * The types that every folder speaks: addresses that cannot be mixed up, results, and the
 * attributes that the compilers check.
 *
 * A physical address, a kernel virtual address and an address in a user program are three types. A
 * user address is a struct, so that it can neither be dereferenced nor passed where a pointer is
 * expected.
 */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

#ifdef FUSELAGE_HOST
#include <sys/types.h> /* the host's own ssize_t */
#else
typedef long ssize_t;
#endif

typedef uint64_t paddr_t; /* physical */
typedef uint64_t vaddr_t; /* virtual, of the kernel or of a space that is named beside it */

/* An address in the current user program's space. Only arch/user.h can follow it. */
typedef struct {
	uint64_t value;
} uptr_t;

static inline uptr_t uptr(uint64_t value)
{
	return (uptr_t){.value = value};
}

static inline uptr_t uptr_add(uptr_t base, uint64_t offset_bytes)
{
	return (uptr_t){.value = base.value + offset_bytes};
}

static inline bool uptr_is_null(uptr_t address)
{
	return address.value == 0;
}

#define must_check __attribute__((warn_unused_result))

/* 0, or a negative errno of abi/errno.h. */
typedef int err_t;

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1ul << PAGE_SHIFT)
#define PAGE_MASK  (PAGE_SIZE - 1)

#define KIB 1024ul
#define MIB (1024ul * KIB)
#define GIB (1024ul * MIB)

#define NSEC_PER_SEC  1000000000ull
#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_USEC 1000ull

/* Alignment must be a power of two. */
#define ALIGN_DOWN(value, align) ((value) & ~((typeof(value))(align)-1))
#define ALIGN_UP(value, align)   ALIGN_DOWN((value) + ((typeof(value))(align)-1), align)
#define IS_ALIGNED(value, align) (((value) & ((typeof(value))(align)-1)) == 0)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define MIN(a, b)                                                                                  \
	({                                                                                         \
		typeof(a) _min_a = (a);                                                            \
		typeof(b) _min_b = (b);                                                            \
		_min_a < _min_b ? _min_a : _min_b;                                                 \
	})
#define MAX(a, b)                                                                                  \
	({                                                                                         \
		typeof(a) _max_a = (a);                                                            \
		typeof(b) _max_b = (b);                                                            \
		_max_a > _max_b ? _max_a : _max_b;                                                 \
	})

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#define UNUSED        __attribute__((unused))
#define PRINTF(f, a)  __attribute__((format(printf, f, a)))
#define CACHE_ALIGNED __attribute__((aligned(64)))
#define PACKED        __attribute__((packed))
#define NOINLINE      __attribute__((noinline))
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define SECTION(name) __attribute__((section(name), used))

/* IS_ON(FUSELAGE_DEBUG): 1 if the macro is defined as 1, else 0; both sides of an `if` always
 * compile. */
#define IS_ON(option)                    IS_ON_EXPAND(option)
#define IS_ON_EXPAND(value)              IS_ON_PROBE(IS_ON_COMMA_##value)
#define IS_ON_COMMA_1                    ,
#define IS_ON_PROBE(comma)               IS_ON_SECOND(comma 1, 0, 0)
#define IS_ON_SECOND(first, second, ...) second

#endif
