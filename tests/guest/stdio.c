/*
 * musl's stdio over our calls: formatting, buffering, files, positions.
 */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

static void numbers_are_formatted(void)
{
	char text[200];

	snprintf(text, sizeof(text), "%d %5u|%-6s|%08x %llx %c %%", -42, 7U, "ab", 0xbeefU,
		 0x123456789abcdefULL, 'z');
	EXPECT(strcmp(text, "-42     7|ab    |0000beef 123456789abcdef z %") == 0);
}

static void floating_point_is_formatted_and_parsed(void)
{
	char text[100];

	snprintf(text, sizeof(text), "%.3f %g %e", 3.14159, 1e100, 12345.678);
	EXPECT(strcmp(text, "3.142 1e+100 1.234568e+04") == 0);
	EXPECT(strtod("0.1", NULL) == 0.1);
	EXPECT(strtod("1e-320", NULL) > 0);
}

static void a_file_is_written_and_read_back(void)
{
	char path[] = "/tmp/stdio-XXXXXX", line[64];
	int fd = mkstemp(path);
	FILE *file;
	int number;

	EXPECT(fd >= 0);
	file = fdopen(fd, "w+");
	EXPECT(file != NULL);
	for (int i = 0; i < 1000; i++)
		EXPECT(fprintf(file, "line %d\n", i) > 0);
	EXPECT_EQUAL(ftell(file), 8890);
	EXPECT_EQUAL(fseek(file, 0, SEEK_SET), 0);
	for (int i = 0; i < 1000; i++) {
		EXPECT_EQUAL(fscanf(file, "line %d\n", &number), 1);
		EXPECT_EQUAL(number, i);
	}
	EXPECT(fgetc(file) == EOF && feof(file));
	EXPECT_EQUAL(fseek(file, -4, SEEK_END), 0);
	EXPECT(fgets(line, sizeof(line), file) && strcmp(line, "999\n") == 0);
	EXPECT_EQUAL(fclose(file), 0);
	EXPECT_EQUAL(unlink(path), 0);
}

static void characters_are_pushed_back(void)
{
	FILE *file = tmpfile();

	EXPECT(file != NULL);
	EXPECT(fputs("ab", file) >= 0);
	rewind(file);
	EXPECT_EQUAL(fgetc(file), 'a');
	EXPECT_EQUAL(ungetc('x', file), 'x');
	EXPECT_EQUAL(fgetc(file), 'x');
	EXPECT_EQUAL(fgetc(file), 'b');
	EXPECT_EQUAL(fgetc(file), EOF);
	EXPECT_EQUAL(fclose(file), 0);
}

static void append_mode_writes_at_the_end(void)
{
	char path[] = "/tmp/stdio-XXXXXX", text[16] = "";
	int fd = mkstemp(path);
	FILE *file;

	EXPECT(fd >= 0);
	EXPECT_EQUAL(write(fd, "one", 3), 3);
	EXPECT_EQUAL(close(fd), 0);
	file = fopen(path, "a");
	EXPECT(file && fputs("two", file) >= 0 && fclose(file) == 0);
	file = fopen(path, "r");
	EXPECT(file && fread(text, 1, sizeof(text), file) == 6 && fclose(file) == 0);
	EXPECT(strcmp(text, "onetwo") == 0);
	EXPECT_EQUAL(unlink(path), 0);
}

static void a_missing_file_says_so(void)
{
	FILE *file = fopen("/tmp/there-is-no-such-file", "r");

	EXPECT(file == NULL);
	EXPECT_EQUAL(errno, ENOENT);
}

static void both_streams_can_be_written(void)
{
	EXPECT(fputs("this is standard output\n", stdout) >= 0);
	EXPECT(fputs("this is standard error\n", stderr) >= 0);
	EXPECT_EQUAL(fflush(stdout), 0);
}

static void memory_streams_grow(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&text, &len);

	EXPECT(file != NULL);
	for (int i = 0; i < 10000; i++)
		fputc('x', file);
	EXPECT_EQUAL(fclose(file), 0);
	EXPECT_EQUAL(len, 10000);
	EXPECT_EQUAL(strlen(text), 10000);
	free(text);
}

int main(void)
{
	RUN(numbers_are_formatted);
	RUN(floating_point_is_formatted_and_parsed);
	RUN(a_file_is_written_and_read_back);
	RUN(characters_are_pushed_back);
	RUN(append_mode_writes_at_the_end);
	RUN(a_missing_file_says_so);
	RUN(both_streams_can_be_written);
	RUN(memory_streams_grow);
	return check_end();
}
