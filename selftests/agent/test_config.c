// SPDX-License-Identifier: GPL-2.0
/*
 * The configuration says what it says, and each mistake is told with the file,
 * the line, the line's text and what would be right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include "config_keys.h"
#include "disk.h"

#define CLUSTER "00112233445566778899aabbccddeeff"
#define SECRET "AAECAwQFBgcICQoLDA0ODw"
#define KEY SECRET "=="

/* Lines 1 to 5, and 6 to 12. */
#define GROUP "[Group]\nId = 1\nCluster = " CLUSTER "\nKey = " KEY \
	"\nSelf = 1\n"
#define MEMBERS "[Member]\nId = 1\nAddress = 10.0.0.1:7400\n" \
	"[Member]\nId = 2\nAddress = 10.0.0.2:7400\n"

static char *directory;
static char path[128];
static struct config config;
static char error[512];

static int setup(void **state)
{
	(void)state;
	directory = disk_directory(DISK_MEMORY);
	snprintf(path, sizeof(path), "%s/conf", directory);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	disk_remove(directory);
	return 0;
}

static void put(const char *name, const char *text, size_t size, mode_t mode)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(name, mode), 0);
}

static int read_text(const char *text)
{
	put(path, text, strlen(text), 0600);
	return config_read(&config, path, error, sizeof(error));
}

static void take(const char *text)
{
	if (read_text(text))
		fail_msg("%s", error);
}

/* "PATH:LINE: 'QUOTE': " and then @should, or without a line where it is 0. */
static void refuse(const char *text, unsigned int line, const char *quote,
		   const char *should)
{
	char expected[700];

	assert_int_equal(read_text(text), -1);
	if (line)
		snprintf(expected, sizeof(expected), "%s:%u: '%s': %s", path,
			 line, quote, should);
	else
		snprintf(expected, sizeof(expected), "%s: %s", path, should);
	assert_string_equal(error, expected);
}

/* One more line in [Group], line 6. */
static void refuse_group(const char *added, const char *should)
{
	char text[2048];

	snprintf(text, sizeof(text), GROUP "%s\n" MEMBERS, added);
	refuse(text, 6, added, should);
}

static void take_group(const char *added)
{
	char text[2048];

	snprintf(text, sizeof(text), GROUP "%s\n" MEMBERS, added);
	take(text);
}

static void test_least(void **state)
{
	(void)state;
	take(GROUP MEMBERS);
	assert_int_equal(config.group, 1);
	assert_int_equal(config.self, 1);
	assert_int_equal(config.cluster[0], 0);
	assert_int_equal(config.cluster[15], 0xff);
	assert_int_equal(config.key[0], 0);
	assert_int_equal(config.key[15], 15);
	assert_int_equal(config.durability, PAXOS_NL_DURABILITY_SYNC);
	assert_int_equal(config.interval, 100);
	assert_true(config.adaptive);
	assert_int_equal(config.threshold, 8);
	assert_int_equal(config.timeout_min, 200);
	assert_int_equal(config.timeout_max, 2000);
	assert_true(config.election);
	assert_false(config.auto_replace);
	assert_int_equal(config.members[1].priority, 100);
	assert_int_equal(config.window, 0);
	assert_string_equal(config.state_directory, "/var/lib/paxos/1");
	assert_int_equal(config.n_members, 2);
	assert_int_equal(config.members[1].id, 2);
	assert_int_equal(config.members[1].role, PAXOS_NL_ROLE_VOTER);
	assert_int_equal(address_port(&config.members[1].address), 7400);
	assert_int_equal(address_port(&config.members[1].heartbeat), 7401);
	assert_string_equal(config.warning, "");
	assert_ptr_equal(config_member(&config, 2), &config.members[1]);
	assert_null(config_member(&config, 3));
}

