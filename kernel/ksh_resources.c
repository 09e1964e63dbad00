/*
 * What ksh holds of the kernel's: pieces of memory and open files, each known here until it is
 * given back. ksh's thread alone calls this, so there is no lock.
 */
#include "ksh_session.h"

#include <abi/errno.h>
#include <ipc/object.h>
#include <lib/list.h>
#include <mm/kva.h>

/* In front of each piece. */
struct piece {
	struct list link;
	size_t len_bytes; /* with this */
} __attribute__((aligned(16)));

static LIST_HEAD(pieces);
static struct object *files[KSH_FILES_MAX];

void *ksh_memory_alloc(size_t len_bytes)
{
	size_t total_bytes = len_bytes + sizeof(struct piece);
	struct piece *piece;

	if (total_bytes < len_bytes)
		return NULL;
	piece = kvmalloc(total_bytes);
	if (!piece)
		return NULL;
	piece->len_bytes = total_bytes;
	list_add_tail(&pieces, &piece->link);
	return piece + 1;
}

static void free_piece(struct piece *piece)
{
	list_del(&piece->link);
	kvfree(piece, piece->len_bytes);
}

void ksh_memory_free(void *memory)
{
	if (memory)
		free_piece((struct piece *)memory - 1);
}

int ksh_file_add(struct object *object)
{
	for (int file = 0; file < KSH_FILES_MAX; file++) {
		if (!files[file]) {
			files[file] = object;
			return file;
		}
	}
	object_put(object);
	return -EMFILE;
}

struct object *ksh_file_object(int file)
{
	return file >= 0 && file < KSH_FILES_MAX ? files[file] : NULL;
}

int ksh_file_close(int file)
{
	struct object *object = ksh_file_object(file);

	if (!object)
		return -EBADF;
	files[file] = NULL;
	object_put(object);
	return 0;
}

unsigned ksh_resources_release(void)
{
	unsigned count = 0;

	for (int file = 0; file < KSH_FILES_MAX; file++) {
		if (ksh_file_close(file) == 0)
			count++;
	}
	for (; !list_empty(&pieces); count++)
		free_piece(list_first_entry(&pieces, struct piece, link));
	return count;
}
