/*
 * Notifications: a filter has somebody else decide, who reads the call from a descriptor, the
 * listener, and answers there. Who asks sleeps in notifier_ask(), with the question on its stack.
 *
 * All of it is under the notifier's lock (LOCK_NOTIFIER): the questions, their states and the
 * descriptors that a listener gives to who asks. Nothing is on a list any more when its owner
 * returns. The notifier itself lives while either of the two knows it, the filter and the
 * listener.
 */
#include "seccomp.h"

#include "../namespace/pid.h"
#include "../signal/signal.h"
#include "../user_struct.h"

#include <abi/errno.h>
#include <arch/user.h>
#include <ipc/anonymous.h>
#include <ipc/fdtable.h>
#include <lib/string.h>
#include <mm/slab.h>

/*
 *   [c] constant
 *   [l] lock
 */
struct notifier {
	struct refcount references;
	struct spinlock lock;
	struct list questions; /* [l] struct question, the oldest first */
	uint64_t last_id;      /* [l] */
	bool is_listened;      /* [l] */
	bool is_orphan;        /* [l] written, read [a]: no thread has the filter */
	bool killable;         /* [c] who asks waits so, once the question was read */
	struct waitq changed;
};

enum question_state { QUESTION_NEW, QUESTION_READ, QUESTION_ANSWERED };

/* All [l] but what is constant. */
struct question {
	struct list link;
	uint64_t id;
	enum question_state state;
	const struct abi_seccomp_data *data;
	int32_t tid;
	struct abi_seccomp_notif_resp answer;
	struct list gifts;   /* struct gift that wait */
	struct gift *giving; /* the one that is being taken; NULL: none, or its giver has left */
	struct waitq news;
};

/* A descriptor for who asks; the giver sleeps meanwhile. */
struct gift {
	struct list link; /* [l] */
	struct abi_seccomp_notif_addfd request;
	struct object *object; /* [l] a reference, until it is taken */
	bool is_done;          /* [l] written, read [a] */
	int result;            /* [l] */
	struct waitq done;
};

struct listener {
	struct object object;
	struct notifier *notifier; /* constant: a reference */
};

static void notifier_put(struct notifier *notifier)
{
	if (refcount_put(&notifier->references))
		kfree(notifier);
}

struct notifier *notifier_create(bool killable)
{
	struct notifier *notifier = kzalloc(sizeof(*notifier));

	if (!notifier)
		return NULL;
	refcount_init(&notifier->references);
	spin_init(&notifier->lock, LOCK_NOTIFIER);
	list_init(&notifier->questions);
	waitq_init(&notifier->changed);
	notifier->killable = killable;
	return notifier;
}

void notifier_orphan(struct notifier *notifier)
{
	if (!notifier)
		return;
	write_once(&notifier->is_orphan, true);
	waitq_wake_all(&notifier->changed);
	notifier_put(notifier);
}

static struct question *find_locked(struct notifier *notifier, uint64_t id)
	REQUIRES(notifier->lock);
static struct question *find_locked(struct notifier *notifier, uint64_t id)
{
	struct question *question;

	list_for_each (question, &notifier->questions, link) {
		if (question->id == id)
			return question;
	}
	return NULL;
}

static struct question *find_state_locked(struct notifier *notifier, enum question_state state)
	REQUIRES(notifier->lock);
static struct question *find_state_locked(struct notifier *notifier, enum question_state state)
{
	struct question *question;

	list_for_each (question, &notifier->questions, link) {
		if (question->state == state)
			return question;
	}
	return NULL;
}

/* ---- who asks ---- */

static bool has_news(struct notifier *notifier, struct question *question)
{
	bool has;

	spin_lock(&notifier->lock);
	has = question->state == QUESTION_ANSWERED || !list_empty(&question->gifts);
	spin_unlock(&notifier->lock);
	return has;
}

static bool waits_killable(struct notifier *notifier, struct question *question)
{
	bool killable;

	spin_lock(&notifier->lock);
	killable = notifier->killable && question->state != QUESTION_NEW;
	spin_unlock(&notifier->lock);
	return killable;
}

