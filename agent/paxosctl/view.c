// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "names.h"
#include "view.h"

static void parse_address(struct nlattr **attrs, char *name)
{
	struct nlattr *ip = attrs[PAXOS_A_MEMBER_ADDRESS];
	struct nlattr *port = attrs[PAXOS_A_MEMBER_PORT];
	union address address;

	if (!ip || !port)
		return;
	memset(&address, 0, sizeof(address));
	if (nla_len(ip) == 4) {
		address.in.sin_family = AF_INET;
		nla_memcpy(&address.in.sin_addr, ip, 4);
	} else if (nla_len(ip) == 16) {
		address.in6.sin6_family = AF_INET6;
		nla_memcpy(&address.in6.sin6_addr, ip, 16);
		address.in6.sin6_scope_id =
			kernel_u32(attrs[PAXOS_A_MEMBER_SCOPE]).value;
	} else {
		return;
	}
	address_set_port(&address, ntohs(nla_get_u16(port)));
	address_name(&address, name);
}

static int parse_member(struct nlattr *nest, struct member_view *member)
{
	struct nlattr *attrs[PAXOS_A_MEMBER_MAX + 1];

	if (kernel_parse_member(nest, attrs) || !attrs[PAXOS_A_MEMBER_ID])
		return -1;
	memset(member, 0, sizeof(*member));
	member->id = nla_get_u8(attrs[PAXOS_A_MEMBER_ID]);
	member->role = kernel_u8(attrs[PAXOS_A_MEMBER_ROLE]).value;
	parse_address(attrs, member->address);
	member->up = kernel_u8(attrs[PAXOS_A_MEMBER_UP]);
	member->heard = kernel_u32(attrs[PAXOS_A_MEMBER_HEARD]);
	member->agent_heard = kernel_u32(attrs[PAXOS_A_MEMBER_AGENT_HEARD]);
	member->rtt = kernel_u32(attrs[PAXOS_A_MEMBER_RTT]);
	member->response = kernel_u32(attrs[PAXOS_A_MEMBER_RESPONSE]);
	member->commit = kernel_u64(attrs[PAXOS_A_MEMBER_COMMIT]);
	member->durable = kernel_u64(attrs[PAXOS_A_MEMBER_DURABLE]);
	member->incarnation = kernel_u64(attrs[PAXOS_A_MEMBER_INCARNATION]);
	member->suspected = kernel_u8(attrs[PAXOS_A_MEMBER_SUSPECTED]);
	member->same = kernel_u64(attrs[PAXOS_A_MEMBER_SAME]);
	member->differs = kernel_u64(attrs[PAXOS_A_MEMBER_DIFFERS]);
	return 0;
}

static int parse_consumer(struct nlattr *nest, struct consumer_view *consumer)
{
	struct nlattr *attrs[PAXOS_A_CONSUMER_MAX + 1];

	if (kernel_parse_consumer(nest, attrs) ||
	    !attrs[PAXOS_A_CONSUMER_NAME])
		return -1;
	memset(consumer, 0, sizeof(*consumer));
	nla_strlcpy(consumer->name, attrs[PAXOS_A_CONSUMER_NAME],
		    sizeof(consumer->name));
	consumer->applied = kernel_u64(attrs[PAXOS_A_CONSUMER_APPLIED]);
	consumer->stalled = kernel_u32(attrs[PAXOS_A_CONSUMER_STALLED]);
	consumer->stopped = kernel_u32(attrs[PAXOS_A_CONSUMER_STOPPED]);
	return 0;
}

