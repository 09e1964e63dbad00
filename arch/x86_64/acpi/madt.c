/*
 * The MADT: which CPUs there are, and how interrupts reach them (ACPI 6.5, 5.2.12). Pure logic.
 */
#include "tables.h"

#include <lib/string.h>

struct PACKED madt {
	struct acpi_header header;
	uint32_t local_apic;
	uint32_t flags;
};

#define MADT_PCAT_COMPAT 1 /* flags: there are 8259s, which must be masked */

/* A record's type and length; its fields follow. */
enum record_type {
	RECORD_LOCAL_APIC = 0,
	RECORD_IOAPIC = 1,
	RECORD_OVERRIDE = 2,
	RECORD_LOCAL_NMI = 4,
	RECORD_LOCAL_APIC_ADDRESS = 5,
	RECORD_LOCAL_X2APIC = 9,
	RECORD_LOCAL_X2APIC_NMI = 10,
};

struct PACKED record {
	uint8_t type;
	uint8_t len_bytes;
};

struct PACKED record_local_apic {
	struct record record;
	uint8_t uid;
	uint8_t apic_id;
	uint32_t flags;
};

struct PACKED record_local_x2apic {
	struct record record;
	uint16_t reserved;
	uint32_t apic_id;
	uint32_t flags;
	uint32_t uid;
};

#define CPU_ENABLED        1 /* of `flags` */
#define APIC_ID_NONE       0xff
#define X2APIC_ID_NONE     UINT32_MAX
#define LOCAL_NMI_ALL_CPUS 0xff

struct PACKED record_ioapic {
	struct record record;
	uint8_t id;
	uint8_t reserved;
	uint32_t address;
	uint32_t gsi_base;
};

struct PACKED record_override {
	struct record record;
	uint8_t bus; /* 0: ISA */
	uint8_t line;
	uint32_t gsi;
	uint16_t flags;
};

struct PACKED record_local_nmi {
	struct record record;
	uint8_t uid;
	uint16_t flags;
	uint8_t lint;
};

struct PACKED record_local_x2apic_nmi {
	struct record record;
	uint16_t flags;
	uint32_t uid;
	uint8_t lint;
	uint8_t reserved[3];
};

struct PACKED record_local_apic_address {
	struct record record;
	uint16_t reserved;
	uint64_t address;
};

static uint8_t polarity_of(uint16_t flags)
{
	return flags & 3;
}

static uint8_t trigger_of(uint16_t flags)
{
	return flags >> 2 & 3;
}

static void add_cpu(struct acpi_madt *out, uint32_t apic_id, uint32_t uid, uint32_t flags)
{
	if (!(flags & CPU_ENABLED))
		return;
	for (uint32_t i = 0; i < out->ncpus; i++) {
		if (out->apic_ids[i] == apic_id)
			return;
	}
	if (out->ncpus == ACPI_CPUS_MAX) {
		out->ncpus_left_out++;
		return;
	}
	out->cpu_uids[out->ncpus] = uid;
	out->apic_ids[out->ncpus++] = apic_id;
}

static void add_ioapic(struct acpi_madt *out, const struct record_ioapic *record)
{
	if (out->nioapics < ACPI_IOAPICS_MAX)
		out->ioapics[out->nioapics++] = (struct acpi_ioapic){
			.id = record->id,
			.gsi_base = record->gsi_base,
			.address = record->address,
		};
}

static void add_override(struct acpi_madt *out, const struct record_override *record)
{
	if (record->bus != 0 || record->line >= ACPI_ISA_LINES)
		return;
	out->isa[record->line] = (struct acpi_isa_line){
		.gsi = record->gsi,
		.polarity = polarity_of(record->flags),
		.trigger = trigger_of(record->flags),
		.overridden = true,
	};
}

static void add_nmi(struct acpi_madt *out, uint32_t uid, uint8_t lint, uint16_t flags)
{
	if (out->nnmis < ACPI_NMIS_MAX && lint < 2)
		out->nmis[out->nnmis++] = (struct acpi_local_nmi){
			.cpu_uid = uid,
			.lint = lint,
			.polarity = polarity_of(flags),
			.trigger = trigger_of(flags),
		};
}

