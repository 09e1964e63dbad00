/* sources: lib/bpf.c
   with: lib/string.c
   options: max_len=1024 */
/*
 * Fuzzes classic BPF: an input is a kind, the number of instructions, those, and a packet. What is
 * passed as a program runs, over memory of exactly the size that it was told, and twice with the
 * same result: it depends on nothing else.
 */
#include <lib/bpf.h>

#include <stdlib.h>
#include <string.h>

#define CALL_BYTES 64

static uint32_t beside(unsigned what)
{
	return what;
}

/* Of exactly this size, so that the sanitizer sees each access beyond it. */
static void *copy_of(const void *bytes, size_t len_bytes)
{
	void *copy = malloc(len_bytes ? len_bytes : 1);

	if (!copy)
		abort();
	memcpy(copy, bytes, len_bytes);
	return copy;
}

static void run(const struct abi_filter_instruction *program, const struct bpf_input *input)
{
	uint32_t first = bpf_run(program, input);

	if (bpf_run(program, input) != first)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
	struct abi_filter_instruction *program;
	struct bpf_input input = {.beside = beside};
	uint8_t packet[CALL_BYTES] = {0};
	uint16_t *scratch;
	unsigned count;
	size_t left;

	if (len_bytes < 2)
		return 0;
	input.kind = bytes[0] & 1 ? BPF_OF_CALLS : BPF_OF_PACKETS;
	count = (unsigned)MIN((size_t)bytes[1], (len_bytes - 2) / sizeof(*program));
	program = copy_of(bytes + 2, count * sizeof(*program));
	bytes += 2 + count * sizeof(*program);
	left = len_bytes - 2 - count * sizeof(*program);
	memcpy(packet, bytes, MIN(left, sizeof(packet)));
	input.len_bytes = input.kind == BPF_OF_CALLS ? CALL_BYTES : (uint32_t)left;
	input.bytes = copy_of(input.kind == BPF_OF_CALLS ? packet : bytes, input.len_bytes);
	scratch = malloc(count * sizeof(*scratch) + 1);
	if (!bpf_check(program, count, input.kind, CALL_BYTES, scratch))
		run(program, &input);
	free(scratch);
	free((void *)(uintptr_t)input.bytes);
	free(program);
	return 0;
}
