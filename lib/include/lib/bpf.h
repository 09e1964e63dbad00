/*
 * Classic BPF: programs of users that say what becomes of a packet or of a system call. One that
 * bpf_check() has passed ends after at most as many steps as it has instructions, reads nothing
 * but its input, and no word of its memory that it has not written.
 */
#ifndef LIB_BPF_H
#define LIB_BPF_H

#include <abi/filter.h>
#include <lib/types.h>

enum bpf_kind {
	BPF_OF_PACKETS, /* loads of bytes, in the order of networks */
	BPF_OF_CALLS,   /* loads of aligned words, in the machine's order (seccomp(2)) */
};

/* May `program` run over inputs of this kind, of len_bytes at least (of calls: exactly)? `scratch`:
 * one for each instruction. -EINVAL: no. */
err_t must_check bpf_check(const struct abi_filter_instruction *program, unsigned count,
			   enum bpf_kind kind, uint32_t len_bytes, uint16_t *scratch);

/* What there is beside a packet that changes with the time: BPF_BESIDE_CPU or _RANDOM. */
typedef uint32_t bpf_beside_fn(unsigned what);

struct bpf_input {
	const uint8_t *bytes;
	uint32_t len_bytes;
	enum bpf_kind kind;
	bpf_beside_fn *beside; /* of packets */
};

/* What the program returns; 0: it looked beyond the packet, or divided by zero. Any context. */
uint32_t bpf_run(const struct abi_filter_instruction *program, const struct bpf_input *input);

#endif