/* A question that is read while its asker is interrupted is waited for as those that were. */
static err_t wait_for_news(struct notifier *notifier, struct question *question)
{
	err_t err = -EINTR;

	if (!waits_killable(notifier, question))
		err = wait_event_interruptible(&question->news, has_news(notifier, question));
	if (err && waits_killable(notifier, question))
		err = wait_event_killable(&question->news, has_news(notifier, question));
	return err;
}

static int take_object(const struct abi_seccomp_notif_addfd *request, struct object *object)
{
	unsigned flags = request->to_flags & O_CLOEXEC;

	if (request->flags & SECCOMP_ADDFD_FLAG_SETFD)
		return fd_replace(current_fds(), (int)request->to, object, flags);
	return fd_add(current_fds(), object, flags);
}

static void end_gift_locked(struct gift *gift, int result)
{
	gift->result = result;
	write_once(&gift->is_done, true);
	waitq_wake_all(&gift->done);
}

/* The first one that waits; its giver may leave meanwhile. */
static void take_gift(struct notifier *notifier, struct question *question)
{
	struct abi_seccomp_notif_addfd request;
	struct object *object = NULL;
	struct gift *gift;
	int result;

	spin_lock(&notifier->lock);
	if (!list_empty(&question->gifts)) {
		gift = list_first_entry(&question->gifts, struct gift, link);
		list_del(&gift->link);
		question->giving = gift;
		request = gift->request;
		object = gift->object;
		gift->object = NULL;
	}
	spin_unlock(&notifier->lock);
	if (!object)
		return;
	result = take_object(&request, object);
	spin_lock(&notifier->lock);
	if (request.flags & SECCOMP_ADDFD_FLAG_SEND) {
		if (result < 0)
			question->state = QUESTION_READ;
		else
			question->answer = (struct abi_seccomp_notif_resp){.value = result};
	}
	if (question->giving)
		end_gift_locked(question->giving, result);
	question->giving = NULL;
	spin_unlock(&notifier->lock);
}

static bool is_answered(struct notifier *notifier, struct question *question)
{
	bool is;

	spin_lock(&notifier->lock);
	is = question->state == QUESTION_ANSWERED && list_empty(&question->gifts);
	spin_unlock(&notifier->lock);
	return is;
}

static bool begin(struct notifier *notifier, struct question *question)
{
	bool is_listened;

	spin_lock(&notifier->lock);
	is_listened = notifier->is_listened;
	if (is_listened) {
		question->id = ++notifier->last_id;
		list_add_tail(&notifier->questions, &question->link);
	}
	spin_unlock(&notifier->lock);
	if (is_listened)
		waitq_wake_all_events(&notifier->changed, POLLIN);
	return is_listened;
}

/* From here on nobody knows it. */
static void end(struct notifier *notifier, struct question *question)
{
	struct gift *gift, *following;

	spin_lock(&notifier->lock);
	list_del(&question->link);
	list_for_each_safe (gift, following, &question->gifts, link) {
		list_del(&gift->link);
		end_gift_locked(gift, -ESRCH);
	}
	spin_unlock(&notifier->lock);
}

int64_t notifier_ask(struct notifier *notifier, const struct abi_seccomp_data *data, bool *is_made)
{
	struct question question = {.data = data, .tid = uthread_current()->tid};
	err_t err = 0;

	list_init(&question.gifts);
	waitq_init(&question.news);
	if (!begin(notifier, &question))
		return -ENOSYS;
	while (!err && !is_answered(notifier, &question)) {
		err = wait_for_news(notifier, &question);
		if (!err)
			take_gift(notifier, &question);
	}
	end(notifier, &question);
	if (err)
		return -ERESTARTSYS;
	*is_made = question.answer.flags & SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	return question.answer.error ? question.answer.error : question.answer.value;
}

/* ---- the listener: questions ---- */

static struct notifier *notifier_of(const struct object *object)
{
	return container_of(object, struct listener, object)->notifier;
}

/* False: there is none. */
static bool read_question(struct notifier *notifier, struct abi_seccomp_notif *out)
{
	struct question *question;

	spin_lock(&notifier->lock);
	question = find_state_locked(notifier, QUESTION_NEW);
	if (question) {
		question->state = QUESTION_READ;
		*out = (struct abi_seccomp_notif){.id = question->id,
						  .pid = (uint32_t)pid_shown(question->tid),
						  .data = *question->data};
	}
	spin_unlock(&notifier->lock);
	return question;
}

