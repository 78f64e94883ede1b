// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "key.h"
#include "print.h"

#define BASE64_SIZE sodium_base64_ENCODED_LEN(PAXOS_KEY_SIZE, \
					      sodium_base64_VARIANT_ORIGINAL)

int run_genkey(const struct arguments *arguments)
{
	uint8_t key[PAXOS_KEY_SIZE];
	char text[BASE64_SIZE];

	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return wrong(arguments, "no random bytes: %s",
			     strerror(errno));
	sodium_bin2base64(text, sizeof(text), key, sizeof(key),
			  sodium_base64_VARIANT_ORIGINAL);
	if (print_json) {
		json_object(NULL);
		json_string("key", text);
		json_end();
	} else {
		print("%s\n", text);
	}
	sodium_memzero(key, sizeof(key));
	sodium_memzero(text, sizeof(text));
	return EXIT_FINE;
}

static int parse_key(char *text, uint8_t key[PAXOS_KEY_SIZE])
{
	size_t length;

	text[strcspn(text, " \t\r\n")] = '\0';
	if (sodium_base642bin(key, PAXOS_KEY_SIZE, text, strlen(text), NULL,
			      &length, NULL, sodium_base64_VARIANT_ORIGINAL) ||
	    length != PAXOS_KEY_SIZE)
		return -1;
	return 0;
}

int key_read(const struct arguments *arguments, const char *path,
	     uint8_t key[PAXOS_KEY_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), result;
	struct stat status;
	char text[128];
	ssize_t length;

	if (fd < 0) {
		wrong(arguments, "cannot open the key '%s': %s", path,
		      strerror(errno));
		return -1;
	}
	length = read(fd, text, sizeof(text) - 1);
	if (length < 0) {
		wrong(arguments, "cannot read the key '%s': %s", path,
		      strerror(errno));
		close(fd);
		return -1;
	}
	if (!fstat(fd, &status) && S_ISREG(status.st_mode) &&
	    status.st_mode & 0007)
		complain("%s holds the key and others can read it: chmod o= %s",
			 path, path);
	close(fd);
	text[length] = '\0';
	result = parse_key(text, key);
	sodium_memzero(text, sizeof(text));
	if (result)
		wrong(arguments, "'%s' must hold 16 bytes in base64, as paxosctl genkey prints them",
		      path);
	return result;
}
