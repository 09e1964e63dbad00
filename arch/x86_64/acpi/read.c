/*
 * From the RSDP to the tables that we want (ACPI 6.5, 5.2.5 to 5.2.8). Pure logic: memory comes
 * from acpi_map(), and what is read is copied or checked before it is used. Of two tables with one
 * signature the first counts.
 */
#define LOG_SUBSYSTEM "acpi"

#include "tables.h"

#include <lib/log.h>
#include <lib/string.h>

/* No table of a real machine is near it; a length beyond is a lie. */
#define TABLE_BYTES_MAX (8 * MIB)
#define ENTRIES_MAX     256

struct PACKED rsdp {
	char signature[8];
	uint8_t checksum; /* of the first RSDP_OLD_BYTES */
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	/* from revision 2 on */
	uint32_t len_bytes;
	uint64_t xsdt;
	uint8_t extended_checksum; /* of all */
	uint8_t reserved[3];
};

#define RSDP_SIGNATURE "RSD PTR "
#define RSDP_OLD_BYTES 20
#define RSDP_BYTES_MAX 4096

/* Where a BIOS puts it, on a border of 16 bytes (ACPI 6.5, 5.2.5.1). */
#define RSDP_ALIGN      16
#define EBDA_SEGMENT    0x40e /* the BIOS data area's word with the EBDA's segment */
#define EBDA_SCAN_BYTES KIB
#define BIOS_START      0xe0000
#define BIOS_END        0x100000

bool acpi_sum_is_zero(const void *bytes, size_t len_bytes)
{
	const uint8_t *at = bytes;
	uint8_t sum = 0;

	for (size_t i = 0; i < len_bytes; i++)
		sum = (uint8_t)(sum + at[i]);
	return sum == 0;
}

/* ---- the RSDP ---- */

static paddr_t scan(paddr_t start, size_t len_bytes)
{
	const char *area = acpi_map(start, len_bytes);

	for (size_t at = 0; area && at + RSDP_OLD_BYTES <= len_bytes; at += RSDP_ALIGN) {
		if (memcmp(area + at, RSDP_SIGNATURE, 8) == 0 &&
		    acpi_sum_is_zero(area + at, RSDP_OLD_BYTES))
			return start + at;
	}
	return 0;
}

static paddr_t find_rsdp(void)
{
	const uint8_t *segment = acpi_map(EBDA_SEGMENT, 2);
	paddr_t ebda = segment ? (paddr_t)(segment[0] | segment[1] << 8) << 4 : 0;
	paddr_t found = 0;

	if (ebda >= 0x400 && ebda < BIOS_START)
		found = scan(ebda, EBDA_SCAN_BYTES);
	return found ? found : scan(BIOS_START, BIOS_END - BIOS_START);
}

/* Copies the RSDP, with zeros for what an old one does not have. */
static const char *read_rsdp(struct rsdp *out, paddr_t address)
{
	const void *at = acpi_map(address, RSDP_OLD_BYTES);

	*out = (struct rsdp){0};
	if (!at)
		return "the RSDP lies out of reach";
	memcpy(out, at, RSDP_OLD_BYTES);
	if (memcmp(out->signature, RSDP_SIGNATURE, 8) != 0 || !acpi_sum_is_zero(at, RSDP_OLD_BYTES))
		return "the RSDP's signature or checksum is wrong";
	if (out->revision < 2)
		return NULL;
	at = acpi_map(address, sizeof(*out));
	if (!at)
		return "the RSDP lies out of reach";
	memcpy(out, at, sizeof(*out));
	if (out->len_bytes < sizeof(*out) || out->len_bytes > RSDP_BYTES_MAX)
		return "the RSDP's length is wrong";
	at = acpi_map(address, out->len_bytes);
	if (!at || !acpi_sum_is_zero(at, out->len_bytes))
		return "the RSDP's second checksum is wrong";
	return NULL;
}

/* ---- tables ---- */

/* A table as a whole, NULL: it is not one, and *problem says why. */
static const struct acpi_header *map_table(paddr_t address, const char **problem)
{
	const struct acpi_header *table = address ? acpi_map(address, sizeof(*table)) : NULL;
	uint32_t len_bytes;

	*problem = "lies out of reach";
	if (!table)
		return NULL;
	len_bytes = table->len_bytes;
	*problem = "has an impossible length";
	if (len_bytes < sizeof(*table) || len_bytes > TABLE_BYTES_MAX)
		return NULL;
	table = acpi_map(address, len_bytes);
	*problem = "lies out of reach";
	if (!table)
		return NULL;
	*problem = "has a wrong checksum";
	return acpi_sum_is_zero(table, len_bytes) ? table : NULL;
}

