/*
 * The vDSO: a shared object of the kernel's that is mapped into every program (vdso(7)), with the
 * calls whose answer is in a page that the kernel keeps up to date. No state, no relocations. What
 * it cannot answer it asks by the system call, so nobody notices the difference but by the time.
 *
 * Clocks follow the same formula as clock_ns(), so values of both ways are in order. The processor
 * that reads may change at any time; the TSC is only used if all of them count as one.
 */
#include <abi/errno.h>
#include <abi/time.h>

#include "data.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers of abi/syscalls.def. */
#define SYS_GETTIMEOFDAY  96
#define SYS_TIME          201
#define SYS_CLOCK_GETTIME 228
#define SYS_CLOCK_GETRES  229

#define NSEC_PER_SEC  UINT64_C(1000000000)
#define NSEC_PER_USEC 1000
#define CPU_MASK      0xfff /* the node's number stands above it: always 0 */

/* Below the image (vdso.ld): the machine's, which is in both places but in time namespaces, where
 * the first says what lies between their clocks and its. */
extern const volatile struct vdso_data vdso_data __attribute__((visibility("hidden")));
extern const volatile struct vdso_data vdso_machine __attribute__((visibility("hidden")));

#define EXPORT __attribute__((visibility("default")))

EXPORT int __vdso_clock_gettime(int clock, struct abi_timespec *out);
EXPORT int __vdso_clock_getres(int clock, struct abi_timespec *out);
EXPORT int __vdso_gettimeofday(struct abi_timeval *out, struct abi_timezone *zone);
EXPORT int64_t __vdso_time(int64_t *out);
EXPORT int __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused);

static inline long ask(long number, long a, void *b)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b)
			 : "rcx", "r11", "memory");
	return result;
}

static inline void compiler_barrier(void)
{
	__asm__ volatile("" ::: "memory");
}

