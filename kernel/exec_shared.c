/*
 * The exec channel's shared rings: one block of memory, a page of descriptors and behind it the
 * rings' bytes. It is never given back.
 *
 * Output: each ring has one producer at a time (the stream's lock). Input: one consumer at a time
 * (the lock of exec_stdin.c).
 */
#define LOG_SUBSYSTEM "exec"

#include "exec_shared.h"

#include <abi/errno.h>
#include <arch/boot.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <sched/wait.h>

#include "exec_channel.h"
#include "shared_ring.h"

#define BLOCK_ORDER 6         /* 256 KiB: the page of descriptors and the rings */
#define BLOCK_LIMIT (2 * GIB) /* below it, QEMU's memory file is the guest's memory, 1:1 */

static const uint32_t ring_bytes[EXEC_RINGS] = {
	[EXEC_RING_STDIN] = 64 * KIB,
	[EXEC_RING_STDOUT] = 64 * KIB,
	[EXEC_RING_STDERR] = 32 * KIB,
	[EXEC_RING_ARCHIVE] = 64 * KIB,
};

static bool active; /* set once */
static struct shared_ring rings[EXEC_RINGS];
static WAITQ(space_made);

bool exec_shared_active(void)
{
	return active;
}

void exec_shared_init(void)
{
	struct shared_ring_words *words;
	uint32_t offset_bytes = PAGE_SIZE;
	struct frame *block;
	char offered[4];

	if (!boot_option("exec.shared", offered, sizeof(offered)) || strcmp(offered, "1") != 0)
		return;
	block = frame_alloc(BLOCK_ORDER, FRAME_ZERO | FRAME_DMA32);
	if (!block || frame_phys(block) + (PAGE_SIZE << BLOCK_ORDER) > BLOCK_LIMIT) {
		log_warn("no memory to share with the host: standard streams go through ports");
		if (block)
			frame_free(block, BLOCK_ORDER);
		return;
	}
	words = frame_virt(block);
	for (unsigned i = 0; i < EXEC_RINGS; i++) {
		shared_ring_init(&rings[i], words + i, (uint8_t *)words + offset_bytes,
				 offset_bytes, ring_bytes[i]);
		offset_bytes += ring_bytes[i];
	}
	active = true;
	exec_channel_status_u32(EXEC_SHARED, (uint32_t)frame_phys(block));
}

void exec_shared_kick(void)
{
	exec_channel_status(EXEC_KICK, NULL, 0);
}

err_t exec_shared_put(enum exec_ring which, const void *bytes, size_t len_bytes)
{
	struct shared_ring *ring = &rings[which];
	const uint8_t *from = bytes;
	err_t err;

	while (len_bytes > 0) {
		size_t n = shared_ring_put(ring, from, len_bytes);
		from += n;
		len_bytes -= n;
		if (ring->broken)
			return -EIO;
		if (len_bytes == 0)
			break;
		exec_shared_kick();
		err = wait_event_killable(&space_made, !shared_ring_must_wait_for_space(ring));
		if (err)
			return err;
	}
	return 0;
}

void exec_shared_got_space(void)
{
	waitq_wake_all(&space_made);
}

size_t exec_shared_take(void *to, size_t max_bytes, bool *kick)
{
	struct shared_ring *ring = &rings[EXEC_RING_STDIN];
	size_t n = shared_ring_take(ring, to, max_bytes);

	*kick = n > 0 && shared_ring_producer_waits(ring);
	return n;
}

ssize_t exec_shared_input_bytes(void)
{
	struct shared_ring *ring = &rings[EXEC_RING_STDIN];

	if (shared_ring_filled(ring) == 0)
		(void)shared_ring_must_wait_for_data(ring);
	return ring->broken ? -EIO : (ssize_t)shared_ring_filled(ring);
}
