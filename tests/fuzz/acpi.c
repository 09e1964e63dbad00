/* sources: arch/x86_64/acpi/read.c arch/x86_64/acpi/madt.c arch/x86_64/acpi/fadt.c
	    arch/x86_64/acpi/hpet.c arch/x86_64/acpi/mcfg.c */
/*
 * ACPI's tables under libFuzzer: any bytes are the machine's memory, with the RSDP at its start.
 * The last byte says where that memory lies: the RSDP is named by the loader, or it is searched
 * for. Checksums are put right where the bytes say that a table lies, or nothing would get past
 * them. Each piece of memory that the reader asks for is a block of its own, so the sanitizer sees
 * a step beyond it.
 */
#include "support/promise.h"
#include "tables.h"

#include <lib/log.h>

#include <stdlib.h>
#include <string.h>

#define GIVEN_MAX  2048
#define TABLES_MAX 3
/* In the memory: RSDP, XSDT, and the tables that it names. */
#define XSDT_AT       64
#define FIRST_TABLE   128
#define TABLE_SPACING 256

/* Where the RSDP is looked for if nobody names it, ACPI 6.5, 5.2.5.1. */
#define EBDA_SEGMENT 0x40e

static const struct place {
	paddr_t at;
	size_t searched_bytes; /* 0: the RSDP is named */
} places[] = {{0x1000, 0}, {0x9fc00, 0x400}, {0xe0000, 0x20000}};

static const struct place *place;
static uint8_t *memory;
static size_t memory_bytes;
static void *given[GIVEN_MAX];
static unsigned ngiven;

void log_emit(enum log_level level, const char *subsystem, const char *format, ...)
{
	(void)level;
	(void)subsystem;
	(void)format;
}

const void *acpi_map(paddr_t address, size_t len_bytes)
{
	uint16_t segment = (uint16_t)(places[1].at >> 4);
	const void *from = NULL;
	void *copy;

	if (address == EBDA_SEGMENT && len_bytes == sizeof(segment))
		from = &segment;
	else if (address >= place->at && address - place->at <= memory_bytes &&
		 len_bytes <= memory_bytes - (address - place->at))
		from = memory + (address - place->at);
	if (!from || ngiven == GIVEN_MAX)
		return NULL;
	copy = malloc(len_bytes);
	PROMISE(copy || !len_bytes);
	if (copy)
		memcpy(copy, from, len_bytes);
	given[ngiven++] = copy;
	return copy;
}

static void sign(size_t at, size_t len, size_t sum_at)
{
	uint8_t sum = 0;

	if (at > memory_bytes || len > memory_bytes - at || sum_at >= len)
		return;
	memory[at + sum_at] = 0;
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + memory[at + i]);
	memory[at + sum_at] = (uint8_t)-sum;
}

static void sign_table(size_t at)
{
	uint32_t len = 0;

	if (at + 8 <= memory_bytes) {
		memcpy(&len, memory + at + 4, sizeof(len));
		sign(at, len, 9);
	}
}

/* A length that may be right, and a signature that is looked at, unless a byte says otherwise. */
static void dress_table(size_t at)
{
	static const char signatures[][5] = {"APIC", "FACP", "DSDT", "HPET", "MCFG"};
	uint8_t choice;
	uint32_t len;

	if (at + 36 > memory_bytes)
		return;
	choice = memory[at + 8];
	if (choice & 0x80)
		return;
	memcpy(memory + at, signatures[choice % ARRAY_SIZE(signatures)], 4);
	memcpy(&len, memory + at + 4, sizeof(len));
	len = 30 + len % (2 * TABLE_SPACING);
	memcpy(memory + at + 4, &len, sizeof(len));
	/* A FADT leads to the third table. */
	if (memory[at] == 'F' && at + 44 <= memory_bytes) {
		uint32_t dsdt = (uint32_t)place->at + FIRST_TABLE + 2 * TABLE_SPACING;

		memcpy(memory + at + 40, &dsdt, sizeof(dsdt));
	}
}

