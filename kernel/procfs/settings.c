/*
 * Settings that are numbers (/proc/sys): how each is read and written; the table says which number
 * it is and its range. Numbers are as Linux takes them: one, with blanks around it, 0x.. and 0..
 * as in C. No state, no locks: whoever looks at a setting does so by read_once.
 */
#include "procfs.h"

#include <abi/errno.h>
#include <ipc/pipe.h>
#include <lib/string.h>

static const char *skip_blanks(const char *text)
{
	while (*text == ' ' || *text == '\t')
		text++;
	return text;
}

err_t proc_read_number(const char *text, int64_t least, int64_t most, int64_t *out)
{
	bool negative;
	uint64_t number;

	text = skip_blanks(text);
	negative = *text == '-';
	text += negative || *text == '+';
	if (string_to_u64(text, &number) || number > INT64_MAX)
		return -EINVAL;
	*out = negative ? -(int64_t)number : (int64_t)number;
	return *out < least || *out > most ? -EINVAL : 0;
}

static void *place_of(const struct proc_number *number)
{
	return number->of ? (char *)number->of() + number->offset : number->at;
}

void proc_number(struct text *text, const struct proc_subject *subject)
{
	const struct proc_number *number = subject->entry->number;
	const void *at = place_of(number);
	uint64_t value = number->most;

	if (at)
		value = number->bytes == sizeof(uint32_t) ? read_once((const uint32_t *)at)
							  : read_once((const uint64_t *)at);
	text_add(text, "%lu\n", value);
}

err_t proc_number_write(const struct proc_subject *subject, const char *text)
{
	const struct proc_number *number = subject->entry->number;
	uint64_t value;

	text = skip_blanks(text);
	text += *text == '+';
	if (string_to_u64(text, &value) || value < number->least || value > number->most)
		return -EINVAL;
	if (number->bytes == sizeof(uint32_t))
		write_once((uint32_t *)place_of(number), (uint32_t)value);
	else
		write_once((uint64_t *)place_of(number), value);
	return 0;
}

/* One that a pipe can have; as Linux. */
err_t proc_pipe_max_write(UNUSED const struct proc_subject *subject, const char *text)
{
	uint64_t rounded;
	int64_t bytes;
	err_t err = proc_read_number(text, 1, INT32_MAX, &bytes);

	if (!err)
		err = pipe_round_size((uint64_t)bytes, &rounded);
	if (!err)
		write_once(&pipe_bytes_max, (uint32_t)rounded);
	return err;
}
