/*
 * The FADT's registers for power off and reset (ACPI 6.5, 5.2.9), and the one thing that the DSDT
 * must be asked for: the package _S5_ with the sleep types of "off" (7.4.2.6). Pure logic. The DSDT
 * is a program; it is not run, only searched for that name before a package of constants.
 */
#include "tables.h"

#include <lib/string.h>

struct PACKED fadt {
	struct acpi_header header;
	uint32_t firmware_control;
	uint32_t dsdt;
	uint8_t reserved0;
	uint8_t profile;
	uint16_t sci_line;
	uint32_t smi_command;
	uint8_t acpi_enable;
	uint8_t acpi_disable;
	uint8_t s4bios;
	uint8_t pstate_control;
	uint32_t pm1a_event;
	uint32_t pm1b_event;
	uint32_t pm1a_control;
	uint32_t pm1b_control;
	uint32_t pm2_control;
	uint32_t pm_timer;
	uint8_t unused0[11];
	uint8_t pm_timer_bytes;
	uint8_t unused1[20];
	uint32_t flags;
	/* from revision 2 on */
	struct acpi_address reset;
	uint8_t reset_value;
	uint8_t unused2[3];
	/* from revision 3 on */
	uint64_t x_firmware_control;
	uint64_t x_dsdt;
	struct acpi_address x_pm1a_event;
	struct acpi_address x_pm1b_event;
	struct acpi_address x_pm1a_control;
	struct acpi_address x_pm1b_control;
	struct acpi_address x_pm2_control;
	struct acpi_address x_pm_timer;
};
_Static_assert(offsetof(struct fadt, pm1a_control) == 64, "ACPI 6.5, table 5.9");
_Static_assert(offsetof(struct fadt, pm_timer) == 76, "ACPI 6.5, table 5.9");
_Static_assert(offsetof(struct fadt, pm_timer_bytes) == 91, "ACPI 6.5, table 5.9");
_Static_assert(offsetof(struct fadt, flags) == 112, "ACPI 6.5, table 5.9");
_Static_assert(offsetof(struct fadt, reset) == 116, "ACPI 6.5, table 5.9");
_Static_assert(offsetof(struct fadt, x_dsdt) == 140, "ACPI 6.5, table 5.9");
_Static_assert(offsetof(struct fadt, x_pm1a_control) == 172, "ACPI 6.5, table 5.9");
_Static_assert(offsetof(struct fadt, x_pm_timer) == 208, "ACPI 6.5, table 5.9");

#define FLAG_TIMER_32_BITS    (1u << 8)
#define FLAG_RESET            (1u << 10)
#define FLAG_HARDWARE_REDUCED (1u << 20)

/* The new form if it is there and names something, else the old one, a port. */
static struct acpi_register choose(uint32_t old_port, const struct acpi_address *x)
{
	if (x->address && (x->space == ACPI_MEMORY || x->space == ACPI_PORT) &&
	    (x->space == ACPI_MEMORY || x->address <= UINT16_MAX))
		return (struct acpi_register){true, x->space, x->address};
	if (old_port && old_port <= UINT16_MAX)
		return (struct acpi_register){true, ACPI_PORT, old_port};
	return (struct acpi_register){.found = false};
}

static struct acpi_pm_timer timer_of(const struct fadt *fadt)
{
	struct acpi_register where = choose(fadt->pm_timer, &fadt->x_pm_timer);

	if (!where.found || where.space != ACPI_PORT || fadt->pm_timer_bytes != 4)
		return (struct acpi_pm_timer){0};
	return (struct acpi_pm_timer){
		.port = (uint16_t)where.address,
		.has_32_bits = fadt->flags & FLAG_TIMER_32_BITS,
	};
}

const char *acpi_read_fadt(struct acpi_power *out, struct acpi_pm_timer *timer,
			   const struct acpi_header *table)
{
	struct fadt fadt = {.dsdt = 0}; /* what an old table does not have is zero */

	if (table->len_bytes < offsetof(struct fadt, reset))
		return "is shorter than its fixed part";
	memcpy(&fadt, table, MIN((size_t)table->len_bytes, sizeof(fadt)));
	*out = (struct acpi_power){
		.found = true,
		.hardware_reduced = fadt.flags & FLAG_HARDWARE_REDUCED,
		.acpi_enable = fadt.acpi_enable,
		.reset_value = fadt.reset_value,
		.dsdt = fadt.x_dsdt ? fadt.x_dsdt : fadt.dsdt,
	};
	if (fadt.smi_command <= UINT16_MAX && fadt.acpi_enable)
		out->smi_command_port = (uint16_t)fadt.smi_command;
	if (!out->hardware_reduced) {
		out->pm1a_control = choose(fadt.pm1a_control, &fadt.x_pm1a_control);
		out->pm1b_control = choose(fadt.pm1b_control, &fadt.x_pm1b_control);
		*timer = timer_of(&fadt);
	}
	if (fadt.flags & FLAG_RESET)
		out->reset = choose(0, &fadt.reset);
	return NULL;
}

/* ---- AML, as little as possible (ACPI 6.5, chapter 20) ---- */

enum aml {
	AML_ZERO = 0x00,
	AML_ONE = 0x01,
	AML_NAME = 0x08,
	AML_BYTE = 0x0a,
	AML_PACKAGE = 0x12,
};

struct aml_reader {
	const uint8_t *at;
	const uint8_t *end;
};

static bool take_byte(struct aml_reader *aml, uint8_t *out)
{
	if (aml->at == aml->end)
		return false;
	*out = *aml->at++;
	return true;
}

/* A constant of one byte, in any of its forms. */
static bool take_small(struct aml_reader *aml, uint8_t *out)
{
	uint8_t op;

	if (!take_byte(aml, &op))
		return false;
	if (op == AML_ZERO || op == AML_ONE) {
		*out = op;
		return true;
	}
	return op == AML_BYTE && take_byte(aml, out);
}

/* The package's length: its first byte says in its upper bits how many more it has (20.2.4). */
static bool skip_package_length(struct aml_reader *aml)
{
	uint8_t lead;

	if (!take_byte(aml, &lead) || lead >> 6 > aml->end - aml->at)
		return false;
	aml->at += lead >> 6;
	return true;
}

#define SLEEP_TYPE_MAX 7

/* Behind the name: PackageOp, length, number of elements, elements. */
static bool read_s5(struct aml_reader aml, uint8_t *type_a, uint8_t *type_b)
{
	uint8_t op;
	uint8_t count;

	return take_byte(&aml, &op) && op == AML_PACKAGE && skip_package_length(&aml) &&
	       take_byte(&aml, &count) && count >= 2 && take_small(&aml, type_a) &&
	       take_small(&aml, type_b) && *type_a <= SLEEP_TYPE_MAX && *type_b <= SLEEP_TYPE_MAX;
}

bool acpi_find_s5(const struct acpi_header *dsdt, uint8_t *type_a, uint8_t *type_b)
{
	const uint8_t *bytes = (const uint8_t *)dsdt;

	for (size_t at = sizeof(*dsdt) + 1; at + 4 <= dsdt->len_bytes; at++) {
		struct aml_reader behind = {bytes + at + 4, bytes + dsdt->len_bytes};
		bool is_name = bytes[at - 1] == AML_NAME ||
			       (bytes[at - 1] == '\\' && bytes[at - 2] == AML_NAME);

		if (is_name && memcmp(bytes + at, "_S5_", 4) == 0 &&
		    read_s5(behind, type_a, type_b))
			return true;
	}
	return false;
}
