/*
 * The exec channel: the debug ports, the status frames, and the task that serves COM2.
 *
 * The status port carries whole frames, one at a time under `status_lock`. Only a panic does not
 * wait: it first fills up the frame that may be under way (`frame_left`) with zeros, so that its
 * own frame is found; zeros where a frame's type is expected mean nothing to the host.
 */
#define LOG_SUBSYSTEM "exec"

#include "exec_channel.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/stat.h>
#include <arch/port.h>
#include <ipc/object.h>
#include <lib/atomic.h>
#include <lib/log.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/kva.h>
#include <sched/lock.h>
#include <sched/task.h>

#include "console/console.h"
#include "exec_shared.h"
#include "exec_stdin.h"
#include "frame_parser.h"
#include "serial/serial.h"
#include "tty.h"

#define PORT_STDOUT      0x5e0
#define PORT_STDERR      0x5e1
#define PORT_STATUS      0x5e2
#define PORT_THERE       0xe9 /* what QEMU's isa-debugcon reads as */
#define PROTOCOL_VERSION 1

#define RING_BYTES (16 * KIB)

/* What one instruction sends: other threads run between two of them. */
#define PIECE_BYTES 1024

static bool present;        /* set once: all three ports, a program's streams can go there */
static bool status_present; /* set once: `./fuselage run` has this one alone */
static MUTEX(status_lock, LOCK_CHANNEL);
static WAITQ(status_free);  /* the task that awaits it */
static uint32_t frame_left; /* atomic: bytes of the current frame that are not certainly out */

static struct serial_port com2;

/* What COM2 brought. The task's alone. */
static struct receiver {
	struct task task;
	struct task_wait status;
	struct frame_parser parser;
	uint8_t bytes[PIECE_BYTES];
	uint32_t pings[PIECE_BYTES / FRAME_HEADER_BYTES]; /* not answered yet */
	size_t npings;
} receiver;

bool exec_channel_present(void)
{
	return present;
}

/* ---- status ---- */

static void send_status(const void *bytes, size_t len_bytes)
{
	port_out_bytes(PORT_STATUS, bytes, len_bytes);
	write_once(&frame_left, frame_left - (uint32_t)len_bytes);
}

static void send_frame(enum exec_status type, const void *payload, uint16_t len_bytes)
	REQUIRES(status_lock)
{
	uint8_t header[FRAME_HEADER_BYTES] = {(uint8_t)type, 0, (uint8_t)len_bytes,
					      (uint8_t)(len_bytes >> 8)};
	const uint8_t *from = payload;
	size_t left = len_bytes;

	write_once(&frame_left, FRAME_HEADER_BYTES + len_bytes);
	send_status(header, sizeof(header));
	while (left > 0) {
		size_t n = MIN(left, (size_t)PIECE_BYTES);

		send_status(from, n);
		from += n;
		left -= n;
	}
}

static void unlock_status(void) RELEASE(status_lock)
{
	mutex_unlock(&status_lock);
	waitq_wake_one(&status_free);
}

void exec_channel_status(enum exec_status type, const void *payload, uint16_t len_bytes)
{
	if (!status_present)
		return;
	mutex_lock(&status_lock);
	send_frame(type, payload, len_bytes);
	unlock_status();
}

static void put_u32(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
	to[2] = (uint8_t)(value >> 16);
	to[3] = (uint8_t)(value >> 24);
}

void exec_channel_status_u32(enum exec_status type, uint32_t value)
{
	uint8_t payload[4];

	put_u32(payload, value);
	exec_channel_status(type, payload, sizeof(payload));
}

void exec_channel_status_text(enum exec_status type, const char *text)
{
	exec_channel_status(type, text, (uint16_t)MIN(strlen(text), (size_t)UINT16_MAX));
}

void exec_channel_panic(const char *reason)
{
	size_t len_bytes = strnlen(reason, 1024);
	uint8_t header[FRAME_HEADER_BYTES] = {EXEC_PANIC, 0, (uint8_t)len_bytes,
					      (uint8_t)(len_bytes >> 8)};

	if (port_in8(PORT_STATUS) != PORT_THERE)
		return;
	for (uint32_t left = read_once(&frame_left); left > 0; left--)
		port_out8(PORT_STATUS, 0);
	port_out_bytes(PORT_STATUS, header, sizeof(header));
	port_out_bytes(PORT_STATUS, reason, len_bytes);
}

/* ---- output streams ---- */

struct exec_stream {
	struct object object;
	const char *name;
	enum exec_ring ring;
	uint16_t port;     /* 0: in frames on the status port */
	struct mutex lock; /* LOCK_TTY: pieces stay whole */
	bool made;         /* only the runner's thread */
};

static struct exec_stream stdout_stream = {
	.name = "exec:stdout",
	.ring = EXEC_RING_STDOUT,
	.port = PORT_STDOUT,
};
static struct exec_stream stderr_stream = {
	.name = "exec:stderr",
	.ring = EXEC_RING_STDERR,
	.port = PORT_STDERR,
};
static struct exec_stream archive_stream = {
	.name = "exec:archive",
	.ring = EXEC_RING_ARCHIVE,
};

static struct exec_stream *stream_of(struct object *object)
{
	return container_of(object, struct exec_stream, object);
}

static err_t send_piece(struct exec_stream *stream, const uint8_t *piece, size_t len_bytes)
{
	err_t err = mutex_lock_killable(&stream->lock);

	if (err)
		return err;
	if (exec_shared_active())
		err = exec_shared_put(stream->ring, piece, len_bytes);
	else if (stream->port && present)
		port_out_bytes(stream->port, piece, len_bytes);
	else if (present)
		exec_channel_status(EXEC_ARCHIVE, piece, (uint16_t)len_bytes);
	mutex_unlock(&stream->lock);
	return err;
}

