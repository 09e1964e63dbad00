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

#endif
