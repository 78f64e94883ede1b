// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "member.h"
#include "names.h"
#include "view.h"

#define LOOK_EVERY_MS	100
#define WAIT_DEFAULT_MS	60000

const struct option_spec member_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	OPTION_END
};

const struct option_spec member_wait_options[] = {
	OPTION_GROUP,
	OPTION_TIMEOUT,
	{ "wait", 'w', "TIME",
	  "how long it may take to catch up (default: 60s)" },
	OPTION_END
};

/* One call of this tool: who is asked, and for how long. */
struct asking {
	const struct arguments *arguments;
	struct kernel *kernel;
	uint32_t group;
	uint32_t timeout;	/* ms, of each change */
	uint32_t wait;		/* ms, for a member to catch up */
};

/* What came of a change. */
struct change {
	uint8_t outcome;
	struct maybe slot, elapsed, epoch;
};

static void nap(void)
{
	const struct timespec time = { .tv_nsec = LOOK_EVERY_MS * 1000000 };

	nanosleep(&time, NULL);
}

static int begin(struct asking *asking, const struct arguments *arguments)
{
	const char *wait = NULL;

	if (arguments->command->options == member_wait_options)
		wait = argument(arguments, "wait");
	asking->arguments = arguments;
	asking->wait = WAIT_DEFAULT_MS;
	if (argument_timeout(arguments, &asking->timeout))
		return -1;
	if (wait && !parse_time(wait, &asking->wait)) {
		wrong(arguments, "--wait must be a time such as 30s, not '%s'",
		      wait);
		return -1;
	}
	asking->kernel = view_connect(arguments);
	if (!asking->kernel)
		return -1;
	return view_choose(arguments, asking->kernel, &asking->group);
}

static int read_id(const struct arguments *arguments, unsigned int at,
		   uint8_t *id)
{
	uint64_t number;

	if (!parse_number(arguments->operands[at], 1, PAXOS_NL_MEMBERS_MAX,
			  &number)) {
		wrong(arguments, "a member is a number from 1 to %u, not '%s'",
		      PAXOS_NL_MEMBERS_MAX, arguments->operands[at]);
		return -1;
	}
	*id = number;
	return 0;
}

static int read_address(const struct arguments *arguments, unsigned int at,
			union address *address)
{
	const char *should = address_parse(address, arguments->operands[at]);

	if (!should)
		return 0;
	wrong(arguments, "the address '%s' must be %s",
	      arguments->operands[at], should);
	return -1;
}

static int take_change(struct nlmsghdr *message, void *arg)
{
	struct nlattr *attrs[PAXOS_A_MAX + 1];
	struct change *change = arg;

	if (kernel_parse(message, attrs) || !attrs[PAXOS_A_OUTCOME])
		return -1;
	change->outcome = nla_get_u8(attrs[PAXOS_A_OUTCOME]);
	change->slot = kernel_u64(attrs[PAXOS_A_SLOT]);
	change->elapsed = kernel_u64(attrs[PAXOS_A_ELAPSED]);
	change->epoch = kernel_u32(attrs[PAXOS_A_EPOCH]);
	return 0;
}

static struct nl_msg *change_request(const struct asking *asking, uint8_t id,
				     uint8_t role, const union address *address)
{
	struct nl_msg *request = kernel_request(asking->kernel,
						PAXOS_CMD_RECONFIGURE);
	struct nlattr *nest;

	nla_put_u32(request, PAXOS_A_GROUP, asking->group);
	nla_put_u32(request, PAXOS_A_TIMEOUT, asking->timeout);
	nest = nla_nest_start(request, PAXOS_A_MEMBER);
	nla_put_u8(request, PAXOS_A_MEMBER_ID, id);
	nla_put_u8(request, PAXOS_A_MEMBER_ROLE, role);
	if (address && address->any.sa_family == AF_INET) {
		nla_put(request, PAXOS_A_MEMBER_ADDRESS, 4,
			&address->in.sin_addr);
	} else if (address) {
		nla_put(request, PAXOS_A_MEMBER_ADDRESS, 16,
			&address->in6.sin6_addr);
		if (address->in6.sin6_scope_id)
			nla_put_u32(request, PAXOS_A_MEMBER_SCOPE,
				    address->in6.sin6_scope_id);
	}
	if (address)
		nla_put_u16(request, PAXOS_A_MEMBER_PORT,
			    htons(address_port(address)));
	nla_nest_end(request, nest);
	return request;
}

