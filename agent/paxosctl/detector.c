// SPDX-License-Identifier: GPL-2.0
/* What the agent's failure detector thinks, and by what it goes. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "detector.h"
#include "view.h"

#define PATIENCE_S 5

const struct option_spec detector_options[] = { OPTION_GROUP, OPTION_END };

static int connect_agent(const struct arguments *arguments, uint32_t group)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un address;
	const socklen_t size = control_address(&address, group);
	struct ucred peer;
	socklen_t length = sizeof(peer);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, size) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length)) {
		if (errno == ECONNREFUSED)
			wrong(arguments,
			      "no agent of group %u runs in this network namespace; start paxosd",
			      group);
		else
			wrong(arguments, "cannot reach the agent: %s",
			      strerror(errno));
	} else if (peer.uid && peer.uid != geteuid()) {
		wrong(arguments,
		      "user %u has taken the name of group %u's agent (process %d)",
		      peer.uid, group, peer.pid);
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static int ask(const struct arguments *arguments, uint32_t group,
	       struct control_detector *answer)
{
	const struct control_request request = {
		.version = CONTROL_VERSION,
		.what = CONTROL_DETECTOR,
	};
	const size_t head = offsetof(struct control_detector, peers);
	const int fd = connect_agent(arguments, group);
	ssize_t n = -1;

	if (fd < 0)
		return -1;
	errno = 0;
	if (send(fd, &request, sizeof(request), MSG_NOSIGNAL) ==
	    sizeof(request))
		n = recv(fd, answer, sizeof(*answer), 0);
	close(fd);
	if (n < 0 || (size_t)n < head ||
	    answer->version != CONTROL_VERSION ||
	    answer->n > PAXOS_NL_MEMBERS_MAX ||
	    (size_t)n != head + answer->n * sizeof(answer->peers[0])) {
		wrong(arguments, "the agent does not answer: %s",
		      errno == EAGAIN ? "is it stopped?" :
		      n > 0 ? "it is of another version" : "it hung up");
		return -1;
	}
	return 0;
}

static void cell_us(struct table *table, double us)
{
	char text[DURATION_SIZE];

	table_cell(table, "%s", print_duration(text, us * 1000));
}

static void print_peers(const struct control_detector *answer)
{
	static const char *const heads[] = {
		"MEMBER", "AGENT", "SILENT", "PHI", "THRESHOLD", "TIMEOUT",
		"MEAN", "DEVIATION", "GAPS", "MISTAKES", "FAILURES", "LATE",
	};
	struct table table = { .columns = 12, .right = 0xffd };
	unsigned int i;

	for (i = 0; i < table.columns; i++)
		table_cell(&table, "%s", heads[i]);
	for (i = 0; i < answer->n; i++) {
		const struct control_peer *peer = &answer->peers[i];

		table_cell(&table, "%u", peer->id);
		table_cell(&table, "%s", peer->suspected ? "suspected" :
			   peer->heard ? "up" : "-");
		cell_us(&table, peer->silence);
		table_cell(&table, "%.1f", peer->phi);
		table_cell(&table, "%.1f", peer->threshold);
		cell_us(&table, peer->timeout);
		cell_us(&table, peer->mean);
		cell_us(&table, peer->deviation);
		table_cell(&table, "%u", peer->n);
		table_cell(&table, "%llu", (unsigned long long)peer->mistakes);
		table_cell(&table, "%llu", (unsigned long long)peer->failures);
		table_cell(&table, "%llu", (unsigned long long)peer->late);
	}
	table_print(&table, "  ");
}

static void print_text(uint32_t group, const struct control_detector *answer)
{
	const struct detector_settings *settings = &answer->settings;
	char interval[DURATION_SIZE], min[DURATION_SIZE], max[DURATION_SIZE];
	char late[DURATION_SIZE];

	print("group %u: %s, interval %s, time-outs %s to %s, local health %u of %u, last late %s\n",
	      group, settings->adaptive ? "adaptive" : "fixed",
	      print_duration(interval, settings->interval * 1000ULL),
	      print_duration(min, settings->timeout_min * 1000ULL),
	      print_duration(max, settings->timeout_max * 1000ULL),
	      answer->health, DETECTOR_HEALTH_MAX,
	      print_duration(late, answer->late * 1000ULL));
	print_peers(answer);
}

static void json_peer(const struct control_peer *peer)
{
	unsigned int i;

	json_object(NULL);
	json_number("member", peer->id);
	json_bool("heard", peer->heard);
	json_bool("suspected", peer->suspected);
	json_number("silence_us", peer->silence);
	json_decimal("phi", peer->phi);
	json_decimal("threshold", peer->threshold);
	json_number("timeout_us", peer->timeout);
	json_number("mean_us", peer->mean);
	json_number("deviation_us", peer->deviation);
	json_number("gaps", peer->n);
	json_number("arrivals", peer->arrivals);
	json_number("mistakes", peer->mistakes);
	json_number("failures", peer->failures);
	json_number("late", peer->late);
	json_array("gaps_us");
	for (i = 0; i < peer->n && i < CONTROL_GAPS; i++)
		json_number(NULL, peer->gaps[i]);
	json_end();
	json_end();
}

static void print_as_json(uint32_t group, const struct control_detector *answer)
{
	const struct detector_settings *settings = &answer->settings;
	unsigned int i;

	json_object(NULL);
	json_number("group", group);
	json_bool("adaptive", settings->adaptive);
	json_number("interval_us", settings->interval);
	json_number("timeout_min_us", settings->timeout_min);
	json_number("timeout_max_us", settings->timeout_max);
	json_number("threshold", settings->threshold);
	json_number("window", DETECTOR_WINDOW);
	json_number("health", answer->health);
	json_number("health_max", DETECTOR_HEALTH_MAX);
	json_number("late_us", answer->late);
	json_array("peers");
	for (i = 0; i < answer->n; i++)
		json_peer(&answer->peers[i]);
	json_end();
	json_end();
}

void detector_print(uint32_t group, const struct control_detector *answer)
{
	if (print_json)
		print_as_json(group, answer);
	else
		print_text(group, answer);
}

int run_detector(const struct arguments *arguments)
{
	static struct control_detector answer;
	struct kernel *kernel = view_connect(arguments);
	uint32_t group;

	if (!kernel)
		return EXIT_ERROR;
	if (view_choose(arguments, kernel, &group)) {
		kernel_close(kernel);
		return EXIT_ERROR;
	}
	kernel_close(kernel);
	if (ask(arguments, group, &answer))
		return EXIT_ERROR;
	detector_print(group, &answer);
	return EXIT_FINE;
}
