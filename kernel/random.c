/*
 * The random generator: ChaCha20 (RFC 8439, section 2.3) as a stream, with fast key erasure: of
 * each block the first 32 bytes become the next key and only the rest is given out, so nobody who
 * reads our memory later can compute what was given out before.
 *
 * `key` is under `lock`. Entropy comes from cpu_random() at the first use and again every
 * RESEED_BLOCKS blocks, and from random_mix(); it is xored into the key, which the next block
 * spreads.
 */
#include "random.h"

#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/spin.h>
#include <lib/string.h>

#include "chacha20.h"

#define RESEED_BLOCKS 4096

static struct spinlock lock = SPINLOCK_INIT(LOCK_DEVICE);
static uint32_t key[CHACHA20_KEY_WORDS]; /* [lock] */
static uint32_t blocks_left;             /* [lock] until cpu_random() is asked again */

static void stir(uint32_t place, uint64_t value) REQUIRES(lock)
{
	key[place % CHACHA20_KEY_WORDS] ^= (uint32_t)value;
	key[(place + 1) % CHACHA20_KEY_WORDS] ^= (uint32_t)(value >> 32);
}

/* One block: replaces the key, leaves the rest in `out`. */
static void next_block(uint32_t out[CHACHA20_BLOCK_WORDS]) REQUIRES(lock)
{
	static const uint32_t nonce[CHACHA20_NONCE_WORDS];

	if (blocks_left == 0) {
		for (uint32_t i = 0; i < CHACHA20_KEY_WORDS; i += 2)
			stir(i, cpu_random() ^ clock_cycles());
		blocks_left = RESEED_BLOCKS;
	}
	blocks_left--;
	chacha20_block(key, 0, nonce, out);
	memcpy(key, out, sizeof(key));
}

void random_bytes(void *to, size_t len_bytes)
{
	uint32_t block[CHACHA20_BLOCK_WORDS];
	const size_t usable = sizeof(block) - sizeof(key);
	uint8_t *out = to;

	while (len_bytes > 0) {
		size_t n = MIN(len_bytes, usable);

		spin_lock(&lock);
		next_block(block);
		spin_unlock(&lock);
		memcpy(out, block + CHACHA20_KEY_WORDS, n);
		out += n;
		len_bytes -= n;
	}
	memset(block, 0, sizeof(block));
	compiler_barrier(); /* the clearing is not for nothing */
}

uint64_t random_u64(void)
{
	uint64_t value;

	random_bytes(&value, sizeof(value));
	return value;
}

void random_mix(const void *from, size_t len_bytes)
{
	const uint8_t *bytes = from;
	uint32_t block[CHACHA20_BLOCK_WORDS];

	spin_lock(&lock);
	stir(0, clock_cycles());
	while (len_bytes > 0) {
		uint64_t value = 0;
		size_t n = MIN(len_bytes, sizeof(value));

		memcpy(&value, bytes, n);
		stir(0, value);
		next_block(block); /* or equal words would undo each other */
		bytes += n;
		len_bytes -= n;
	}
	spin_unlock(&lock);
}
