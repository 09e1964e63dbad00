/*
 * The guest's end of the channel to `./fuselage exec`: raw standard output and error through two
 * debug ports, framed status through a third, framed input through COM2 (docs/exec-channel.md).
 */
#ifndef KERNEL_EXEC_CHANNEL_H
#define KERNEL_EXEC_CHANNEL_H

#include <lib/types.h>

struct object;

/* Looks for the ports and, if they are there, starts the thread that serves COM2. */
void exec_channel_init(void);
bool exec_channel_present(void);

/* The program's three streams, with one reference each; NULL: no memory. */
struct object *exec_channel_stdin(void);
struct object *exec_channel_stdout(void);
struct object *exec_channel_stderr(void);
/* Writes to it travel as pieces of the archive of --get. */
struct object *exec_channel_archive(void);

enum exec_status {
	EXEC_READY = 'R',
	EXEC_CREDIT = 'C',
	EXEC_PONG = 'O',
	EXEC_EXITED = 'X',
	EXEC_SIGNALLED = 'S',
	EXEC_NO_PROGRAM = 'N',
	EXEC_CANNOT_RUN = 'A',
	EXEC_PANIC = 'P',
	EXEC_ARCHIVE = 'G',
	EXEC_ARCHIVE_END = 'g',
	EXEC_END = 'Z',
};
void exec_channel_status(enum exec_status type, const void *payload, uint16_t len_bytes);
/* The same with one number as payload. */
void exec_channel_status_u32(enum exec_status type, uint32_t value);

/* Tells the host why the kernel ends. Takes no lock, polls, may be called from anywhere; does
 * nothing without a channel. */
void exec_channel_panic(const char *reason);

/* Starts the thread that runs what `exec=` of the command line says and then powers off; does
 * nothing without `exec=`. */
void exec_runner_start(void);

#endif
