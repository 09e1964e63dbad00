/*
 * What prctl does to a program's memory: what may be executed, large pages, where its parts are
 * said to lie (PR_SET_MM, of a Linux without PR_SET_MM_MAP), and what it was told when it began.
 * Owns no state.
 */
#include "prctl.h"

#include "../memory/memory.h"
#include "capability.h"
#include "inspect.h"
#include "uthread.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/prctl.h>
#include <arch/paging.h>
#include <arch/user.h>
#include <fusek/file.h>
#include <ipc/fdtable.h>
#include <mm/space.h>

_Static_assert(PR_MDWE_REFUSE_EXEC_GAIN == REFUSE_EXEC_GAIN &&
		       PR_MDWE_NO_INHERIT == REFUSE_NO_INHERIT,
	       "they are passed on as they are");

/* Of the vector: more than exec gives. */
#define AUXILIARY_WORDS_MAX 64

/* ---- what may be executed ---- */

static int64_t refuse_exec(uint64_t bits, bool others)
{
	if (others || bits & ~(uint64_t)(PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT) ||
	    bits == PR_MDWE_NO_INHERIT)
		return -EINVAL;
	return space_refuse_exec(current_space(), (unsigned)bits);
}

/* ---- what exec has given ---- */

/* From where exec has put it: a program that has written there since finds that. */
static int64_t get_auxiliary(uint64_t to, uint64_t to_bytes, bool others)
{
	const struct exec_places *given = &process_current()->given;
	size_t len_bytes = given->auxiliary_end - given->auxiliary;
	size_t copied_bytes = MIN(len_bytes, to_bytes);
	uint8_t piece[64];

	if (others)
		return -EINVAL;
	for (size_t at = 0; at < copied_bytes; at += sizeof(piece)) {
		size_t piece_bytes = MIN(sizeof(piece), copied_bytes - at);

		if (user_copy_in(piece, uptr(given->auxiliary + at), piece_bytes) ||
		    user_copy_out(uptr(to + at), piece, piece_bytes))
			return -EFAULT;
	}
	return (int64_t)len_bytes;
}

static vaddr_t *place_of(struct exec_places *given, uint64_t which)
{
	switch (which) {
	case PR_SET_MM_START_CODE:
		return &given->code;
	case PR_SET_MM_END_CODE:
		return &given->code_end;
	case PR_SET_MM_START_DATA:
		return &given->data;
	case PR_SET_MM_END_DATA:
		return &given->data_end;
	case PR_SET_MM_START_STACK:
		return &given->stack_start;
	case PR_SET_MM_ARG_START:
		return &given->arguments;
	case PR_SET_MM_ARG_END:
		return &given->arguments_end;
	case PR_SET_MM_ENV_START:
		return &given->environment;
	case PR_SET_MM_ENV_END:
		return &given->environment_end;
	default:
		return NULL;
	}
}

static bool is_in_order(const struct exec_places *given)
{
	return given->code < given->code_end && given->data <= given->data_end &&
	       given->arguments <= given->arguments_end &&
	       given->environment <= given->environment_end;
}

/* /proc tells what lies there. */
static int64_t set_place(uint64_t which, uint64_t address)
{
	struct process *process = process_current();
	struct exec_places given;
	struct region_info region;
	irqflags_t flags;
	err_t err = 0;

	if (!place_of(&given, which))
		return -EINVAL;
	if (which >= PR_SET_MM_START_STACK && !space_next(current_space(), address, &region))
		return -EFAULT;
	flags = spin_lock_irqsave(&process->signal_lock);
	given = process->given;
	*place_of(&given, which) = address;
	if (is_in_order(&given))
		process->given = given;
	else
		err = -EINVAL;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return err;
}

/* As much of it as is given; the last one of them ends the vector, whatever it was. */
static int64_t set_auxiliary(uint64_t from, uint64_t len_bytes)
{
	const struct exec_places *given = &process_current()->given;
	uint64_t words[AUXILIARY_WORDS_MAX] = {0};
	size_t nwords = (given->auxiliary_end - given->auxiliary) / sizeof(words[0]);

	if (!from || len_bytes > nwords * sizeof(words[0]) || nwords > ARRAY_SIZE(words))
		return -EINVAL;
	if (user_copy_in(words, uptr(from), len_bytes))
		return -EFAULT;
	words[nwords - 2] = words[nwords - 1] = 0;
	return user_copy_out(uptr(given->auxiliary), words, len_bytes);
}

/* ---- the file that runs ---- */

static bool is_mapped(const struct abi_stat *file)
{
	struct region_info region = {0};

	while (space_next(current_space(), region.end, &region)) {
		if (!region.anonymous && region.device == file->st_dev &&
		    region.inode == file->st_ino)
			return true;
	}
	return false;
}

/* The one before has left its memory, or there is nothing to say of another one. */
static err_t check_left(void)
{
	struct vfs_context context = *uthread_fs();
	struct path program = process_program(process_current());
	struct abi_stat file;
	err_t err;

	context.cwd = program;
	err = vfs_stat(&context, NULL, "", AT_EMPTY_PATH, &file);
	if (!err && is_mapped(&file))
		err = -EBUSY;
	path_put(&program);
	return err;
}

static err_t set_program(struct object *file)
{
	struct process *process = process_current();
	struct path fresh = file_path(file), before;
	irqflags_t flags;
	err_t err = check_left();

	if (err)
		return err;
	fresh = path_get(&fresh);
	flags = spin_lock_irqsave(&process->signal_lock);
	before = process->program;
	process->program = fresh;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	path_put(&before);
	return 0;
}

static err_t set_program_of(uint64_t fd)
{
	struct object *named = fd <= INT32_MAX ? fd_get(current_fds(), (int)fd) : NULL;
	struct object *file;
	err_t err;

	if (!named)
		return -EBADF;
	err = vfs_open_exec(uthread_fs(), named, "", AT_EMPTY_PATH, &file);
	object_put(named);
	if (err)
		return err;
	err = set_program(file);
	object_put(file);
	return err;
}

static int64_t set_memory(uint64_t which, uint64_t address, uint64_t len_bytes, uint64_t other)
{
	if (other || (len_bytes && which != PR_SET_MM_AUXV))
		return -EINVAL;
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (which == PR_SET_MM_EXE_FILE)
		return set_program_of(address);
	if (which == PR_SET_MM_AUXV)
		return set_auxiliary(address, len_bytes);
	if (address >= USER_MAX || address < USER_MIN)
		return -EINVAL;
	if (which == PR_SET_MM_START_BRK || which == PR_SET_MM_BRK)
		return space_move_brk(current_space(), which == PR_SET_MM_START_BRK, address);
	return set_place(which, address);
}

int64_t prctl_memory(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct space *space = current_space();

	switch (option) {
	case PR_SET_THP_DISABLE:
		if (b || c || d)
			return -EINVAL;
		write_once(&space->no_huge, a != 0);
		return 0;
	case PR_GET_THP_DISABLE:
		return a || b || c || d ? -EINVAL : read_once(&space->no_huge);
	case PR_SET_MDWE:
		return refuse_exec(a, b || c || d);
	case PR_GET_MDWE:
		return a || b || c || d ? -EINVAL : (int64_t)space_exec_refusal(space);
	case PR_GET_AUXV:
		return get_auxiliary(a, b, c || d);
	case PR_SET_MM:
		return set_memory(a, b, c, d);
	default:
		return -ENODATA;
	}
}