int view_parse(struct nlmsghdr *message, struct group_view *view)
{
	struct nlattr *attrs[PAXOS_A_MAX + 1], *attr;
	struct genlmsghdr *header = nlmsg_data(message);
	int left;

	memset(view, 0, sizeof(*view));
	if (kernel_parse(message, attrs) || !attrs[PAXOS_A_GROUP])
		return -1;
	view->id = nla_get_u32(attrs[PAXOS_A_GROUP]);
	if (attrs[PAXOS_A_CLUSTER])
		sodium_bin2hex(view->cluster, sizeof(view->cluster),
			       nla_data(attrs[PAXOS_A_CLUSTER]),
			       PAXOS_CLUSTER_SIZE);
	view->self = kernel_u8(attrs[PAXOS_A_SELF]).value;
	view->durability = kernel_u8(attrs[PAXOS_A_DURABILITY]).value;
	view->state = kernel_u8(attrs[PAXOS_A_STATE]).value;
	view->phase = kernel_u8(attrs[PAXOS_A_PHASE]).value;
	view->wait = kernel_u8(attrs[PAXOS_A_WAIT]).value;
	view->leader = kernel_u8(attrs[PAXOS_A_LEADER]).value;
	view->epoch = kernel_u32(attrs[PAXOS_A_EPOCH]);
	view->q1 = kernel_u8(attrs[PAXOS_A_Q1]);
	view->q2 = kernel_u8(attrs[PAXOS_A_Q2]);
	view->window = kernel_u32(attrs[PAXOS_A_WINDOW]);
	view->log_size = kernel_u32(attrs[PAXOS_A_LOG_SIZE]);
	view->bytes = kernel_u32(attrs[PAXOS_A_BYTES]);
	view->instance = kernel_u64(attrs[PAXOS_A_INSTANCE]);
	view->incarnation = kernel_u64(attrs[PAXOS_A_INCARNATION]);
	view->ballot = kernel_u64(attrs[PAXOS_A_BALLOT]);
	view->promised = kernel_u64(attrs[PAXOS_A_PROMISED]);
	view->slot = kernel_u64(attrs[PAXOS_A_SLOT]);
	view->first = kernel_u64(attrs[PAXOS_A_FIRST]);
	view->commit = kernel_u64(attrs[PAXOS_A_COMMIT]);
	view->lsn = kernel_u64(attrs[PAXOS_A_LSN]);
	view->durable = kernel_u64(attrs[PAXOS_A_DURABLE]);
	view->pending = kernel_u32(attrs[PAXOS_A_PENDING]);
	view->bytes_used = kernel_u32(attrs[PAXOS_A_BYTES_USED]);
	view->up = kernel_u8(attrs[PAXOS_A_UP]);
	view->agent = kernel_u32(attrs[PAXOS_A_AGENT]);
	view->stalled = kernel_u32(attrs[PAXOS_A_STALLED]);
	view->from = kernel_u8(attrs[PAXOS_A_FROM]);
	view->goal = kernel_u64(attrs[PAXOS_A_GOAL]);
	view->space_used = kernel_u64(attrs[PAXOS_A_SPACE_USED]);
	view->space = kernel_u64(attrs[PAXOS_A_SPACE]);
	view->space_first = kernel_u64(attrs[PAXOS_A_SPACE_FIRST]);
	view->space_goes = kernel_u64(attrs[PAXOS_A_SPACE_GOES]);
	view->space_held = kernel_u8(attrs[PAXOS_A_SPACE_HELD]);
	view->snapshot = kernel_u64(attrs[PAXOS_A_SNAPSHOT]);
	view->unsaved = kernel_u8(attrs[PAXOS_A_UNSAVED]);
	view->trimmed = kernel_u64(attrs[PAXOS_A_TRIMMED]);
	view->checksum = kernel_u64(attrs[PAXOS_A_CHECKSUM]);
	view->diverged = kernel_u64(attrs[PAXOS_A_DIVERGED]);
	view->halted = kernel_u8(attrs[PAXOS_A_HALTED]).value;

	attr = genlmsg_attrdata(header, 0);
	left = genlmsg_attrlen(header, 0);
	nla_for_each_attr(attr, attr, left, left) {
		if (nla_type(attr) == PAXOS_A_CONSUMER &&
		    view->n_consumers < PAXOS_NL_CONSUMERS_MAX &&
		    parse_consumer(attr,
				   &view->consumers[view->n_consumers++]))
			return -1;
		if (nla_type(attr) != PAXOS_A_MEMBER ||
		    view->n_members == PAXOS_NL_MEMBERS_MAX)
			continue;
		if (parse_member(attr, &view->members[view->n_members]))
			return -1;
		view->n_members++;
	}
	return 0;
}