static void test_most(void **state)
{
	(void)state;
	take("# a comment\n"
	       "\n"
	       "  [group]   # another\n"
	       "id=4294967295\n"
	       "Cluster=" CLUSTER "\r\n"
	       "KEY = " KEY " # and one\n"
	       "\tSelf\t=\t64\n"
	       "StateDirectory = /srv/a b//\n"
	       "Durability = Memory\n"
	       "Interval = 10s\n"
	       "Adaptive = No\n"
	       "Threshold = 1000\n"
	       "TimeoutMin = 10001ms\n"
	       "TimeoutMax = 600s\n"
	       "Election = No\n"
	       "AutoReplace = yes\n"
	       "HeartbeatPort = 65535\n"
	       "Window = 4096\n"
	       "LogSize = 65536\n"
	       "Memory = 1G\n"
	       "PrepareQuorum = 2\n"
	       "AcceptQuorum = 1\n"
	       "[Member]\n"
	       "Id = 64\n"
	       "Address = [fd00::1]:1\n"
	       "Role = voter\n"
	       "[Member]\n"
	       "Address = [fe80::1%lo]:65534\n"
	       "Id = 63\n"
	       "Priority = 255\n"
	       "[Member]\n"
	       "Id = 1\n"
	       "Address = [fd00::2]:1\n"
	       "Priority = 0\n"
	       "Role = LEARNER");
	assert_int_equal(config.group, 4294967295);
	assert_string_equal(config.state_directory, "/srv/a b");
	assert_int_equal(config.durability, PAXOS_NL_DURABILITY_MEMORY);
	assert_int_equal(config.interval, 10000);
	assert_false(config.adaptive);
	assert_int_equal(config.threshold, 1000);
	assert_int_equal(config.timeout_min, 10001);
	assert_int_equal(config.timeout_max, 600000);
	assert_false(config.election);
	assert_true(config.auto_replace);
	assert_int_equal(config.members[1].priority, 255);
	assert_int_equal(config.members[2].priority, 0);
	assert_int_equal(config.window, 4096);
	assert_int_equal(config.log_size, 65536);
	assert_int_equal(config.bytes, 1 << 30);
	assert_int_equal(config.q1, 2);
	assert_int_equal(config.q2, 1);
	assert_int_equal(config.members[1].address.in6.sin6_scope_id, 1);
	assert_int_equal(address_port(&config.members[0].heartbeat), 65535);
	assert_int_equal(config.members[2].role, PAXOS_NL_ROLE_LEARNER);
}

static void test_unknown_things(void **state)
{
	(void)state;
	refuse("[Gruppe]\n", 1, "[Gruppe]",
	       "unknown section; there are [Group] and [Member]");
	refuse_group("Colour = red",
		     "unknown key 'Colour'; [Group] takes Id, Cluster, Key, KeyFile, Self, StateDirectory, Metrics, Durability, Interval, Adaptive, Threshold, TimeoutMin, TimeoutMax, Election, AutoReplace, HeartbeatPort, Window, LogSize, Memory, TransferRate, LogSpace, SnapshotAfter, SnapshotsKept, PrepareQuorum, AcceptQuorum");
	refuse(GROUP "[Member]\n  Port = 1\n", 7, "Port = 1",
	       "unknown key 'Port'; [Member] takes Id, Address, Role, Priority");
	refuse_group("Durability sync",
		     "neither a [Section] nor 'Key = value'");
	refuse("\nId = 1\n", 2, "Id = 1",
	       "this stands before any section; start with [Group]");
}

static void test_twice(void **state)
{
	(void)state;
	refuse_group("Id = 2", "a second Id; the first is on line 2");
	refuse(GROUP "[group]\n", 6, "[group]",
	       "a second [Group]; the first is on line 1");
	refuse(GROUP MEMBERS "[Member]\nId = 2\n", 13, "Id = 2",
	       "there is a member 2 already");
	refuse(GROUP MEMBERS "[Member]\nId = 3\nAddress = 10.0.0.1:7400\n", 14,
	       "Address = 10.0.0.1:7400", "member 1 has that address");
	refuse(GROUP "KeyFile = /dev/null\n" MEMBERS, 6, "KeyFile = /dev/null",
	       "/dev/null must hold 16 bytes in base64, as `paxosctl genkey` prints them");
}