static bool lacks_quorum(const struct asking *asking)
{
	struct group_view view;

	return !view_get(asking->kernel, asking->group, &view) &&
	       view_no_quorum(&view);
}

static int report(const struct asking *asking, uint8_t id, const char *done,
		  const struct change *change)
{
	char text[DURATION_SIZE];
	bool in_force = change->epoch.known;

	if (print_json) {
		json_object(NULL);
		json_number("group", asking->group);
		json_number("member", id);
		json_string("change", done);
		json_string("outcome", name_outcome(change->outcome));
		json_maybe("slot", change->slot);
		json_maybe("epoch", change->epoch);
		json_maybe("elapsed_ns", change->elapsed);
		json_end();
	} else if (in_force) {
		print("member %u %s: epoch %" PRIu64 ", slot %" PRIu64
		      ", %s\n", id, done, change->epoch.value,
		      change->slot.value,
		      print_duration(text, change->elapsed.value));
	}
	if (in_force)
		return EXIT_FINE;
	if (change->outcome == PAXOS_NL_OUTCOME_CHOSEN)
		wrong(asking->arguments, "another change was faster: nothing came of this one");
	else if (change->outcome == PAXOS_NL_OUTCOME_UNKNOWN)
		wrong(asking->arguments, "unknown: no answer in time, the change may still be made. Look at paxosctl status");
	else
		wrong(asking->arguments, "not made, and it will not be: the leader lost its place or its quorum");
	return lacks_quorum(asking) ? EXIT_NO_QUORUM : EXIT_ERROR;
}

/*
 * Until this kernel leads again in the epoch of the change, or does not and
 * knows who does: the next change would be refused before.
 */
static void settle(const struct asking *asking, uint64_t epoch)
{
	uint64_t end = now_ms() + asking->timeout;
	struct group_view view;

	while (now_ms() < end) {
		if (view_get(asking->kernel, asking->group, &view) ||
		    (view.epoch.value >= epoch && view.leader))
			return;
		nap();
	}
}

/* What the kernel refuses it gives a reason for; *busy: it may take it later. */
static int change_member(const struct asking *asking, uint8_t id, uint8_t role,
			 const union address *address, const char *done,
			 bool *busy)
{
	struct change change = { 0 };
	int error;

	if (kernel_call(asking->kernel,
			change_request(asking, id, role, address), REPLY_ONE,
			take_change, &change)) {
		error = kernel_failure(asking->kernel)->error;
		if (busy) {
			*busy = error == EAGAIN || error == EINPROGRESS ||
				error == EHOSTDOWN;
			if (*busy)
				return EXIT_ERROR;
		}
		view_complain(asking->arguments, asking->kernel,
			      asking->group);
		return error == EHOSTDOWN ||
		       (error == ENOLINK && lacks_quorum(asking)) ?
		       EXIT_NO_QUORUM : EXIT_ERROR;
	}
	if (busy)
		*busy = false;
	if (change.epoch.known && role != PAXOS_NL_ROLE_NONE)
		settle(asking, change.epoch.value);
	return report(asking, id, done, &change);
}

/* Once it has caught up, make @id a voter; say now and then how far it is. */
static int promote(const struct asking *asking, uint8_t id)
{
	uint64_t end = now_ms() + asking->wait, said = now_ms();
	struct group_view view;
	unsigned int i;
	bool busy;
	int result;

	for (;;) {
		result = change_member(asking, id, PAXOS_NL_ROLE_VOTER, NULL,
				       "votes", &busy);
		if (!busy)
			return result;
		if (now_ms() > end)
			break;
		nap();
		if (print_json || now_ms() - said < 1000 ||
		    view_get(asking->kernel, asking->group, &view))
			continue;
		said = now_ms();
		for (i = 0; i < view.n_members; i++)
			if (view.members[i].id == id)
				print("member %u has %" PRIu64 " of %" PRIu64
				      " slots%s\n", id,
				      view.members[i].commit.value,
				      view.commit.value,
				      view.members[i].up.value ? "" :
				      ", and is not heard");
	}
	/* Once more, for the reason. */
	return change_member(asking, id, PAXOS_NL_ROLE_VOTER, NULL, "votes",
			     NULL);
}

static const struct member_view *find(const struct group_view *view, uint8_t id)
{
	unsigned int i;

	for (i = 0; i < view->n_members; i++)
		if (view->members[i].id == id)
			return &view->members[i];
	return NULL;
}

