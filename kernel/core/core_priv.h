/*
 * What the files that make a core share. All of it belongs to the thread that writes; the other
 * threads have joined, and none of them goes on before the core is written.
 */
#ifndef KERNEL_CORE_CORE_PRIV_H
#define KERNEL_CORE_CORE_PRIV_H

#include "out.h"

#include "../process/uthread.h"
#include "../procfs/text.h"
#include "../signal/signal.h"

/* A region as a PT_LOAD. */
struct core_segment {
	vaddr_t start;
	vaddr_t end;
	uint64_t file_bytes; /* of them, from its start, are in the file */
	uint8_t prot;        /* enum space_prot */
	bool is_sparse;      /* a page that is not there is zeros */
};

struct core {
	const struct signal_info *info;
	struct process *process;
	struct space *space; /* a reference */
	struct core_out out;
	char *page; /* PAGE_SIZE bytes, for what comes */
	struct core_segment *segments;
	uint32_t nsegments;
	uint32_t nsegments_max;
	uint32_t nthreads; /* with this one */
	/* NT_FILE: its ranges and their names; both empty if they were too many. */
	struct text file_ranges;
	struct text file_names;
};

/* ---- the memory (segments.c) ---- */

/* Fills segments and files. -ENOMEM, -EINTR. */
err_t must_check core_collect(struct core *core);
/* `offset_bytes`: where the first one's memory will be. */
void core_put_headers(struct core *core, uint64_t offset_bytes);
void core_put_memory(struct core *core);

/* ---- the notes (notes.c) ---- */

uint64_t core_notes_bytes(const struct core *core);
void core_put_notes(struct core *core);

#endif
