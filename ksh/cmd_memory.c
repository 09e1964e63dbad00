/*
 * Commands about memory: mem (where it went), vm (a program's regions, a page walk).
 */
#include <lib/fmt.h>
#include <lib/string.h>

#include "shell.h"

/* ---- mem ---- */

static void print_share(const char *name, uint64_t bytes, uint64_t total, enum paint colour)
{
	static const char bar[] = "########################################";
	uint64_t cells = total ? (bytes * (sizeof(bar) - 1) + total / 2) / total : 0;

	print("  %-22s %10s  %s%.*s%s\n", name, human_bytes(bytes), paint(colour), (int)cells, bar,
	      paint(PAINT_NONE));
}

static int show_slabs(void)
{
	long count = kernel->slab_list(NULL, 0) + 4;
	struct ksh_slab *table = kernel->memory_alloc((size_t)count * sizeof(*table));

	if (!table) {
		complain("mem", "out of memory");
		return 1;
	}
	count = MIN(kernel->slab_list(table, (size_t)count), count);
	print("%s%-24s %7s %9s %9s %10s%s\n", paint(PAINT_BOLD), "CACHE", "BYTES", "LIVE",
	      "STOCKED", "MEMORY", paint(PAINT_NONE));
	for (long i = 0; i < count; i++)
		print("%-24s %7u %9lu %9lu %10s\n", table[i].name, table[i].object_bytes,
		      table[i].live, table[i].stocked, human_bytes(table[i].bytes));
	kernel->memory_free(table);
	return 0;
}

int command_mem(size_t nwords, const char *const *words)
{
	struct ksh_memory memory;
	uint64_t used, named;

	if (nwords == 2 && strcmp(words[1], "-s") == 0)
		return show_slabs();
	if (nwords > 1)
		return usage(words[0]);
	kernel->memory_info(&memory);
	used = memory.total_bytes - memory.free_bytes;
	named = memory.ramdisk_bytes + memory.kernel_bytes + memory.tables_bytes +
		memory.slab_bytes;
	print_share("total", memory.total_bytes, memory.total_bytes, PAINT_NONE);
	print_share("free", memory.free_bytes, memory.total_bytes, PAINT_GREEN);
	print_share("used", used, memory.total_bytes, PAINT_YELLOW);
	print_share("  ramdisk, in place", memory.ramdisk_bytes, memory.total_bytes, PAINT_CYAN);
	print_share("  kernel image, data", memory.kernel_bytes, memory.total_bytes, PAINT_CYAN);
	print_share("  frame table", memory.tables_bytes, memory.total_bytes, PAINT_CYAN);
	print_share("  slab caches", memory.slab_bytes, memory.total_bytes, PAINT_CYAN);
	print_share("  programs, stacks ...", used > named ? used - named : 0, memory.total_bytes,
		    PAINT_CYAN);
	print("  free blocks of 4 KiB << n:");
	for (uint32_t order = 0; order < memory.norders; order++)
		print(" %lu", memory.free_blocks[order]);
	print("\n");
	return 0;
}

/* ---- vm ---- */

/* What the bits of an entry of a page table mean: SDM 3A, tables 4-15 to 4-20. */
static void print_entry_bits(uint64_t entry)
{
	static const struct {
		unsigned bit;
		const char *name;
	} bits[] = {
		{1, "writable"}, {2, "user"},  {4, "uncached"},
		{5, "accessed"}, {6, "dirty"}, {8, "global"},
	};

	if (!(entry & 1)) {
		print("not present\n");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		if (entry >> bits[i].bit & 1)
			print("%s ", bits[i].name);
	}
	print("%s\n", entry >> 63 ? "no-execute" : "executable");
}

static int show_walk(int pid, uint64_t address)
{
	static const char *const names[KSH_WALK_LEVELS] = {"PML4", "PDPT", "PD", "PT"};
	struct ksh_walk walk = {0};
	int err = kernel->space_walk(pid, address, &walk);

	if (err) {
		complain("vm", "%d: %s", pid, error_text(err));
		return 1;
	}
	for (uint32_t i = 0; i < walk.levels && i < KSH_WALK_LEVELS; i++) {
		const struct ksh_walk_entry *entry = &walk.entries[i];

		print("%*s%s%-4s%s table 0x%09lx [%3u] = 0x%016lx  ", (int)i * 2, "",
		      paint(PAINT_BOLD), names[i], paint(PAINT_NONE), entry->table, entry->index,
		      entry->entry);
		print_entry_bits(entry->entry);
	}
	if (walk.mapped)
		print("%#lx is at %sphysical %#lx%s\n", address, paint(PAINT_GREEN), walk.physical,
		      paint(PAINT_NONE));
	else
		print("%#lx is %snot mapped%s now\n", address, paint(PAINT_YELLOW),
		      paint(PAINT_NONE));
	return 0;
}

static void print_region(const struct ksh_region *region)
{
	print("%016lx-%016lx %c%c%c%c %10s %10s  %s\n", region->start, region->end,
	      region->flags & KSH_REGION_READ ? 'r' : '-',
	      region->flags & KSH_REGION_WRITE ? 'w' : '-',
	      region->flags & KSH_REGION_EXEC ? 'x' : '-',
	      region->flags & KSH_REGION_SHARED ? 's' : 'p',
	      human_bytes(region->end - region->start),
	      human_bytes(region->resident_pages * PAGE_SIZE), region->name);
}

static int show_regions(int pid)
{
	struct ksh_region region;
	uint64_t from = 0;
	long got;

	got = kernel->space_regions(pid, from, &region, 1);
	if (got < 0) {
		complain("vm", "%d: %s; `ps' lists the programs", pid, error_text(got));
		return 1;
	}
	print("%s%-33s PERM %10s %10s  %s%s\n", paint(PAINT_BOLD), "ADDRESSES", "SIZE", "PRESENT",
	      "WHAT", paint(PAINT_NONE));
	for (; got > 0 && !interrupted(); got = kernel->space_regions(pid, from, &region, 1)) {
		print_region(&region);
		from = region.end;
	}
	return 0;
}

/* A number, or the name of a region, of which the first page is meant. */
static bool find_address(int pid, const char *word, uint64_t *address)
{
	struct ksh_region region;

	if (string_to_u64(word, address) == 0)
		return true;
	for (*address = 0; kernel->space_regions(pid, *address, &region, 1) == 1;
	     *address = region.end) {
		if (strcmp(region.name, word) == 0) {
			*address = region.start;
			return true;
		}
	}
	return false;
}

int command_vm(size_t nwords, const char *const *words)
{
	uint64_t pid, address;

	if (nwords < 2 || nwords > 3 || string_to_u64(words[1], &pid) != 0 || pid > PID_NUMBER_MAX)
		return usage(words[0]);
	if (nwords == 3) {
		if (!find_address((int)pid, words[2], &address)) {
			complain("vm", "%s is neither an address nor a region of %s", words[2],
				 words[1]);
			return 2;
		}
		return show_walk((int)pid, address);
	}
	return show_regions((int)pid);
}
