/*
 * What can be mapped: a memory object is a row of pages that somebody can bring. fusek/ makes one
 * of each file that is mapped, drivers of their device's memory; mm/ has the anonymous one, for
 * memory that is shared but belongs to no file.
 */
#ifndef MM_OBJECT_H
#define MM_OBJECT_H

#include <arch/spin.h>
#include <arch/trap.h>
#include <lib/list.h>
#include <lib/refcount.h>
#include <lib/types.h>
#include <mm/frame.h>

/* A positive result: the page is not there yet, and the one who asks must wait with its locks
 * dropped (ops->wait_page) and ask again. */
#define MM_WAIT 1

/* Beside enum fault_access: the page is only wanted if it is there; no waiting, no reading, no
 * allocating. -EAGAIN if it is not. */
#define FAULT_AHEAD (1u << 8)
/* The page goes into a mapping whose writes must reach the object: it may not be a page that is
 * only lent (of a ramdisk below a writable file). */
#define FAULT_SHARED (1u << 9)

struct page_ref {
	paddr_t phys;
	/* Counted: the receiver owns a reference. NULL: not counted, valid for as long as the
	 * object is (ramdisk, device). */
	struct frame *frame;
};

struct memory_object;

struct memory_object_ops {
	/* The page `page_index` for `fault_access` (enum fault_access, FAULT_AHEAD, FAULT_SHARED).
	 * FAULT_WRITE only for shared mappings: a private one reads and copies. Called with the
	 * space locked: locks of class LOCK_OBJECT and later only, no driver is asked.
	 * 0, MM_WAIT, -EIO (beyond the end, or it cannot be read: SIGBUS), -ENOMEM, -EAGAIN. */
	err_t (*get_page)(struct memory_object *object, uint64_t page_index, unsigned fault_access,
			  struct page_ref *out);
	/* After MM_WAIT, without locks: sleeps until it is worth to ask again. 0 or -EINTR. May be
	 * NULL if get_page never says MM_WAIT. */
	err_t (*wait_page)(struct memory_object *object, uint64_t page_index);
	/* The last reference is gone: frees the object. May sleep. */
	void (*release)(struct memory_object *object);
	/* For `vm` and /proc: a name, e.g. the file's path. May be NULL. */
	void (*name)(struct memory_object *object, char *to, size_t to_bytes);
	/* What was written is where it will be, as fsync. May sleep. NULL: nothing to do. */
	err_t (*sync)(struct memory_object *object);
	/* The pages of a part (page-aligned) read as zeros from now on, for all who map it. May
	 * sleep. NULL: it cannot. */
	err_t (*punch)(struct memory_object *object, uint64_t offset_bytes, uint64_t len_bytes);
	/* The running program owns it, or may write to it. NULL: nobody else knows it. */
	bool (*is_own)(struct memory_object *object);
	/* A region of it has come to be in a space, or is in none any more: what a fork makes and
	 * what a mapping is cut into counts, too. With that space locked: locks of classes behind
	 * LOCK_SPACE only. Of objects with `places`; may be NULL. */
	void (*mapped)(struct memory_object *object);
	void (*unmapped)(struct memory_object *object);
	/* A file's st_dev and st_ino, for /proc. NULL: it is none. */
	void (*identity)(struct memory_object *object, uint64_t *device, uint64_t *inode);
};

/*
 * Where the pages of one file are mapped, for who takes them back. Shared by all memory objects
 * that bring them; outlives them.
 */
struct mapped_places {
	struct spinlock lock; /* LOCK_MAPPED */
	struct list links;    /* lock: struct place_link of regions */
};

static inline void mapped_places_init(struct mapped_places *places)
{
	spin_init(&places->lock, LOCK_MAPPED);
	list_init(&places->links);
}

/* Takes the pages [first, end) out of every space; who touches one asks its object again. Private
 * copies stay unless `copies_too`. What is to be found then (nothing, another page) has been
 * changed before. Sleeps: locks of classes before LOCK_SPACE only. */
void mapped_places_unmap(struct mapped_places *places, uint64_t first, uint64_t end,
			 bool copies_too);

/* For want of memory: takes out what is only read and can be read again, in the pages [first, end),
 * but what is locked; and (unless `used_too`) what was used since the last time that it was asked
 * for. As mapped_places_unmap() otherwise. */
void mapped_places_reclaim(struct mapped_places *places, uint64_t first, uint64_t end,
			   bool used_too);

/* Embedded first thing in what its owner keeps about it. */
struct memory_object {
	const struct memory_object_ops *ops; /* constant */
	struct refcount refs;
	struct mapped_places *places; /* constant; NULL: nobody takes its pages back */
	unsigned page_flags; /* constant: PAGE_UNCACHED or PAGE_COMBINING for memory of a device,
			      * which the direct map does not have */
	bool never_exec;     /* constant: no mapping of it can be executed, now or later */
};

/* The creator holds the first reference. */
static inline void memory_object_init(struct memory_object *object,
				      const struct memory_object_ops *ops)
{
	object->ops = ops;
	object->page_flags = 0;
	object->never_exec = false;
	object->places = NULL;
	refcount_init(&object->refs);
}

static inline struct memory_object *memory_object_get(struct memory_object *object)
{
	refcount_get(&object->refs);
	return object;
}

/* NULL is allowed. May sleep. */
static inline void memory_object_put(struct memory_object *object)
{
	if (object && refcount_put(&object->refs))
		object->ops->release(object);
}

/* Zeros on demand, shared by all who map it, `len_bytes` long (rounded up). */
err_t must_check memory_object_anonymous(uint64_t len_bytes, struct memory_object **out);
/* How many pages such a one has by now. May sleep. */
uint64_t memory_object_anonymous_pages(struct memory_object *object);
/* How many all of them have. */
uint64_t memory_shared_pages(void);

#endif