/* One that is there, as a learner, is not moved by this. */
static int add(const struct asking *asking, uint8_t id,
	       const union address *address)
{
	const struct member_view *member = NULL;
	char name[ADDRESS_NAME_SIZE];
	struct group_view view;

	if (!view_get(asking->kernel, asking->group, &view))
		member = find(&view, id);
	if (member && strcmp(member->address, address_name(address, name)))
		return wrong(asking->arguments,
			     "member %u is there, under another address: paxosctl member move changes that",
			     id);
	return change_member(asking, id, PAXOS_NL_ROLE_LEARNER, address,
			     "learns", NULL);
}

int run_member_add(const struct arguments *arguments)
{
	struct asking asking = { 0 };
	union address address;
	int result = EXIT_ERROR;
	uint8_t id;

	if (!read_id(arguments, 0, &id) &&
	    !read_address(arguments, 1, &address) &&
	    !begin(&asking, arguments))
		result = add(&asking, id, &address);
	kernel_close(asking.kernel);
	return result;
}

static int change_one(const struct arguments *arguments, uint8_t role,
		      const char *done)
{
	struct asking asking = { 0 };
	int result = EXIT_ERROR;
	uint8_t id;

	if (!read_id(arguments, 0, &id) && !begin(&asking, arguments))
		result = change_member(&asking, id, role, NULL, done, NULL);
	kernel_close(asking.kernel);
	return result;
}

/* The kernel takes another address for one that keeps its role. */
static int move(const struct asking *asking, uint8_t id,
		const union address *address)
{
	const struct member_view *member;
	struct group_view view;

	if (view_get(asking->kernel, asking->group, &view)) {
		view_complain(asking->arguments, asking->kernel,
			      asking->group);
		return EXIT_ERROR;
	}
	member = find(&view, id);
	if (!member)
		return wrong(asking->arguments, "there is no member %u", id);
	return change_member(asking, id, member->role, address, "moved", NULL);
}

int run_member_move(const struct arguments *arguments)
{
	struct asking asking = { 0 };
	union address address;
	int result = EXIT_ERROR;
	uint8_t id;

	if (!read_id(arguments, 0, &id) &&
	    !read_address(arguments, 1, &address) &&
	    !begin(&asking, arguments))
		result = move(&asking, id, &address);
	kernel_close(asking.kernel);
	return result;
}

int run_member_remove(const struct arguments *arguments)
{
	return change_one(arguments, PAXOS_NL_ROLE_NONE, "removed");
}

int run_member_demote(const struct arguments *arguments)
{
	return change_one(arguments, PAXOS_NL_ROLE_LEARNER, "learns");
}

int run_member_promote(const struct arguments *arguments)
{
	struct asking asking = { 0 };
	int result = EXIT_ERROR;
	uint8_t id;

	if (!read_id(arguments, 0, &id) && !begin(&asking, arguments))
		result = promote(&asking, id);
	kernel_close(asking.kernel);
	return result;
}

/*
 * Add, promote, remove: at no time are there fewer voters than before. Every
 * step that was done already is left out, so that it can be called again.
 */
static int replace(const struct asking *asking, uint8_t old, uint8_t new,
		   const union address *address)
{
	const struct member_view *was, *is;
	struct group_view view;
	int result = EXIT_FINE;

	if (view_get(asking->kernel, asking->group, &view)) {
		view_complain(asking->arguments, asking->kernel,
			      asking->group);
		return EXIT_ERROR;
	}
	was = find(&view, old);
	is = find(&view, new);
	if (!was && !is)
		return wrong(asking->arguments, "there is no member %u", old);
	if (!is)
		result = change_member(asking, new, PAXOS_NL_ROLE_LEARNER,
				       address, "learns", NULL);
	if (!result && was && was->role == PAXOS_NL_ROLE_VOTER &&
	    !(is && is->role == PAXOS_NL_ROLE_VOTER))
		result = promote(asking, new);
	if (!result && was)
		result = change_member(asking, old, PAXOS_NL_ROLE_NONE, NULL,
				       "removed", NULL);
	return result;
}

int run_member_replace(const struct arguments *arguments)
{
	struct asking asking = { 0 };
	union address address;
	int result = EXIT_ERROR;
	uint8_t old, new;

	if (!read_id(arguments, 0, &old) && !read_id(arguments, 1, &new) &&
	    !read_address(arguments, 2, &address) &&
	    !begin(&asking, arguments))
		result = replace(&asking, old, new, &address);
	kernel_close(asking.kernel);
	return result;
}
