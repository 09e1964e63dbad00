/*
 * The rows that have left a screen at its top: the newest ones, as many as fit into a given memory.
 * A row takes what its text takes, and a little for each change of colour. Pure; the caller has the
 * lock.
 */
#ifndef KERNEL_CONSOLE_HISTORY_H
#define KERNEL_CONSOLE_HISTORY_H

#include "cell.h"

/*
 * A ring of records, oldest first. Positions count up; the place is the position modulo the size.
 * A record has its length (two bytes) at both ends, so the ring can be walked from either.
 */
struct history {
	uint8_t *ring;
	uint32_t ring_bytes; /* a power of two */
	uint32_t head;       /* of the oldest record */
	uint32_t tail;       /* behind the newest one */
	unsigned nrows;
};

/* `memory` is the caller's for as long as the history is used. */
void history_init(struct history *history, void *memory, uint32_t len_bytes);
void history_clear(struct history *history);

/* Adds a row as the newest; the oldest go, as many as need be. A row that does not fit at all is
 * kept as a blank one. */
void history_push(struct history *history, const struct cell *cells, unsigned columns);

static inline unsigned history_rows(const struct history *history)
{
	return history->nrows;
}

/* Row `age` (0: the newest), filled up with blanks, cut to `columns`. */
void history_row(const struct history *history, unsigned age, struct cell *out, unsigned columns);

#endif
