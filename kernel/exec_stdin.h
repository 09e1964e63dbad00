/*
 * Standard input of exec: what the host sent and no program has read yet.
 */
#ifndef KERNEL_EXEC_STDIN_H
#define KERNEL_EXEC_STDIN_H

#include <lib/types.h>

struct object;

/* Allocates the queue; what it holds is granted to the host as credit. With shared rings there is
 * neither. */
void exec_stdin_init(void);

/* From the channel's task. Bytes beyond the credit are lost, and said so in the log. */
void exec_stdin_data(const uint8_t *bytes, size_t len_bytes);
void exec_stdin_end(void);
/* The shared ring has something. */
void exec_stdin_filled(void);

/* With a reference for the caller. */
struct object *exec_stdin_object(void);

#endif
