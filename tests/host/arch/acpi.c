/* sources: arch/x86_64/acpi/read.c arch/x86_64/acpi/madt.c arch/x86_64/acpi/fadt.c
	    arch/x86_64/acpi/hpet.c arch/x86_64/acpi/mcfg.c tests/host/support/acpi_memory.c */
/*
 * ACPI's tables: a good set is read as it is meant, and each lie costs the table that tells it and
 * no more. Here the way to the tables, and the MADT.
 */
#include "acpi_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

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

static void an_nmi_is_of_one_cpu_or_of_all(void **state)
{
	static const uint8_t records[] = {
		0,  8,  1,    4, 1, 0, 0, 0,                         /* CPU 1, APIC id 4 */
		9,  16, 0,    0, 0, 2, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, /* CPU 256, id 512 */
		4,  6,  1,    0, 0, 0,                               /* CPU 1: LINT0 */
		10, 12, 0x0f, 0, 0, 1, 0, 0, 1, 0, 0, 0, /* CPU 256: LINT1, low, level */
	};
	static const uint8_t of_all[] = {10, 12, 5, 0, 255, 255, 255, 255, 1, 0, 0, 0};
	struct acpi_info info;
	const struct acpi_madt *madt = &info.madt;
	const struct acpi_local_nmi *nmi;

	(void)state;
	make_madt(records, sizeof(records));
	assert_null(read_acpi(&info, RSDP_AT));
	assert_int_equal(madt->ncpus, 2);
	assert_int_equal(madt->nnmis, 2);
	nmi = acpi_local_nmi(madt, 4, 0);
	assert_non_null(nmi);
	assert_int_equal(nmi->polarity, POLARITY_BUS);
	assert_null(acpi_local_nmi(madt, 4, 1));
	assert_null(acpi_local_nmi(madt, 512, 0));
	nmi = acpi_local_nmi(madt, 512, 1);
	assert_non_null(nmi);
	assert_int_equal(nmi->polarity, POLARITY_LOW);
	assert_int_equal(nmi->trigger, TRIGGER_LEVEL);
	assert_null(acpi_local_nmi(madt, 256, 1)); /* an id, not a number */
	make_madt(of_all, sizeof(of_all));
	assert_null(read_acpi(&info, RSDP_AT));
	assert_non_null(acpi_local_nmi(madt, 77, 1));
	assert_null(acpi_local_nmi(madt, 77, 0));
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
		cmocka_unit_test_setup(an_nmi_is_of_one_cpu_or_of_all, setup),
		cmocka_unit_test_setup(the_first_of_two_tables_counts, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
