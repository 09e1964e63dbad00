/* sources: drivers/fatfs/disk.c drivers/fatfs/volume.c drivers/fatfs/table.c drivers/fatfs/chain.c
	drivers/fatfs/names.c drivers/fatfs/short_names.c drivers/fatfs/times.c
	drivers/fatfs/directory.c drivers/fatfs/directory_change.c drivers/fatfs/node.c
	drivers/fatfs/node_change.c drivers/fatfs/file.c drivers/common/hash.c
	tests/host/support/fat.c */
/*
 * fatfs without libfuse, on volumes that mkfs.fat made and mtools filled, and that fsck.fat and
 * mtools look at afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/fat.h"

#include "times.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned widths[] = {12, 16, 32};

#define NWIDTHS (sizeof(widths) / sizeof(widths[0]))

static const unsigned kib_of[] = {1024, 4096, 35000};

#define OPTIONS "-s 1"

/* ---- names ---- */

static void text_becomes_units_and_text_again(void **state)
{
	static const char *const texts[] = {"a",          "README.TXT", "größe 😀 name",
					    "日本語.txt", "a.b.c",      ".profile",
					    "x y+z",      "~1",         "\u00ff"};
	char back[NAME_BYTES_MAX + 1];
	struct name name;

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(name_from_utf8(texts[i], &name), 0);
		assert_true(name_is_possible(&name));
		name_to_utf8(&name, back);
		assert_string_equal(back, texts[i]);
	}
	assert_int_equal(name_from_utf8("😀", &name), 0);
	assert_int_equal(name.n, 2);
	assert_int_equal(name.units[0], 0xd83d);
	assert_int_equal(name.units[1], 0xde00);
	name.n = 1; /* half of it */
	name_to_utf8(&name, back);
	assert_string_equal(back, "\xef\xbf\xbd");
	assert_int_equal(name_from_utf8("dots...", &name), 0);
	assert_int_equal(name.n, 4);
}

static void what_is_no_name_is_refused(void **state)
{
	static const char *const bad[] = {"a*b",
					  "a?b",
					  "a:b",
					  "\"",
					  "<",
					  ">",
					  "|",
					  "a\\b",
					  "a\nb",
					  "space ",
					  "\x80",
					  "\xc0\xaf",
					  "\xe0\x80\x80",
					  "\xed\xa0\x80",
					  "\xf4\x90\x80\x80",
					  "\xf8\x88\x80\x80\x80",
					  "\xc3"};
	char text[300];
	struct name name;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(name_from_utf8(bad[i], &name), -EINVAL);
	assert_int_equal(name_from_utf8("...", &name), -ENOENT);
	memset(text, 'x', sizeof(text));
	text[255] = 0;
	assert_int_equal(name_from_utf8(text, &name), 0);
	text[255] = 'x';
	text[256] = 0;
	assert_int_equal(name_from_utf8(text, &name), -ENAMETOOLONG);
}

static bool same(const char *a, const char *b)
{
	struct name first, second;

	assert_int_equal(name_from_utf8(a, &first), 0);
	assert_int_equal(name_from_utf8(b, &second), 0);
	return name_equal(&first, &second);
}

static void case_does_not_matter(void **state)
{
	assert_true(same("ReadMe", "rEADmE"));
	assert_true(same("GRÖSSE", "grösse"));
	assert_true(same("ΑΒΓΣ", "αβγσ"));
	assert_true(same("ЖЁѢ", "жёѣ"));
	assert_true(same("ŁĀŽŸ", "łāžÿ"));
	assert_false(same("a", "b"));
	assert_false(same("a", "aa"));
	assert_false(same("×", "÷")); /* 0xd7 and 0xf7 are no letters */
	assert_false(same("ı", "İ"));
}

static void short_is(const char *text, const char *raw, bool is_enough)
{
	struct short_name out;
	struct name name;

	assert_int_equal(name_from_utf8(text, &name), 0);
	short_from_name(&name, &out);
	assert_memory_equal(out.raw, raw, 11);
	assert_int_equal(out.is_enough, is_enough);
}

