/*
 * A tracee's memory and registers. Programs' memory is touched with no lock held: what goes to or
 * comes from registers lies in between.
 */
#include "request.h"

#include <abi/errno.h>
#include <abi/prctl.h>
#include <arch/context.h>
#include <arch/registers.h>
#include <arch/user.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/space.h>

/* ---- memory ---- */

/* As Linux: whatever is wrong with the address is -EIO. */
static int64_t peek(const struct trace_request *call)
{
	struct space *space;
	uint64_t word = 0;
	err_t err = ptrace_space(call->tid, &space);

	if (err)
		return err;
	err = space_read_forced(space, call->address, &word, sizeof(word));
	space_put(space);
	if (err)
		return err == -EINTR ? err : -EIO;
	return user_put(uptr(call->data), &word);
}

static int64_t poke(const struct trace_request *call)
{
	struct space *space;
	err_t err = ptrace_space(call->tid, &space);

	if (err)
		return err;
	err = space_write(space, call->address, &call->data, sizeof(call->data), true);
	space_put(space);
	return err && err != -EINTR ? -EIO : err;
}

/* ---- sets of registers ---- */

struct register_set {
	uint64_t kind; /* NT_* */
	size_t (*bytes)(void);
	void (*get)(const struct tracee *tracee, void *out);
	err_t (*set)(struct tracee *tracee, const void *from);
};

static size_t general_bytes(void)
{
	return sizeof(struct abi_user_regs);
}

static void get_general(const struct tracee *tracee, void *out)
{
	ptrace_get_registers(tracee, out);
}

static err_t set_general(struct tracee *tracee, const void *from)
{
	return ptrace_set_registers(tracee, from);
}

static size_t fxsave_bytes(void)
{
	return FXSAVE_BYTES;
}

static void get_fxsave(const struct tracee *tracee, void *out)
{
	registers_get_fxsave(&tracee->uthread->thread->context, out);
}

static err_t set_fxsave(struct tracee *tracee, const void *from)
{
	return registers_set_fxsave(&tracee->uthread->thread->context, from);
}

static void get_xsave(const struct tracee *tracee, void *out)
{
	registers_get_xsave(&tracee->uthread->thread->context, out);
}

static err_t set_xsave(struct tracee *tracee, const void *from)
{
	return registers_set_xsave(&tracee->uthread->thread->context, from);
}

static const struct register_set sets[] = {
	{NT_PRSTATUS, general_bytes, get_general, set_general},
	{NT_PRFPREG, fxsave_bytes, get_fxsave, set_fxsave},
	{NT_X86_XSTATE, registers_xsave_bytes, get_xsave, set_xsave},
};

static const struct register_set *find_set(uint64_t kind)
{
	for (unsigned i = 0; i < ARRAY_SIZE(sets); i++) {
		if (sets[i].kind == kind)
			return &sets[i];
	}
	return NULL;
}

struct set_call {
	const struct register_set *set;
	void *buffer; /* of the set's length */
};

static err_t get_set(struct tracee *tracee, void *argument)
{
	const struct set_call *call = argument;

	call->set->get(tracee, call->buffer);
	return 0;
}

static err_t set_set(struct tracee *tracee, void *argument)
{
	const struct set_call *call = argument;

	return call->set->set(tracee, call->buffer);
}

/* `len_bytes` of the set to or from the tracer's memory. */
static err_t move_set(int32_t tid, const struct register_set *set, uptr_t memory, size_t len_bytes,
		      bool is_set)
{
	struct set_call call = {.set = set, .buffer = kzalloc(set->bytes())};
	err_t err = call.buffer ? ptrace_with(tid, false, get_set, &call) : -ENOMEM;

	if (!err && !is_set)
		err = user_copy_out(memory, call.buffer, len_bytes);
	/* What the tracer does not give remains. */
	if (!err && is_set) {
		err = user_copy_in(call.buffer, memory, len_bytes);
		if (!err)
			err = ptrace_with(tid, false, set_set, &call);
	}
	kfree(call.buffer);
	return err;
}

static int64_t whole_set(const struct trace_request *call, uint64_t kind, bool is_set)
{
	const struct register_set *set = find_set(kind);

	return move_set(call->tid, set, uptr(call->data), set->bytes(), is_set);
}

struct piece {
	uint64_t base;
	uint64_t len_bytes;
};

static int64_t part_of_set(const struct trace_request *call, bool is_set)
{
	const struct register_set *set = find_set(call->address);
	struct piece piece;
	err_t err;

	if (user_get(&piece, uptr(call->data)))
		return -EFAULT;
	if (!set || piece.len_bytes % sizeof(uint64_t))
		return -EINVAL;
	if (!set->bytes())
		return -ENODEV;
	piece.len_bytes = MIN(piece.len_bytes, set->bytes());
	err = move_set(call->tid, set, uptr(piece.base), piece.len_bytes, is_set);
	return err ? err : user_put(uptr(call->data), &piece);
}