static void test_missing(void **state)
{
	(void)state;
	refuse("", 0, "", "there is no [Group] section");
	refuse("[Group]\nCluster = " CLUSTER "\nKey = " KEY "\nSelf = 1\n"
	       MEMBERS, 1, "[Group]", "[Group] has no Id = ");
	refuse("[Group]\nId = 1\nKey = " KEY "\nSelf = 1\n" MEMBERS, 1,
	       "[Group]", "[Group] has no Cluster = ");
	refuse("[Group]\nId = 1\nCluster = " CLUSTER "\nSelf = 1\n" MEMBERS, 1,
	       "[Group]", "[Group] has no Key = or KeyFile = ");
	refuse("[Group]\nId = 1\nCluster = " CLUSTER "\nKey = " KEY "\n" MEMBERS,
	       1, "[Group]", "[Group] has no Self = ");
	refuse(GROUP, 0, "", "there is no [Member] section");
	refuse(GROUP "[Member]\nAddress = 10.0.0.1:1\n" MEMBERS, 6, "[Member]",
	       "this member has no Id = ");
	refuse(GROUP MEMBERS "[Member]\nId = 3\n", 12, "[Member]",
	       "this member has no Address = ");
	refuse("[Group]\nId = 1\nCluster = " CLUSTER "\nKey = " KEY
	       "\nSelf = 9\n" MEMBERS, 5, "Self = 9",
	       "no [Member] has that Id");
	refuse("[Group]\nId = 1\nCluster = " CLUSTER "\nKey = " KEY
	       "\nSelf = 1\n[Member]\nId = 1\nAddress = 10.0.0.1:1\nRole = learner\n",
	       0, "", "all members are learners: nobody votes");
}

