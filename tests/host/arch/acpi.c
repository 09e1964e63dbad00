/* sources: arch/x86_64/acpi/read.c arch/x86_64/acpi/madt.c arch/x86_64/acpi/fadt.c */
/*
 * ACPI's tables: a good set is read as it is meant, and each lie costs the table that tells it and
 * no more. acpi_map() gives out copies of exactly what was asked for, so a step beyond is seen.
 */
#include "tables.h"

#include <lib/log.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MEMORY_BYTES (2 * MIB)
#define RSDP_AT      0xe1230
#define ROOT_AT      0x110000
#define OLD_ROOT_AT  0x118000
#define MADT_AT      0x120004 /* not where a structure would like to be */

static uint8_t memory[MEMORY_BYTES];
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

static const char *read_acpi(struct acpi_info *out, paddr_t rsdp)
{
	const char *problem = acpi_read(out, rsdp);

	while (ngiven)
		free(given[--ngiven]);
	return problem;
}

/* ---- making tables ---- */

/* Makes the sum of [at, at + len) zero by the byte `place`. */
static void sign(size_t at, size_t len, size_t place)
{
	uint8_t sum = 0;

	memory[at + place] = 0;
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + memory[at + i]);
	memory[at + place] = (uint8_t)-sum;
}

static void put(size_t at, uint64_t value, size_t bytes)
{
	memcpy(memory + at, &value, bytes);
}

static void sign_table(size_t at)
{
	uint32_t len;

	memcpy(&len, memory + at + 4, sizeof(len));
	sign(at, len, 9);
}

static void begin_table(size_t at, const char *signature, uint32_t len)
{
	memset(memory + at, 0, len);
	memcpy(memory + at, signature, 4);
	put(at + 4, len, 4);
}

static void make_rsdp(size_t at, uint8_t revision)
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

static void make_root(size_t at, const char *signature, size_t entry_bytes, uint64_t table)
{
	begin_table(at, signature, (uint32_t)(36 + 2 * entry_bytes));
	put(at + 36, 0, entry_bytes); /* as some firmware leaves one */
	put(at + 36 + entry_bytes, table, entry_bytes);
	sign_table(at);
}

/* The records of a machine with two CPUs, one that is not there, and one I/O APIC. */
static const uint8_t usual_records[] = {
	0,    8,  0,    0,    1,    0, 0,    0,                   /* CPU, APIC id 0 */
	0,    8,  1,    4,    1,    0, 0,    0,                   /* CPU, APIC id 4 */
	0,    8,  2,    6,    0,    0, 0,    0,                   /* not enabled */
	1,    12, 2,    0,    0,    0, 0xc0, 0xfe, 0,    0, 0, 0, /* I/O APIC 2 */
	2,    10, 0,    0,    2,    0, 0,    0,    0,    0,       /* ISA 0 is interrupt 2 */
	2,    10, 0,    9,    9,    0, 0,    0,    0x0d, 0,       /* ISA 9: level, high */
	2,    10, 0,    11,   22,   0, 0,    0,    0x0f, 0,       /* ISA 11 is 22: level, low */
	4,    6,  0xff, 0x05, 0,    1,                            /* NMI on LINT1 of all */
	0x7f, 4,  1,    2,                                        /* unknown */
	9,    16, 0,    0,    0x2c, 1, 0,    0,    1,    0, 0, 0,
	7,    0,  0,    0, /* CPU, APIC id 300 */
	9,    16, 0,    0,    4,    0, 0,    0,    1,    0, 0, 0,
	1,    0,  0,    0, /* APIC id 4 once more */
};

static void make_madt(const void *records, size_t len)
{
	begin_table(MADT_AT, "APIC", (uint32_t)(44 + len));
	put(MADT_AT + 36, 0xfee00000, 4);
	put(MADT_AT + 40, 1, 4);
	memcpy(memory + MADT_AT + 44, records, len);
	sign_table(MADT_AT);
}