static int take_view(struct nlmsghdr *message, void *arg)
{
	return view_parse(message, arg);
}

int view_get(struct kernel *kernel, uint32_t group, struct group_view *view)
{
	struct nl_msg *request = kernel_request(kernel, PAXOS_CMD_GROUP_GET);

	nla_put_u32(request, PAXOS_A_GROUP, group);
	return kernel_call(kernel, request, REPLY_ONE, take_view, view);
}

static int take_views(struct nlmsghdr *message, void *arg)
{
	struct views *views = arg;

	views->views = reallocarray(views->views, views->n + 1,
				    sizeof(*views->views));
	if (!views->views)
		abort();
	return view_parse(message, &views->views[views->n++]);
}

int views_get(struct kernel *kernel, struct views *views)
{
	struct nl_msg *request;
	int tries, result = -1;

	views->views = NULL;
	for (tries = 0; tries < 10 && result; tries++) {
		views->n = 0;
		request = kernel_request(kernel, PAXOS_CMD_GROUP_GET);
		result = kernel_call(kernel, request, REPLY_DUMP, take_views,
				     views);
		if (result && kernel_failure(kernel)->error != EINTR)
			break;
	}
	if (result)
		views_free(views);
	return result;
}

void views_free(struct views *views)
{
	free(views->views);
	views->views = NULL;
	views->n = 0;
}

unsigned int view_voters(const struct group_view *view)
{
	unsigned int voters = 0, i;

	for (i = 0; i < view->n_members; i++)
		voters += view->members[i].role == PAXOS_NL_ROLE_VOTER;
	return voters;
}

unsigned int view_needed(const struct group_view *view)
{
	struct maybe quorum = view->leader ? view->q2 : view->q1;

	return quorum.value ? quorum.value : view_voters(view) / 2 + 1;
}

static bool leader_is_down(const struct group_view *view)
{
	unsigned int i;

	for (i = 0; i < view->n_members; i++)
		if (view->members[i].id == view->leader)
			return view->leader != view->self &&
			       view->members[i].up.known &&
			       !view->members[i].up.value;
	return false;
}

bool view_no_quorum(const struct group_view *view)
{
	bool too_few = view->up.known && view->up.value < view_needed(view);

	switch (view->wait) {
	case PAXOS_NL_WAIT_QUORUM:
		return true;
	case PAXOS_NL_WAIT_PROMISES:
	case PAXOS_NL_WAIT_LEADER:
		return too_few;
	case PAXOS_NL_WAIT_NONE:
		/* A follower need not hear more than its leader. */
		return too_few && view->agent.value && leader_is_down(view);
	}
	return false;
}

/*
 * Others may hear one, as in a chain of hosts; and whether the agents may elect
 * stands in their configurations.
 */
static const char *next_leader(const struct group_view *view)
{
	if (view->agent.value)
		return "the agents elect one once a quorum hears none, unless they have Election = no";
	return "no agent elects one here; paxosctl campaign makes this member one";
}

