/*
 * UNLINK, RMDIR: a name of the directory. RENAME: new directory, both names; RENAME2 with flags,
 * which is asked only where there are any.
 */
#include "message.h"

void fuse_ask_unlink(struct fuse_message *message, struct nodeid parent, struct server_name name)
{
	fuse_message_begin(message, FUSE_UNLINK, parent);
	fuse_message_put_name(message, name);
}

void fuse_ask_rmdir(struct fuse_message *message, struct nodeid parent, struct server_name name)
{
	fuse_message_begin(message, FUSE_RMDIR, parent);
	fuse_message_put_name(message, name);
}

void fuse_ask_rename(struct fuse_message *message, struct nodeid old_parent,
		     struct server_name old_name, struct nodeid new_parent,
		     struct server_name new_name, unsigned flags)
{
	const struct fuse_rename_in plain = {.newdir = new_parent.value};
	const struct fuse_rename2_in flagged = {.newdir = new_parent.value, .flags = flags};

	fuse_message_begin(message, flags ? FUSE_RENAME2 : FUSE_RENAME, old_parent);
	if (flags)
		fuse_message_put(message, &flagged, sizeof(flagged));
	else
		fuse_message_put(message, &plain, sizeof(plain));
	fuse_message_put_name(message, old_name);
	fuse_message_put_name(message, new_name);
}