static ssize_t stream_write(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	struct exec_stream *stream = stream_of(object);
	size_t wanted = buffer_remaining(buffer);
	uint8_t piece[PIECE_BYTES];
	size_t done = 0;
	err_t err = 0;

	if (offset)
		return -ESPIPE;
	while (done < wanted && !err) {
		size_t n = buffer_copy_from(buffer, piece, MIN(sizeof(piece), wanted - done));

		err = n ? send_piece(stream, piece, n) : -EFAULT;
		if (!err)
			done += n;
	}
	if (exec_shared_active())
		exec_shared_kick();
	return done || !err ? (ssize_t)done : err;
}

static err_t stream_stat(struct object *object, struct abi_stat *out)
{
	(void)object;
	*out = (struct abi_stat){.st_mode = S_IFIFO | 0200, .st_nlink = 1, .st_blksize = 4096};
	return 0;
}

static void stream_describe(struct object *object, char *to, size_t to_bytes)
{
	string_copy(to, to_bytes, stream_of(object)->name);
}

static const struct object_ops stream_ops = {
	.write = stream_write,
	.stat = stream_stat,
	.describe = stream_describe,
	.reopen = object_reopen_same,
};

static struct object *stream_object(struct exec_stream *stream)
{
	if (!stream->made) {
		object_init(&stream->object, &stream_ops, OBJECT_PIPE, O_WRONLY);
		mutex_init(&stream->lock, LOCK_TTY);
		stream->made = true; /* its own reference is never given back */
	}
	return object_get(&stream->object);
}

struct object *exec_channel_stdin(void)
{
	return exec_stdin_object();
}

struct object *exec_channel_stdout(void)
{
	return stream_object(&stdout_stream);
}

struct object *exec_channel_stderr(void)
{
	return stream_object(&stderr_stream);
}

struct object *exec_channel_archive(void)
{
	return stream_object(&archive_stream);
}

/* ---- frames of the host ---- */

static void got_data(void *argument, const uint8_t *bytes, size_t len_bytes)
{
	(void)argument;
	exec_stdin_data(bytes, len_bytes);
}

static void got_end(void *argument)
{
	(void)argument;
	exec_stdin_end();
}

static void got_size(void *argument, uint16_t rows, uint16_t columns)
{
	(void)argument;
	tty_set_size(&serial_console.tty, &(struct abi_winsize){.ws_row = rows, .ws_col = columns});
}

static void got_ping(void *argument, uint32_t token)
{
	(void)argument;
	receiver.pings[receiver.npings++] = token;
}

static void got_filled(void *argument)
{
	(void)argument;
	exec_stdin_filled();
}

static void got_space(void *argument)
{
	(void)argument;
	exec_shared_got_space();
}

static void got_unknown(void *argument, const uint8_t *header)
{
	(void)argument;
	log_warn("COM2: no frame begins with %02x %02x %02x %02x; skipped", header[0], header[1],
		 header[2], header[3]);
}

/* False: somebody sends a frame; the task is woken when that is over. The analysis of locks cannot
 * follow a lock that is taken in a condition. */
static bool answer_pings(void) NO_THREAD_SAFETY
{
	uint8_t payload[4];

	if (receiver.npings == 0 || !status_present)
		return true;
	if (!task_await(&receiver.status, mutex_trylock(&status_lock)))
		return false;
	for (size_t i = 0; i < receiver.npings; i++) {
		put_u32(payload, receiver.pings[i]);
		send_frame(EXEC_PONG, payload, sizeof(payload));
	}
	unlock_status();
	return true;
}

static enum task_poll receive(struct task *task)
{
	static const struct frame_sink sink = {
		.data = got_data,
		.end = got_end,
		.size = got_size,
		.ping = got_ping,
		.filled = got_filled,
		.space = got_space,
		.unknown = got_unknown,
	};

	for (;;) {
		size_t n;

		if (!answer_pings())
			return task_pending(task, "the status port");
		receiver.npings = 0;
		n = serial_receive(&com2, receiver.bytes, sizeof(receiver.bytes), NULL);
		if (n == 0)
			return task_pending(task, "COM2");
		frame_parser_feed(&receiver.parser, &sink, NULL, receiver.bytes, n);
	}
}

/* Without a host that listens COM2 is ttyS1's (serial_tty.h). */
static void open_com2(void)
{
	uint8_t *in;
	uint8_t *out;

	if (!status_present)
		return;
	in = kva_alloc(RING_BYTES / PAGE_SIZE);
	out = kva_alloc(SERIAL_OUT_BYTES / PAGE_SIZE);
	if (!in || !out)
		panic("no memory for COM2's rings");
	com2.receiver = &receiver.task;
	if (serial_open(&com2, &serial_places[1], in, RING_BYTES, out)) {
		task_start(&receiver.task);
		return;
	}
	kva_free(in);
	kva_free(out);
}

bool exec_channel_has_com2(void)
{
	return status_present;
}

void exec_channel_init(void)
{
	status_present = port_in8(PORT_STATUS) == PORT_THERE;
	present = status_present && port_in8(PORT_STDOUT) == PORT_THERE &&
		  port_in8(PORT_STDERR) == PORT_THERE;
	task_init(&receiver.task, "exec-channel", receive, NULL);
	task_wait_init(&receiver.status, &receiver.task, &status_free);
	open_com2();
	exec_channel_status_u32(EXEC_READY, PROTOCOL_VERSION);
	if (!present)
		return;
	exec_shared_init();
	exec_stdin_init();
}