static void short_names_are_made_as_windows_makes_them(void **state)
{
	struct short_name base;
	uint8_t raw[11];
	struct name name;

	short_is("README.TXT", "README  TXT", true);
	short_is("readme.TXT", "README  TXT", true);
	short_is("ReadMe.txt", "README  TXT", false);
	short_is("a long name.text", "ALONGNAMTEX", false);
	short_is(".profile", "PROFILE    ", false);
	short_is("a.b.c", "AB      C  ", false);
	short_is("x+y=z", "X_Y_Z      ", false);
	short_is("größe",
		 "GR\x94\xe1"
		 "E      ",
		 false);
	short_is("日本", "__         ", false);
	short_is("å", "\x86          ", false);
	short_is("σ", "\x05          ", false); /* 0xe5 would mean: deleted */
	short_is("+", "_          ", false);
	short_is(" x", "X          ", false);

	assert_int_equal(name_from_utf8("a long name.text", &name), 0);
	short_from_name(&name, &base);
	short_number(&base, 1, raw);
	assert_memory_equal(raw, "ALONGN~1TEX", 11);
	short_number(&base, 12345, raw);
	assert_memory_equal(raw, "AL~12345TEX", 11);
	assert_int_equal(short_number_of(&base, raw), 12345);
	assert_int_equal(short_number_of(&base, (const uint8_t *)"ALONGN~2TEX"), 2);
	assert_int_equal(short_number_of(&base, (const uint8_t *)"ALONGN~2TXT"), 0);
	assert_int_equal(short_number_of(&base, (const uint8_t *)"ALONGX~2TEX"), 0);
	assert_int_equal(short_number_of(&base, (const uint8_t *)"ALONGN~0TEX"), 0);
	assert_int_equal(short_number_of(&base, (const uint8_t *)"ALONGNAMTEX"), 0);
	assert_int_equal(name_from_utf8("x~y", &name), 0);
	short_to_name((const uint8_t *)"\x05          ", 0, &name);
	assert_int_equal(name.units[0], 0x3c3);
	short_to_name((const uint8_t *)"README  TXT", LOWER_BASE, &name);
	assert_int_equal(name.n, 10);
	assert_int_equal(name.units[0], 'r');
	assert_int_equal(name.units[7], 'T');
}

/* ---- times ---- */

static void every_day_is_the_calendar_s(void **state)
{
	for (int64_t day = 3652; day < 50403; day++) { /* 1980-01-01 to 2107-12-31 */
		time_t seconds = day * 86400 + day * 7919 % 86400 / 2 * 2;
		struct tm *tm = gmtime(&seconds);
		struct timespec time = {.tv_sec = seconds}, back;
		uint16_t date, of_day;

		time_to_disk(time, 0, &date, &of_day, NULL);
		assert_int_equal(date >> 9, tm->tm_year - 80);
		assert_int_equal(date >> 5 & 15, tm->tm_mon + 1);
		assert_int_equal(date & 31, tm->tm_mday);
		back = time_from_disk(date, of_day, 0, 0);
		assert_int_equal(back.tv_sec, seconds);
	}
}

static void times_that_the_disk_cannot_say_become_its_nearest(void **state)
{
	struct timespec time = {.tv_sec = 0};
	uint16_t date, of_day;
	uint8_t hundredths;

	time_to_disk(time, 0, &date, &of_day, NULL);
	assert_int_equal(date, 1 << 5 | 1);
	time.tv_sec = INT64_C(9999999999);
	time_to_disk(time, 0, &date, &of_day, NULL);
	assert_int_equal(date, 127 << 9 | 12 << 5 | 31);
	time = (struct timespec){.tv_sec = 1000000001, .tv_nsec = 987654321};
	time_to_disk(time, 60, &date, &of_day, &hundredths);
	time = time_from_disk(date, of_day, hundredths, 60);
	assert_int_equal(time.tv_sec, 1000000001);
	assert_int_equal(time.tv_nsec, 980000000);
	time = time_from_disk(0, 0, 0, 0); /* no month, no day */
	assert_int_equal(time.tv_sec, 315532800);
}

/* ---- volumes ---- */

static void clean(const char *bytes, size_t len_bytes)
{
	char *said = fat_run(bytes, len_bytes, "fsck.fat -n $i");

	assert_non_null(said);
	if (!strstr(said, "status 0") || strstr(said, "differ") || strstr(said, "summary") ||
	    strstr(said, "Dirty") || strstr(said, "eclaim"))
		fail_msg("fsck.fat: %s", said);
	free(said);
}