/* Nobody has it: another one may read it. */
static void unread_question(struct notifier *notifier, uint64_t id)
{
	struct question *question;

	spin_lock(&notifier->lock);
	question = find_locked(notifier, id);
	if (question && question->state == QUESTION_READ)
		question->state = QUESTION_NEW;
	spin_unlock(&notifier->lock);
	waitq_wake_all_events(&notifier->changed, POLLIN);
}

static bool is_zero(const struct abi_seccomp_notif *notif)
{
	static const struct abi_seccomp_notif zero;

	return memcmp(notif, &zero, sizeof(zero)) == 0;
}

static ssize_t receive(struct notifier *notifier, uptr_t to)
{
	struct abi_seccomp_notif notif;
	bool has_one = false;
	err_t err;

	/* So that what is added to it one day is asked for by who knows it. */
	if (user_get(&notif, to))
		return -EFAULT;
	if (!is_zero(&notif))
		return -EINVAL;
	err = wait_event_interruptible(&notifier->changed,
				       (has_one = read_question(notifier, &notif)) ||
					       read_once(&notifier->is_orphan));
	if (err)
		return err;
	if (!has_one)
		return -ENOENT;
	waitq_wake_all_events(&notifier->changed, POLLOUT);
	err = user_put(to, &notif);
	if (err)
		unread_question(notifier, notif.id);
	return err;
}

/* ---- the listener: answers ---- */

static ssize_t answer(struct notifier *notifier, uptr_t from)
{
	struct abi_seccomp_notif_resp response;
	struct question *question;
	ssize_t result = 0;

	if (user_get(&response, from))
		return -EFAULT;
	if (response.flags & ~SECCOMP_USER_NOTIF_FLAG_CONTINUE)
		return -EINVAL;
	if (response.flags && (response.error || response.value))
		return -EINVAL;
	spin_lock(&notifier->lock);
	question = find_locked(notifier, response.id);
	if (!question) {
		result = -ENOENT;
	} else if (question->state != QUESTION_READ) {
		result = -EINPROGRESS;
	} else {
		question->state = QUESTION_ANSWERED;
		question->answer = response;
		waitq_wake_all(&question->news);
	}
	spin_unlock(&notifier->lock);
	return result;
}

static ssize_t is_valid(struct notifier *notifier, uptr_t from)
{
	struct question *question;
	bool is_read;
	uint64_t id;

	if (user_get(&id, from))
		return -EFAULT;
	spin_lock(&notifier->lock);
	question = find_locked(notifier, id);
	is_read = question && question->state == QUESTION_READ;
	spin_unlock(&notifier->lock);
	return is_read ? 0 : -ENOENT;
}

/* ---- the listener: descriptors ---- */

static err_t begin_gift_locked(struct notifier *notifier, struct gift *gift)
	REQUIRES(notifier->lock);
static err_t begin_gift_locked(struct notifier *notifier, struct gift *gift)
{
	struct question *question = find_locked(notifier, gift->request.id);

	if (!question)
		return -ENOENT;
	if (question->state != QUESTION_READ)
		return -EINPROGRESS;
	if (gift->request.flags & SECCOMP_ADDFD_FLAG_SEND) {
		/* What came before would have to be answered first. */
		if (!list_empty(&question->gifts) || question->giving)
			return -EBUSY;
		question->state = QUESTION_ANSWERED;
	}
	list_add_tail(&question->gifts, &gift->link);
	waitq_wake_all(&question->news);
	return 0;
}

/* The giver was interrupted: unless it is done, nobody comes back to the gift. */
static int leave_gift(struct notifier *notifier, struct gift *gift)
{
	struct question *question;
	int result = -EINTR;

	spin_lock(&notifier->lock);
	if (gift->is_done) {
		result = gift->result;
	} else {
		question = find_locked(notifier, gift->request.id);
		if (question->giving == gift) {
			question->giving = NULL;
		} else {
			list_del(&gift->link);
			if (gift->request.flags & SECCOMP_ADDFD_FLAG_SEND)
				question->state = QUESTION_READ;
		}
	}
	spin_unlock(&notifier->lock);
	return result;
}

