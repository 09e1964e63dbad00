/*
 * Self-tests of pipes: bytes come out as they went in, whatever the sizes; pages come back.
 */
#include <ipc/pipe.h>

#include <abi/fcntl.h>
#include <lib/selftest.h>
#include <lib/string.h>
#include <mm/kva.h>

#define PIECE_BYTES_MAX 9000

static uint8_t byte_at(uint64_t position)
{
	return (uint8_t)(position * 7 + (position >> 8));
}

static ssize_t put(struct object *writer, uint8_t *memory, uint64_t position, size_t len_bytes)
{
	struct buffer buffer;

	for (size_t i = 0; i < len_bytes; i++)
		memory[i] = byte_at(position + i);
	buffer_init_kernel(&buffer, memory, len_bytes);
	return object_write(writer, &buffer, NULL);
}

/* How many bytes were read, or -EIO if one of them was not the one that belongs there. */
static ssize_t take(struct object *reader, uint8_t *memory, uint64_t position, size_t len_bytes)
{
	struct buffer buffer;
	ssize_t n;

	buffer_init_kernel(&buffer, memory, len_bytes);
	n = object_read(reader, &buffer, NULL);
	for (ssize_t i = 0; i < n; i++) {
		if (memory[i] != byte_at(position + (uint64_t)i))
			return -EIO;
	}
	return n;
}

static err_t make_pipe(struct object **reader, struct object **writer)
{
	return pipe_create(O_NONBLOCK, (struct pipe_owner){0}, reader, writer);
}

SELFTEST(pipe_gives_what_was_put_in_whatever_the_sizes)
{
	struct object *reader;
	struct object *writer;
	uint8_t *memory = kva_alloc((PIPE_BYTES >> PAGE_SHIFT) + 1);
	uint64_t written = 0;
	uint64_t taken = 0;
	uint64_t random = 12345;

	if (!selftest_check(memory) || !selftest_check(!make_pipe(&reader, &writer)))
		goto free_memory;
	/* Full, then a little out and in again: the writer comes round into the page that is read.
	 */
	selftest_check(put(writer, memory, written, PIPE_BYTES) == (ssize_t)PIPE_BYTES);
	written += PIPE_BYTES;
	selftest_check(put(writer, memory, written, 1) == -EAGAIN);
	selftest_check(take(reader, memory, taken, 100) == 100);
	taken += 100;
	selftest_check(put(writer, memory, written, 100) == 100);
	written += 100;
	for (int round = 0; round < 2000; round++) {
		ssize_t n;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		n = take(reader, memory, taken, (random >> 33) % PIECE_BYTES_MAX + 1);
		if (n != -EAGAIN && !selftest_check(n > 0))
			break;
		taken += n > 0 ? (uint64_t)n : 0;
		n = put(writer, memory, written, (random >> 40) % PIECE_BYTES_MAX + 1);
		if (n != -EAGAIN && !selftest_check(n > 0))
			break;
		written += n > 0 ? (uint64_t)n : 0;
	}
	while (taken < written) {
		ssize_t n = take(reader, memory, taken, PIECE_BYTES_MAX);

		if (!selftest_check(n > 0))
			break;
		taken += (uint64_t)n;
	}
	selftest_check(take(reader, memory, taken, 1) == -EAGAIN);
	object_put(writer);
	selftest_check(take(reader, memory, taken, 1) == 0);
	object_put(reader);
free_memory:
	kva_free(memory);
}

SELFTEST(pipe_write_up_to_4096_is_atomic)
{
	struct object *reader;
	struct object *writer;
	uint8_t *memory = kva_alloc((PIPE_BYTES >> PAGE_SHIFT) + 1);

	if (!selftest_check(memory) || !selftest_check(!make_pipe(&reader, &writer)))
		goto free_memory;
	selftest_check(put(writer, memory, 0, PIPE_BYTES - 4095) == (ssize_t)PIPE_BYTES - 4095);
	selftest_check(put(writer, memory, PIPE_BYTES - 4095, 4096) == -EAGAIN);
	selftest_check(put(writer, memory, PIPE_BYTES - 4095, 4097) == 4095);
	object_put(reader);
	selftest_check(put(writer, memory, 0, 1) == -EPIPE);
	object_put(writer);
free_memory:
	kva_free(memory);
}
