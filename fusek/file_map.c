/*
 * Mappings of files: what an open file's pages are to a program's space. Owns no state but one
 * memory object for each mapping, which holds the file open.
 */
#include "open_file.h"

#include "mount_tree.h"
#include "pages.h"
#include "passthrough.h"

#include <abi/errno.h>
#include <mm/slab.h>

/* The pages of one open file; holds it open. */
struct file_mapping {
	struct memory_object memory;
	struct file *file;  /* constant: whose pages; held by `shown` */
	struct file *shown; /* constant, a reference: what was mapped */
	bool writable;      /* constant: the server counts it */
};

static struct file_mapping *mapping_of(struct memory_object *memory)
{
	return container_of(memory, struct file_mapping, memory);
}

static err_t mapping_get_page(struct memory_object *memory, uint64_t page_index,
			      unsigned fault_access, struct page_ref *out)
{
	struct file *file = mapping_of(memory)->file;

	if (file->server->ops->read_pages)
		return node_pages_get(file, page_index, fault_access, out);
	return file->server->ops->get_page(file->server, file->id, page_index, fault_access, out);
}

static err_t mapping_wait_page(struct memory_object *memory, uint64_t page_index)
{
	return node_pages_wait(mapping_of(memory)->file, page_index);
}

static void mapping_release(struct memory_object *memory)
{
	struct file_mapping *mapping = mapping_of(memory);
	struct file *file = mapping->file;

	if (mapping->writable)
		file->server->ops->unmap_writable(file->server, file->id);
	/* Who syncs or closes is told what was wrong. */
	if (file->server->ops->write_back)
		(void)!node_pages_write_back(file->node);
	object_put(&mapping->shown->object);
	kfree(mapping);
}

static void mapping_name(struct memory_object *memory, char *to, size_t to_bytes)
{
	object_describe(&mapping_of(memory)->shown->object, to, to_bytes);
}

static void mapping_identity(struct memory_object *memory, uint64_t *device, uint64_t *inode)
{
	const struct node *node = mapping_of(memory)->shown->node;

	*device = abi_makedev(0, node->fs->number);
	*inode = node->attr.ino; /* never changes */
}

static err_t mapping_sync(struct memory_object *memory)
{
	return object_sync(&mapping_of(memory)->file->object);
}

static err_t mapping_punch(struct memory_object *memory, uint64_t offset_bytes, uint64_t len_bytes)
{
	return file_allocate(&mapping_of(memory)->file->object,
			     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset_bytes, len_bytes);
}

static bool mapping_is_own(struct memory_object *memory)
{
	const struct file *file = mapping_of(memory)->shown;
	uint32_t uid = server_caller_current().uid;

	return (object_flags(&file->object) & O_ACCMODE) != O_RDONLY || uid == 0 ||
	       uid == read_once(&file->node->attr.uid);
}

static const struct memory_object_ops mapping_ops = {
	.sync = mapping_sync,
	.punch = mapping_punch,
	.is_own = mapping_is_own,
	.identity = mapping_identity,
	.get_page = mapping_get_page,
	.wait_page = mapping_wait_page,
	.release = mapping_release,
	.name = mapping_name,
};

/* May the pages of `file` be mapped in this way? */
static err_t check_map(struct file *file, const struct object_map_request *request)
{
	const struct server_ops *ops = file->server->ops;

	if (node_type(file->node) != S_IFREG || !(ops->get_page || ops->read_pages))
		return -ENODEV;
	if (request->exec && (read_once(&file->mount->flags) & MS_NOEXEC))
		return -EPERM;
	/* Linux maps a private copy of what goes past the cache. */
	if (request->shared && (file->open.flags & SERVER_DIRECT_IO) &&
	    !(read_once(&file->server->agreed) & SERVER_DIRECT_MAPS))
		return -ENODEV;
	if (request->shared && request->write && ops->read_pages && !ops->write_back)
		return -ENODEV;
	return file_data_map(file, request->shared);
}

/* Whose pages they are that are mapped of `file`. */
static err_t find_pages(struct file *file, const struct object_map_request *request,
			struct file **out)
{
	for (; unlikely(file->data); file = file->data) {
		if (request->exec && (read_once(&file->mount->flags) & MS_NOEXEC))
			return -EPERM;
	}
	*out = file;
	return check_map(file, request);
}

err_t file_map(struct object *object, const struct object_map_request *request,
	       struct memory_object **out)
{
	struct file *shown = file_of(object), *file;
	const struct server_ops *ops = shown->server->ops;
	struct file_mapping *mapping;
	err_t err;

	if (node_type(shown->node) == S_IFCHR)
		return ops->map ? ops->map(shown->server, shown->id, shown->open.handle, request,
					   out)
				: -ENODEV;
	err = find_pages(shown, request, &file);
	if (err)
		return err;
	ops = file->server->ops;
	mapping = kzalloc(sizeof(*mapping));
	if (!mapping)
		return -ENOMEM;
	if (request->shared && request->write && ops->map_writable) {
		err = ops->map_writable(file->server, file->id);
		if (err) {
			kfree(mapping);
			return err;
		}
		mapping->writable = true;
	}
	memory_object_init(&mapping->memory, &mapping_ops);
	mapping->memory.never_exec =
		(read_once(&shown->mount->flags) | read_once(&file->mount->flags)) & MS_NOEXEC;
	mapping->memory.places = &file->node->places;
	mapping->file = file;
	mapping->shown = shown;
	object_get(object);
	if (ops->get_page || file != shown)
		file_accessed(shown);
	*out = &mapping->memory;
	return 0;
}
