/*
 * The DISPI interface (QEMU's docs/specs/standard-vga.txt): an index and a data port, video memory
 * behind the first base address of the PCI function 1234:1111. For machines that are started
 * without a loader that could hand a framebuffer over. Looks at PCI bus 0 alone: that is where QEMU
 * has it.
 */
#define LOG_SUBSYSTEM "screen"

#include "bochs.h"

#include <arch/port.h>
#include <lib/log.h>
#include <lib/string.h>

#define DISPI_INDEX      0x1ce
#define DISPI_DATA       0x1cf
#define DISPI_ID         0
#define DISPI_WIDTH      1
#define DISPI_HEIGHT     2
#define DISPI_BITS       3
#define DISPI_ENABLE     4
#define DISPI_VIRT_WIDTH 6
#define DISPI_X_OFFSET   8
#define DISPI_Y_OFFSET   9
#define DISPI_MEMORY     10 /* in units of 64 KiB */

#define ID_FIRST    0xb0c0
#define ID_LAST     0xb0cf
#define ENABLED     0x01
#define LINEAR      0x40
#define MEMORY_UNIT (64 * KIB)
#define BITS        32
#define SIDE_MIN    16
#define SIDE_MAX    16384

#define PCI_ADDRESS   0xcf8
#define PCI_DATA      0xcfc
#define PCI_ENABLE    0x80000000u
#define PCI_DEVICES   32
#define PCI_BASE_0    0x10
#define PCI_BASE_MASK 0xfffffff0u
#define BOCHS_VGA     0x11111234u /* device, vendor */

static uint16_t dispi_read(uint16_t index)
{
	port_out16(DISPI_INDEX, index);
	return port_in16(DISPI_DATA);
}

static void dispi_write(uint16_t index, uint16_t value)
{
	port_out16(DISPI_INDEX, index);
	port_out16(DISPI_DATA, value);
}

static uint32_t pci_read(unsigned device, unsigned offset)
{
	port_out32(PCI_ADDRESS, PCI_ENABLE | device << 11 | offset);
	return port_in32(PCI_DATA);
}

/* 0: there is none. */
static paddr_t find_memory(void)
{
	for (unsigned device = 0; device < PCI_DEVICES; device++) {
		if (pci_read(device, 0) == BOCHS_VGA)
			return pci_read(device, PCI_BASE_0) & PCI_BASE_MASK;
	}
	return 0;
}

/* "1024x768" */
static bool parse_mode(char *text, uint64_t *width, uint64_t *height)
{
	char *cross = strchr(text, 'x');

	if (!cross)
		return false;
	*cross = '\0';
	if (string_to_u64(text, width) || string_to_u64(cross + 1, height))
		return false;
	*cross = 'x';
	return *width >= SIDE_MIN && *width <= SIDE_MAX && *height >= SIDE_MIN &&
	       *height <= SIDE_MAX;
}

static bool set_mode(uint16_t width, uint16_t height)
{
	dispi_write(DISPI_ENABLE, 0);
	dispi_write(DISPI_WIDTH, width);
	dispi_write(DISPI_HEIGHT, height);
	dispi_write(DISPI_BITS, BITS);
	dispi_write(DISPI_X_OFFSET, 0);
	dispi_write(DISPI_Y_OFFSET, 0);
	dispi_write(DISPI_ENABLE, ENABLED | LINEAR);
	return dispi_read(DISPI_WIDTH) == width && dispi_read(DISPI_HEIGHT) == height &&
	       dispi_read(DISPI_BITS) == BITS;
}

bool bochs_find(struct boot_framebuffer *out)
{
	uint64_t width;
	uint64_t height;
	char text[32];
	uint16_t id;
	paddr_t memory;

	if (!boot_option("video", text, sizeof(text)))
		return false;
	if (!parse_mode(text, &width, &height)) {
		log_warn("video=%s: say WIDTHxHEIGHT, 1024x768 for one", text);
		return false;
	}
	id = dispi_read(DISPI_ID);
	memory = find_memory();
	if (id < ID_FIRST || id > ID_LAST || !memory) {
		log_warn("video=%s: this machine has no adapter that takes a mode (QEMU: -vga std)",
			 text);
		return false;
	}
	if (width * height * (BITS / 8) > dispi_read(DISPI_MEMORY) * MEMORY_UNIT ||
	    !set_mode((uint16_t)width, (uint16_t)height)) {
		dispi_write(DISPI_ENABLE, 0);
		log_warn("video=%s: the adapter has no such mode", text);
		return false;
	}
	*out = (struct boot_framebuffer){
		.kind = FRAMEBUFFER_RGB,
		.address = memory,
		.pitch_bytes = dispi_read(DISPI_VIRT_WIDTH) * (BITS / 8),
		.width = (uint32_t)width,
		.height = (uint32_t)height,
		.bits = BITS,
		.red_shift = 16,
		.red_bits = 8,
		.green_shift = 8,
		.green_bits = 8,
		.blue_shift = 0,
		.blue_bits = 8,
	};
	return true;
}