static void make_machine(void)
{
	memset(memory, 0, sizeof(memory));
	make_rsdp(RSDP_AT, 2);
	make_root(ROOT_AT, "XSDT", 8, MADT_AT);
	make_root(OLD_ROOT_AT, "RSDT", 4, MADT_AT);
	make_madt(usual_records, sizeof(usual_records));
}

static void check_usual(const struct acpi_madt *madt)
{
	assert_true(madt->found);
	assert_true(madt->has_8259);
	assert_int_equal(madt->local_apic, 0xfee00000);
	assert_int_equal(madt->ncpus, 3);
	assert_int_equal(madt->apic_ids[0], 0);
	assert_int_equal(madt->apic_ids[1], 4);
	assert_int_equal(madt->apic_ids[2], 300);
	assert_int_equal(madt->ncpus_left_out, 0);
	assert_int_equal(madt->nioapics, 1);
	assert_int_equal(madt->ioapics[0].address, 0xfec00000);
	assert_int_equal(madt->isa[0].gsi, 2);
	assert_true(madt->isa[0].overridden);
	assert_int_equal(madt->isa[1].gsi, 1);
	assert_false(madt->isa[1].overridden);
	assert_int_equal(madt->isa[9].gsi, 9);
	assert_int_equal(madt->isa[9].trigger, TRIGGER_LEVEL);
	assert_int_equal(madt->isa[9].polarity, POLARITY_HIGH);
	assert_int_equal(madt->isa[11].gsi, 22);
	assert_int_equal(madt->isa[11].polarity, POLARITY_LOW);
	assert_int_equal(madt->nnmis, 1);
	assert_int_equal(madt->nmis[0].lint, 1);
	assert_int_equal(madt->nmis[0].cpu_uid, UINT32_MAX);
}

static int setup(void **state)
{
	(void)state;
	make_machine();
	return 0;
}

/* ---- tests ---- */

static void a_good_machine_is_read(void **state)
{
	struct acpi_info info;

	(void)state;
	assert_null(read_acpi(&info, RSDP_AT));
	assert_int_equal(info.revision, 2);
	check_usual(&info.madt);
}

static void the_rsdp_is_found_where_a_bios_puts_it(void **state)
{
	struct acpi_info info;

	(void)state;
	assert_null(read_acpi(&info, 0));
	assert_int_equal(info.rsdp, RSDP_AT);
	check_usual(&info.madt);
	/* In the EBDA it comes first; what looks like one is none. */
	put(0x40e, 0x9fc0, 2);
	make_rsdp(0x9fc00 + 0x3e0, 0);
	memcpy(memory + 0x9fc00, "RSD PTR ", 8);
	assert_null(read_acpi(&info, 0));
	assert_int_equal(info.rsdp, 0x9fc00 + 0x3e0);
	assert_int_equal(info.revision, 0);
	check_usual(&info.madt);
}

static void without_an_rsdp_there_is_nothing(void **state)
{
	struct acpi_info info;

	(void)state;
	memory[RSDP_AT + 9] ^= 1;
	assert_non_null(read_acpi(&info, 0));
	assert_non_null(read_acpi(&info, RSDP_AT));
	assert_non_null(read_acpi(&info, MEMORY_BYTES - 10));
	assert_non_null(read_acpi(&info, UINT64_MAX - 10));
	assert_false(info.madt.found);
}

static void lies_of_the_rsdp_are_seen(void **state)
{
	struct acpi_info info;

	(void)state;
	memory[RSDP_AT + 33] ^= 1; /* beyond the first checksum */
	assert_non_null(read_acpi(&info, RSDP_AT));
	make_rsdp(RSDP_AT, 2);
	put(RSDP_AT + 20, 35, 4);
	sign(RSDP_AT, 35, 32);
	assert_non_null(read_acpi(&info, RSDP_AT));
	put(RSDP_AT + 20, UINT32_MAX, 4);
	assert_non_null(read_acpi(&info, RSDP_AT));
}