static void test_bad_values(void **state)
{
	static const struct {
		const char *lines[8];
		const char *should;
	} cases[] = {
		{ { "StateDirectory = state", "StateDirectory =" },
		  "StateDirectory must be an absolute path" },
		{ { "Metrics = paxos.prom", "Metrics = /run/paxos.txt",
		    "Metrics = .prom" },
		  "Metrics must be an absolute path that ends in .prom" },
		{ { "Durability = maybe", "Durability =" },
		  "Durability must be sync or memory" },
		{ { "Interval = 100", "Interval = 4ms", "Interval = 10001ms",
		    "Interval = 11s", "Interval = -5ms", "Interval = ms",
		    "Interval = 18446744073709551s" },
		  "Interval must be from 5ms to 10s with its unit, such as 100ms" },
		{ { "Adaptive = maybe", "Adaptive = 1" },
		  "Adaptive must be yes or no" },
		{ { "Threshold = 0", "Threshold = 1001", "Threshold = 8.5" },
		  "Threshold must be a number from 1 to 1000" },
		{ { "TimeoutMin = 4ms", "TimeoutMin = 601s", "TimeoutMin = 1" },
		  "TimeoutMin must be from 5ms to 600s with its unit, such as 200ms" },
		{ { "TimeoutMax = 4ms", "TimeoutMax = 601s", "TimeoutMax = 1" },
		  "TimeoutMax must be from 5ms to 600s with its unit, such as 2s" },
		{ { "Election = 1", "Election =", "Election = maybe" },
		  "Election must be yes or no" },
		{ { "HeartbeatPort = 0", "HeartbeatPort = 65536",
		    "HeartbeatPort = http" },
		  "HeartbeatPort must be a port from 1 to 65535" },
		{ { "Window = 8", "Window = 100", "Window = 8192",
		    "Window = 1k" },
		  "Window must be a power of two from 16 to 4096" },
		{ { "LogSize = 16", "LogSize = 4095", "LogSize = 131072" },
		  "LogSize must be a power of two from 32 to 65536" },
		{ { "Memory = 1023K", "Memory = 2G", "Memory = 64",
		    "Memory = 64MB", "Memory = 99999999999999999999G" },
		  "Memory must be from 1M to 1G with its unit, such as 64M" },
		{ { "LogSpace = 0", "LogSpace = 15M", "LogSpace = 2T",
		    "LogSpace = 4096" },
		  "LogSpace must be from 16M to 1T with its unit, such as 4G" },
		{ { "SnapshotAfter = 0", "SnapshotAfter = 1023K",
		    "SnapshotAfter = 2T", "SnapshotAfter = 64" },
		  "SnapshotAfter must be from 1M to 1T with its unit, such as 64M" },
		{ { "SnapshotsKept = 0", "SnapshotsKept = 101",
		    "SnapshotsKept = -1", "SnapshotsKept = all" },
		  "SnapshotsKept must be a number from 1 to 100" },
		{ { "TransferRate = 0", "TransferRate = 1023K",
		    "TransferRate = 2G", "TransferRate = 8MB/s" },
		  "TransferRate must be from 1M to 1G a second with its unit, such as 32M" },
		{ { "PrepareQuorum = 0", "PrepareQuorum = 65",
		    "PrepareQuorum = all" },
		  "PrepareQuorum must be a number of voters" },
		{ { "AcceptQuorum = 0x2" },
		  "AcceptQuorum must be a number of voters" },
	};
	unsigned int i, j;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (j = 0; j < 8 && cases[i].lines[j]; j++)
			refuse_group(cases[i].lines[j], cases[i].should);
	refuse("[Group]\nId = 0\n", 2, "Id = 0",
	       "Id must be a number from 1 to 4294967295");
	refuse("[Group]\nId = 4294967296\n", 2, "Id = 4294967296",
	       "Id must be a number from 1 to 4294967295");
	refuse("[Group]\nCluster = 0011\n", 2, "Cluster = 0011",
	       "Cluster must be 32 hexadecimal digits, the same on all hosts");
	refuse("[Group]\nCluster = " CLUSTER "00\n", 2,
	       "Cluster = " CLUSTER "00",
	       "Cluster must be 32 hexadecimal digits, the same on all hosts");
	refuse("[Group]\nSelf = 65\n", 2, "Self = 65",
	       "Self must be the Id of the member that this host is");
	refuse(GROUP "[Member]\nId = 0\n", 7, "Id = 0",
	       "Id must be a number from 1 to 64");
	refuse(GROUP "[Member]\nRole = boss\n", 7, "Role = boss",
	       "Role must be voter or learner");
	refuse(GROUP "[Member]\nPriority = 256\n", 7, "Priority = 256",
	       "Priority must be a number from 0 to 255");
}

static void refuse_address(const char *address, const char *should)
{
	char text[1024], quote[256], sentence[256];

	snprintf(text, sizeof(text), GROUP "[Member]\nAddress = %s\n", address);
	snprintf(quote, sizeof(quote), "Address = %s", address);
	snprintf(sentence, sizeof(sentence), "Address must be %s", should);
	refuse(text, 7, quote, sentence);
}

static void test_addresses(void **state)
{
	static const char *const formless[] = {
		"10.0.0.1", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536",
		"10.0.0:7400", "host:7400", "fd00::1:7400", "[fd00::1]",
		"[fd00::1]7400", "[fd00::1:7400", "[fd00::g]:7400",
		"[10.0.0.1]:7400", "10.0.0.1%lo:7400", ":7400", "[]:7400",
		"10.0.0.1:7400:1", "10.0.0.1: 7400", "10.0.0.1:+7400",
	};
	static const char form[] =
		"an address and port, such as 10.0.0.1:7400 or [fd00::1]:7400";
	static const char alone[] =
		"an address of that host alone, at which others reach it";
	char name[ADDRESS_NAME_SIZE];
	union address address;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(formless) / sizeof(formless[0]); i++)
		refuse_address(formless[i], form);
	refuse_address("0.0.0.0:7400", alone);
	refuse_address("255.255.255.255:7400", alone);
	refuse_address("224.0.0.1:7400", alone);
	refuse_address("[::]:7400", alone);
	refuse_address("[ff02::1%lo]:7400", alone);
	refuse_address("[::ffff:10.0.0.1]:7400",
		       "written as the IPv4 address that it is");
	refuse_address("[fe80::1]:7400",
		       "link-local with its interface, such as [fe80::1%eth0]:7400");
	refuse_address("[fe80::1%nowhere]:7400",
		       "link-local with an interface that this host has");
	refuse_address("[fd00::1%lo]:7400",
		       "without an interface, as it is not link-local");
	assert_null(address_parse(&address, "[fe80::1%lo]:7400"));
	assert_string_equal(address_name(&address, name), "[fe80::1%lo]:7400");
	assert_null(address_parse(&address, "192.0.2.1:1"));
	assert_string_equal(address_name(&address, name), "192.0.2.1:1");
}

