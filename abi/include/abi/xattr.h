/*
 * Extended attributes, as Linux has them: flags of setxattr, limits.
 */
#ifndef ABI_XATTR_H
#define ABI_XATTR_H

#define XATTR_CREATE  0x1u
#define XATTR_REPLACE 0x2u

#define XATTR_NAME_MAX 255
#define XATTR_SIZE_MAX 65536 /* of a value */
#define XATTR_LIST_MAX 65536 /* of all names, each with its NUL */

/* Access control lists: values of these two, of files and (the second) of directories. A version,
 * then entries in ascending order of tags. */
#define XATTR_ACL_ACCESS  "system.posix_acl_access"
#define XATTR_ACL_DEFAULT "system.posix_acl_default"

#define ACL_VERSION   2u
#define ACL_USER_OBJ  0x01 /* the owner */
#define ACL_USER      0x02 /* user `id` */
#define ACL_GROUP_OBJ 0x04 /* the file's group */
#define ACL_GROUP     0x08 /* group `id` */
#define ACL_MASK      0x10 /* the most that the three before give */
#define ACL_OTHER     0x20
#define ACL_NO_ID     0xffffffffu

struct acl_entry {
	unsigned short tag;
	unsigned short permissions; /* R_OK | W_OK | X_OK */
	unsigned int id;            /* of ACL_USER, ACL_GROUP; else ACL_NO_ID */
};

#endif