/* ---- the user area ---- */

struct user_word {
	uint64_t offset;
	uint64_t value;
	struct debug_registers *fresh; /* used, if the thread has none yet */
};

static bool is_debug_register(const struct user_word *word)
{
	return word->offset >= USER_AREA_DEBUG_REGISTERS &&
	       word->offset < USER_AREA_DEBUG_REGISTERS + DEBUG_REGISTERS * sizeof(uint64_t);
}

static unsigned debug_index(const struct user_word *word)
{
	return (unsigned)(word->offset - USER_AREA_DEBUG_REGISTERS) / sizeof(uint64_t);
}

static err_t peek_user(struct tracee *tracee, void *argument)
{
	struct user_word *word = argument;
	struct abi_user_regs regs;

	if (is_debug_register(word)) {
		word->value =
			debug_register_get(&tracee->uthread->thread->context, debug_index(word));
	} else if (word->offset < sizeof(regs)) {
		ptrace_get_registers(tracee, &regs);
		memcpy(&word->value, (const char *)&regs + word->offset, sizeof(word->value));
	} else {
		word->value = 0;
	}
	return 0;
}

static err_t poke_debug(struct context *context, struct user_word *word)
{
	if (!context->debug) {
		/* As long as there is nothing to keep, none is there. */
		if (!word->value)
			return debug_index(word) == 4 || debug_index(word) == 5 ? -EIO : 0;
		context->debug = word->fresh;
		word->fresh = NULL;
	}
	return debug_register_set(context, debug_index(word), word->value);
}

static err_t poke_user(struct tracee *tracee, void *argument)
{
	struct user_word *word = argument;
	struct abi_user_regs regs;

	if (is_debug_register(word))
		return poke_debug(&tracee->uthread->thread->context, word);
	if (word->offset >= sizeof(regs))
		return -EIO;
	ptrace_get_registers(tracee, &regs);
	memcpy((char *)&regs + word->offset, &word->value, sizeof(word->value));
	return ptrace_set_registers(tracee, &regs);
}

static int64_t user_area(const struct trace_request *call, bool is_set)
{
	struct user_word word = {.offset = call->address, .value = call->data};
	err_t err;

	if (call->address % sizeof(uint64_t) || call->address >= USER_AREA_BYTES)
		return -EIO;
	if (is_set && is_debug_register(&word)) {
		word.fresh = kzalloc(sizeof(*word.fresh));
		if (!word.fresh)
			return -ENOMEM;
	}
	err = ptrace_with(call->tid, false, is_set ? poke_user : peek_user, &word);
	kfree(word.fresh);
	if (err || is_set)
		return err;
	return user_put(uptr(call->data), &word.value);
}

/* ---- arch_prctl of another thread ---- */

static int64_t other_arch_prctl(const struct trace_request *call)
{
	struct trace_request area = *call;
	bool is_fs = call->data == ARCH_SET_FS || call->data == ARCH_GET_FS;

	area.address = is_fs ? offsetof(struct abi_user_regs, fs_base)
			     : offsetof(struct abi_user_regs, gs_base);
	area.data = call->address;
	switch (call->data) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		return call->address < USER_MAX ? user_area(&area, true) : -EPERM;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		return user_area(&area, false);
	default:
		return -EINVAL;
	}
}

int64_t ptrace_access_request(const struct trace_request *call)
{
	switch (call->request) {
	case PTRACE_PEEKTEXT:
	case PTRACE_PEEKDATA:
		return peek(call);
	case PTRACE_POKETEXT:
	case PTRACE_POKEDATA:
		return poke(call);
	case PTRACE_PEEKUSR:
		return user_area(call, false);
	case PTRACE_POKEUSR:
		return user_area(call, true);
	case PTRACE_GETREGS:
	case PTRACE_SETREGS:
		return whole_set(call, NT_PRSTATUS, call->request == PTRACE_SETREGS);
	case PTRACE_GETFPREGS:
	case PTRACE_SETFPREGS:
		return whole_set(call, NT_PRFPREG, call->request == PTRACE_SETFPREGS);
	case PTRACE_GETREGSET:
	case PTRACE_SETREGSET:
		return part_of_set(call, call->request == PTRACE_SETREGSET);
	case PTRACE_ARCH_PRCTL:
		return other_arch_prctl(call);
	default:
		return -ENOSYS;
	}
}
