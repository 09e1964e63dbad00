/*
 * What ACPI's tables say of the machine, copied out of them once at the start (ACPI specification
 * 6.5, chapter 5). The reader is pure logic over acpi_map(): it believes nothing. Every table's
 * length and checksum is proven before a field of it is used, every record is cut off where its
 * table ends, and a table that lies is left out and named in the log.
 */
#ifndef ARCH_ACPI_H
#define ARCH_ACPI_H

#include <arch/cpu.h>
#include <lib/types.h>

#define ACPI_CPUS_MAX    (2 * CPU_MAX) /* those that we may not start are counted, too */
#define ACPI_IOAPICS_MAX 8
#define ACPI_ISA_LINES   16
#define ACPI_NMIS_MAX    8
#define ACPI_MCFG_MAX    8

/* An I/O APIC: the global interrupts from `gsi_base` on, as many as it says it has. */
struct acpi_ioapic {
	uint32_t id;
	uint32_t gsi_base;
	paddr_t address;
};

/* How a line says that it wants something (ACPI 6.5, 5.2.12.5). As the bus does: on ISA high and by
 * edge. */
enum acpi_polarity { POLARITY_BUS = 0, POLARITY_HIGH = 1, POLARITY_LOW = 3 };
enum acpi_trigger { TRIGGER_BUS = 0, TRIGGER_EDGE = 1, TRIGGER_LEVEL = 3 };

/* Where an ISA line ends. Without an override: at the global interrupt of its own number. */
struct acpi_isa_line {
	uint32_t gsi;
	uint8_t polarity; /* enum acpi_polarity */
	uint8_t trigger;  /* enum acpi_trigger */
	bool overridden;
};

/* A local APIC input that is an NMI. */
struct acpi_local_nmi {
	uint32_t cpu_uid; /* UINT32_MAX: of all CPUs */
	uint8_t lint;     /* 0 or 1 */
	uint8_t polarity;
	uint8_t trigger;
};

/* The MADT, "APIC". */
struct acpi_madt {
	bool found;
	bool has_8259;
	paddr_t local_apic;
	uint32_t apic_ids[ACPI_CPUS_MAX]; /* of CPUs that may be started, each once */
	uint32_t cpu_uids[ACPI_CPUS_MAX]; /* how other records call them */
	uint32_t ncpus;
	uint32_t ncpus_left_out; /* those that did not fit */
	struct acpi_ioapic ioapics[ACPI_IOAPICS_MAX];
	uint32_t nioapics;
	struct acpi_isa_line isa[ACPI_ISA_LINES];
	struct acpi_local_nmi nmis[ACPI_NMIS_MAX];
	uint32_t nnmis;
};

/* A register that firmware names (ACPI 6.5, 5.2.3.2). */
enum acpi_space { ACPI_MEMORY = 0, ACPI_PORT = 1 };
struct acpi_register {
	bool found;
	uint8_t space; /* enum acpi_space */
	uint64_t address;
};

/* The FADT, "FACP", as far as it is about leaving: power off and reset. */
struct acpi_power {
	bool found;
	bool hardware_reduced; /* none of the registers below but `reset` */
	struct acpi_register pm1a_control;
	struct acpi_register pm1b_control;
	uint16_t smi_command_port; /* 0: ACPI is on for good */
	uint8_t acpi_enable;
	struct acpi_register reset;
	uint8_t reset_value;
	paddr_t dsdt;
	bool has_s5; /* the sleep types of "off", from the DSDT */
	uint8_t s5_type_a;
	uint8_t s5_type_b;
};

/* The FADT's timer of power management (ACPI 6.5, 4.8.3.3), if it is a port. */
struct acpi_pm_timer {
	uint16_t port; /* 0: there is none */
	bool has_32_bits;
};

/* The table "HPET" (IA-PC HPET specification 1.0a, 3.2.4). */
struct acpi_hpet {
	bool found;
	paddr_t address;
};

/* Configuration spaces in memory: 4 KiB for each function, 1 MiB for each bus. */
struct acpi_pci_buses {
	paddr_t start; /* of `first_bus` */
	paddr_t end;   /* exclusive */
	uint16_t segment;
	uint8_t first_bus;
	uint8_t last_bus; /* inclusive */
};

/* The MCFG: nothing in it overlaps. */
struct acpi_mcfg {
	bool found;
	struct acpi_pci_buses buses[ACPI_MCFG_MAX];
	uint32_t count;
};

struct acpi_info {
	paddr_t rsdp; /* 0: the firmware has no ACPI */
	uint32_t revision;
	struct acpi_madt madt;
	struct acpi_power power;
	struct acpi_pm_timer pm_timer;
	struct acpi_hpet hpet;
	struct acpi_mcfg mcfg;
};

/* Hook: `len_bytes` of physical memory to read, for good; NULL: it cannot be had. The kernel's is
 * in acpi/init.c, a test on the host has its own. */
const void *acpi_map(paddr_t address, size_t len_bytes);

/* Fills `out` from the tables below the RSDP at `rsdp`, or below the one that lies where the BIOS
 * puts it (0: nobody told us). NULL, or why there is nothing in `out`. */
const char *acpi_read(struct acpi_info *out, paddr_t rsdp);

/* The NMI that ends at the input `lint` of the CPU with this APIC id; NULL: none does. */
const struct acpi_local_nmi *acpi_local_nmi(const struct acpi_madt *madt, uint32_t apic_id,
					    unsigned lint);

/* ---- the start's side: acpi/init.c ---- */

/* Reads the tables, unless the command line says acpi=off. On the first CPU, once kernel_map() has
 * memory. */
void acpi_init(void);
/* Constant after acpi_init(). Empty where there is no ACPI. */
const struct acpi_info *acpi_info(void);

/* ---- acpi/power.c ---- */

/* Maps what acpi_poweroff() and acpi_reset() need. In acpi_init(). */
void acpi_power_init(const struct acpi_power *power);
/* Each returns if the firmware has told no way, or it does not work. Interrupts off. */
void acpi_poweroff(void);
void acpi_reset(void);

#endif
