/*
 * The drop-in library of <fuselage/fuse.h> for programs on libfuse 3: linked with
 *
 *	-lfuse3 -lfuse3-native -Wl,--wrap=fuse_session_mount -Wl,--wrap=fuse_session_exited
 *
 * a driver's threads answer and wait by one call, without a change of the driver. Where there is no
 * such call, as on Linux, the same by write and read.
 *
 * An answer to the request that a thread has read last is held back until it reads the next one;
 * what is longer, or comes from another thread, goes at once. Each thread owns what it holds, and
 * sends it when it ends or the session does.
 */
#include <errno.h>
#include <fuse_lowlevel.h>
#include <fuselage/fuse.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define HELD_BYTES 4096

struct held {
	int fd;
	bool any;             /* `reply` is to be sent */
	uint64_t last_unique; /* of the request that was read last; 0: it is answered */
	struct abi_fuse_reply reply;
	char payload[HELD_BYTES];
};

static pthread_key_t key; /* of each thread's struct held */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool have_key;

static void send_held(struct held *held)
{
	struct iovec pieces[] = {{&held->reply, FUSE_SERVE_HEADER_BYTES},
				 {held->payload, held->reply.len - FUSE_SERVE_HEADER_BYTES}};

	if (!held->any)
		return;
	held->any = false;
	if (writev(held->fd, pieces, 2) < 0)
		return; /* nobody waits for it any more */
}

static void thread_ends(void *argument)
{
	send_held(argument);
	free(argument);
}

static void make_key(void)
{
	have_key = pthread_key_create(&key, thread_ends) == 0;
}

/* NULL: this thread has none, and no memory for it. */
static struct held *held_of_thread(bool make)
{
	struct held *held;

	pthread_once(&once, make_key);
	if (!have_key)
		return NULL;
	held = pthread_getspecific(key);
	if (held || !make)
		return held;
	held = calloc(1, sizeof(*held));
	if (held && pthread_setspecific(key, held) == 0)
		return held;
	free(held);
	return NULL;
}

static ssize_t native_writev(int fd, struct iovec *pieces, int npieces, void *userdata)
{
	const struct fuse_out_header *header = pieces[0].iov_base;
	struct held *held = held_of_thread(false);
	size_t bytes = 0;

	(void)userdata;
	if (held && held->any)
		send_held(held);
	if (!held || pieces[0].iov_len != sizeof(*header) || !header->unique ||
	    header->unique != held->last_unique || fd != held->fd ||
	    header->len > sizeof(*header) + HELD_BYTES)
		return writev(fd, pieces, npieces);
	for (int i = 1; i < npieces && bytes + pieces[i].iov_len <= HELD_BYTES; i++) {
		memcpy(held->payload + bytes, pieces[i].iov_base, pieces[i].iov_len);
		bytes += pieces[i].iov_len;
	}
	held->last_unique = 0;
	if (bytes != header->len - sizeof(*header))
		return writev(fd, pieces, npieces);
	held->reply = (struct abi_fuse_reply){.len = header->len,
					      .error = header->error,
					      .unique = header->unique,
					      .payload = (uintptr_t)held->payload};
	held->any = true;
	return (ssize_t)header->len;
}

static ssize_t native_read(int fd, void *request, size_t len, void *userdata)
{
	struct held *held = held_of_thread(true);
	ssize_t result;

	(void)userdata;
	if (!held)
		return read(fd, request, len);
	if (held->any && held->fd != fd)
		send_held(held);
	held->fd = fd;
	held->last_unique = 0;
	/* It is held until the call is over: a thread that is cancelled before sends it. */
	result = fuselage_fuse_exchange(fd, held->any ? &held->reply : NULL, request, len);
	if (result < 0 && held->any && (errno == EBADMSG || errno == EINVAL)) {
		send_held(held);
		result = fuselage_fuse_exchange(fd, NULL, request, len);
	}
	held->any = false;
	if (result >= (ssize_t)sizeof(struct fuse_in_header))
		held->last_unique = ((const struct fuse_in_header *)request)->unique;
	return result;
}

int __real_fuse_session_mount(struct fuse_session *session, const char *at);
int __wrap_fuse_session_mount(struct fuse_session *session, const char *at);
int __real_fuse_session_exited(struct fuse_session *session);
int __wrap_fuse_session_exited(struct fuse_session *session);

int __wrap_fuse_session_mount(struct fuse_session *session, const char *at)
{
	static const struct fuse_custom_io io = {.writev = native_writev, .read = native_read};
	int error = __real_fuse_session_mount(session, at);

	/* Without memory for it the session goes on as libfuse does. */
	if (!error && fuse_session_custom_io(session, &io, fuse_session_fd(session)))
		return 0;
	return error;
}

int __wrap_fuse_session_exited(struct fuse_session *session)
{
	int exited = __real_fuse_session_exited(session);
	struct held *held = exited ? held_of_thread(false) : NULL;

	if (held)
		send_held(held);
	return exited;
}
