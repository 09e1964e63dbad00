/*
 * The guest's end of the channel to `./fuselage exec`: raw standard output and error through two
 * debug ports, framed status through a third, framed input through COM2. The host's end is
 * tools/fuselage; the frames are described in docs/exec-channel.md.
 */
#ifndef KERNEL_EXEC_CHANNEL_H
#define KERNEL_EXEC_CHANNEL_H

#include <lib/types.h>

struct object;

/* Looks for the ports and starts the task that serves COM2. After console_init(). */
void exec_channel_init(void);
/* COM2 is the host's. */
bool exec_channel_has_com2(void);
/* The debug ports are there: the machine was started by exec. */
bool exec_channel_present(void);

/* Frames of the guest. */
enum exec_status {
	EXEC_READY = 'R',       /* u32 protocol version */
	EXEC_SHARED = 'M',      /* u32 address of the shared rings */
	EXEC_KICK = 'K',        /* nothing: look at the shared rings */
	EXEC_CREDIT = 'C',      /* u32 more bytes of standard input that may come */
	EXEC_PONG = 'O',        /* u32 token of the ping */
	EXEC_EXITED = 'X',      /* i32 status */
	EXEC_SIGNALLED = 'S',   /* i32 signal */
	EXEC_NO_PROGRAM = 'N',  /* text */
	EXEC_CANNOT_RUN = 'A',  /* text */
	EXEC_PANIC = 'P',       /* text */
	EXEC_ARCHIVE = 'G',     /* piece of the archive */
	EXEC_ARCHIVE_END = 'g', /* i32 status of the packing program */
	EXEC_END = 'Z',         /* nothing: the machine powers off */
};

/* One frame, whole. Sleeps while another thread sends one; does nothing without a channel. */
void exec_channel_status(enum exec_status type, const void *payload, uint16_t len_bytes);
void exec_channel_status_u32(enum exec_status type, uint32_t value);
void exec_channel_status_text(enum exec_status type, const char *text);

/* The program's streams, each with a reference for the caller. Without a channel they read as empty
 * and lose what is written. */
struct object *exec_channel_stdin(void);
struct object *exec_channel_stdout(void);
struct object *exec_channel_stderr(void);
/* Writes to it travel as pieces of the archive. */
struct object *exec_channel_archive(void);

/* Tells the host why the kernel ends. Takes no lock, polls, may be called from anywhere and before
 * exec_channel_init(). */
void exec_channel_panic(const char *reason);

/* Starts the thread that runs what `exec=` of the command line says, then powers off. */
void exec_runner_start(void);

#endif