static void read_madt(struct acpi_info *out, paddr_t address)
{
	const char *problem;
	const struct acpi_header *table = map_table(address, &problem);

	if (table)
		problem = acpi_read_madt(&out->madt, table);
	if (problem) {
		log_warn("the table APIC at %#lx %s: it is not used", address, problem);
		out->madt = (struct acpi_madt){0};
	}
}

static void read_fadt(struct acpi_info *out, paddr_t address)
{
	const char *problem;
	const struct acpi_header *table = map_table(address, &problem);
	struct acpi_power *power = &out->power;

	if (table)
		problem = acpi_read_fadt(power, &out->pm_timer, table);
	if (problem) {
		log_warn("the table FACP at %#lx %s: it is not used", address, problem);
		*power = (struct acpi_power){0};
		out->pm_timer = (struct acpi_pm_timer){0};
		return;
	}
	table = map_table(power->dsdt, &problem);
	if (!table || memcmp(table->signature, "DSDT", 4) != 0)
		log_warn("the table DSDT at %#lx %s: it is not used", power->dsdt,
			 table ? "has a wrong signature" : problem);
	else
		power->has_s5 = acpi_find_s5(table, &power->s5_type_a, &power->s5_type_b);
}

static void read_hpet(struct acpi_info *out, paddr_t address)
{
	const char *problem;
	const struct acpi_header *table = map_table(address, &problem);

	if (table)
		problem = acpi_read_hpet(&out->hpet, table);
	if (problem)
		log_warn("the table HPET at %#lx %s: it is not used", address, problem);
}

static void read_mcfg(struct acpi_info *out, paddr_t address)
{
	const char *problem;
	const struct acpi_header *table = map_table(address, &problem);

	if (table)
		problem = acpi_read_mcfg(&out->mcfg, table);
	if (problem)
		log_warn("the table MCFG at %#lx %s: it is not used", address, problem);
}

static void read_table(struct acpi_info *out, paddr_t address)
{
	const struct acpi_header *table = acpi_map(address, sizeof(*table));

	if (!table)
		return;
	if (memcmp(table->signature, "APIC", 4) == 0 && !out->madt.found)
		read_madt(out, address);
	else if (memcmp(table->signature, "FACP", 4) == 0 && !out->power.found)
		read_fadt(out, address);
	else if (memcmp(table->signature, "HPET", 4) == 0 && !out->hpet.found)
		read_hpet(out, address);
	else if (memcmp(table->signature, "MCFG", 4) == 0 && !out->mcfg.found)
		read_mcfg(out, address);
}

static const char *read_root(struct acpi_info *out, paddr_t address, const char *signature,
			     size_t entry_bytes)
{
	const char *problem;
	const struct acpi_header *root = map_table(address, &problem);
	const char *entries;
	size_t count;

	if (!root)
		return "the root table lies out of reach, or its length or checksum is wrong";
	if (memcmp(root->signature, signature, 4) != 0)
		return "the root table has a wrong signature";
	entries = (const char *)(root + 1);
	count = (root->len_bytes - sizeof(*root)) / entry_bytes;
	for (size_t i = 0; i < MIN(count, (size_t)ENTRIES_MAX); i++) {
		uint64_t entry = 0;

		memcpy(&entry, entries + i * entry_bytes, entry_bytes);
		read_table(out, entry);
	}
	return NULL;
}

const char *acpi_read(struct acpi_info *out, paddr_t rsdp)
{
	const char *problem;
	struct rsdp copy;

	*out = (struct acpi_info){0};
	if (!rsdp)
		rsdp = find_rsdp();
	if (!rsdp)
		return "there is none";
	problem = read_rsdp(&copy, rsdp);
	if (problem)
		return problem;
	out->rsdp = rsdp;
	out->revision = copy.revision;
	/* The old root is there for who cannot read the new one, and where the new one is broken.
	 */
	problem = copy.xsdt ? read_root(out, copy.xsdt, "XSDT", 8) : "it names no XSDT";
	if (problem && copy.rsdt)
		problem = read_root(out, copy.rsdt, "RSDT", 4);
	return problem;
}