const char *view_reason(const struct group_view *view,
			char reason[VIEW_REASON_SIZE])
{
	char quorum[96], stalled[DURATION_SIZE];

	snprintf(quorum, sizeof(quorum), "no quorum: %u of %u, %u needed",
		 (unsigned int)view->up.value, view_voters(view),
		 view_needed(view));
	reason[0] = '\0';
	switch (view->wait) {
	case PAXOS_NL_WAIT_NONE:
		if (view_no_quorum(view))
			snprintf(reason, VIEW_REASON_SIZE, "%s", quorum);
		else if (leader_is_down(view))
			snprintf(reason, VIEW_REASON_SIZE,
				 "leader %u is not heard: %s", view->leader,
				 next_leader(view));
		break;
	case PAXOS_NL_WAIT_AGENT:
		snprintf(reason, VIEW_REASON_SIZE,
			 "no agent is attached, so this member is mute: run paxosd");
		break;
	case PAXOS_NL_WAIT_START:
		snprintf(reason, VIEW_REASON_SIZE,
			 view->durability == PAXOS_NL_DURABILITY_SYNC ?
			 "the agent has not restored and started it yet" :
			 "not started: run paxosd, or paxosctl start if this member id never voted");
		break;
	case PAXOS_NL_WAIT_LEADER:
		if (view_no_quorum(view) && view->agent.value)
			snprintf(reason, VIEW_REASON_SIZE,
				 "%s; no leader is known", quorum);
		else if (view_no_quorum(view))
			/* Without agents followers have no reason to talk. */
			snprintf(reason, VIEW_REASON_SIZE,
				 "no leader is known here, %u of %u heard, %u needed: %s",
				 (unsigned int)view->up.value,
				 view_voters(view), view_needed(view),
				 next_leader(view));
		else
			snprintf(reason, VIEW_REASON_SIZE,
				 "no leader is known here: %s",
				 next_leader(view));
		break;
	case PAXOS_NL_WAIT_QUORUM:
		/* Heard, and yet they do not answer: one way may be cut. */
		if (view->up.value < view_needed(view))
			snprintf(reason, VIEW_REASON_SIZE, "%s", quorum);
		else
			snprintf(reason, VIEW_REASON_SIZE,
				 "no quorum answers, though %u of %u are heard: is a link cut one way?",
				 (unsigned int)view->up.value,
				 view_voters(view));
		break;
	case PAXOS_NL_WAIT_PROMISES:
		snprintf(reason, VIEW_REASON_SIZE,
			 view_no_quorum(view) ? "%s" : "promises",
			 quorum);
		break;
	case PAXOS_NL_WAIT_DISK:
		snprintf(reason, VIEW_REASON_SIZE,
			 "the disk: the oldest record has waited %s",
			 print_duration(stalled,
					view->stalled.value * 1000000));
		break;
	case PAXOS_NL_WAIT_BEHIND:
		if (view->trimmed.known) {
			snprintf(reason, VIEW_REASON_SIZE,
				 "behind: this member lacks slot %" PRIu64
				 ", and the others' logs begin at slot %" PRIu64
				 ": paxosctl member replace %u NEW ADDRESS, on the leader's host",
				 view->commit.value + 1, view->trimmed.value,
				 view->self);
			break;
		}
		snprintf(reason, VIEW_REASON_SIZE,
			 view->durability == PAXOS_NL_DURABILITY_SYNC ?
			 "behind: the others' kernels no longer hold what this member lacks; the agents bring it from a log" :
			 "behind: the others no longer hold what this member lacks, and with memory durability no log does: replace it under a new id");
		break;
	case PAXOS_NL_WAIT_MEMBER:
		snprintf(reason, VIEW_REASON_SIZE,
			 view->epoch.value ?
			 "this host was removed from the group" :
			 "waiting to be added: paxosctl member add %u, on the leader's host",
			 view->self);
		break;
	case PAXOS_NL_WAIT_MEMORY:
		snprintf(reason, VIEW_REASON_SIZE,
			 "this member has voted and lost its memory: it stays mute. With AutoReplace the leader's agent brings it back under a new id; else paxosctl member replace %u NEW ADDRESS, on the leader's host",
			 view->self);
		break;
	default:
		snprintf(reason, VIEW_REASON_SIZE,
			 "a reason that this paxosctl does not know: %u",
			 view->wait);
	}
	return reason;
}

struct maybe view_lag(const struct group_view *view,
		      const struct member_view *member)
{
	struct maybe commit = member->commit;
	uint64_t highest = view->commit.value;
	unsigned int i;

	if (member->id == view->self)
		commit = view->commit;
	for (i = 0; i < view->n_members; i++)
		if (view->members[i].commit.value > highest)
			highest = view->members[i].commit.value;
	commit.value = highest - commit.value;
	return commit;
}

