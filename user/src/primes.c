/*
 * primes: counts primes, and says how far it has come every tenth of the way.
 *
 * A sieve of Eratosthenes in segments that fit the first-level cache; only odd numbers are kept.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/program.h"

#define SEGMENT_ODDS 32768 /* one byte each */
#define DEFAULT_MAX  10000000
#define LARGEST_MAX  1000000000000UL

static const char help[] =
	"usage: primes [N]\n"
	"Counts the primes up to N (10000000), reporting ten times on the way.\n";

/* An odd prime up to the root of N, and its next odd multiple that is still to be crossed out. */
struct sieving_prime {
	unsigned long prime;
	unsigned long next;
};

static unsigned long square_root(unsigned long n)
{
	unsigned long root = (unsigned long)sqrt((double)n);

	while (root * root > n)
		root--;
	while ((root + 1) * (root + 1) <= n)
		root++;
	return root;
}

/* The odd primes up to `max` by plain sieving, in memory that stays until the program ends. */
static struct sieving_prime *small_primes(unsigned long max, size_t *count)
{
	char *composite = calloc(max + 1, 1);
	struct sieving_prime *primes = calloc(max / 2 + 1, sizeof(*primes));

	*count = 0;
	if (!composite || !primes) {
		complain("out of memory");
		exit(1);
	}
	for (unsigned long n = 3; n <= max; n += 2) {
		if (composite[n])
			continue;
		primes[(*count)++] = (struct sieving_prime){n, n * n};
		for (unsigned long multiple = n * n; multiple <= max; multiple += 2 * n)
			composite[multiple] = 1;
	}
	free(composite);
	return primes;
}

/* How many primes there are among the odd numbers from `first` to `last`. */
static unsigned long count_segment(struct sieving_prime *primes, size_t nprimes,
				   unsigned long first, unsigned long last)
{
	static char composite[SEGMENT_ODDS];
	unsigned long odds = (last - first) / 2 + 1, found = 0;

	memset(composite, 0, odds);
	for (size_t i = 0; i < nprimes; i++) {
		unsigned long prime = primes[i].prime, multiple = primes[i].next;

		for (; multiple <= last; multiple += 2 * prime)
			composite[(multiple - first) / 2] = 1;
		primes[i].next = multiple;
	}
	for (unsigned long i = 0; i < odds; i++)
		found += !composite[i];
	return found;
}

static void report(unsigned long found, unsigned long max)
{
	printf("%lu primes up to %lu\n", found, max);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned long max = DEFAULT_MAX, found, first = 3, reported;
	struct sieving_prime *primes;
	size_t nprimes;

	program_start("primes", help, argc, argv);
	if (argc > 2)
		usage_error("one number is enough");
	if (argc == 2)
		max = parse_number(argv[1], "N", LARGEST_MAX);
	primes = small_primes(square_root(max), &nprimes);
	found = max >= 2;
	reported = max < 1000 ? 10 : 1; /* nobody waits for less */
	/* Segments end where a tenth does, so that reports are about round numbers. */
	while (first <= max) {
		unsigned long tenth = max / 10 * reported, last = first + 2 * (SEGMENT_ODDS - 1);

		if (reported < 10 && tenth < first) {
			report(found, tenth);
			reported++;
			continue;
		}
		if (reported < 10 && last > tenth)
			last = tenth;
		if (last > max)
			last = max;
		found += count_segment(primes, nprimes, first, last);
		first = (last + 1) | 1;
	}
	report(found, max);
	return program_end(0);
}
