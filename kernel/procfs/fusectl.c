/*
 * fusectl: what there is to tell and to set of each mount whose server is a driver. Its files are
 * those of whoever has mounted it; each look finds the connection anew. No state.
 */
#include "procfs.h"

#include "../process/capability.h"

#include <fusek/driver.h>

/* What who may not administer the machine can ask for; as Linux. */
#define USERS_MAX 32768
#define SET_MAX   UINT16_MAX

static void show(struct text *text, const struct proc_subject *subject, size_t offset)
{
	struct fuse_control control;

	text->err = fuse_control_look(subject->index, &control);
	if (!text->err)
		text_add(text, "%u\n", *(const uint32_t *)((const char *)&control + offset));
}

void fusectl_waiting(struct text *text, const struct proc_subject *subject)
{
	show(text, subject, offsetof(struct fuse_control, nwaiting));
}

void fusectl_max_background(struct text *text, const struct proc_subject *subject)
{
	show(text, subject, offsetof(struct fuse_control, max_background));
}

void fusectl_congestion(struct text *text, const struct proc_subject *subject)
{
	show(text, subject, offsetof(struct fuse_control, congestion_threshold));
}

/* Not Linux's: a line for each kind of request that was answered: its name, how many, how many
 * bytes of data, and how many took less than 1.024 us, twice that, and so on. */
void fusectl_requests(struct text *text, const struct proc_subject *subject)
{
	for (uint32_t opcode = 0; opcode < FUSE_COUNTED && !text->err; opcode++) {
		struct fuse_counted counted;

		text->err = fuse_control_counted(subject->index, opcode, &counted);
		if (text->err || !counted.nrequests)
			continue;
		text_add(text, "%s %lu %lu", fuse_opcode_name(opcode), counted.nrequests,
			 counted.nbytes);
		for (unsigned i = 0; i < FUSE_LATENCIES; i++)
			text_add(text, " %u", counted.latencies[i]);
		text_add(text, "\n");
	}
}

static err_t read_limit(const char *text, uint32_t *out)
{
	int64_t value;
	err_t err = proc_read_number(text, 0, capable(CAP_SYS_ADMIN) ? SET_MAX : USERS_MAX, &value);

	if (!err)
		*out = (uint32_t)value;
	return err;
}

err_t fusectl_max_background_write(const struct proc_subject *subject, const char *text)
{
	uint32_t limit;
	err_t err = read_limit(text, &limit);

	return err ? err : fuse_control_set_background(subject->index, limit);
}

err_t fusectl_congestion_write(const struct proc_subject *subject, const char *text)
{
	uint32_t limit;
	err_t err = read_limit(text, &limit);

	return err ? err : fuse_control_set_congestion(subject->index, limit);
}

/* Whatever it is. */
err_t fusectl_abort_write(const struct proc_subject *subject, UNUSED const char *text)
{
	return fuse_control_abort(subject->index);
}
