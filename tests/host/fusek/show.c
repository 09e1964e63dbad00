/* sources: fusek/proto/close.c fusek/proto/control.c fusek/proto/data.c fusek/proto/forget.c
   fusek/proto/getattr.c fusek/proto/init.c fusek/proto/ioctl.c fusek/proto/lock.c
   fusek/proto/lookup.c fusek/proto/make.c fusek/proto/message.c fusek/proto/open.c
   fusek/proto/range.c fusek/proto/readdir.c fusek/proto/remove.c fusek/proto/setattr.c
   fusek/proto/show.c fusek/proto/statfs.c fusek/proto/xattr.c lib/errno_name.c lib/fmt.c
   lib/string.c */
/*
 * Requests and answers as text, for who watches a driver.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "message.h"

#include <lib/panic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct fuse_session today = {.minor = FUSE_MINOR}, old = {.minor = 8},
				 longer = {.minor = FUSE_MINOR, .flags = FUSE_SETXATTR_EXT};
static const struct server_name name = {.text = "name", .len_bytes = 4},
				other = {.text = "o\"\n", .len_bytes = 3};
static const struct nodeid node = {7};
static struct fuse_message message;

noreturn void panic(const char *format, ...)
{
	fputs(format, stderr);
	abort();
}

static void check_by(const struct fuse_session *session, const char *expected)
{
	char text[160];

	assert_int_equal(fuse_show_request(session, &message, text, sizeof(text)),
			 strlen(expected));
	assert_string_equal(text, expected);
}

static void check(const char *expected)
{
	check_by(&today, expected);
}

static void names_are_shown(void **state)
{
	fuse_ask_lookup(&today, &message, SERVER_ROOT, name);
	check("(1, \"name\")");
	fuse_ask_unlink(&message, node, other);
	check("(7, \"o\\x22\\x0a\")");
	fuse_ask_rename(&message, SERVER_ROOT, name, node, other, 0);
	check("(1, \"name\", 7, \"o\\x22\\x0a\")");
	fuse_ask_rename(&message, SERVER_ROOT, name, node, name, 2);
	check("(1, \"name\", 7, \"name\", 0x2)");
	fuse_ask_symlink(&today, &message, SERVER_ROOT, name, 9);
	check("(1, \"name\", 9 bytes)");
	fuse_ask_link(&today, &message, node, SERVER_ROOT, name);
	check("(1, \"name\", node 7)");
	fuse_ask_mkdir(&today, &message, SERVER_ROOT, name, 0755, 022);
	check("(1, \"name\", 0755)");
	fuse_ask_removexattr(&message, node, "user.x");
	check("(7, \"user.x\")");
	fuse_ask_getxattr(&message, node, "user.x", 64);
	check("(7, \"user.x\", 64)");
}

static void names_are_found_in_each_version(void **state)
{
	const struct fuse_session *sessions[] = {&old, &today};

	for (size_t i = 0; i < ARRAY_SIZE(sessions); i++) {
		fuse_ask_mknod(sessions[i], &message, SERVER_ROOT, name, S_IFREG | 0644, 0, 0);
		check_by(sessions[i], "(1, \"name\", 0100644)");
		fuse_ask_create(sessions[i], &message, SERVER_ROOT, name, S_IFREG | 0600, 0, 2,
				false);
		check_by(sessions[i], "(1, \"name\", 02, 0100600)");
	}
	fuse_ask_setxattr(&today, &message, node, "user.x", 3, 1);
	check_by(&today, "(7, \"user.x\", 3, 0x1)");
	fuse_ask_setxattr(&longer, &message, node, "user.x", 3, 1);
	check_by(&longer, "(7, \"user.x\", 3, 0x1)");
}

static void numbers_are_shown(void **state)
{
	const uint64_t handle = 5;
	const struct server_setattr set = {.valid = SETATTR_MODE | SETATTR_SIZE | SETATTR_MTIME,
					   .mode = 0600,
					   .size_bytes = 10};

	fuse_ask_getattr(&today, &message, node, NULL);
	check("(7)");
	fuse_ask_getattr(&today, &message, node, &handle);
	check("(7, fh 5)");
	fuse_ask_setattr(&today, &message, node, &set, 0);
	check("(7, mode 0600, size 10, mtime)");
	fuse_ask_read(&today, &message, node, 5, 4096, 100, 0);
	check("(7, fh 5, 100, 4096)");
	fuse_ask_write(&old, &message, node, 5, 4096, 100, 0, 0);
	check("(7, fh 5, 100, 4096)");
	fuse_ask_fsync(&message, node, false, 5, true);
	check("(7, fh 5, data)");
	fuse_ask_fallocate(&message, node, 5, 3, 1, 2);
	check("(7, fh 5, 0x3, 1, 2)");
	fuse_ask_setlk(&message, node, 5,
		       &(struct object_lock){.type = F_WRLCK, .start = 1, .end = 9}, false);
	check("(7, fh 5, write, 1-9)");
	fuse_ask_interrupt(&message, 12);
	check("(0, 12)");
	fuse_ask_statfs(&today, &message, node);
	check("(7)");
}

static void long_names_are_cut(void **state)
{
	char long_name[255], expected[80];
	char text[20];

	memset(long_name, 'n', sizeof(long_name));
	fuse_ask_lookup(&today, &message, SERVER_ROOT,
			(struct server_name){.text = long_name, .len_bytes = sizeof(long_name)});
	snprintf(expected, sizeof(expected), "(1, \"%.48s\"...)", long_name);
	check(expected);
	assert_int_equal(fuse_show_request(&today, &message, text, sizeof(text)), 19);
	assert_string_equal(text, "(1, \"nnnnnnnnnnnnnn");
}

static void check_answer(uint32_t opcode, const void *bytes, size_t len_bytes, err_t error,
			 const char *expected)
{
	const struct fuse_reply reply = {.bytes = bytes, .len_bytes = (uint32_t)len_bytes};
	char text[32];

	message.opcode = opcode;
	assert_int_equal(fuse_show_answer(&message, &reply, error, text, sizeof(text)),
			 strlen(expected));
	assert_string_equal(text, expected);
}

static void answers_are_shown(void **state)
{
	const struct fuse_entry_out entry = {.nodeid = 7};
	const struct fuse_open_out opened = {.fh = 5};
	const struct fuse_write_out written = {.size = 100};

	check_answer(FUSE_LOOKUP, &entry, sizeof(entry), 0, "node 7");
	check_answer(FUSE_OPEN, &opened, sizeof(opened), 0, "fh 5");
	check_answer(FUSE_WRITE, &written, sizeof(written), 0, "100");
	check_answer(FUSE_READ, &entry, 11, 0, "11");
	check_answer(FUSE_UNLINK, NULL, 0, 0, "0");
	check_answer(FUSE_UNLINK, NULL, 0, -ENOTEMPTY, "-1 ENOTEMPTY");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_shown),
		cmocka_unit_test(names_are_found_in_each_version),
		cmocka_unit_test(numbers_are_shown),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(answers_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