/* "1, 7" */
static void list_groups(struct kernel *kernel, char *text, size_t size)
{
	struct views views;
	unsigned int i;
	size_t n = 0;

	text[0] = '\0';
	if (views_get(kernel, &views))
		return;
	for (i = 0; i < views.n && n < size; i++)
		n += snprintf(text + n, size - n, "%s%u", i ? ", " : "",
			      views.views[i].id);
	views_free(&views);
}

int view_choose(const struct arguments *arguments, struct kernel *kernel,
		uint32_t *group)
{
	const char *value = argument(arguments, "group");
	uint64_t number = 0;
	struct views views;
	unsigned int n;
	char ids[256];

	if (value) {
		if (argument_number(arguments, "group", 1, UINT32_MAX, &number))
			return -1;
		*group = number;
		return 0;
	}
	if (views_get(kernel, &views)) {
		view_complain(arguments, kernel, 0);
		return -1;
	}
	n = views.n;
	if (n == 1)
		*group = views.views[0].id;
	views_free(&views);
	if (n == 1)
		return 0;
	list_groups(kernel, ids, sizeof(ids));
	if (n)
		wrong(arguments, "there are groups %s: say which with -g", ids);
	else
		wrong(arguments, "there is no group in this network namespace: start paxosd, or see paxosctl group add --help");
	return -1;
}

struct kernel *view_connect(const struct arguments *arguments)
{
	struct kernel *kernel = kernel_open();

	if (!kernel)
		view_complain(arguments, NULL, 0);
	return kernel;
}

static void advise(char *advice, size_t size, struct kernel *kernel, int error,
		   uint32_t group)
{
	char ids[256];

	advice[0] = '\0';
	switch (error) {
	case ENOPROTOOPT:
		snprintf(advice, size,
			 "modprobe paxos, or insmod the paxos.ko that make module built");
		break;
	case EPERM:
		/* Where the kernel says more, it is not about privileges. */
		if (*kernel_failure(kernel)->sentence)
			break;
		snprintf(advice, size,
			 "needs CAP_NET_ADMIN in this network namespace: be root");
		break;
	case ENOENT:
		/* It may be a member that is not there. */
		if (*kernel_failure(kernel)->blame)
			break;
		list_groups(kernel, ids, sizeof(ids));
		snprintf(advice, size, *ids ? "there is %s" : "there is none%s",
			 ids);
		break;
	case EEXIST:
		snprintf(advice, size,
			 "paxosctl group set changes it, paxosctl group del %u removes it",
			 group);
		break;
	case EADDRNOTAVAIL:
		snprintf(advice, size,
			 "the address of this host's own member must be on one of its interfaces (ip address)");
		break;
	case EADDRINUSE:
		snprintf(advice, size,
			 "ss -lun shows who has the port");
		break;
	case EUNATCH:
		snprintf(advice, size,
			 "run paxosd; paxosctl status -g %u says what it waits for",
			 group);
		break;
	case EBADMSG:
		snprintf(advice, size,
			 "ask another host, and see paxosctl(8), DIVERGENCE");
		break;
	case EAGAIN:
		snprintf(advice, size, "try again when some have ended");
		break;
	}
}

int view_complain(const struct arguments *arguments, struct kernel *kernel,
		  uint32_t group)
{
	struct failure failure = *kernel_failure(kernel);
	char advice[320], about[32] = "";

	advise(advice, sizeof(advice), kernel, failure.error, group);
	if (group)
		snprintf(about, sizeof(about), "group %u: ", group);
	return wrong(arguments, "%s%s%s%s%s%s%s", about,
		     *failure.sentence ? failure.sentence :
					 strerror(failure.error),
		     *failure.blame ? " (" : "", failure.blame,
		     *failure.blame ? ")" : "", *advice ? "; " : "", advice);
}
