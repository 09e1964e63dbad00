/*
 * Doubly linked list, intrusive: the link is a member of what is listed, the head is a link of its
 * own. No allocation, no state; the lock is the owner's. An entry that is on no list is linked to
 * itself (list_init), and list_del leaves it so; list_linked() tells.
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include <lib/types.h>

struct list {
	struct list *next;
	struct list *prev;
};

#define LIST_INIT(name)                                                                            \
	{                                                                                          \
		&(name), &(name)                                                                   \
	}
#define LIST_HEAD(name) struct list name = LIST_INIT(name)

static inline void list_init(struct list *link)
{
	link->next = link;
	link->prev = link;
}

static inline bool list_linked(const struct list *link)
{
	return link->next != link;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_insert_between(struct list *link, struct list *before, struct list *after)
{
	link->prev = before;
	link->next = after;
	before->next = link;
	after->prev = link;
}

static inline void list_add_head(struct list *head, struct list *link)
{
	list_insert_between(link, head, head->next);
}

static inline void list_add_tail(struct list *head, struct list *link)
{
	list_insert_between(link, head->prev, head);
}

static inline void list_del(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

/* Moves all entries of `from` to the tail of `to`; `from` is empty afterwards. */
static inline void list_splice_tail(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

/* Moves the entries before `end`, which is one of the list `head`, to `to`, which is empty. Whoever
 * looks at head->next meanwhile never sees the list empty. */
static inline void list_cut_before(struct list *to, struct list *head, struct list *end)
{
	if (head->next == end)
		return;
	to->next = head->next;
	to->prev = end->prev;
	to->next->prev = to;
	to->prev->next = to;
	end->prev = head;
	head->next = end;
}

/* Moves all entries of `from` to the head of `to`; the same holds for who looks at to->next. */
static inline void list_splice_head(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->prev->next = to->next;
	to->next->prev = from->prev;
	from->next->prev = to;
	to->next = from->next;
	list_init(from);
}

#define list_entry(link, type, member)       container_of(link, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_last_entry(head, type, member)  list_entry((head)->prev, type, member)
#define list_next_entry(entry, member)       list_entry((entry)->member.next, typeof(*(entry)), member)

/* Where the head would be in an entry there is none, which may not even be aligned as one. */
#define list_is_head(entry, head, member)                                                          \
	((const char *)(entry) + offsetof(typeof(*(entry)), member) == (const char *)(head))

/* `entry` is a pointer to the listed type; it must stay on the list while the body runs. */
#define list_for_each(entry, head, member)                                                         \
	for ((entry) = list_entry((head)->next, typeof(*(entry)), member);                         \
	     !list_is_head(entry, head, member);                                                   \
	     (entry) = list_entry((entry)->member.next, typeof(*(entry)), member))

/* The body may take `entry` off the list. */
#define list_for_each_safe(entry, following, head, member)                                         \
	for ((entry) = list_entry((head)->next, typeof(*(entry)), member);                         \
	     !list_is_head(entry, head, member) &&                                                 \
	     ((following) = list_entry((entry)->member.next, typeof(*(entry)), member), true);     \
	     (entry) = (following))

#endif
