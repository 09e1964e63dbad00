/*
 * Owns the entropy pool: 128 bits, filled by entropy_gather() and secret and constant from then on.
 * Every number that is drawn is SipHash of the time and a counter under the pool as the key, so one
 * number tells nothing of the others.
 *
 * RDRAND fills the pool where the CPU has it, and is mixed into every number. Without it what
 * counts is the TSC (in how many cycles firmware and loader came this far), how long the accesses
 * to a slow device take, and what the loader tells: above all `seed=` on the command line. On a
 * machine that is emulated cycle by cycle only the last is more than a formality.
 */
#include "entropy.h"

#include "x86.h"

#include <arch/cpu.h>
#include <arch/port.h>
#include <lib/siphash.h>
#include <lib/string.h>

#define RDRAND_ATTEMPTS 10 /* SDM 1, 7.3.17.1 */
#define RDRAND_WORDS    4
#define JITTER_ROUNDS   64

/* Intel 8254 and Motorola MC146818 data sheets. */
#define PIT_COMMAND 0x43
#define PIT_LATCH0  0x00
#define PIT0        0x40
#define CMOS_INDEX  0x70
#define CMOS_DATA   0x71
#define CMOS_TIMES  10 /* registers 0 to 9: the time and the date */

static struct siphash_key pool;
static bool has_rdrand;
static uint64_t ndrawn; /* atomic */

static void absorb(uint64_t word)
{
	const uint64_t first[] = {word, 0};
	const uint64_t second[] = {word, 1};

	pool = (struct siphash_key){
		{siphash_words(&pool, first, 2), siphash_words(&pool, second, 2)}};
}

static void absorb_bytes(const void *from, size_t len_bytes)
{
	const char *at = from;

	while (len_bytes) {
		uint64_t word = 0;
		size_t n = MIN(len_bytes, sizeof(word));

		memcpy(&word, at, n);
		absorb(word);
		at += n;
		len_bytes -= n;
	}
}

static bool rdrand(uint64_t *value)
{
	bool good = false;

	for (int attempt = 0; !good && attempt < RDRAND_ATTEMPTS; attempt++)
		__asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(good));
	return good;
}

/* The low bits of how long it takes to ask the 8254, and what it counts by then. */
static void absorb_jitter(void)
{
	for (unsigned i = 0; i < JITTER_ROUNDS; i++) {
		uint64_t count;

		port_out8(PIT_COMMAND, PIT_LATCH0);
		count = port_in8(PIT0);
		count |= (uint64_t)port_in8(PIT0) << 8;
		absorb(tsc_read() ^ count << 48);
	}
	for (uint8_t i = 0; i < CMOS_TIMES; i++) {
		port_out8(CMOS_INDEX, i);
		absorb(port_in8(CMOS_DATA));
	}
}

void entropy_gather(const struct boot_info *info)
{
	uint64_t value;
	bool good = true;

	has_rdrand = cpuid_read(1, 0).ecx & 1u << 30;
	absorb(tsc_read());
	absorb_bytes(info->ranges, info->nranges * sizeof(info->ranges[0]));
	absorb_bytes(info->cmdline, info->cmdline ? strlen(info->cmdline) : 0);
	for (unsigned i = 0; has_rdrand && i < RDRAND_WORDS; i++) {
		good = good && rdrand(&value);
		absorb(value);
	}
	if (!has_rdrand || !good)
		absorb_jitter();
	absorb(tsc_read());
}

uint64_t cpu_random(void)
{
	const uint64_t what[] = {tsc_read(), __atomic_fetch_add(&ndrawn, 1, __ATOMIC_RELAXED)};
	uint64_t drawn = siphash_words(&pool, what, ARRAY_SIZE(what));
	uint64_t value;

	return has_rdrand && rdrand(&value) ? drawn ^ value : drawn;
}
