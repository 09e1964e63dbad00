/*
 * Seals: what may not be done to a file's contents any more. They and the number of shared mappings
 * that may write are under data_lock, as all that they forbid, so a seal holds from the moment that
 * it is there. Files with names carry the seal that forbids others; those of memfd_create(2) can be
 * made without it.
 */
#include "inode.h"

#include <abi/mman.h>

err_t tmpfs_seals_allow_write_locked(const struct tmpfs_inode *inode)
{
	return inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) ? -EPERM : 0;
}

err_t tmpfs_seals_allow_size_locked(const struct tmpfs_inode *inode, uint64_t size_bytes)
{
	if ((inode->seals & F_SEAL_SHRINK && size_bytes < inode->size_bytes) ||
	    (inode->seals & F_SEAL_GROW && size_bytes > inode->size_bytes))
		return -EPERM;
	return 0;
}

err_t tmpfs_seals_allow_mode(const struct tmpfs_inode *inode, uint32_t mode)
{
	return read_once(&inode->seals) & F_SEAL_EXEC && (inode->mode ^ mode) & 0111 ? -EPERM : 0;
}

static err_t add_locked(struct tmpfs_inode *inode, unsigned add) REQUIRES(inode->data_lock);
static err_t add_locked(struct tmpfs_inode *inode, unsigned add)
{
	if (inode->seals & F_SEAL_SEAL)
		return -EPERM;
	/* A program that cannot be made any more cannot be changed either. */
	if (add & F_SEAL_EXEC && inode->mode & 0111)
		add |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
	if (add & F_SEAL_WRITE && !(inode->seals & F_SEAL_WRITE) && load_acquire(&inode->nwritable))
		return -EBUSY;
	write_once(&inode->seals, inode->seals | add);
	return 0;
}

err_t tmpfs_seal(struct server *server, struct nodeid node, unsigned add, unsigned *seals)
{
	struct tmpfs_inode *inode = tmpfs_inode(server, node);
	err_t err = mutex_lock_killable(&inode->data_lock);

	if (err)
		return err;
	if (inode->type != S_IFREG)
		err = -EINVAL;
	else if (add)
		err = add_locked(inode, add);
	*seals = inode->seals;
	mutex_unlock(&inode->data_lock);
	return err;
}

void tmpfs_make_sealable(struct server *server, struct nodeid node, unsigned seals)
{
	write_once(&tmpfs_inode(server, node)->seals, seals);
}

err_t tmpfs_map_writable(struct server *server, struct nodeid node)
{
	struct tmpfs_inode *inode = tmpfs_inode(server, node);
	err_t err = mutex_lock_killable(&inode->data_lock);

	if (err)
		return err;
	err = tmpfs_seals_allow_write_locked(inode);
	if (!err)
		atomic_add_relaxed(&inode->nwritable, 1);
	mutex_unlock(&inode->data_lock);
	return err;
}

void tmpfs_unmap_writable(struct server *server, struct nodeid node)
{
	/* Without data_lock: who ends a mapping cannot be kept waiting by one who writes, and whose
	 * memory may take for ever to come. All that was written by it is before that. */
	(void)atomic_fetch_sub_full(&tmpfs_inode(server, node)->nwritable, 1);
}
