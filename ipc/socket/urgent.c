/*
 * Bytes out of band (MSG_OOB). One waits in its place in the stream like the others, and the socket
 * knows the last such: a later one makes it an ordinary byte. A receiver stops before it, so that
 * its place is seen (SIOCATMARK); who goes on without having asked for it loses it, unless
 * SO_OOBINLINE makes it a byte like any other.
 */
#include "socket_priv.h"

bool socket_urgent_is_inline(struct socket *socket)
{
	return socket_option_is_on(&socket->options, SO_OOBINLINE);
}

void socket_skip_urgent(struct socket *socket, struct message *message, struct list *skipped)
{
	spin_lock(&socket->lock);
	list_del(&message->link);
	write_once(&socket->nmessages, socket->nmessages - 1);
	if (socket->urgent == message)
		write_once(&socket->urgent, NULL);
	spin_unlock(&socket->lock);
	list_add_tail(skipped, &message->link);
}

static ssize_t take(struct socket *socket, struct message *message, struct buffer *buffer,
		    bool peek, struct socket_message *to)
{
	size_t wanted = MIN(buffer_remaining(buffer), (size_t)1);
	err_t err = socket_take_beside(message, peek, to);

	if (err)
		return err;
	to->urgent = true;
	if (buffer_copy_to(buffer, message->bytes, wanted) < wanted)
		err = -EFAULT;
	if (!peek)
		socket_drop_first(socket, message);
	return err ? err : (ssize_t)wanted;
}

ssize_t socket_receive_urgent(struct socket *socket, struct buffer *buffer, bool peek,
			      struct socket_message *to)
{
	struct message *message;
	ssize_t result = -EINVAL;

	mutex_lock(&socket->receiver);
	message = read_once(&socket->urgent); /* only a receiver takes it away */
	if (message && !socket_urgent_is_inline(socket))
		result = take(socket, message, buffer, peek, to);
	mutex_unlock(&socket->receiver);
	return result;
}

bool socket_is_at_mark(struct socket *socket)
{
	bool is_there;

	spin_lock(&socket->lock);
	is_there = socket->urgent && socket->messages.next == &socket->urgent->link;
	spin_unlock(&socket->lock);
	return is_there;
}