/* The record as a structure of its type; a record that is too short for it is ignored. */
#define record_as(type)                                                                            \
	(at->len_bytes < sizeof(struct type) ? NULL : (const struct type *)(const void *)at)

static void read_record(struct acpi_madt *out, const struct record *at)
{
	const struct record_local_apic *apic;
	const struct record_local_x2apic *x2apic;
	const struct record_ioapic *ioapic;
	const struct record_override *override;
	const struct record_local_nmi *nmi;
	const struct record_local_x2apic_nmi *x2nmi;
	const struct record_local_apic_address *address;

	switch (at->type) {
	case RECORD_LOCAL_APIC:
		if ((apic = record_as(record_local_apic)) && apic->apic_id != APIC_ID_NONE)
			add_cpu(out, apic->apic_id, apic->uid, apic->flags);
		break;
	case RECORD_LOCAL_X2APIC:
		if ((x2apic = record_as(record_local_x2apic)) && x2apic->apic_id != X2APIC_ID_NONE)
			add_cpu(out, x2apic->apic_id, x2apic->uid, x2apic->flags);
		break;
	case RECORD_IOAPIC:
		if ((ioapic = record_as(record_ioapic)))
			add_ioapic(out, ioapic);
		break;
	case RECORD_OVERRIDE:
		if ((override = record_as(record_override)))
			add_override(out, override);
		break;
	case RECORD_LOCAL_NMI:
		if ((nmi = record_as(record_local_nmi)))
			add_nmi(out, nmi->uid == LOCAL_NMI_ALL_CPUS ? UINT32_MAX : nmi->uid,
				nmi->lint, nmi->flags);
		break;
	case RECORD_LOCAL_X2APIC_NMI:
		if ((x2nmi = record_as(record_local_x2apic_nmi)))
			add_nmi(out, x2nmi->uid, x2nmi->lint, x2nmi->flags);
		break;
	case RECORD_LOCAL_APIC_ADDRESS:
		if ((address = record_as(record_local_apic_address)))
			out->local_apic = address->address;
		break;
	default:
		break; /* of other architectures, or of no use to us */
	}
}

const char *acpi_read_madt(struct acpi_madt *out, const struct acpi_header *table)
{
	const struct madt *madt = (const struct madt *)table;
	const uint8_t *bytes = (const uint8_t *)table;
	size_t at = sizeof(*madt);

	if (table->len_bytes < sizeof(*madt))
		return "is shorter than its fixed part";
	*out = (struct acpi_madt){
		.found = true,
		.has_8259 = madt->flags & MADT_PCAT_COMPAT,
		.local_apic = madt->local_apic,
	};
	for (uint32_t line = 0; line < ACPI_ISA_LINES; line++)
		out->isa[line].gsi = line;
	while (at + sizeof(struct record) <= table->len_bytes) {
		const struct record *record = (const struct record *)(bytes + at);

		if (record->len_bytes < sizeof(*record) ||
		    record->len_bytes > table->len_bytes - at)
			return "has a record that does not fit in it";
		read_record(out, record);
		at += record->len_bytes;
	}
	return NULL;
}

const struct acpi_local_nmi *acpi_local_nmi(const struct acpi_madt *madt, uint32_t apic_id,
					    unsigned lint)
{
	uint32_t cpu = 0;

	while (cpu < madt->ncpus && madt->apic_ids[cpu] != apic_id)
		cpu++;
	for (uint32_t i = 0; i < madt->nnmis; i++) {
		const struct acpi_local_nmi *nmi = &madt->nmis[i];
		bool is_of_it = nmi->cpu_uid == UINT32_MAX ||
				(cpu < madt->ncpus && madt->cpu_uids[cpu] == nmi->cpu_uid);

		if (nmi->lint == lint && is_of_it)
			return nmi;
	}
	return NULL;
}