static void a_broken_xsdt_leaves_the_rsdt(void **state)
{
	struct acpi_info info;

	(void)state;
	memory[ROOT_AT + 20] ^= 1;
	assert_null(read_acpi(&info, RSDP_AT));
	check_usual(&info.madt);
	memory[OLD_ROOT_AT + 20] ^= 1;
	assert_non_null(read_acpi(&info, RSDP_AT));
	assert_false(info.madt.found);
	make_root(OLD_ROOT_AT, "RSDX", 4, MADT_AT);
	assert_non_null(read_acpi(&info, RSDP_AT));
}

static void a_root_with_half_an_entry_ends_before_it(void **state)
{
	struct acpi_info info;

	(void)state;
	put(ROOT_AT + 4, 36 + 15, 4);
	sign_table(ROOT_AT);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_false(info.madt.found);
	put(ROOT_AT + 4, 36, 4);
	sign_table(ROOT_AT);
	assert_null(read_acpi(&info, RSDP_AT));
	put(ROOT_AT + 4, 35, 4);
	put(OLD_ROOT_AT + 4, 0, 4);
	assert_non_null(read_acpi(&info, RSDP_AT));
}

static void a_madt_with_a_wrong_sum_or_length_is_not_used(void **state)
{
	static const uint32_t lengths[] = {0, 35, 43, MEMORY_BYTES, 9 * MIB, UINT32_MAX};
	struct acpi_info info;

	(void)state;
	memory[MADT_AT + 50] ^= 1;
	assert_null(read_acpi(&info, RSDP_AT));
	assert_false(info.madt.found);
	assert_int_equal(info.madt.ncpus, 0);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		make_madt(usual_records, sizeof(usual_records));
		put(MADT_AT + 4, lengths[i], 4);
		if (lengths[i] < MEMORY_BYTES - MADT_AT && lengths[i] > 9)
			sign_table(MADT_AT);
		assert_null(read_acpi(&info, RSDP_AT));
		assert_false(info.madt.found);
	}
}

static void a_record_that_does_not_fit_spoils_the_table(void **state)
{
	static const uint8_t lengths[] = {0, 1, 9, 255};
	struct acpi_info info;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		uint8_t records[16] = {0, 8, 0, 0, 1, 0, 0, 0, 0, lengths[i], 1, 1, 1, 0, 0, 0};

		make_madt(records, sizeof(records));
		assert_null(read_acpi(&info, RSDP_AT));
		assert_false(info.madt.found);
	}
	/* A record that is too short for its type says nothing, but is no reason to stop. */
	make_madt((uint8_t[]){0, 7, 0, 0, 1, 0, 0, 0, 8, 0, 0, 1, 0, 0, 0}, 15);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_true(info.madt.found);
	assert_int_equal(info.madt.ncpus, 1);
}

static void what_does_not_fit_is_counted_or_left(void **state)
{
	static uint8_t records[2 * ACPI_CPUS_MAX * 16];
	struct acpi_info info;
	size_t at = 0;

	(void)state;
	for (uint32_t i = 0; i < 2 * ACPI_CPUS_MAX; i++, at += 16) {
		memcpy(records + at, (uint8_t[]){9, 16, 0, 0, 0, 0, 0, 0, 1}, 9);
		memcpy(records + at + 4, &i, 4);
	}
	make_madt(records, at);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_int_equal(info.madt.ncpus, ACPI_CPUS_MAX);
	assert_int_equal(info.madt.ncpus_left_out, ACPI_CPUS_MAX);
	at = 0;
	for (uint32_t i = 0; i < 20; i++, at += 12)
		memcpy(records + at, (uint8_t[]){1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0}, 12);
	for (uint32_t i = 0; i < 20; i++, at += 6)
		memcpy(records + at, (uint8_t[]){4, 6, 0xff, 0, 0, (uint8_t)i}, 6);
	memcpy(records + at, (uint8_t[]){2, 10, 0, 16, 1, 0, 0, 0, 0, 0}, 10); /* no such line */
	memcpy(records + at + 10, (uint8_t[]){2, 10, 1, 3, 1, 0, 0, 0, 0, 0}, 10); /* not ISA */
	make_madt(records, at + 20);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_int_equal(info.madt.nioapics, ACPI_IOAPICS_MAX);
	assert_int_equal(info.madt.nnmis, 2);
	assert_false(info.madt.isa[3].overridden);
}

