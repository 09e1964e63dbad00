/*
 * A mock filesystem driver behind /dev/fuse: a root with a file, a directory and a link; it makes
 * whatever it is asked to make, and lies once where it is told to.
 */
#ifndef FAKE_DRIVER_H
#define FAKE_DRIVER_H

#include <abi/fcntl.h>
#include <abi/fuse.h>
#include <abi/mount.h>
#include <fusek/driver.h>
#include <ipc/object.h>
#include <sched/thread.h>

enum mock_node { MOCK_FILE = 2, MOCK_DIR, MOCK_LINK, MOCK_MADE };

enum mock_lie {
	LIE_NONE,
	LIE_ROOT,              /* node 1 */
	LIE_TYPE,              /* a mode without a type */
	LIE_OTHER_TYPE,        /* another type than before */
	LIE_FILE,              /* a file, whatever was asked for */
	LIE_SIZE,              /* a size above INT64_MAX */
	LIE_SHORT,             /* a byte is missing */
	LIE_LONG,              /* bytes too many */
	LIE_COUNT,             /* more written than was sent */
	LIE_NUL,               /* in a link's target; none in a list of names */
	LIE_EMPTY,             /* a name without bytes in a list */
	LIE_NAME,              /* a directory's entry with a slash */
	LIE_ERROR_AND_PAYLOAD, /* both */
	/* refused by the device; the truth follows */
	LIE_POSITIVE_ERROR,
	LIE_FAR_ERROR,
	LIE_HEADER,
	LIE_UNIQUE,
	/* the truth, and once more */
	LIE_TWICE,
};

struct mock_driver {
	/* to be set */
	uint32_t major, minor;
	uint32_t init_flags;                   /* before the first request */
	uint32_t init_flags2, max_stack_depth; /* the same; with FUSE_INIT_EXT */
	uint16_t request_timeout_s;            /* the same */
	struct object *named;                  /* the driver's descriptor 4; NULL: closed */
	uint32_t open_flags, backing_id;
	bool ignores_interrupts;
	uint16_t max_background; /* INIT's */
	uint64_t last_cookie;    /* of a listing's last name; 0: the next number */
	bool hangs;              /* nothing is read, time goes by */
	uint64_t attr_valid;
	bool names_expire; /* at once */
	uint64_t unknown;  /* 1 << opcode: ENOSYS */
	enum mock_lie lie;
	uint32_t lie_opcode;
	/* opcodes, once; of hold_at the answer waits, and nothing else happens */
	uint32_t die_at, kill_at, signal_at, hold_at;
	uint32_t stale_at; /* an opcode, for nstale times */
	unsigned nstale;
	/* to be looked at */
	unsigned nasked[64];
	ssize_t lie_result; /* of the write that lied */
	char data[16384];   /* of the file */
	uint64_t size;
	uint32_t mode;        /* of the file */
	uint32_t folder_mode; /* of directories */
	uint32_t uid;         /* of all */
	uint64_t mtime;
	struct fuse_mkdir_in last_mkdir;
	uint32_t last_read_bytes;
	struct fuse_getattr_in last_getattr;
	struct fuse_write_in last_write;
	struct fuse_in_header last_reply; /* NOTIFY_REPLY */
	char last_reply_bytes[8192];
	uint64_t last_unique;
	char last_target[64];
	char xattr[64]; /* of the file: the value of user.mock; empty: there is none */
	struct fuse_fallocate_in last_fallocate;
	struct fuse_lk_in last_lock;
	struct fuse_file_lock blocker; /* GETLK's answer; SETLK is refused unless it is F_UNLCK */
	struct fuse_release_in last_release;
	struct fuse_poll_in last_poll;
	uint32_t revents;
	struct fuse_ioctl_in last_ioctl;
	int64_t nremembered; /* look-ups given out less those taken back */
	int64_t nopen;       /* handles given out less those released */
};
extern struct mock_driver mock;

extern const char fake_driver_options[];

int fake_driver_register(void);
/* What the driver finds when it reads next: 0, or the error of that. */
ssize_t fake_driver_read_end(void);
/* Opens the device; then it may be mounted. */
void fake_driver_start(void);
/* Serves what is left and closes it. */
void fake_driver_stop(void);
/* Answers all that waits. */
void fake_driver_serve(void);
/* Answers the request whose caller was killed, or that was held. */
void fake_driver_answer_late(void);
ssize_t fake_driver_notify_inode(uint64_t node, int64_t offset);
ssize_t fake_driver_notify_range(uint64_t node, int64_t offset, int64_t len_bytes);
ssize_t fake_driver_notify_entry(uint64_t parent, const char *name);
/* Any one. */
ssize_t fake_driver_notify(int code, const void *bytes, size_t len);
ssize_t fake_driver_notify_poll(uint64_t kh);
ssize_t fake_driver_notify_delete(uint64_t parent, uint64_t child, const char *name);
/* read() with a buffer that a request might not fit into. */
ssize_t fake_driver_read_short(void);

#endif
