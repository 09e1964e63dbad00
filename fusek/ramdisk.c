/*
 * The ramdisk: an ext2 image that lies in memory, served read-only. Node numbers are inode numbers
 * (but for the root, which the protocol calls 1). Nothing is kept and nothing is locked: the image
 * never changes. Its pages are mapped and read in place; a hole is one page of zeros that all
 * holes share, so it is never given out for writing.
 */
#define LOG_SUBSYSTEM "ramdisk"
#include "ramdisk.h"

#include "ext2/ext2.h"
#include <arch/paging.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/slab.h>

struct ramdisk {
	struct server server;
	struct ext2_image image;
	uint32_t complaints; /* atomic: how many lines the log has had */
};

/* A hostile image must not fill the log. */
#define COMPLAINTS_MAX 32

static const char zero_page[PAGE_SIZE] __attribute__((aligned(4096)));

static void complain(void *argument, const struct ext2_problem *problem)
{
	struct ramdisk *disk = argument;

	if (__atomic_fetch_add(&disk->complaints, 1, __ATOMIC_RELAXED) >= COMPLAINTS_MAX)
		return;
	log_limited(LOG_ERR, "ext2 image %s: %s (inode %u, block %llu)", disk->server.source,
		    problem->what, problem->inode, (unsigned long long)problem->block);
}

static const struct ext2_image *image_of(struct server *server)
{
	return &container_of(server, struct ramdisk, server)->image;
}

static uint32_t inode_number(struct nodeid node)
{
	return nodeid_equal(node, SERVER_ROOT) ? EXT2_ROOT_INODE : (uint32_t)node.value;
}

static err_t read_node(struct server *server, struct nodeid node, struct ext2_inode *out)
{
	return ext2_inode_read(image_of(server), inode_number(node), out);
}

static void fill_attr(const struct ext2_inode *inode, struct server_attr *out)
{
	*out = (struct server_attr){.ino = inode->number,
				    .size_bytes = inode->size_bytes,
				    .blocks = inode->nsectors,
				    .atime = inode->atime,
				    .mtime = inode->mtime,
				    .ctime = inode->ctime,
				    .mode = inode->mode,
				    .nlink = inode->nlink,
				    .uid = inode->uid,
				    .gid = inode->gid,
				    .rdev = inode->rdev,
				    .block_bytes = EXT2_BLOCK_BYTES};
}

static void fill_entry(const struct ext2_inode *inode, struct server_entry *out)
{
	out->node.value = inode->number;
	out->generation = inode->generation;
	out->attr_valid_ns = SERVER_VALID_FOREVER;
	fill_attr(inode, &out->attr);
}

static err_t ramdisk_lookup(struct server *server, const struct server_caller *caller,
			    struct nodeid parent, struct server_name name, struct server_entry *out)
{
	struct ext2_inode directory, inode;
	err_t err = read_node(server, parent, &directory);

	if (!err)
		err = ext2_lookup(image_of(server), &directory, name.text, name.len_bytes, &inode);
	*out = (struct server_entry){.entry_valid_ns = SERVER_VALID_FOREVER};
	if (err)
		return err == -ENOENT ? 0 : err; /* an entry without a node: not there, for good */
	/* Inode 1 holds bad blocks, 2 is the root: no name leads there. */
	if (inode.number <= EXT2_ROOT_INODE)
		return ext2_complain(image_of(server), "a name leads to a reserved inode",
				     inode.number, 0);
	fill_entry(&inode, out);
	return 0;
}

static uint64_t ramdisk_number(struct server *server, struct nodeid node)
{
	(void)server;
	return inode_number(node);
}

static err_t ramdisk_by_number(struct server *server, uint64_t number, uint64_t generation,
			       struct server_entry *out)
{
	const struct ext2_image *image = image_of(server);
	struct ext2_inode inode;

	if (number <= EXT2_ROOT_INODE || number > image->ninodes ||
	    ext2_inode_read(image, (uint32_t)number, &inode) || !inode.nlink ||
	    inode.generation != generation)
		return -ESTALE;
	*out = (struct server_entry){.entry_valid_ns = SERVER_VALID_FOREVER};
	fill_entry(&inode, out);
	return 0;
}

static err_t ramdisk_above(struct server *server, struct nodeid node, struct server_entry *out)
{
	struct ext2_inode inode;
	err_t err = read_node(server, node, &inode);

	if (!err)
		err = ext2_lookup(image_of(server), &inode, "..", 2, &inode);
	if (err)
		return err == -ENOENT ? -ESTALE : err;
	*out = (struct server_entry){.entry_valid_ns = SERVER_VALID_FOREVER};
	if (inode.number == EXT2_ROOT_INODE)
		out->node = SERVER_ROOT;
	else
		fill_entry(&inode, out);
	return 0;
}

static err_t ramdisk_getattr(struct server *server, struct nodeid node, struct server_attr *out,
			     uint64_t *attr_valid_ns)
{
	struct ext2_inode inode;
	err_t err = read_node(server, node, &inode);

	if (err)
		return err;
	fill_attr(&inode, out);
	*attr_valid_ns = SERVER_VALID_FOREVER;
	return 0;
}

