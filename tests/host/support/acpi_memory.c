/*
 * See acpi_memory.h. acpi_map() gives out copies of exactly what was asked for, so the sanitizer
 * sees a step beyond.
 */
#include "acpi_memory.h"

#include <lib/log.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

uint8_t memory[MEMORY_BYTES];
static void *given[256];
static unsigned ngiven;

void log_emit(enum log_level level, const char *subsystem, const char *format, ...)
{
	(void)level;
	(void)subsystem;
	(void)format;
}

const void *acpi_map(paddr_t address, size_t len_bytes)
{
	void *copy;

	if (address > MEMORY_BYTES || len_bytes > MEMORY_BYTES - address ||
	    ngiven == ARRAY_SIZE(given))
		return NULL;
	copy = malloc(len_bytes ? len_bytes : 1);
	assert_non_null(copy);
	memcpy(copy, memory + address, len_bytes);
	given[ngiven++] = copy;
	return copy;
}

const char *read_acpi(struct acpi_info *out, paddr_t rsdp)
{
	const char *problem = acpi_read(out, rsdp);

	while (ngiven)
		free(given[--ngiven]);
	return problem;
}

/* ---- making tables ---- */

/* Makes the sum of [at, at + len) zero by the byte `place`. */
void sign(size_t at, size_t len, size_t place)
{
	uint8_t sum = 0;

	memory[at + place] = 0;
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + memory[at + i]);
	memory[at + place] = (uint8_t)-sum;
}

void put(size_t at, uint64_t value, size_t bytes)
{
	memcpy(memory + at, &value, bytes);
}

void sign_table(size_t at)
{
	uint32_t len;

	memcpy(&len, memory + at + 4, sizeof(len));
	sign(at, len, 9);
}

void begin_table(size_t at, const char *signature, uint32_t len)
{
	memset(memory + at, 0, len);
	memcpy(memory + at, signature, 4);
	put(at + 4, len, 4);
}

void make_rsdp(size_t at, uint8_t revision)
{
	memset(memory + at, 0, 36);
	memcpy(memory + at, "RSD PTR ", 8);
	memory[at + 15] = revision;
	put(at + 16, OLD_ROOT_AT, 4);
	sign(at, 20, 8);
	if (revision < 2)
		return;
	put(at + 20, 36, 4);
	put(at + 24, ROOT_AT, 8);
	sign(at, 36, 32);
}

void make_root(size_t at, const char *signature, size_t entry_bytes, uint64_t table)
{
	begin_table(at, signature, (uint32_t)(36 + 2 * entry_bytes));
	put(at + 36, 0, entry_bytes); /* as some firmware leaves one */
	put(at + 36 + entry_bytes, table, entry_bytes);
	sign_table(at);
}