/* Not before what stands before it is done (SDM 2B, RDTSC). */
static inline uint64_t read_tsc(void)
{
	uint32_t low;
	uint32_t high;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

/* While the wall clock is steered. */
static inline uint64_t gained(const volatile struct vdso_data *data, uint64_t ns)
{
	int64_t rate = data->wall_rate;

	if (!rate)
		return 0;
	return (uint64_t)((__int128)(int64_t)(ns - data->wall_base_ns) * rate >> 32);
}

/* Loads are seen in their order on x86 (SDM 3A 8.2.2), so the compiler alone is to be held. False:
 * the TSC is not the clock, or the page does not say. */
static inline bool read_clock(const volatile struct vdso_data *data, bool wall, uint64_t *ns)
{
	uint32_t sequence;

	do {
		uint64_t cycles;

		sequence = data->sequence & ~1u; /* never equal to an odd one */
		compiler_barrier();
		if (__builtin_expect(!data->tsc, 0))
			return false;
		cycles = read_tsc() - data->tsc_start;
		*ns = (uint64_t)((unsigned __int128)cycles * data->ns_mult >> 32);
		if (wall)
			*ns += data->wall_offset_ns + gained(data, *ns);
		compiler_barrier();
	} while (__builtin_expect(sequence != data->sequence, 0));
	return true;
}

#define BIT(clock)  (1u << (clock))
#define WALL_CLOCKS (BIT(CLOCK_REALTIME) | BIT(CLOCK_REALTIME_COARSE))
#define CLOCKS                                                                                     \
	(WALL_CLOCKS | BIT(CLOCK_MONOTONIC) | BIT(CLOCK_MONOTONIC_RAW) |                           \
	 BIT(CLOCK_MONOTONIC_COARSE) | BIT(CLOCK_BOOTTIME))

static inline bool among(int clock, unsigned clocks)
{
	return (unsigned)clock < 32 && clocks >> clock & 1;
}

/* In a time namespace; apart, so that it costs nothing elsewhere. False: the kernel is to be asked.
 */
static bool read_namespaced(int clock, uint64_t *ns)
{
	bool wall = among(clock, WALL_CLOCKS);

	if (!among(clock, CLOCKS) || !vdso_data.namespaced || !read_clock(&vdso_machine, wall, ns))
		return false;
	if (clock == CLOCK_BOOTTIME)
		*ns += (uint64_t)vdso_data.boot_offset_ns;
	else if (!wall)
		*ns += (uint64_t)vdso_data.monotonic_offset_ns;
	return true;
}

static __attribute__((noinline)) int gettime_elsewhere(int clock, struct abi_timespec *out)
{
	uint64_t ns;

	if (!read_namespaced(clock, &ns))
		return (int)ask(SYS_CLOCK_GETTIME, clock, out);
	out->tv_sec = (int64_t)(ns / NSEC_PER_SEC);
	out->tv_nsec = (int64_t)(ns % NSEC_PER_SEC);
	return 0;
}

int __vdso_clock_gettime(int clock, struct abi_timespec *out)
{
	uint64_t ns;

	if (!among(clock, CLOCKS) || !read_clock(&vdso_data, among(clock, WALL_CLOCKS), &ns))
		return gettime_elsewhere(clock, out);
	out->tv_sec = (int64_t)(ns / NSEC_PER_SEC);
	out->tv_nsec = (int64_t)(ns % NSEC_PER_SEC);
	return 0;
}

int __vdso_clock_getres(int clock, struct abi_timespec *out)
{
	if (!among(clock, CLOCKS))
		return (int)ask(SYS_CLOCK_GETRES, clock, out);
	if (out)
		*out = (struct abi_timespec){.tv_nsec = 1};
	return 0;
}

int __vdso_gettimeofday(struct abi_timeval *out, struct abi_timezone *zone)
{
	uint64_t ns;

	if (!read_clock(&vdso_data, true, &ns) && !read_namespaced(CLOCK_REALTIME, &ns))
		return (int)ask(SYS_GETTIMEOFDAY, (long)out, zone);
	if (out) {
		out->tv_sec = (int64_t)(ns / NSEC_PER_SEC);
		out->tv_usec = (int64_t)(ns % NSEC_PER_SEC / NSEC_PER_USEC);
	}
	if (zone)
		*zone = (struct abi_timezone){0};
	return 0;
}

int64_t __vdso_time(int64_t *out)
{
	uint64_t ns;
	int64_t seconds;

	if (!read_clock(&vdso_data, true, &ns) && !read_namespaced(CLOCK_REALTIME, &ns))
		return ask(SYS_TIME, (long)out, NULL);
	seconds = (int64_t)(ns / NSEC_PER_SEC);
	if (out)
		*out = seconds;
	return seconds;
}

/* As on Linux: TSC_AUX where RDPID reads it, else the limit of a descriptor of each CPU's own. */
int __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
	uint64_t number;

	(void)unused;
	if (vdso_machine.rdpid)
		__asm__ volatile(".byte 0xf3, 0x0f, 0xc7, 0xf8" : "=a"(number)); /* rdpid rax */
	else
		__asm__ volatile("lsl %1, %0"
				 : "=r"(number)
				 : "r"((uint64_t)VDSO_CPU_SELECTOR)
				 : "cc");
	if (cpu)
		*cpu = number & CPU_MASK;
	if (node)
		*node = 0;
	return 0;
}

/* The names without a prefix, which Linux gives as well. */
EXPORT int clock_gettime(int, struct abi_timespec *)
	__attribute__((weak, alias("__vdso_clock_gettime")));
EXPORT int clock_getres(int, struct abi_timespec *)
	__attribute__((weak, alias("__vdso_clock_getres")));
EXPORT int gettimeofday(struct abi_timeval *, struct abi_timezone *)
	__attribute__((weak, alias("__vdso_gettimeofday")));
EXPORT int64_t time(int64_t *) __attribute__((weak, alias("__vdso_time")));
EXPORT int getcpu(unsigned *, unsigned *, void *) __attribute__((weak, alias("__vdso_getcpu")));