static ssize_t ramdisk_readlink(struct server *server, struct nodeid node, char *to,
				size_t to_bytes)
{
	struct ext2_inode inode;
	const char *target;
	size_t len_bytes;
	err_t err = read_node(server, node, &inode);

	if (!err)
		err = ext2_link_target(image_of(server), &inode, &target, &len_bytes);
	if (err)
		return err;
	len_bytes = MIN(len_bytes, to_bytes);
	memcpy(to, target, len_bytes);
	return (ssize_t)len_bytes;
}

static ssize_t ramdisk_read(struct server *server, struct nodeid node, struct handle handle,
			    struct buffer *buffer, uint64_t offset_bytes, unsigned flags)
{
	struct ext2_inode inode;
	size_t wanted, done = 0;
	err_t err = read_node(server, node, &inode);

	if (err)
		return err;
	if (offset_bytes >= inode.size_bytes)
		return 0;
	wanted = MIN(buffer_remaining(buffer), inode.size_bytes - offset_bytes);
	while (done < wanted) {
		uint64_t here = offset_bytes + done;
		size_t in_page = here % PAGE_SIZE;
		size_t step = MIN(wanted - done, PAGE_SIZE - in_page);
		const void *page;
		size_t moved;

		err = ext2_page(image_of(server), &inode, here / PAGE_SIZE, &page);
		if (err)
			return done ? (ssize_t)done : err;
		moved = buffer_copy_to(buffer, (const char *)(page ? page : zero_page) + in_page,
				       step);
		done += moved;
		if (moved < step)
			break;
	}
	return buffer_result(done, wanted);
}

static err_t ramdisk_readdir(struct server *server, struct nodeid node, struct handle handle,
			     uint64_t cookie, struct dirent_sink *sink)
{
	struct ext2_inode directory;
	struct ext2_dirent entry;
	uint64_t offset = cookie;
	err_t err = read_node(server, node, &directory);

	while (!err) {
		err = ext2_dir_next(image_of(server), &directory, &offset, &entry);
		if (err)
			break;
		struct server_name name = {.text = entry.name, .len_bytes = entry.name_bytes};

		if (name.text[0] == '.' &&
		    (name.len_bytes == 1 || (name.len_bytes == 2 && name.text[1] == '.')))
			continue;
		if (!sink->emit(sink, name, entry.inode, entry.mode, offset))
			break;
	}
	return err == -ENOENT ? 0 : err;
}

static err_t ramdisk_statfs(struct server *server, struct server_statfs *out)
{
	const struct ext2_image *image = image_of(server);

	*out = (struct server_statfs){.blocks = image->nblocks,
				      .blocks_free = image->nfree_blocks,
				      .blocks_available = image->nfree_blocks,
				      .files = image->ninodes,
				      .files_free = image->nfree_inodes,
				      .block_bytes = EXT2_BLOCK_BYTES,
				      .name_bytes = NAME_MAX,
				      .magic = EXT2_SUPER_MAGIC};
	return 0;
}

static bool address_of_zero_page(paddr_t *out)
{
	return kernel_translate((vaddr_t)zero_page, out);
}

static err_t ramdisk_get_page(struct server *server, struct nodeid node, uint64_t page_index,
			      unsigned fault_access, struct page_ref *out)
{
	struct ext2_inode inode;
	const void *page;
	err_t err;

	if (fault_access & FAULT_WRITE)
		return -EIO; /* read-only: nobody can have mapped it for that */
	err = read_node(server, node, &inode);
	if (!err && page_index >= (inode.size_bytes + PAGE_MASK) >> PAGE_SHIFT)
		err = -EIO;
	if (!err)
		err = ext2_page(image_of(server), &inode, page_index, &page);
	if (err)
		return -EIO;
	out->frame = NULL;
	if (page)
		out->phys = direct_to_phys(page);
	else if (!address_of_zero_page(&out->phys))
		return -EIO;
	return 0;
}

static const struct server_ops ramdisk_ops = {
	.number = ramdisk_number,
	.by_number = ramdisk_by_number,
	.above = ramdisk_above,
	.lookup = ramdisk_lookup,
	.getattr = ramdisk_getattr,
	.readlink = ramdisk_readlink,
	.read = ramdisk_read,
	.readdir = ramdisk_readdir,
	.statfs = ramdisk_statfs,
	.get_page = ramdisk_get_page,
};

err_t ramdisk_create(paddr_t start, paddr_t end, const char *source, struct server **out)
{
	struct ramdisk *disk;
	err_t err;

	if (!IS_ALIGNED(start, PAGE_SIZE) || end <= start) {
		log_err("ext2 image %s: not page-aligned, or empty", source);
		return -EINVAL;
	}
	disk = kzalloc(sizeof(*disk));
	if (!disk)
		return -ENOMEM;
	disk->server = (struct server){.ops = &ramdisk_ops,
				       .type = "ext2",
				       .source = source,
				       .flags = SERVER_READ_ONLY | SERVER_UNCHANGING};
	err = ext2_open(&disk->image, phys_to_virt(start), end - start, complain, disk);
	if (err) {
		kfree(disk);
		return err;
	}
	*out = &disk->server;
	return 0;
}
