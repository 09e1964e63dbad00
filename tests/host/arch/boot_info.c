/* sources: arch/x86_64/boot_info.c lib/string.c */
/*
 * The list of memory ranges, which firmware fills with whatever it likes, and the command line.
 */
#include "../../../arch/x86_64/loader.h"

#include <lib/string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

extern struct boot_info boot_info_storage;

static struct boot_info *fresh(void)
{
	memset(&boot_info_storage, 0, sizeof(boot_info_storage));
	return &boot_info_storage;
}

static void check_sorted(const struct boot_info *info)
{
	for (unsigned i = 0; i < info->nranges; i++) {
		assert_true(info->ranges[i].start < info->ranges[i].end);
		assert_true(i == 0 || info->ranges[i - 1].end <= info->ranges[i].start);
	}
}

static uint64_t usable(const struct boot_info *info)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < info->nranges; i++)
		sum += info->ranges[i].type == MEMORY_USABLE
			       ? info->ranges[i].end - info->ranges[i].start
			       : 0;
	return sum;
}

static void ranges_are_sorted_and_rounded_inwards(void **state)
{
	struct boot_info *info = fresh();

	(void)state;
	loader_add_range(info, 0x100000, 0x200123, MEMORY_USABLE);
	loader_add_range(info, 0x123, 0x9fc00, MEMORY_USABLE);
	loader_add_range(info, 0x180000, 0x300000, MEMORY_ACPI);
	check_sorted(info);
	assert_int_equal(info->nranges, 3);
	assert_true(info->ranges[0].start == 0x1000 && info->ranges[0].end == 0x9f000);
	assert_true(info->ranges[2].start == 0x200000);
}

static void carving_splits_and_spans(void **state)
{
	struct boot_info *info = fresh();

	(void)state;
	loader_add_range(info, 0x0, 0x100000, MEMORY_USABLE);
	loader_add_range(info, 0x200000, 0x300000, MEMORY_USABLE);
	loader_carve(info, 0x40000, 0x40001, MEMORY_TAKEN);
	check_sorted(info);
	assert_true(usable(info) == 0x200000 - 0x1000);
	loader_carve(info, 0x80000, 0x280000, MEMORY_TAKEN);
	check_sorted(info);
	assert_true(usable(info) == 0x80000 - 0x1000 + 0x80000);
	loader_carve(info, 0, UINT64_MAX & ~PAGE_MASK, MEMORY_TAKEN);
	check_sorted(info);
	assert_true(usable(info) == 0);
}

static void what_is_reserved_wins_over_what_is_usable(void **state)
{
	static const struct {
		uint64_t start, size_bytes;
		uint32_t type;
	} map[] = {
		{0x100000, 0x7ff00000, E820_USABLE},
		{0x200000, 0x10000, 2},
		{0x300800, 0x100, 4},
		{0x400000, 0x4000, E820_ACPI},
		{0x7fff0000, 0x20000, E820_ACPI},
		{UINT64_MAX - 0x700, 0x600, E820_USABLE},
		{UINT64_MAX - 0x7000, 0x8000, E820_USABLE},
	};
	struct boot_info *info = fresh();

	(void)state;
	for (unsigned pass = 0; pass < E820_PASSES; pass++) {
		for (size_t i = 0; i < ARRAY_SIZE(map); i++)
			loader_add_e820(info, map[i].start, map[i].size_bytes, map[i].type, pass);
	}
	check_sorted(info);
	assert_true(usable(info) == 0x7ff00000 - 0x10000 - 0x1000 - 0x4000 - 0x10000);
	for (unsigned i = 0; i < info->nranges; i++) {
		if (info->ranges[i].start == 0x400000)
			assert_int_equal(info->ranges[i].type, MEMORY_ACPI);
		if (info->ranges[i].start == 0x200000)
			assert_int_equal(info->ranges[i].type, MEMORY_TAKEN);
	}
	assert_true(info->ranges[info->nranges - 1].end == 0x80010000);
}

static void too_many_ranges_lose_memory_but_nothing_else(void **state)
{
	struct boot_info *info = fresh();

	(void)state;
	for (uint64_t i = 0; i < 2 * BOOT_RANGES_MAX; i++)
		loader_add_range(info, i * 0x10000, i * 0x10000 + 0x4000, MEMORY_USABLE);
	check_sorted(info);
	assert_int_equal(info->nranges, BOOT_RANGES_MAX);
}

static void options_are_whole_words(void **state)
{
	struct boot_info *info = fresh();
	char value[16];

	(void)state;
	info->cmdline = "  root=a xroot=b nokaslr loglevel= root=last-wins-long-value";
	assert_true(boot_option("root", value, sizeof(value)));
	assert_string_equal(value, "last-wins-long-");
	assert_true(boot_option("nokaslr", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_true(boot_option("loglevel", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_false(boot_option("oot", value, sizeof(value)));
	assert_false(boot_option("nokasl", value, sizeof(value)));
	assert_true(boot_option("xroot", NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_sorted_and_rounded_inwards),
		cmocka_unit_test(carving_splits_and_spans),
		cmocka_unit_test(what_is_reserved_wins_over_what_is_usable),
		cmocka_unit_test(too_many_ranges_lose_memory_but_nothing_else),
		cmocka_unit_test(options_are_whole_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