static void the_first_of_two_tables_counts(void **state)
{
	static const uint8_t one[] = {0, 8, 0, 9, 1, 0, 0, 0};
	struct acpi_info info;

	(void)state;
	begin_table(0x130000, "APIC", 44 + sizeof(one));
	memcpy(memory + 0x130000 + 44, one, sizeof(one));
	sign_table(0x130000);
	put(ROOT_AT + 4, 36 + 24, 4);
	put(ROOT_AT + 36 + 16, 0x130000, 8);
	sign_table(ROOT_AT);
	assert_null(read_acpi(&info, RSDP_AT));
	check_usual(&info.madt);
	/* Where the first lies, the second is asked. */
	memory[MADT_AT + 50] ^= 1;
	assert_null(read_acpi(&info, RSDP_AT));
	assert_int_equal(info.madt.ncpus, 1);
	assert_int_equal(info.madt.apic_ids[0], 9);
}

/* ---- power ---- */

#define FADT_AT 0x140000
#define DSDT_AT 0x150003

/* Name(_S5_, Package(4) {5, 3, 0, 0}) among other things. */
static const uint8_t usual_aml[] = {0x10, 0x05, '\\', '_',  'S',  'B', '_',  0x08, '_',  'S', '5',
				    '_',  0x12, 0x08, 0x04, 0x0a, 5,   0x0a, 3,    0x00, 0x00};

static void make_dsdt(const void *aml, size_t len)
{
	begin_table(DSDT_AT, "DSDT", (uint32_t)(36 + len));
	memcpy(memory + DSDT_AT + 36, aml, len);
	sign_table(DSDT_AT);
}

/* In place of the MADT: a root of the usual machine names one table. */
static void make_fadt(uint32_t len)
{
	begin_table(FADT_AT, "FACP", 276);
	put(FADT_AT + 40, DSDT_AT, 4);
	put(FADT_AT + 48, 0xb2, 4);
	memory[FADT_AT + 52] = 0xf1;
	put(FADT_AT + 64, 0x604, 4);
	put(FADT_AT + 112, 1u << 10, 4);
	memory[FADT_AT + 116] = ACPI_PORT;
	put(FADT_AT + 120, 0xcf9, 8);
	memory[FADT_AT + 128] = 0x0f;
	put(FADT_AT + 4, len, 4);
	sign_table(FADT_AT);
	make_root(ROOT_AT, "XSDT", 8, FADT_AT);
}

static void power_is_read(void **state)
{
	struct acpi_info info;
	const struct acpi_power *power = &info.power;

	(void)state;
	make_fadt(276);
	make_dsdt(usual_aml, sizeof(usual_aml));
	assert_null(read_acpi(&info, RSDP_AT));
	assert_true(power->found && !power->hardware_reduced);
	assert_true(power->pm1a_control.found && !power->pm1b_control.found);
	assert_int_equal(power->pm1a_control.space, ACPI_PORT);
	assert_int_equal(power->pm1a_control.address, 0x604);
	assert_int_equal(power->smi_command_port, 0xb2);
	assert_int_equal(power->acpi_enable, 0xf1);
	assert_true(power->reset.found);
	assert_int_equal(power->reset.address, 0xcf9);
	assert_int_equal(power->reset_value, 0x0f);
	assert_true(power->has_s5);
	assert_int_equal(power->s5_type_a, 5);
	assert_int_equal(power->s5_type_b, 3);
	/* The new form of an address counts, in memory as well. */
	memory[FADT_AT + 172] = ACPI_MEMORY;
	put(FADT_AT + 176, 0xfed00004, 8);
	sign_table(FADT_AT);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_int_equal(power->pm1a_control.space, ACPI_MEMORY);
	assert_int_equal(power->pm1a_control.address, 0xfed00004);
}

