// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include "../kmod/bench_uapi.h"
#include "durable.h"
#include "group.h"
#include "kernel.h"
#include "replica.h"
#include "store.h"

static void echo(const char *key, const struct run *run)
{
	kernel_echo_run(key, run, BENCH_ECHO_CACHED, 1);
}

static void echo_lookup(const char *key, const struct run *run)
{
	kernel_echo_run(key, run, BENCH_ECHO_LOOKUP, 1);
}

static void echo_inplace(const char *key, const struct run *run)
{
	kernel_echo_run(key, run, BENCH_ECHO_INPLACE, 1);
}

static void echo_fanout(const char *key, const struct run *run)
{
	kernel_echo_run(key, run, BENCH_ECHO_CACHED, 2);
}

static void accept_run(const char *key, const struct run *run)
{
	group_memory(2);
	kernel_accept_run(key, run);
	group_delete(2);
}

static const struct {
	const char *key;
	void (*run)(const char *key, const struct run *run);
} keys[] = {
	{ "echo", echo },
	{ "echo_lookup", echo_lookup },
	{ "echo_inplace", echo_inplace },
	{ "echo_fanout", echo_fanout },
	{ "accept", accept_run },
	{ "commit", kernel_commit_run },
	{ "commit_user", group_commit_user },
	{ "userspace_accept", replica_accept },
	{ "userspace_accept_sockets", replica_accept_sockets },
	{ "userspace_commit", replica_commit },
	{ "kernel.kv_put", store_kernel },
	{ "kernel.kv_get", store_kernel },
	{ "kernel.kv_get_serializable", store_kernel },
	{ "kernel.lock_unlock", store_kernel },
	{ "kernel.watch", store_kernel },
	{ "netlink.kv_put", store_netlink },
	{ "netlink.kv_get", store_netlink },
	{ "netlink.kv_get_serializable", store_netlink },
	{ "netlink.lock_unlock", store_netlink },
	{ "netlink.watch", store_netlink },
	{ "load", durable_load },
	{ "raw", durable_raw },
};

static void usage(void)
{
	size_t i;

	fputs("usage: bench [-s BYTES] [-r ROUNDS] [-w WARM-UP] [-t TRACED] KEY\n"
	      "       bench [-g] [-s BYTES] [-r ROUNDS] [-w WARM-UP] netlink.KEY\n"
	      "       bench [-s BYTES] -n OUTSTANDING -d SECONDS load\n"
	      "       bench [-s BYTES] -d SECONDS -f FILE raw\n"
	      "keys:", stderr);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		fprintf(stderr, " %s", keys[i].key);
	fputc('\n', stderr);
	exit(64);
}

static uint32_t number(const char *text)
{
	unsigned long value;
	char *end;

	value = strtoul(text, &end, 10);
	if (!*text || *end || value > 1000000)
		fail("'%s' is not a number up to 1000000", text);
	return value;
}

int main(int argc, char **argv)
{
	struct run run = {
		.size = 64,
		.rounds = 2000,
		.warmup = 200,
		.outstanding = 1,
		.seconds = 1,
		.path = "bench.raw",
	};
	size_t i;
	int option;

	while ((option = getopt(argc, argv, "s:r:w:t:n:d:f:g")) != -1) {
		switch (option) {
		case 's':
			run.size = number(optarg);
			break;
		case 'r':
			run.rounds = number(optarg);
			break;
		case 'w':
			run.warmup = number(optarg);
			break;
		case 't':
			run.trace = number(optarg);
			break;
		case 'n':
			run.outstanding = number(optarg);
			break;
		case 'd':
			run.seconds = number(optarg);
			break;
		case 'f':
			run.path = optarg;
			break;
		case 'g':
			run.running = true;
			break;
		default:
			usage();
		}
	}
	if (optind != argc - 1 || !run.rounds)
		usage();
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!strcmp(argv[optind], keys[i].key)) {
			keys[i].run(argv[optind], &run);
			return 0;
		}
	}
	usage();
}
