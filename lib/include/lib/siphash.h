/*
 * SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) of whole 64-bit
 * words: who does not know the key can neither foresee a result nor find inputs that collide. No
 * state.
 */
#ifndef LIB_SIPHASH_H
#define LIB_SIPHASH_H

#include <lib/types.h>

struct siphash_key {
	uint64_t words[2];
};

uint64_t siphash_words(const struct siphash_key *key, const uint64_t *words, size_t nwords);

#endif
