/* sources: arch/x86_64/acpi/read.c arch/x86_64/acpi/madt.c arch/x86_64/acpi/fadt.c
	    arch/x86_64/acpi/hpet.c arch/x86_64/acpi/mcfg.c tests/host/support/acpi_memory.c */
/*
 * ACPI's tables beside the MADT: FADT and DSDT (power, the timer), HPET, MCFG. What they name that
 * cannot be is not believed.
 */
#include "acpi_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	make_rsdp(RSDP_AT, 2);
	return 0;
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

static void the_timer_of_power_management_is_a_port_of_four_bytes(void **state)
{
	struct acpi_info info;

	(void)state;
	make_fadt(276);
	make_dsdt(usual_aml, sizeof(usual_aml));
	put(FADT_AT + 76, 0x608, 4);
	sign_table(FADT_AT);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_int_equal(info.pm_timer.port, 0); /* it says that it has no bytes */
	memory[FADT_AT + 91] = 4;
	sign_table(FADT_AT);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_int_equal(info.pm_timer.port, 0x608);
	assert_false(info.pm_timer.has_32_bits);
	put(FADT_AT + 112, 1u << 8, 4);
	memory[FADT_AT + 208] = ACPI_PORT;
	put(FADT_AT + 212, 0xb008, 8);
	sign_table(FADT_AT);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_int_equal(info.pm_timer.port, 0xb008);
	assert_true(info.pm_timer.has_32_bits);
	memory[FADT_AT + 208] = ACPI_MEMORY;
	sign_table(FADT_AT);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_int_equal(info.pm_timer.port, 0);
	make_fadt(115); /* a table that is not used leaves nothing */
	memory[FADT_AT + 91] = 4;
	put(FADT_AT + 76, 0x608, 4);
	sign_table(FADT_AT);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_int_equal(info.pm_timer.port, 0);
}

/* ---- HPET and MCFG ---- */

#define TABLE_AT 0x160000

static void make_hpet(uint32_t len, uint8_t space, uint64_t address)
{
	begin_table(TABLE_AT, "HPET", 56);
	put(TABLE_AT + 36, 0x8086a201, 4);
	memory[TABLE_AT + 40] = space;
	put(TABLE_AT + 44, address, 8);
	put(TABLE_AT + 4, len, 4);
	sign_table(TABLE_AT);
	make_root(ROOT_AT, "XSDT", 8, TABLE_AT);
}

static void the_hpet_is_in_memory_or_nowhere(void **state)
{
	struct acpi_info info;

	(void)state;
	make_hpet(56, ACPI_MEMORY, 0xfed00000);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_true(info.hpet.found);
	assert_int_equal(info.hpet.address, 0xfed00000);
	make_hpet(55, ACPI_MEMORY, 0xfed00000);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_false(info.hpet.found);
	make_hpet(56, ACPI_PORT, 0xfed00000);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_false(info.hpet.found);
	make_hpet(56, ACPI_MEMORY, 0);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_false(info.hpet.found);
	make_hpet(56, ACPI_MEMORY, 0xfed00004);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_false(info.hpet.found);
}

struct mcfg_entry {
	uint64_t base;
	uint16_t segment;
	uint8_t first;
	uint8_t last;
};

static void make_mcfg(const struct mcfg_entry *entries, size_t count, uint32_t less_bytes)
{
	begin_table(TABLE_AT, "MCFG", (uint32_t)(44 + 16 * count));
	for (size_t i = 0; i < count; i++) {
		put(TABLE_AT + 44 + 16 * i, entries[i].base, 8);
		put(TABLE_AT + 52 + 16 * i, entries[i].segment, 2);
		memory[TABLE_AT + 54 + 16 * i] = entries[i].first;
		memory[TABLE_AT + 55 + 16 * i] = entries[i].last;
	}
	put(TABLE_AT + 4, 44 + 16 * count - less_bytes, 4);
	sign_table(TABLE_AT);
	make_root(ROOT_AT, "XSDT", 8, TABLE_AT);
}

static void the_mcfg_says_where_buses_are_configured(void **state)
{
	static const struct mcfg_entry entries[] = {
		{0xb0000000, 0, 0, 63},
		{0xb0000000, 0, 64, 255}, /* one base, the buses behind each other */
		{0x8000000000, 1, 16, 16},
	};
	struct acpi_info info;
	const struct acpi_mcfg *mcfg = &info.mcfg;

	(void)state;
	make_mcfg(entries, ARRAY_SIZE(entries), 0);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_true(mcfg->found);
	assert_int_equal(mcfg->count, 3);
	assert_int_equal(mcfg->buses[0].start, 0xb0000000);
	assert_int_equal(mcfg->buses[0].end, 0xb4000000);
	assert_int_equal(mcfg->buses[1].start, 0xb4000000);
	assert_int_equal(mcfg->buses[1].end, 0xc0000000);
	assert_int_equal(mcfg->buses[2].segment, 1);
	assert_int_equal(mcfg->buses[2].start, 0x8001000000);
	assert_int_equal(mcfg->buses[2].end, 0x8001100000);
	make_mcfg(entries, ARRAY_SIZE(entries), 1); /* the last one is cut off */
	assert_null(read_acpi(&info, RSDP_AT));
	assert_int_equal(mcfg->count, 2);
	make_mcfg(entries, 0, 1);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_false(mcfg->found);
}

static void an_entry_of_the_mcfg_that_cannot_be_is_left_out(void **state)
{
	static const struct mcfg_entry good = {0xb0000000, 0, 0, 127};
	static const struct mcfg_entry bad[] = {
		{0xb0000000, 0, 200, 199},         /* ends before it begins */
		{0, 0, 200, 201},                  /* nowhere */
		{0xd0000800, 0, 200, 201},         /* not where a bus can be */
		{0xfffffffff0000000, 0, 0, 255},   /* beyond the end */
		{0x000fffffff000000, 0, 200, 201}, /* no processor reaches it */
		{0xd0000000, 0, 127, 128},         /* a bus twice */
		{0xb0000000, 1, 100, 150},         /* in the place of another */
	};
	static struct mcfg_entry many[3 * ACPI_MCFG_MAX];
	struct acpi_info info;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct mcfg_entry entries[] = {good, bad[i]};

		make_mcfg(entries, 2, 0);
		assert_null(read_acpi(&info, RSDP_AT));
		assert_int_equal(info.mcfg.count, 1);
		assert_int_equal(info.mcfg.buses[0].last_bus, 127);
	}
	for (uint16_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct mcfg_entry){UINT64_C(0x10000000) * (i + 1u), i, 0, 255};
	make_mcfg(many, ARRAY_SIZE(many), 0);
	assert_null(read_acpi(&info, RSDP_AT));
	assert_int_equal(info.mcfg.count, ACPI_MCFG_MAX);
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
		cmocka_unit_test_setup(power_is_read, setup),
		cmocka_unit_test_setup(the_timer_of_power_management_is_a_port_of_four_bytes,
				       setup),
		cmocka_unit_test_setup(the_hpet_is_in_memory_or_nowhere, setup),
		cmocka_unit_test_setup(the_mcfg_says_where_buses_are_configured, setup),
		cmocka_unit_test_setup(an_entry_of_the_mcfg_that_cannot_be_is_left_out, setup),
		cmocka_unit_test_setup(an_old_fadt_has_no_reset, setup),
		cmocka_unit_test_setup(lies_about_power_are_not_believed, setup),
		cmocka_unit_test_setup(a_package_that_is_cut_off_or_no_package_is_passed_over,
				       setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