static void test_quorums_must_meet(void **state)
{
	(void)state;
	refuse_group("PrepareQuorum = 3", "there are only 2 voters");
	refuse_group("AcceptQuorum = 3", "there are only 2 voters");
	refuse(GROUP "PrepareQuorum = 1\nAcceptQuorum = 1\n" MEMBERS, 7,
	       "AcceptQuorum = 1",
	       "a Prepare quorum of 1 and an Accept quorum of 1 of 2 voters need not meet: their sum must be above 2");
	take(GROUP "PrepareQuorum = 1\nAcceptQuorum = 2\n" MEMBERS);
}

static void test_log_holds_two_windows(void **state)
{
	(void)state;
	refuse_group("Window = 4096",
		     "LogSize (4096) must be at least twice Window (4096)");
	refuse_group("LogSize = 1024",
		     "LogSize (1024) must be at least twice Window (1024)");
	take_group("LogSize = 2048");
}

static void test_space_holds_two_memories(void **state)
{
	(void)state;
	refuse_group("LogSpace = 127M",
		     "LogSpace must be at least twice Memory (64 MiB)");
	take_group("LogSpace = 128M");
	refuse(GROUP "Memory = 1G\nLogSpace = 2047M\n" MEMBERS, 7,
	       "LogSpace = 2047M",
	       "LogSpace must be at least twice Memory (1024 MiB)");
	refuse(GROUP "Durability = memory\nLogSpace = 1G\n" MEMBERS, 7,
	       "LogSpace = 1G",
	       "LogSpace: with Durability = memory there is no log");
	take(GROUP "Memory = 8M\nLogSpace = 16M\n" MEMBERS);
	assert_int_equal(config.log_space, 16 << 20);
	take(GROUP "LogSpace = 1T\n" MEMBERS);
	assert_int_equal(config.log_space, 1ULL << 40);
	take(GROUP MEMBERS);
	assert_int_equal(config.log_space, 0);
}

static void test_heartbeats_need_a_port(void **state)
{
	(void)state;
	refuse(GROUP MEMBERS "[Member]\nId = 3\nAddress = 10.0.0.3:65535\n", 14,
	       "Address = 10.0.0.3:65535",
	       "heartbeats go to the next port, and there is none: choose a lower one or set HeartbeatPort");
	refuse(GROUP MEMBERS "[Member]\nId = 3\nAddress = 10.0.0.1:7401\n", 14,
	       "Address = 10.0.0.1:7401",
	       "the heartbeats of this member (port 7402) clash with member 1: set HeartbeatPort, or leave a port between the two");
	refuse(GROUP "HeartbeatPort = 7400\n" MEMBERS, 9,
	       "Address = 10.0.0.1:7400",
	       "HeartbeatPort is the same");
	refuse(GROUP MEMBERS "[Member]\nId = 3\nAddress = [fd00::1]:1\n", 14,
	       "Address = [fd00::1]:1",
	       "all members must be IPv4, or all IPv6");
}

static void test_no_key_in_an_error(void **state)
{
	(void)state;
	refuse("[Group]\nKey = c2VjcmV0\n", 2, "Key = (not shown)",
	       "Key must be 16 bytes in base64, as `paxosctl genkey` prints them");
	refuse("[Group]\nKey=" KEY "AA\n", 2, "Key = (not shown)",
	       "Key must be 16 bytes in base64, as `paxosctl genkey` prints them");
	refuse("  key\t= " KEY "\n", 1, "Key = (not shown)",
	       "this stands before any section; start with [Group]");
}

