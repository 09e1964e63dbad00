/*
 * What a fuzzer says when code breaks what its header promises: the condition, then an abort that
 * libFuzzer reports with the input.
 */
#ifndef FUZZ_PROMISE_H
#define FUZZ_PROMISE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PROMISE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "broken promise: %s\n", #condition);                       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
