/*
 * Restartable sequences, as Linux has them.
 */
#ifndef ABI_RSEQ_H
#define ABI_RSEQ_H

#include <stdint.h>

#define RSEQ_FLAG_UNREGISTER 1

#define RSEQ_CPU_ID_UNINITIALIZED UINT32_MAX

#define RSEQ_BYTES_MIN     32 /* what the first Linux had, and its alignment */
#define RSEQ_FEATURE_BYTES 28 /* AT_RSEQ_FEATURE_SIZE: up to mm_cid */

/* A thread's, in its own memory. */
struct abi_rseq {
	uint32_t cpu_id_start;
	uint32_t cpu_id;
	uint64_t rseq_cs; /* the sequence that it is in; 0: none */
	uint32_t flags;   /* once something, now 0 */
	uint32_t node_id;
	uint32_t mm_cid; /* no other thread that runs in the same memory has it now */
	uint32_t padding;
};

struct abi_rseq_cs {
	uint32_t version; /* 0 */
	uint32_t flags;   /* once something, now 0 */
	uint64_t start_ip;
	uint64_t post_commit_offset; /* bytes */
	uint64_t abort_ip;           /* the signature stands right before it */
};

#endif
