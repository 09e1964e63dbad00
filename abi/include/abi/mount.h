/*
 * Flags of mount(2) and umount2(2), as Linux has them.
 */
#ifndef ABI_MOUNT_H
#define ABI_MOUNT_H

#define MS_RDONLY      (1u << 0)
#define MS_NOSUID      (1u << 1)
#define MS_NODEV       (1u << 2)
#define MS_NOEXEC      (1u << 3)
#define MS_SYNCHRONOUS (1u << 4)
#define MS_REMOUNT     (1u << 5)
#define MS_MANDLOCK    (1u << 6)
#define MS_DIRSYNC     (1u << 7)
#define MS_NOSYMFOLLOW (1u << 8)
#define MS_NOATIME     (1u << 10)
#define MS_NODIRATIME  (1u << 11)
#define MS_BIND        (1u << 12)
#define MS_MOVE        (1u << 13)
#define MS_REC         (1u << 14)
#define MS_SILENT      (1u << 15)
#define MS_POSIXACL    (1u << 16)
#define MS_UNBINDABLE  (1u << 17)
#define MS_PRIVATE     (1u << 18)
#define MS_SLAVE       (1u << 19)
#define MS_SHARED      (1u << 20)
#define MS_RELATIME    (1u << 21)
#define MS_I_VERSION   (1u << 23)
#define MS_STRICTATIME (1u << 24)
#define MS_LAZYTIME    (1u << 25)
#define MS_MGC_VAL     0xc0ed0000u /* of old programs; says nothing */
#define MS_MGC_MSK     0xffff0000u

#define MNT_FORCE       (1u << 0)
#define MNT_DETACH      (1u << 1)
#define MNT_EXPIRE      (1u << 2)
#define UMOUNT_NOFOLLOW (1u << 3)

/* ---- mounts made in steps ---- */

#define FSOPEN_CLOEXEC (1u << 0)

#define FSPICK_CLOEXEC          (1u << 0)
#define FSPICK_SYMLINK_NOFOLLOW (1u << 1)
#define FSPICK_NO_AUTOMOUNT     (1u << 2)
#define FSPICK_EMPTY_PATH       (1u << 3)

#define FSCONFIG_SET_FLAG        0
#define FSCONFIG_SET_STRING      1
#define FSCONFIG_SET_BINARY      2
#define FSCONFIG_SET_PATH        3
#define FSCONFIG_SET_PATH_EMPTY  4
#define FSCONFIG_SET_FD          5
#define FSCONFIG_CMD_CREATE      6
#define FSCONFIG_CMD_RECONFIGURE 7
#define FSCONFIG_CMD_CREATE_EXCL 8

#define FSMOUNT_CLOEXEC (1u << 0)

#define MOUNT_ATTR_RDONLY      0x00000001u
#define MOUNT_ATTR_NOSUID      0x00000002u
#define MOUNT_ATTR_NODEV       0x00000004u
#define MOUNT_ATTR_NOEXEC      0x00000008u
#define MOUNT_ATTR__ATIME      0x00000070u
#define MOUNT_ATTR_RELATIME    0x00000000u
#define MOUNT_ATTR_NOATIME     0x00000010u
#define MOUNT_ATTR_STRICTATIME 0x00000020u
#define MOUNT_ATTR_NODIRATIME  0x00000080u
#define MOUNT_ATTR_IDMAP       0x00100000u
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000u

struct abi_mount_attr {
	unsigned long attr_set;
	unsigned long attr_clr;
	unsigned long propagation; /* MS_PRIVATE ... */
	unsigned long userns_fd;
};
#define MOUNT_ATTR_SIZE_VER0 32

#define OPEN_TREE_CLONE   (1u << 0)
#define OPEN_TREE_CLOEXEC 02000000u /* O_CLOEXEC */

#define MOVE_MOUNT_F_SYMLINKS   0x001u /* of the mount that is moved */
#define MOVE_MOUNT_F_AUTOMOUNTS 0x002u
#define MOVE_MOUNT_F_EMPTY_PATH 0x004u
#define MOVE_MOUNT__T_SHIFT     4 /* the same of where it goes */
#define MOVE_MOUNT_SET_GROUP    0x100u
#define MOVE_MOUNT_BENEATH      0x200u
#define MOVE_MOUNT__KNOWN       0x377u

#endif