static void test_key_file(void **state)
{
	char text[1024], key[200], line[256];

	(void)state;
	snprintf(key, sizeof(key), "%s/key", directory);
	snprintf(line, sizeof(line), "KeyFile = %s", key);
	snprintf(text, sizeof(text), "[Group]\nId = 1\nSelf = 1\nCluster = "
		 CLUSTER "\n%s\n" MEMBERS, line);
	refuse(text, 5, line, "cannot open the key: No such file or directory");
	put(key, KEY "\n", strlen(KEY) + 1, 0600);
	take(text);
	assert_int_equal(config.key[15], 15);
	assert_string_equal(config.warning, "");
	put(key, KEY "\n", strlen(KEY) + 1, 0644);
	take(text);
	assert_non_null(strstr(config.warning, "others can read it: chmod o="));
	put(key, "short\n", 6, 0600);
	assert_int_equal(read_text(text), -1);
	assert_non_null(strstr(error, "must hold 16 bytes in base64"));
	put(key, KEY "\n", strlen(KEY) + 1, 0600);
	snprintf(line, sizeof(line), "Key = " KEY "\nKeyFile = %s", key);
	snprintf(text, sizeof(text), "[Group]\nId = 1\nSelf = 1\nCluster = "
		 CLUSTER "\n%s\n" MEMBERS, line);
	refuse(text, 6, strchr(line, '\n') + 1,
	       "Key and KeyFile: only one of them");
	refuse_group("KeyFile = key", "KeyFile must be an absolute path");
}

/* Whatever its line was meant to be. */
static void test_no_key_is_printed(void **state)
{
	static const char *const lines[] = {
		"KeyFile = " KEY, "Key " KEY, "Key: " KEY, "Keys = " KEY,
		"PresharedKey=" KEY, KEY, "Interval = 5 " KEY, "Key = a # " KEY,
		"Cluster = " KEY, "Key = /" KEY, "KeyFile = /" KEY,
		"KeyFile = " SECRET, "[" SECRET "]",
	};
	char text[400];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), "[Group]\n%s\n", lines[i]);
		assert_int_equal(read_text(text), -1);
		assert_null(strstr(error, SECRET));
		assert_non_null(strstr(error, ":2: 'Key = (not shown)': "));
	}
	/* What is as long and none is shown. */
	refuse("[Group]\nKeyFile = /nonexistent/of/this/group\n", 2,
	       "KeyFile = /nonexistent/of/this/group",
	       "cannot open the key: No such file or directory");
}

static void test_readable_key(void **state)
{
	char expected[400];

	(void)state;
	put(path, GROUP MEMBERS, strlen(GROUP MEMBERS), 0604);
	assert_int_equal(config_read(&config, path, error, sizeof(error)), 0);
	snprintf(expected, sizeof(expected),
		 "%s holds the key and others can read it: chmod o= %s", path,
		 path);
	assert_string_equal(config.warning, expected);
}

static void test_no_file(void **state)
{
	(void)state;
	assert_int_equal(config_read(&config, "/nonexistent", error,
				     sizeof(error)), -1);
	assert_string_equal(error,
			    "/nonexistent: cannot open: No such file or directory");
	assert_int_equal(config_read(&config, "/", error, sizeof(error)), -1);
	assert_string_equal(error, "/: cannot read: Is a directory");
	put(path, "a\0b", 3, 0600);
	assert_int_equal(config_read(&config, path, error, sizeof(error)), -1);
	assert_non_null(strstr(error, "holds zero bytes: not a text file"));
	assert_int_equal(config_read(&config, "/dev/zero", error,
				     sizeof(error)), -1);
	assert_string_equal(error, "/dev/zero: over 256 KiB: not a configuration");
}

