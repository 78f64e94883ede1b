// SPDX-License-Identifier: GPL-2.0
/* What the agent's failure detector thinks, and by what it goes. */
#include <string.h>
#include "detector.h"
#include "view.h"

const struct option_spec detector_options[] = { OPTION_GROUP, OPTION_END };

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
	json_number("late_us", peer->agent_late);
	json_number("applied", peer->applied);
	json_number("epoch", peer->epoch);
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
	json_number("kernel_silence_us", answer->kernel_silence);
	json_number("penalty", answer->penalty);
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
	char error[256];
	struct kernel *kernel = view_connect(arguments);
	uint32_t group;

	if (!kernel)
		return EXIT_ERROR;
	if (view_choose(arguments, kernel, &group)) {
		kernel_close(kernel);
		return EXIT_ERROR;
	}
	kernel_close(kernel);
	if (control_ask(group, &answer, error, sizeof(error)))
		return wrong(arguments, "%s", error);
	detector_print(group, &answer);
	return EXIT_FINE;
}
