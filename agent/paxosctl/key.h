/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_KEY_H
#define _PAXOSCTL_KEY_H

#include "command.h"
#include <linux/paxos.h>

int run_genkey(const struct arguments *arguments);
/* The key in a file, or -1 after a complaint. */
int key_read(const struct arguments *arguments, const char *path,
	     uint8_t key[PAXOS_KEY_SIZE]);

#endif
