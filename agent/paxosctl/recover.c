// SPDX-License-Identifier: GPL-2.0
/*
 * Quorum lost for good. The log is paxosd's, and so is all that is done to it:
 * this becomes `paxosd recover`.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "print.h"
#include "recover.h"

const struct option_spec recover_options[] = {
	{ "config", 'c', "FILE", "the configuration of this host's member" },
	{ "confirm", 0, "CLUSTER",
	  "its id, of which it asks otherwise" },
	OPTION_END
};

int run_recover(const struct arguments *arguments)
{
	const char *config = argument(arguments, "config");
	const char *confirm = argument(arguments, "confirm");
	const char *words[6] = { "paxosd", "recover" };
	unsigned int n = 2;

	if (!config)
		return wrong(arguments, "--config is missing: the file that paxosd is run with");
	if (config[0] == '-')
		return wrong(arguments, "--config must be a file, not '%s'",
			     config);
	if (print_json)
		words[n++] = "--json";
	words[n++] = config;
	if (confirm)
		words[n++] = confirm;
	execvp(words[0], (char *const *)words);
	return wrong(arguments, "cannot run paxosd: %s", strerror(errno));
}
