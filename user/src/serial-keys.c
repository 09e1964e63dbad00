/*
 * serial-keys: what a serial port receives, key by key.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/keys.h"
#include "common/program.h"

#define DEVICE "/dev/ttyS0"

static const char help[] =
	"usage: serial-keys [DEVICE]\n"
	"Prints each key that comes from a terminal (" DEVICE "), by its bytes and its\n"
	"name. q or Ctrl-C ends it; the terminal is put back as it was.\n";

static void print_key(const struct key *key)
{
	char name[40];
	int width = 0;

	for (size_t i = 0; i < key->nbytes; i++)
		width += printf("%02x ", key->bytes[i]);
	printf("%*s%s\n", width < 24 ? 24 - width : 0, "", key_name(key, name));
	fflush(stdout);
}

static bool is_last(const struct key *key)
{
	return key->code == KEY_END_OF_INPUT || (key->code == 'q' && !key->alt) || key->code == 3;
}

int main(int argc, char **argv)
{
	const char *device = argc > 1 ? argv[1] : DEVICE;
	struct keys keys;
	struct key key;
	int descriptor;

	program_start("serial-keys", help, argc, argv);
	if (argc > 2)
		usage_error("one device, not %d", argc - 1);
	descriptor = open(device, O_RDONLY | O_NOCTTY);
	if (descriptor < 0) {
		complain_errno("%s", device);
		return program_end(1);
	}
	if (!isatty(descriptor)) {
		complain("%s: it is no terminal", device);
		return program_end(1);
	}
	keys_start(&keys, descriptor);
	printf("Keys of %s; q ends it.\n", device);
	fflush(stdout);
	for (key = keys_read(&keys, -1); !is_last(&key); key = keys_read(&keys, -1))
		print_key(&key);
	keys_end(&keys);
	close(descriptor);
	return program_end(0);
}
