/*
 * Standard input of exec: what lies between the task that serves the channel and the programs
 * that read: the shared ring if there is one (exec_shared.h), else a queue here. Readers take turns
 * by `lock`, one piece each.
 *
 * Into the queue the host may send as much as it was granted and no more; all of it is granted at
 * the start, and what programs have taken out is granted again in steps of CREDIT_STEP. So
 *	granted and not yet sent + in the queue + taken and not yet granted = QUEUE_BYTES
 * and a host that keeps to it never finds the queue full.
 */
#define LOG_SUBSYSTEM "exec"

#include "exec_stdin.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/stat.h>
#include <abi/termios.h>
#include <arch/spin.h>
#include <arch/user.h>
#include <ipc/object.h>
#include <lib/log.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/kva.h>
#include <sched/wait.h>

#include "exec_channel.h"
#include "exec_shared.h"

#define QUEUE_BYTES (64 * KIB) /* a power of two */
#define CREDIT_STEP (16 * KIB)
#define READ_PIECE  1024

static struct spinlock lock = SPINLOCK_INIT(LOCK_DEVICE);
static uint8_t *queue;     /* set once */
static uint32_t head;      /* [lock] positions count up; place in the queue by modulo */
static uint32_t tail;      /* [lock] */
static uint32_t ungranted; /* [lock] taken out since the last credit */
static bool ended;         /* [lock] */
static bool told_too_much; /* the channel's task */
static WAITQ(readers);

#define PLACE(position) ((position) & (QUEUE_BYTES - 1))

void exec_stdin_init(void)
{
	if (exec_shared_active())
		return;
	queue = kva_alloc(QUEUE_BYTES / PAGE_SIZE);
	if (!queue)
		panic("no memory for the queue of standard input");
	exec_channel_status_u32(EXEC_CREDIT, QUEUE_BYTES);
}

static size_t room(void)
{
	return QUEUE_BYTES - (tail - head);
}

void exec_stdin_data(const uint8_t *bytes, size_t len_bytes)
{
	size_t n;
	size_t first;

	spin_lock(&lock);
	n = queue && !ended ? MIN(len_bytes, room()) : 0;
	first = MIN(n, QUEUE_BYTES - PLACE(tail));
	if (n > 0) {
		memcpy(queue + PLACE(tail), bytes, first);
		memcpy(queue, bytes + first, n - first);
	}
	tail += (uint32_t)n;
	spin_unlock(&lock);
	if (n > 0)
		waitq_wake_one(&readers);
	if (n < len_bytes && !told_too_much) {
		told_too_much = true;
		log_err("the host sent more standard input than was granted, or after its end");
	}
}

void exec_stdin_end(void)
{
	spin_lock(&lock);
	ended = true;
	spin_unlock(&lock);
	waitq_wake_all(&readers);
}

void exec_stdin_filled(void)
{
	waitq_wake_all(&readers);
}

/* ---- reading ---- */

/* How many bytes can be read now, or -EIO. */
static ssize_t filled(void) REQUIRES(lock)
{
	if (exec_shared_active())
		return exec_shared_input_bytes();
	return (ssize_t)(tail - head);
}

/* A read would not sleep: there is something, or never will be. */
static bool is_ready(void)
{
	bool ready;

	spin_lock(&lock);
	ready = ended || filled() != 0;
	spin_unlock(&lock);
	return ready;
}

static size_t take_queue(uint8_t *to, size_t max_bytes, uint32_t *credit) REQUIRES(lock)
{
	size_t n = MIN(max_bytes, (size_t)(tail - head));
	size_t first = MIN(n, QUEUE_BYTES - PLACE(head));

	if (n == 0)
		return 0;
	memcpy(to, queue + PLACE(head), first);
	memcpy(to + first, queue, n - first);
	head += (uint32_t)n;
	ungranted += (uint32_t)n;
	if (ungranted >= CREDIT_STEP && !ended) {
		*credit = ungranted;
		ungranted = 0;
	}
	return n;
}

/* The count; 0 at the end of the input; -EAGAIN: nothing is there now; -EIO. */
static ssize_t take(uint8_t *to, size_t max_bytes)
{
	uint32_t credit = 0;
	bool kick = false;
	ssize_t result;

	spin_lock(&lock);
	result = filled();
	if (result == 0)
		result = ended ? 0 : -EAGAIN;
	else if (result > 0 && exec_shared_active())
		result = (ssize_t)exec_shared_take(to, max_bytes, &kick);
	else if (result > 0)
		result = (ssize_t)take_queue(to, max_bytes, &credit);
	spin_unlock(&lock);

	if (credit)
		exec_channel_status_u32(EXEC_CREDIT, credit);
	if (kick)
		exec_shared_kick();
	return result;
}

/* As a pipe: what is there, at least something. */
static ssize_t stdin_read(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	size_t wanted = buffer_remaining(buffer);
	uint8_t piece[READ_PIECE];
	size_t done = 0;
	size_t moved;
	err_t err;

	if (offset)
		return -ESPIPE;
	while (done < wanted) {
		ssize_t n = take(piece, MIN(sizeof(piece), wanted - done));
		if (n == -EAGAIN && done == 0 && !(object_flags(object) & O_NONBLOCK)) {
			err = wait_event_interruptible(&readers, is_ready());
			if (err)
				return err;
			continue;
		}
		if (n <= 0)
			return done ? (ssize_t)done : n;
		moved = buffer_copy_to(buffer, piece, (size_t)n);
		done += moved;
		if (moved < (size_t)n)
			return buffer_result(done, wanted);
	}
	waitq_wake_one(&readers); /* something may be left for another reader */
	return (ssize_t)done;
}

static ssize_t stdin_ioctl(struct object *object, unsigned command, uptr_t argument)
{
	int count;

	(void)object;
	if (command != FIONREAD)
		return -ENOTTY;
	spin_lock(&lock);
	count = (int)MAX(filled(), 0);
	spin_unlock(&lock);
	return user_put(argument, &count);
}

static unsigned stdin_poll(struct object *object, struct waitq **waitq)
{
	(void)object;
	*waitq = &readers;
	return is_ready() ? POLLIN : 0;
}

static err_t stdin_stat(struct object *object, struct abi_stat *out)
{
	(void)object;
	*out = (struct abi_stat){.st_mode = S_IFIFO | 0400, .st_nlink = 1, .st_blksize = 4096};
	return 0;
}

static void stdin_describe(struct object *object, char *to, size_t to_bytes)
{
	(void)object;
	string_copy(to, to_bytes, "exec:stdin");
}

static const struct object_ops stdin_ops = {
	.read = stdin_read,
	.ioctl = stdin_ioctl,
	.poll = stdin_poll,
	.stat = stdin_stat,
	.describe = stdin_describe,
	.reopen = object_reopen_same,
};

struct object *exec_stdin_object(void)
{
	static struct object object;
	static bool made; /* only the runner's thread comes here */

	if (!made)
		object_init(&object, &stdin_ops, OBJECT_PIPE, O_RDONLY);
	made = true;
	return object_get(&object);
}
