/*
 * A new program for the running thread: what it is given (struct exec_request), and its image in a
 * new address space (elf_load()). Until exec_commit() nothing of the caller's has changed.
 */
#ifndef KERNEL_PROCESS_EXEC_H
#define KERNEL_PROCESS_EXEC_H

#include "uthread.h"

#define EXEC_STRING_BYTES_MAX (128 * KIB) /* MAX_ARG_STRLEN, with the NUL */

/* Strings one behind the other, each with its NUL. */
struct exec_strings {
	char *block;
	size_t room_bytes;
	size_t len_bytes;
	unsigned count;
};

struct exec_request {
	struct object *file; /* a reference */
	char *path;          /* what the program learns as its name; PATH_MAX bytes */
	struct exec_strings argv;
	struct exec_strings envp;
	uint64_t strings_bytes_max;   /* with a pointer for each */
	struct credentials ids;       /* the program's, set-id bits of its file respected */
	struct credentials plain_ids; /* the same with those bits not respected */
	bool secure;                  /* they are not the caller's: AT_SECURE */
	bool unreadable; /* who executes it may not read it: nor may he by looking at its memory */
};

/* What was loaded. The running thread is in `space` already; exec_abandon() takes it back. */
struct exec_image {
	struct space *space;
	uint64_t entry;
	uint64_t stack_pointer;
	struct exec_places given;
};

/* ---- strings (exec_strings.c) ---- */

void exec_strings_free(struct exec_strings *strings);
/* -E2BIG, -ENOMEM, -EFAULT. `vector`: the program's, ends with a null pointer. */
err_t must_check exec_strings_from_user(struct exec_request *request, struct exec_strings *strings,
					uptr_t vector);
err_t must_check exec_strings_from_kernel(struct exec_request *request,
					  struct exec_strings *strings, const char *const *list);
err_t must_check exec_strings_put_first(struct exec_request *request, struct exec_strings *strings,
					const char *text);
void exec_strings_drop_first(struct exec_strings *strings);

/* ---- loading (elf_load.c) ---- */

/* -ENOEXEC (a line of the log says why), -E2BIG, -ENOMEM, -EACCES ...; on an error the thread is
 * where it was. Sleeps. */
err_t must_check elf_load(const struct exec_request *request, struct exec_image *image);

/* ---- exec.c ---- */

err_t must_check exec_request_init(struct exec_request *request);
void exec_request_free(struct exec_request *request);
/* Opens `name`, follows the #! lines of scripts, and looks at set-id bits. `name` may be
 * request->path itself. */
err_t must_check exec_open(struct exec_request *request, struct object *at, const char *name,
			   unsigned at_flags);
/* The registers of the beginning; the thread's process has the image's space from here on. */
void exec_begin(struct exec_request *request, const struct exec_image *image);

#endif