static void test_too_many_members(void **state)
{
	static char text[8192];
	unsigned int i, n;

	(void)state;
	n = sprintf(text, GROUP);
	for (i = 1; i <= 64; i++)
		n += sprintf(text + n, "[Member]\nId = %u\nAddress = 10.0.1.%u:1\n",
			     i, i);
	take(text);
	assert_int_equal(config.n_members, 64);
	sprintf(text + n, "[Member]\n");
	refuse(text, 6 + 64 * 3, "[Member]", "more than 64 members");
}

/* Whatever it is fed, it comes back; what it takes is sane. */
static void test_rubbish(void **state)
{
	static const char *const words[] = {
		"[Group]", "[Member]", "\n", "=", " ", "Id", "Key", "#", "1",
		"Address", KEY, CLUSTER, "10.0.0.1:1", "[", "]", "%", ":",
		"Self", "Cluster", "\r", "\t", "\xff", "Memory", "64M", "ms",
	};
	char text[2000];
	unsigned int round, i;

	(void)state;
	disk_reset(5);
	for (round = 0; round < 3000; round++) {
		text[0] = '\0';
		for (i = disk_random(60); i; i--)
			strcat(text, words[disk_random(sizeof(words) /
						       sizeof(words[0]))]);
		if (read_text(text)) {
			assert_int_equal(strncmp(error, path, strlen(path)), 0);
			assert_null(strstr(error, SECRET));
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

static int read_again(const char *text, struct config *again)
{
	put(path, text, strlen(text), 0600);
	return config_read_again(again, &config, path, error, sizeof(error));
}

static void test_what_can_change_is_taken(void **state)
{
	static struct config again, before;

	(void)state;
	assert_int_equal(read_text(GROUP MEMBERS), 0);
	assert_int_equal(read_again(GROUP "Interval = 50ms\nAdaptive = no\n"
				    "Threshold = 5\nTimeoutMin = 300ms\n"
				    "TimeoutMax = 3s\nElection = no\n"
				    "TransferRate = 2M\n"
				    MEMBERS "Priority = 7\n", &again), 0);
	before = config;
	config_take(&config, &again);
	assert_int_equal(config.interval, 50);
	assert_false(config.adaptive);
	assert_int_equal(config.threshold, 5);
	assert_int_equal(config.timeout_min, 300);
	assert_int_equal(config.timeout_max, 3000);
	assert_false(config.election);
	assert_int_equal(config.transfer_rate, 2 << 20);
	assert_int_equal(config.members[1].priority, 7);
	assert_int_equal(config.members[0].priority, CONFIG_PRIORITY_DEFAULT);
	/* And nothing else: what it was makes it the same again. */
	config_take(&config, &before);
	assert_memory_equal(&config, &before, sizeof(config));
}

/* Each with the line that it is on, or with the file where it has none. */
static void test_what_cannot_change_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} changes[] = {
		{ "[Group]\nId = 2\nCluster = " CLUSTER "\nKey = " KEY
		  "\nSelf = 1\n" MEMBERS, ":2: 'Id = 2': Id cannot" },
		{ "[Group]\nId = 1\nCluster = ff112233445566778899"
		  "aabbccddeeff\nKey = " KEY
		  "\nSelf = 1\n" MEMBERS, ":3: 'Cluster = ff11" },
		{ "[Group]\nId = 1\nCluster = " CLUSTER
		  "\nKey = BAECAwQFBgcICQoLDA0ODw==\nSelf = 1\n" MEMBERS,
		  ":4: 'Key = (not shown)': Key cannot change" },
		{ "[Group]\nId = 1\nCluster = " CLUSTER "\nKey = " KEY
		  "\nSelf = 2\n" MEMBERS, ":5: 'Self = 2': Self cannot" },
		{ GROUP "StateDirectory = /x\n" MEMBERS,
		  ":6: 'StateDirectory = /x': StateDirectory cannot" },
		{ GROUP "Durability = memory\n" MEMBERS,
		  ":6: 'Durability = memory': Durability cannot" },
		{ GROUP "Interval = 50ms\nWindow = 16\n" MEMBERS,
		  ":7: 'Window = 16': Window cannot change while" },
		{ GROUP "LogSize = 8192\n" MEMBERS, ":6: 'LogSize" },
		{ GROUP "Memory = 32M\n" MEMBERS, ":6: 'Memory" },
		{ GROUP "PrepareQuorum = 2\n" MEMBERS, ":6: 'PrepareQ" },
		{ GROUP "AcceptQuorum = 2\n" MEMBERS, ":6: 'AcceptQ" },
		{ GROUP "Metrics = /x.prom\n" MEMBERS, ":6: 'Metrics" },
		{ GROUP "LogSpace = 1G\n" MEMBERS, ":6: 'LogSpace" },
		{ GROUP "AutoReplace = yes\n" MEMBERS, ":6: 'AutoReplace" },
		{ GROUP "HeartbeatPort = 9000\n" MEMBERS,
		  ":9: 'Address = 10.0.0.1:7400': member 1 is not as" },
		{ GROUP MEMBERS "[Member]\nId = 3\nAddress = 10.0.0.3:7400\n",
		  ":14: 'Address = 10.0.0.3:7400': member 3 is not as" },
		{ GROUP MEMBERS "Role = learner\n",
		  ":11: 'Address = 10.0.0.2:7400': member 2 is not as" },
		{ GROUP "[Member]\nId = 1\nAddress = 10.0.0.1:7400\n",
		  "conf: member 2 is missing" },
		{ GROUP "Nonsense = 1\n" MEMBERS, ":6: 'Nonsense = 1'" },
	};
	static struct config again;
	unsigned int i;

	(void)state;
	assert_int_equal(read_text(GROUP MEMBERS), 0);
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		assert_int_equal(read_again(changes[i].text, &again), -1);
		if (!strstr(error, changes[i].says))
			fail_msg("'%s' should say '%s'", error,
				 changes[i].says);
	}
	assert_int_equal(read_again(GROUP MEMBERS, &again), 0);
}

