/*
 * Mapped files.
 */
#include "posix.h"

#include <sys/mman.h>

#include "../../guest/look.h"

static char *map(int fd, size_t len_bytes, int rights, int flags)
{
	return mmap(NULL, len_bytes, rights, flags, fd, 0);
}

#define MAP(at, fd, len, rights, flags)                                                            \
	char *at = map(fd, len, rights, flags);                                                    \
	EXPECT(at != MAP_FAILED)

CASE(private_mapping_shows_the_file_and_zeros_behind)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDONLY);
	MAP(at, fd, PAGE, PROT_READ, MAP_PRIVATE);
	EXPECT(memcmp(at, "text", 4) == 0 && is_zeros(at + 4, PAGE - 4));
	munmap(at, PAGE);
}

CASE(private_mapping_s_writes_are_its_own)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDONLY);
	MAP(at, fd, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	at[0] = 'T';
	EXPECT(has("f", "text"));
	munmap(at, PAGE);
}

CASE(shared_mapping_to_read_shows_later_writes)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	MAP(at, fd, PAGE, PROT_READ, MAP_SHARED);
	EXPECT_EQUAL(at[0], 't');
	EXPECT_EQUAL(pwrite(fd, "T", 1, 0), 1);
	EXPECT_EQUAL(*(volatile char *)at, 'T');
	munmap(at, PAGE);
}

CASE(shared_mapping_writes_the_file)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	MAP(at, fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	at[0] = 'T';
	EXPECT(has("f", "Text"));
	EXPECT_EQUAL(msync(at, PAGE, MS_SYNC), 0);
	munmap(at, PAGE);
	EXPECT(has("f", "Text"));
}

CASE(shared_mapping_s_bytes_behind_the_end_are_no_part_of_the_file)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	MAP(at, fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	at[4] = 'X';
	EXPECT_EQUAL(msync(at, PAGE, MS_SYNC), 0);
	munmap(at, PAGE);
	EXPECT(has("f", "text"));
}

CASE(two_shared_mappings_are_the_same)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	MAP(first, fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	MAP(second, fd, PAGE, PROT_READ, MAP_SHARED);
	first[1] = 'E';
	EXPECT_EQUAL(*(volatile char *)(second + 1), 'E');
	munmap(first, PAGE);
	munmap(second, PAGE);
}

CASE(mapping_outlives_descriptor_and_name)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDONLY);
	MAP(at, fd, PAGE, PROT_READ, MAP_PRIVATE);
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_EQUAL(unlink("f"), 0);
	EXPECT(memcmp(at, "text", 4) == 0);
	munmap(at, PAGE);
}

CASE(mapping_behind_the_end_is_SIGBUS)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDONLY);
	MAP(at, fd, 2 * PAGE, PROT_READ, MAP_PRIVATE);
	EXPECT_EQUAL(look(at), 't');
	EXPECT_EQUAL(look(at + PAGE), -1);
	munmap(at, 2 * PAGE);
}

CASE(mapping_of_what_is_cut_off_is_SIGBUS)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	EXPECT_EQUAL(ftruncate(fd, 2 * PAGE), 0);
	MAP(at, fd, 2 * PAGE, PROT_READ, MAP_SHARED);
	EXPECT_EQUAL(look(at + PAGE), 0);
	EXPECT_EQUAL(ftruncate(fd, PAGE), 0);
	EXPECT_EQUAL(look(at), 't');
	EXPECT_EQUAL(look(at + PAGE), -1);
	munmap(at, 2 * PAGE);
}

CASE(mapping_shows_what_a_file_grew_by)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	MAP(at, fd, 2 * PAGE, PROT_READ, MAP_SHARED);
	EXPECT_EQUAL(look(at + PAGE), -1);
	EXPECT_EQUAL(pwrite(fd, "more", 4, PAGE), 4);
	EXPECT_EQUAL(look(at + PAGE), 'm');
	munmap(at, 2 * PAGE);
}

CASE(mapping_shows_zeros_after_a_cut_and_growth)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	MAP(at, fd, PAGE, PROT_READ, MAP_SHARED);
	EXPECT_EQUAL(look(at + 3), 't');
	EXPECT_EQUAL(ftruncate(fd, 2), 0);
	EXPECT_EQUAL(ftruncate(fd, 4), 0);
	EXPECT_EQUAL(look(at + 1), 'e');
	EXPECT_EQUAL(look(at + 3), 0);
	munmap(at, PAGE);
}

CASE(mapping_wants_the_descriptor_s_rights)
{
	PUT("f", "text");
	OPEN(reader, "f", O_RDONLY);
	OPEN(writer, "f", O_WRONLY);
	EXPECT(map(reader, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED) == MAP_FAILED);
	EXPECT_EQUAL(errno, EACCES);
	EXPECT(map(writer, PAGE, PROT_READ, MAP_PRIVATE) == MAP_FAILED);
	EXPECT_EQUAL(errno, EACCES);
}

CASE(mapping_of_a_directory_is_ENODEV)
{
	MKDIR("d", 0755);
	OPEN(fd, "d", O_RDONLY);
	EXPECT(map(fd, PAGE, PROT_READ, MAP_PRIVATE) == MAP_FAILED);
	EXPECT_EQUAL(errno, ENODEV);
}

CASE(write_from_a_mapping_of_the_same_file_works)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	MAP(at, fd, PAGE, PROT_READ, MAP_SHARED);
	EXPECT_EQUAL(pwrite(fd, at, 4, 4), 4);
	EXPECT(has("f", "texttext"));
	munmap(at, PAGE);
}
