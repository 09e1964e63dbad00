/*
 * The undefined behaviour sanitizer's side of the kernel: what the compiler calls when an operation
 * has no defined result (-fsanitize=undefined). Each call hands over a record that begins with the
 * place in the source; which behaviour it was is the function's name. No state.
 */
#include <lib/panic.h>
#include <lib/types.h>

struct source_place {
	const char *file;
	uint32_t line;
	uint32_t column;
};

static noreturn void report(const struct source_place *at, const char *what)
{
	panic("UBSan: %s at %s:%u:%u", what, at->file, at->line, at->column);
}

/* More arguments follow, of which the place says enough. */
#define HANDLER(name, what)                                                                        \
	void __ubsan_handle_##name(const struct source_place *at);                                 \
	void __ubsan_handle_##name(const struct source_place *at)                                  \
	{                                                                                          \
		report(at, what);                                                                  \
	}

HANDLER(add_overflow, "signed overflow of +")
HANDLER(sub_overflow, "signed overflow of -")
HANDLER(mul_overflow, "signed overflow of *")
HANDLER(negate_overflow, "signed overflow of a negation")
HANDLER(divrem_overflow, "division by zero, or its overflow")
HANDLER(shift_out_of_bounds, "shift by too much, or of a negative number")
HANDLER(out_of_bounds, "index out of bounds")
HANDLER(type_mismatch_v1, "null pointer, wrong alignment or too small an object")
HANDLER(load_invalid_value, "value that its type does not have")
HANDLER(builtin_unreachable, "place reached that cannot be")
HANDLER(missing_return, "function without a result")
HANDLER(vla_bound_not_positive, "array of no length")
HANDLER(nonnull_arg, "null argument where none may be")
HANDLER(pointer_overflow, "pointer overflow")
HANDLER(invalid_builtin, "builtin function of zero")

/* This one keeps the place apart from the record. */
void __ubsan_handle_nonnull_return_v1(const void *record, const struct source_place *at);
void __ubsan_handle_nonnull_return_v1(const void *record, const struct source_place *at)
{
	(void)record;
	report(at, "null result where none may be");
}