/* What a file leaves out that has the kernel's default, or a majority. */
static void fill_in(struct config *filled)
{
	filled->q1 = filled->q1 ?: 2;
	filled->q2 = filled->q2 ?: 2;
	filled->window = filled->window ?: 1024;
	filled->log_size = filled->log_size ?: 4096;
	filled->bytes = filled->bytes ?: CONFIG_MEMORY_DEFAULT;
}

/* The example that is installed: its commented keys are all that there are. */
static void test_example_shows_the_defaults(void **state)
{
	static char as_it_is[4096], with_defaults[4096], with_all[4096];
	static struct config expected;
	FILE *file = fopen("agent/paxosd/paxosd.conf", "r");
	bool is_default = true;
	const struct key *key;
	char line[256];
	char *set;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "# ", 2)) {
			is_default = !strstr(line, "No default");
			continue;
		}
		if (!strncmp(line, "KeyFile", 7))
			strcpy(line, "Key = " KEY "\n");
		set = line + (line[0] == '#');
		strcat(as_it_is, line);
		strcat(with_defaults, is_default ? set : line);
		strcat(with_all, set);
	}
	assert_int_equal(fclose(file), 0);
	for (key = config_keys; key->name; key++)
		if (!strstr(with_all, key->name) && strcmp(key->name, "KeyFile"))
			fail_msg("the example lacks %s", key->name);
	take(with_all);
	take(as_it_is);
	fill_in(&config);
	expected = config;
	take(with_defaults);
	assert_memory_equal(&config, &expected, sizeof(config));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(least),
		TEST(most),
		TEST(unknown_things),
		TEST(twice),
		TEST(missing),
		TEST(bad_values),
		TEST(addresses),
		TEST(quorums_must_meet),
		TEST(log_holds_two_windows),
		TEST(space_holds_two_memories),
		TEST(heartbeats_need_a_port),
		TEST(no_key_in_an_error),
		TEST(no_key_is_printed),
		TEST(key_file),
		TEST(readable_key),
		TEST(no_file),
		TEST(too_many_members),
		TEST(rubbish),
		TEST(example_shows_the_defaults),
		TEST(what_can_change_is_taken),
		TEST(what_cannot_change_is_refused_with_its_line),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