static ssize_t give(struct notifier *notifier, struct gift *gift)
{
	err_t err;
	int result;

	spin_lock(&notifier->lock);
	err = begin_gift_locked(notifier, gift);
	spin_unlock(&notifier->lock);
	if (err)
		return err;
	err = wait_event_interruptible(&gift->done, read_once(&gift->is_done));
	/* Who ended it lets go of it under the lock. */
	result = leave_gift(notifier, gift);
	(void)err;
	return result;
}

static ssize_t add_descriptor(struct notifier *notifier, uptr_t from, size_t len_bytes)
{
	struct gift gift = {.result = 0};
	const struct abi_seccomp_notif_addfd *request = &gift.request;
	ssize_t result = user_get_struct(&gift.request, sizeof(gift.request), sizeof(gift.request),
					 from, len_bytes);

	if (result)
		return result;
	if (request->to_flags & ~(unsigned)O_CLOEXEC ||
	    request->flags & ~(SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND))
		return -EINVAL;
	if (request->to && !(request->flags & SECCOMP_ADDFD_FLAG_SETFD))
		return -EINVAL;
	gift.object = fd_get(current_fds(), (int)request->from);
	if (!gift.object)
		return -EBADF;
	waitq_init(&gift.done);
	result = give(notifier, &gift);
	object_put(gift.object); /* if nobody has taken it */
	return result;
}

/* ---- the listener ---- */

static ssize_t listener_ioctl(struct object *object, unsigned command, uptr_t argument)
{
	struct notifier *notifier = notifier_of(object);

	switch (command) {
	case SECCOMP_IOCTL_NOTIF_RECV:
		return receive(notifier, argument);
	case SECCOMP_IOCTL_NOTIF_SEND:
		return answer(notifier, argument);
	case SECCOMP_IOCTL_NOTIF_ID_VALID:
	case SECCOMP_IOCTL_NOTIF_ID_VALID_OLD:
		return is_valid(notifier, argument);
	default:
		break;
	}
	if (SECCOMP_IOCTL_NO_SIZE(command) == SECCOMP_IOCTL_NO_SIZE(SECCOMP_IOCTL_NOTIF_ADDFD))
		return add_descriptor(notifier, argument, SECCOMP_IOCTL_SIZE(command));
	return -EINVAL;
}

static unsigned listener_poll(struct object *object, struct waitq **queue)
{
	struct notifier *notifier = notifier_of(object);
	unsigned events = 0;

	*queue = &notifier->changed;
	spin_lock(&notifier->lock);
	if (find_state_locked(notifier, QUESTION_NEW))
		events |= POLLIN;
	if (find_state_locked(notifier, QUESTION_READ))
		events |= POLLOUT;
	spin_unlock(&notifier->lock);
	return events | (read_once(&notifier->is_orphan) ? POLLHUP : 0);
}

static void listener_describe(UNUSED struct object *object, char *to, size_t to_bytes)
{
	string_copy(to, to_bytes, "anon_inode:seccomp notify");
}

/* Who asks now, and from here on, hears that there is no such call. */
static void listener_release(struct object *object)
{
	struct notifier *notifier = notifier_of(object);
	struct question *question;

	spin_lock(&notifier->lock);
	notifier->is_listened = false;
	list_for_each (question, &notifier->questions, link) {
		if (question->state == QUESTION_ANSWERED)
			continue;
		question->state = QUESTION_ANSWERED;
		question->answer = (struct abi_seccomp_notif_resp){.error = -ENOSYS};
		waitq_wake_all(&question->news);
	}
	spin_unlock(&notifier->lock);
}

static void listener_free(struct object *object)
{
	notifier_put(notifier_of(object));
	kfree(container_of(object, struct listener, object));
}

static const struct object_ops listener_ops = {
	.ioctl = listener_ioctl,
	.poll = listener_poll,
	.stat = anonymous_stat,
	.describe = listener_describe,
	.release = listener_release,
	.free = listener_free,
};

struct object *notifier_listen(struct notifier *notifier)
{
	struct listener *listener = kzalloc(sizeof(*listener));

	if (!listener)
		return NULL;
	refcount_get(&notifier->references);
	listener->notifier = notifier;
	notifier->is_listened = true; /* nobody asks yet */
	object_init(&listener->object, &listener_ops, OBJECT_OTHER, O_RDWR);
	return &listener->object;
}
