/*
 * Requests as ksh's `trace fuse` shows them, when they are over:
 *
 *	fuse: 5: 14 LOOKUP(1, "name") = node 7 <0.000012>
 *
 * the number of the filesystem (the minor one of st_dev), the request's own, what was asked for,
 * what came of it, and the seconds from asking to the answer. Owns the switch for all connections;
 * each has its own beside it, and one says whether any is on. No lock: a line is made on the stack
 *of the thread that has the request.
 */
#define LOG_SUBSYSTEM "fuse"
#include "trace.h"

#include "server.h"

#include <arch/clock.h>
#include <fusek/driver.h>
#include <lib/log.h>
#include <lib/string.h>

#define REQUEST_SHOWN 160
#define ANSWER_SHOWN  32

bool fuse_trace_any, fuse_trace_everything;

static const char *name_of(uint32_t opcode)
{
	return opcode == CUSE_INIT ? "CUSE_INIT" : fuse_opcode_name(opcode);
}

/* CUSE's have none. */
static uint32_t filesystem_of(const struct fuse_connection *connection)
{
	return connection->server ? read_once(&connection->server->fs_number) : 0;
}

void fuse_trace(struct fuse_connection *connection, const struct fuse_request *request, err_t error)
{
	uint64_t took_us = (clock_ns() - request->asked_ns) / NSEC_PER_USEC;
	const struct fuse_message *message = &request->message;
	const struct fuse_reply reply = fuse_request_reply(request);
	char asked[REQUEST_SHOWN], answer[ANSWER_SHOWN];

	(void)fuse_show_request(&connection->session, message, asked, sizeof(asked));
	(void)fuse_show_answer(message, &reply, error, answer, sizeof(answer));
	log_trace("%u: %lu %s%s = %s <%lu.%06lu>", filesystem_of(connection), request->unique,
		  name_of(message->opcode), asked, answer, took_us / 1000000, took_us % 1000000);
}

void fuse_trace_told(struct fuse_connection *connection, const struct fuse_reader *reader)
{
	const struct fuse_in_header *header = &reader->out.header;
	struct fuse_message message = {
		.opcode = header->opcode,
		.node.value = header->nodeid,
		.arguments_bytes = (uint32_t)(reader->head_bytes - sizeof(*header)),
	};
	char asked[REQUEST_SHOWN];

	if (header->opcode != FUSE_FORGET && header->opcode != FUSE_BATCH_FORGET &&
	    header->opcode != FUSE_INTERRUPT)
		return;
	memcpy(message.arguments, reader->out.arguments, message.arguments_bytes);
	(void)fuse_show_request(&connection->session, &message, asked, sizeof(asked));
	log_trace("%u: %lu %s%s", filesystem_of(connection), header->unique,
		  name_of(header->opcode), asked);
}