static void expect_file(struct fat_mount *mount, const char *path, const char *bytes, size_t n)
{
	struct node *node;
	char *buffer = malloc(n + 10);

	assert_int_equal(fat_find(mount, path, &node), 0);
	assert_int_equal(get32(node->entry.size_bytes), n);
	assert_int_equal(file_read(&mount->volume, node, 0, buffer, n + 10), n);
	assert_memory_equal(buffer, bytes, n);
	free(buffer);
}

static void what_mtools_put_there_is_read(void **state)
{
	static const char script[] =
		"seq 1 20000 >numbers; mcopy -i $i numbers '::A long name with 日本.text';"
		"echo hello >h; mcopy -i $i h ::HELLO.TXT; mcopy -i $i h ::lower.txt;"
		"mmd -i $i ::sub ::sub/deeper; mcopy -i $i h '::sub/deeper/ÄÖÜ'; : >e;"
		"mcopy -i $i e ::empty; mattrib -i $i +r ::HELLO.TXT";
	char *numbers = malloc(200000), *bytes;
	struct fat_mount mount;
	struct node *node;
	size_t len_bytes, n = 0;

	for (unsigned i = 1; i <= 20000; i++)
		n += (size_t)sprintf(numbers + n, "%u\n", i);
	for (unsigned i = 0; i < NWIDTHS; i++) {
		bytes = fat_make(widths[i], OPTIONS, kib_of[i], script, &len_bytes);
		assert_non_null(bytes);
		assert_int_equal(fat_mount(&mount, bytes, len_bytes), 0);
		assert_int_equal(mount.volume.width, widths[i]);
		expect_file(&mount, "a LONG name with 日本.text", numbers, n);
		expect_file(&mount, "alongn~1.tex", numbers, n);
		expect_file(&mount, "hello.txt", "hello\n", 6);
		expect_file(&mount, "LOWER.txt", "hello\n", 6);
		expect_file(&mount, "SUB/deeper/äöü", "hello\n", 6);
		expect_file(&mount, "empty", "", 0);
		assert_int_equal(fat_find(&mount, "hello.txt", &node), 0);
		assert_true(node->entry.attributes & ATTRIBUTE_READ_ONLY);
		assert_int_equal(fat_find(&mount, "nothing", &node), -ENOENT);
		assert_int_equal(fat_find(&mount, "empty/x", &node), -ENOTDIR);
		assert_int_equal(fat_unmount(&mount), 0);
		assert_int_equal(mount.memory.nwrites, 0); /* reading changes nothing */
		free(bytes);
	}
	free(numbers);
}

static void mtools_read_what_we_put_there(void **state)
{
	static const char expected[] = "hello, mtools\nhello, mtools\nhello, mtools\nstatus 0\n";
	struct fat_mount mount;
	struct node *node, *sub;
	size_t len_bytes;
	char *bytes, *said;

	for (unsigned i = 0; i < NWIDTHS; i++) {
		bytes = fat_make(widths[i], OPTIONS, kib_of[i], "", &len_bytes);
		assert_non_null(bytes);
		assert_int_equal(fat_mount(&mount, bytes, len_bytes), 0);
		assert_int_equal(node_create(&mount.volume, mount.volume.root, "Sub directory",
					     ATTRIBUTE_DIRECTORY, &sub),
				 0);
		assert_int_equal(node_create(&mount.volume, sub, "größe 日本 long.text", 0, &node),
				 0);
		assert_int_equal(file_write(&mount.volume, node, 0, "hello, mtools\n", 14), 0);
		assert_int_equal(node_create(&mount.volume, sub, "short.txt", 0, &node), 0);
		assert_int_equal(file_write(&mount.volume, node, 0, "hello, mtools\n", 14), 0);
		assert_int_equal(fat_unmount(&mount), 0);
		clean(bytes, len_bytes);
		said = fat_run(bytes, len_bytes,
			       "mtype -i $i '::Sub directory/größe 日本 long.text';"
			       "mtype -i $i ::SUBDIR~1/SHORT.TXT;"
			       "mtype -i $i '::sub DIRECTORY/short.txt'");
		assert_string_equal(said, expected);
		free(said);
		free(bytes);
	}
}

