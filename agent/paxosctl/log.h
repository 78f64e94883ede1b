/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_LOG_H
#define _PAXOSCTL_LOG_H

#include "view.h"

extern const struct option_spec log_options[];
extern const struct option_spec read_options[];
int run_log(const struct arguments *arguments);
int run_read(const struct arguments *arguments);

/**
 * struct entry - a chosen slot
 * @value: of the message that it was parsed from
 */
struct entry {
	uint32_t group;
	uint64_t slot;
	uint64_t ballot;
	uint8_t kind;		/* enum paxos_nl_kind */
	uint8_t origin;
	uint64_t incarnation;
	uint64_t seq;
	const void *value;
	size_t length;
};

int entry_parse(struct nlmsghdr *message, struct entry *entry);
/* "7  Hello World" */
void entry_print(const struct entry *entry);
void entry_print_json(const struct entry *entry);

#endif
