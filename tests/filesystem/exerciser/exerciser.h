/*
 * A few files as they should be, and random steps that change them and the real ones alike.
 *
 * The model: files of bytes, which live while something names, opens or maps them; names; open
 * descriptors; shared mappings. All of it is small, so that steps meet.
 */
#ifndef EXERCISER_H
#define EXERCISER_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE      4096U
#define SIZE_MAX_ (160 * 1024U) /* of a file */
#define NFILES    6
#define NNAMES    8
#define NOPEN     6
#define NMAPS     4

struct file {
	unsigned size;
	unsigned nnames, nopen, nmaps;  /* none of any: the place is free */
	unsigned char bytes[SIZE_MAX_]; /* behind size: zeros */
};

struct opened {
	int fd; /* -1: free */
	struct file *file;
	int flags; /* of open */
};

struct mapping {
	unsigned char *at; /* NULL: free */
	struct file *file;
	unsigned begin, len; /* bytes of the file */
};

extern struct file files[NFILES];
extern struct file *names[NNAMES]; /* NULL: there is no such name */
extern struct opened opened[NOPEN];
extern struct mapping mappings[NMAPS];

/* What this file system can; see main.c. */
enum feature { SHARED_MAP, APPEND_MAP, DIRECT, PUNCH, ZERO, COPY, LINKS, TRUNC, NFEATURES };
extern bool can[NFEATURES];

/* ---- model.c ---- */

const char *name_of(unsigned number); /* "f0", ... */
/* Random numbers of this run's seed. */
uint32_t draw(void);
unsigned draw_below(unsigned limit);
/* A place in a file or behind it, often at the edge of a page; and a length from there, not 0. */
unsigned draw_offset(unsigned limit);
unsigned draw_length(unsigned offset);
/* Fills `to` with bytes that were not there before. */
void draw_bytes(unsigned char *to, size_t len);

/* NULL: nothing is named, opened. */
unsigned draw_name(bool used);          /* NNAMES: there is none */
struct opened *draw_opened(int rights); /* O_RDONLY, O_WRONLY: one that may do that */
struct file *file_alloc(void);          /* NULL: all places are in use */
void file_put(struct file *file);       /* after a count has gone down */
void file_write(struct file *file, unsigned offset, const void *bytes, unsigned len);
void file_resize(struct file *file, unsigned size);
/* One of the names of a file; NNAMES: it has none. */
unsigned file_name(const struct file *file);

/* ---- what is said of a step ---- */

/* Begins one: its description, for who reads the last ones. */
void step(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Not as it should be: says so, with seed, number and the last steps, and ends the program. */
_Noreturn void wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A call returned -1, or another number than it should. */
void expect(long result, long expected, const char *call);
/* The bytes of a file at an offset. */
void expect_bytes(const struct file *file, unsigned offset, const void *bytes, unsigned len,
		  const char *how);

/* ---- steps ---- */

struct kind {
	void (*make)(void);
	unsigned weight;
};

extern const struct kind data_steps[], name_steps[], map_steps[]; /* ended by one without make */

/* Everything that is, read and compared. */
void check_all(void);
/* Whatever is open and mapped is not any more. */
void close_all(void);
void unmap_all(void);

/* ---- peer.c: a second process that sees the same files ---- */

void peer_start(void);
/* What it reads of a name: bytes, or -errno. */
long peer_read(unsigned name, unsigned offset, void *to, unsigned len);
long peer_write(unsigned name, unsigned offset, const void *from, unsigned len);
long peer_size(unsigned name);

#endif
