// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "print.h"
#include "recipe.h"

int check_name(const struct arguments *arguments, const char *name)
{
	if (*name && strlen(name) <= NAME_LENGTH && !strchr(name, '/'))
		return EXIT_FINE;
	return wrong(arguments, "'%s': a name has 1 to %d bytes, and no /",
		     name, NAME_LENGTH);
}

int argument_ttl(const struct arguments *arguments, const char *option,
		 uint32_t *ms)
{
	const char *text = argument(arguments, option);

	if (!text || (parse_time(text, ms) && *ms >= TTL_MIN_MS))
		return EXIT_FINE;
	return wrong(arguments, "--%s '%s': a time from 1s on", option, text);
}

int change_lease(const struct store *store, uint8_t cmd, uint64_t number,
		 struct changed *changed)
{
	struct nl_msg *request = store_request(store, cmd);

	nla_put_u64(request, cmd == PAXOS_KV_CMD_GRANT ? PAXOS_KV_A_TTL :
							 PAXOS_KV_A_LEASE,
		    number);
	return store_change(store, request, changed);
}
