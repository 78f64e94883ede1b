/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOSCTL_VIEW_H
#define _PAXOSCTL_VIEW_H

/* A group as the kernel sees it: the answer to PAXOS_CMD_GROUP_GET. */

#include "../paxosd/address.h"
#include "command.h"
#include "kernel.h"

struct member_view {
	uint8_t id;
	uint8_t role;
	char address[ADDRESS_NAME_SIZE];
	struct maybe up;
	struct maybe heard;			/* ms */
	struct maybe agent_heard;		/* ms */
	struct maybe rtt;			/* us */
	struct maybe response;			/* us */
	struct maybe commit;
	struct maybe durable;
	struct maybe incarnation;
	struct maybe suspected;
	struct maybe same, differs;	/* slots, of its checksum and ours */
};

/* A kernel subsystem that applies what the group chooses. */
struct consumer_view {
	char name[16];
	struct maybe applied;
	struct maybe stalled;			/* ms */
	struct maybe stopped;			/* errno */
};

struct group_view {
	uint32_t id;
	char cluster[2 * PAXOS_CLUSTER_SIZE + 1];
	uint8_t self;
	uint8_t durability;
	uint8_t state;
	uint8_t phase;
	uint8_t wait;
	uint8_t leader;
	struct maybe epoch, q1, q2, window, log_size, bytes;
	struct maybe instance, incarnation, ballot, promised;
	struct maybe slot, first, commit, lsn, durable;
	struct maybe pending, bytes_used, up, agent, stalled;
	struct maybe from, goal;	/* of a transfer that is under way */
	/* Of the agent's log. */
	struct maybe space_used, space, space_first, space_goes, space_held;
	struct maybe snapshot, unsaved;
	struct maybe trimmed;		/* the first slot in any other log */
	struct maybe checksum;
	struct maybe diverged;		/* the lowest slot at which a member differs */
	bool halted;
	unsigned int n_members;
	struct member_view members[PAXOS_NL_MEMBERS_MAX];
	unsigned int n_consumers;
	struct consumer_view consumers[PAXOS_NL_CONSUMERS_MAX];
};

struct views {
	unsigned int n;
	struct group_view *views;
};

/* Returns 0, or -1 for a message that is not one. */
int view_parse(struct nlmsghdr *message, struct group_view *view);
/* Return 0, or -1 with kernel_failure() set. */
int view_get(struct kernel *kernel, uint32_t group, struct group_view *view);
int views_get(struct kernel *kernel, struct views *views);
void views_free(struct views *views);

unsigned int view_voters(const struct group_view *view);
/* How many of them the next step needs: Accept with a leader, else Prepare. */
unsigned int view_needed(const struct group_view *view);
/* Too few voters are heard for that. */
bool view_no_quorum(const struct group_view *view);
#define VIEW_REASON_SIZE 256
/* Why nothing can be decided, in one line, or "" where it can. */
const char *view_reason(const struct group_view *view,
			char reason[VIEW_REASON_SIZE]);
/* How far a member is behind the highest commit that is known here. */
struct maybe view_lag(const struct group_view *view,
		      const struct member_view *member);

/*
 * view_choose - the group that --group names, or the only one there is
 *
 * Returns 0, or -1 after a complaint.
 */
int view_choose(const struct arguments *arguments, struct kernel *kernel,
		uint32_t *group);
/* The connection, or NULL after a complaint. */
struct kernel *view_connect(const struct arguments *arguments);
/* Say why the kernel did not, and what to do. Returns EXIT_ERROR. */
int view_complain(const struct arguments *arguments, struct kernel *kernel,
		  uint32_t group);

#endif
