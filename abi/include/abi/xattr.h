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

#endif
