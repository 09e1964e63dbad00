/*
 * What the loader left us, in one form whichever way we came (PVH or multiboot2). Made once by
 * arch/x86_64/boot, constant afterwards.
 */
#ifndef ARCH_BOOT_H
#define ARCH_BOOT_H

#include <lib/types.h>

enum memory_type {
	MEMORY_USABLE,
	MEMORY_TAKEN, /* memory, but holding the image, a module, the loader's structures, the first
			 MiB */
	MEMORY_ACPI,  /* tables that the firmware left */
};

struct memory_range {
	paddr_t start; /* page-aligned; the list is sorted and without overlaps */
	paddr_t end;   /* exclusive */
	enum memory_type type;
};

struct boot_module {
	paddr_t start;
	paddr_t end;
	char name[32];
};

/* Pixels that the loader left; its word, not checked. */
enum framebuffer_kind {
	FRAMEBUFFER_NONE,
	FRAMEBUFFER_RGB,  /* a colour is three fields of a pixel */
	FRAMEBUFFER_TEXT, /* EGA text, or what we cannot draw on */
};

struct boot_framebuffer {
	enum framebuffer_kind kind;
	paddr_t address;
	uint32_t pitch_bytes; /* from one row to the next */
	uint32_t width;       /* pixels */
	uint32_t height;      /* pixels */
	uint8_t bits;         /* of a pixel */
	uint8_t red_shift, red_bits;
	uint8_t green_shift, green_bits;
	uint8_t blue_shift, blue_bits;
};

#define BOOT_RANGES_MAX  64
#define BOOT_MODULES_MAX 8
#define BOOT_CMDLINE_MAX 65536 /* exec passes a program's whole argument list */

struct boot_info {
	const char *loader; /* "PVH" or "multiboot2" */
	const char *cmdline;
	struct memory_range ranges[BOOT_RANGES_MAX];
	unsigned nranges;
	struct boot_module modules[BOOT_MODULES_MAX];
	unsigned nmodules;
	paddr_t rsdp;       /* 0: not told */
	paddr_t start_page; /* below 1 MiB, kept for starting the other CPUs; 0: there is none */
	struct boot_framebuffer framebuffer;
	paddr_t kernel_start; /* of the image with its bss */
	paddr_t kernel_end;
	uint64_t start_cycles; /* TSC at the kernel's first instruction */
};

extern const struct boot_info *const boot_info;

/* The value of the last `name=value` or bare word `name` ("") on the command line, copied; false:
 * not there. */
bool boot_option(const char *name, char *value, size_t value_bytes);
/* The same of any line. */
bool boot_option_in(const char *cmdline, const char *name, char *value, size_t value_bytes);
/* The same for a name that may be given several times: number `nth`, from 0 on. */
bool boot_option_nth(const char *name, unsigned nth, char *value, size_t value_bytes);

#endif