/* The addresses are ours. */
static void lead_to_the_tables(void)
{
	uint32_t root_len = 36 + 8 * TABLES_MAX;
	uint64_t xsdt = place->at + XSDT_AT;

	if (memory_bytes < FIRST_TABLE + 36)
		return;
	memcpy(memory, "RSD PTR ", 8);
	memcpy(memory + 24, &xsdt, 8);
	sign(0, 20, 8);
	sign(0, 36, 32);
	memcpy(memory + XSDT_AT, "XSDT", 4);
	memcpy(memory + XSDT_AT + 4, &root_len, 4);
	for (uint64_t i = 0; i < TABLES_MAX; i++) {
		uint64_t at = FIRST_TABLE + i * TABLE_SPACING;
		uint64_t address = place->at + at;

		memcpy(memory + XSDT_AT + 36 + i * 8, &address, 8);
		dress_table(at);
		sign_table(at);
	}
	sign_table(XSDT_AT);
}

static void check_madt(const struct acpi_madt *madt)
{
	PROMISE(madt->ncpus <= ACPI_CPUS_MAX);
	PROMISE(madt->nioapics <= ACPI_IOAPICS_MAX);
	PROMISE(madt->nnmis <= ACPI_NMIS_MAX);
	for (uint32_t i = 0; i < madt->ncpus; i++) {
		PROMISE(madt->apic_ids[i] != UINT32_MAX);
		for (uint32_t k = 0; k < i; k++)
			PROMISE(madt->apic_ids[i] != madt->apic_ids[k]);
	}
	for (uint32_t i = 0; i < madt->nnmis; i++)
		PROMISE(madt->nmis[i].lint < 2);
	if (!madt->found)
		PROMISE(!madt->ncpus && !madt->nioapics);
}

static void check_power(const struct acpi_power *power)
{
	PROMISE(power->found || (!power->has_s5 && !power->reset.found));
	PROMISE(power->s5_type_a <= 7 || !power->has_s5);
	PROMISE(power->s5_type_b <= 7 || !power->has_s5);
	PROMISE(power->pm1a_control.space != ACPI_PORT || power->pm1a_control.address <= 0xffff);
	PROMISE(power->reset.space != ACPI_PORT || power->reset.address <= 0xffff);
}

static void check_mcfg(const struct acpi_mcfg *mcfg)
{
	PROMISE(mcfg->count <= ACPI_MCFG_MAX);
	for (uint32_t i = 0; i < mcfg->count; i++) {
		const struct acpi_pci_buses *one = &mcfg->buses[i];

		PROMISE(one->start && one->start < one->end && IS_ALIGNED(one->start, MIB));
		PROMISE(one->end - one->start == (one->last_bus - one->first_bus + 1) * MIB);
		for (uint32_t k = 0; k < i; k++) {
			const struct acpi_pci_buses *other = &mcfg->buses[k];

			PROMISE(one->start >= other->end || other->start >= one->end);
			PROMISE(one->segment != other->segment ||
				one->first_bus > other->last_bus ||
				other->first_bus > one->last_bus);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct acpi_info info;
	const char *problem;

	if (!size)
		return 0;
	place = &places[(data[size - 1] >> 1 & 3) % ARRAY_SIZE(places)];
	memory_bytes = MAX(size, place->searched_bytes);
	memory = calloc(1, memory_bytes);
	PROMISE(memory);
	memcpy(memory, data, size);
	/* Every second time as it came: the way to the tables may be broken as well. */
	if (data[size - 1] & 1)
		lead_to_the_tables();
	problem = acpi_read(&info, place->searched_bytes ? 0 : place->at);
	PROMISE(problem || info.rsdp == place->at || (place->searched_bytes && info.rsdp));
	check_madt(&info.madt);
	check_power(&info.power);
	check_mcfg(&info.mcfg);
	PROMISE(!info.hpet.found || (info.hpet.address && info.hpet.address % 8 == 0));
	while (ngiven)
		free(given[--ngiven]);
	free(memory);
	return 0;
}