static void an_old_fadt_has_no_reset(void **state)
{
	struct acpi_info info;

	(void)state;
	make_fadt(116);
	make_dsdt(usual_aml, sizeof(usual_aml));
	assert_null(read_acpi(&info, RSDP_AT));
	assert_true(info.power.found && info.power.has_s5 && !info.power.reset.found);
	make_fadt(115);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_false(info.power.found);
}

static void lies_about_power_are_not_believed(void **state)
{
	struct acpi_info info;

	(void)state;
	make_fadt(276);
	make_dsdt(usual_aml, sizeof(usual_aml));
	put(FADT_AT + 64, 0x10604, 4); /* no port */
	memory[FADT_AT + 116] = 7;     /* no space that we can reach */
	put(FADT_AT + 48, 0x100b2, 4);
	sign_table(FADT_AT);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_false(info.power.pm1a_control.found || info.power.reset.found);
	assert_int_equal(info.power.smi_command_port, 0);
	memory[DSDT_AT + 40] ^= 1;
	assert_null(read_acpi(&info, RSDP_AT));
	assert_false(info.power.has_s5);
	put(FADT_AT + 40, MEMORY_BYTES - 4, 4);
	sign_table(FADT_AT);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_true(info.power.found && !info.power.has_s5);
}

static void a_package_that_is_cut_off_or_no_package_is_passed_over(void **state)
{
	uint8_t aml[sizeof(usual_aml)];
	struct acpi_info info;

	(void)state;
	make_fadt(276);
	for (size_t len = 0; len < 19; len++) { /* the second type ends with the 19th byte */
		make_dsdt(usual_aml, len);
		assert_null(read_acpi(&info, RSDP_AT));
		assert_false(info.power.has_s5);
	}
	make_dsdt(usual_aml, 19);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_true(info.power.has_s5);
	static const struct {
		size_t place;
		uint8_t value;
	} breaks[] = {{7, 0x10}, {12, 0x11}, {13, 0xc8}, {14, 1}, {15, 0x0b}, {16, 8}, {18, 255}};
	for (size_t i = 0; i < ARRAY_SIZE(breaks); i++) {
		memcpy(aml, usual_aml, sizeof(aml));
		aml[breaks[i].place] = breaks[i].value;
		make_dsdt(aml, sizeof(aml));
		assert_null(read_acpi(&info, RSDP_AT));
		assert_false(info.power.has_s5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_good_machine_is_read, setup),
		cmocka_unit_test_setup(the_rsdp_is_found_where_a_bios_puts_it, setup),
		cmocka_unit_test_setup(without_an_rsdp_there_is_nothing, setup),
		cmocka_unit_test_setup(lies_of_the_rsdp_are_seen, setup),
		cmocka_unit_test_setup(a_broken_xsdt_leaves_the_rsdt, setup),
		cmocka_unit_test_setup(a_root_with_half_an_entry_ends_before_it, setup),
		cmocka_unit_test_setup(a_madt_with_a_wrong_sum_or_length_is_not_used, setup),
		cmocka_unit_test_setup(a_record_that_does_not_fit_spoils_the_table, setup),
		cmocka_unit_test_setup(what_does_not_fit_is_counted_or_left, setup),
		cmocka_unit_test_setup(the_first_of_two_tables_counts, setup),
		cmocka_unit_test_setup(power_is_read, setup),
		cmocka_unit_test_setup(an_old_fadt_has_no_reset, setup),
		cmocka_unit_test_setup(lies_about_power_are_not_believed, setup),
		cmocka_unit_test_setup(a_package_that_is_cut_off_or_no_package_is_passed_over,
				       setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
