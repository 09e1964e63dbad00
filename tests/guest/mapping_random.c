/*
 * Thousands of random mmap, munmap, mprotect, mremap and madvise calls, with the contents of every
 * page known in advance: nothing is lost, nothing appears from elsewhere.
 */
#include <stdint.h>
#include <sys/mman.h>

#include "check.h"

#define PAGE  ((size_t)4096)
#define AREAS 200
#define STEPS 25000

static struct area {
	unsigned char *memory; /* NULL: not mapped */
	size_t npages;
	unsigned char tag; /* what every third page holds at one place, others hold 0 */
} areas[AREAS];

static uint64_t seed = 1;

static unsigned draw(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

static unsigned char *mark_of(const struct area *area, size_t page)
{
	return area->memory + page * PAGE + page * 37 % PAGE;
}

static void fill(struct area *area)
{
	for (size_t page = 0; page < area->npages; page++)
		*mark_of(area, page) = page % 3 ? 0 : area->tag;
}

static bool is_right(const struct area *area)
{
	for (size_t page = 0; page < area->npages; page++) {
		if (*mark_of(area, page) != (page % 3 ? 0 : area->tag))
			return false;
	}
	return true;
}

static bool is_empty(const struct area *area)
{
	for (size_t page = 0; page < area->npages; page++) {
		if (*mark_of(area, page))
			return false;
	}
	return true;
}

/* A long one is cut right away, so that the holes differ in size. */
static bool make(struct area *area)
{
	size_t npages = draw(8) ? 1 + draw(20) : 21 + draw(1200);

	area->memory = mmap(NULL, npages * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area->memory == MAP_FAILED)
		return false;
	area->npages = npages > 20 ? 20 : npages;
	area->tag = (unsigned char)(1 + draw(255));
	if (!is_empty(area))
		return false;
	fill(area);
	return npages <= 20 || !munmap(area->memory + 20 * PAGE, (npages - 20) * PAGE);
}

static bool unmake(struct area *area)
{
	void *memory = area->memory;

	area->memory = NULL;
	return !munmap(memory, area->npages * PAGE);
}

static bool take_rights_and_give_them_back(struct area *area)
{
	size_t len = area->npages * PAGE;
	size_t page = draw((unsigned)area->npages);

	if (mprotect(area->memory, len, PROT_NONE) || mprotect(area->memory, len, PROT_READ) ||
	    !is_right(area))
		return false;
	return !mprotect(area->memory + page * PAGE, PAGE, PROT_READ | PROT_WRITE) &&
	       !mprotect(area->memory, len, PROT_READ | PROT_WRITE);
}

static bool resize(struct area *area)
{
	size_t npages = 1 + draw(40);
	void *memory = mremap(area->memory, area->npages * PAGE, npages * PAGE, MREMAP_MAYMOVE);

	if (memory == MAP_FAILED)
		return false;
	area->memory = memory;
	if (npages < area->npages)
		area->npages = npages;
	if (!is_right(area))
		return false;
	area->npages = npages;
	fill(area);
	return true;
}

static bool forget(struct area *area)
{
	if (madvise(area->memory, area->npages * PAGE, MADV_DONTNEED) || !is_empty(area))
		return false;
	fill(area);
	return true;
}

static void random_changes_keep_every_page(void)
{
	static bool (*const changes[])(struct area *) = {
		unmake, unmake, take_rights_and_give_them_back, resize, forget,
	};

	for (unsigned step = 0; step < STEPS; step++) {
		struct area *area = &areas[draw(AREAS)];

		if (!area->memory) {
			EXPECT(make(area));
			continue;
		}
		EXPECT(is_right(area));
		EXPECT(changes[draw(sizeof(changes) / sizeof(changes[0]))](area));
	}
	for (unsigned i = 0; i < AREAS; i++) {
		if (areas[i].memory)
			EXPECT(is_right(&areas[i]) && unmake(&areas[i]));
	}
}

int main(void)
{
	RUN(random_changes_keep_every_page);
	return check_end();
}