static void a_full_volume_says_so_and_is_whole(void **state)
{
	static char data[8192];
	struct fat_mount mount;
	struct node *node, *other;
	uint32_t nfree, before;
	char name[32], *bytes;
	size_t len_bytes;
	uint64_t at = 0;
	int err = 0;

	bytes = fat_make(12, OPTIONS, 256, "", &len_bytes);
	assert_non_null(bytes);
	assert_int_equal(fat_mount(&mount, bytes, len_bytes), 0);
	assert_int_equal(table_free_count(&mount.volume, &before), 0);
	assert_int_equal(node_create(&mount.volume, mount.volume.root, "big", 0, &node), 0);
	for (; !err; at += err ? 0 : sizeof(data))
		err = file_write(&mount.volume, node, at, data, sizeof(data));
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(get32(node->entry.size_bytes), at);
	while (!file_write(&mount.volume, node, at, data, 512))
		at += 512;
	assert_int_equal(table_free_count(&mount.volume, &nfree), 0);
	assert_int_equal(nfree, 0);
	assert_int_equal(at, before * UINT64_C(512));
	assert_int_equal(
		node_create(&mount.volume, mount.volume.root, "d", ATTRIBUTE_DIRECTORY, &other),
		-ENOSPC);
	for (unsigned i = 0; !err || err == -ENOSPC; i++) { /* the root has its end as well */
		snprintf(name, sizeof(name), "A%u", i);
		err = node_create(&mount.volume, mount.volume.root, name, 0, &other);
		if (err)
			break;
	}
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(file_resize(&mount.volume, node, UINT64_C(1) << 32), -EFBIG);
	assert_int_equal(file_write(&mount.volume, node, UINT32_MAX, data, 1), -EFBIG);
	assert_int_equal(fat_unmount(&mount), 0);
	clean(bytes, len_bytes);

	/* All of it comes back. */
	assert_int_equal(fat_mount(&mount, bytes, len_bytes), 0);
	assert_int_equal(node_unlink(&mount.volume, mount.volume.root, "BIG"), 0);
	assert_int_equal(table_free_count(&mount.volume, &nfree), 0);
	assert_int_equal(nfree, before);
	assert_int_equal(fat_unmount(&mount), 0);
	clean(bytes, len_bytes);
	free(bytes);
}

static void a_file_that_is_open_outlives_its_name(void **state)
{
	struct fat_mount mount;
	struct node *node, *other;
	uint32_t before, nfree;
	char *bytes, text[8];
	size_t len_bytes;

	bytes = fat_make(16, OPTIONS, 4096, "", &len_bytes);
	assert_non_null(bytes);
	assert_int_equal(fat_mount(&mount, bytes, len_bytes), 0);
	assert_int_equal(table_free_count(&mount.volume, &before), 0);
	assert_int_equal(node_create(&mount.volume, mount.volume.root, "f", 0, &node), 0);
	node_hold(node);
	assert_int_equal(file_write(&mount.volume, node, 0, "before", 6), 0);
	assert_int_equal(node_unlink(&mount.volume, mount.volume.root, "F"), 0);
	assert_int_equal(node_create(&mount.volume, mount.volume.root, "g", 0, &other), 0);
	assert_ptr_not_equal(node, other);
	assert_int_not_equal(node->ino, other->ino); /* though it has the same place */
	assert_int_equal(file_write(&mount.volume, node, 6, "!", 1), 0);
	assert_int_equal(file_read(&mount.volume, node, 0, text, 8), 7);
	assert_memory_equal(text, "before!", 7);
	node_forget(&mount.volume, node, 1);
	assert_int_equal(table_free_count(&mount.volume, &nfree), 0);
	assert_int_equal(nfree, before - 1);
	node_release(&mount.volume, node);
	assert_int_equal(table_free_count(&mount.volume, &nfree), 0);
	assert_int_equal(nfree, before);
	assert_int_equal(fat_unmount(&mount), 0);
	clean(bytes, len_bytes);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_becomes_units_and_text_again),
		cmocka_unit_test(what_is_no_name_is_refused),
		cmocka_unit_test(case_does_not_matter),
		cmocka_unit_test(short_names_are_made_as_windows_makes_them),
		cmocka_unit_test(every_day_is_the_calendar_s),
		cmocka_unit_test(times_that_the_disk_cannot_say_become_its_nearest),
		cmocka_unit_test(what_mtools_put_there_is_read),
		cmocka_unit_test(mtools_read_what_we_put_there),
		cmocka_unit_test(a_full_volume_says_so_and_is_whole),
		cmocka_unit_test(a_file_that_is_open_outlives_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
