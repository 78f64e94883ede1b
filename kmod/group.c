// SPDX-License-Identifier: GPL-2.0
#include <linux/bitmap.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <net/udp_tunnel.h>
#include "core/wire.h"
#include "paths.h"

#define COMPLETIONS_MAX	64	/* done() in a row before others get the CPU */

/*
 * Memory for a value of @len bytes. What is too large for a slab comes in
 * pages: rounded up to a power of two, values of 32 KiB would take 64. A test
 * makes this fail (selftests/kmod/fail.c), so it is a function of its own.
 */
noinline void *paxos_value_memory(u32 len, gfp_t gfp)
{
	size_t size = sizeof(struct paxos_value) + len;

	gfp |= __GFP_NOWARN;
	return size <= KMALLOC_MAX_CACHE_SIZE ? kmalloc(size, gfp) :
						alloc_pages_exact(size, gfp);
}

void paxos_value_release(void *value, u32 len)
{
	size_t size = sizeof(struct paxos_value) + len;

	if (size <= KMALLOC_MAX_CACHE_SIZE)
		kfree(value);
	else if (value)
		free_pages_exact(value, size);
}

static struct paxos_value *value_alloc(struct paxos_core *core, u32 len)
{
	struct paxos_group *group = paxos_core_group(core);
	struct paxos_value *value = group->reserve;

	if (value && len == group->reserve_len)
		group->reserve = NULL;
	else
		value = paxos_value_memory(len, GFP_ATOMIC);
	if (likely(value))
		value->spare = false;
	else
		value = paxos_spare_alloc(group, len);
	return value;
}

static void value_free(struct paxos_core *core, struct paxos_value *value)
{
	if (unlikely(value->spare))
		paxos_spare_free(paxos_core_group(core), value);
	else
		paxos_value_release(value, value->len);
}

static const struct paxos_ops group_ops = {
	.value_alloc = value_alloc,
	.value_free = value_free,
	.send = paxos_send,
	.records = paxos_persist_records,
	.deliver = paxos_deliver,
	.proposed = paxos_ended,
	.read_done = paxos_read_ended,
	.event = paxos_event,
};

/*
 * paxos_group_reserve - memory for a value of @len bytes, or NULL
 *
 * Process context can wait for memory, the core cannot: what is handed to
 * paxos_group_lock_with() the core's next value of that length is made of. Who
 * is root in a user namespace of its own pays for it.
 */
void *paxos_group_reserve(const struct paxos_group *group, u32 len)
{
	bool ours = group->net->user_ns == &init_user_ns;

	return paxos_value_memory(len, ours ? GFP_KERNEL : GFP_KERNEL_ACCOUNT);
}

/* The group @id of @net, with a reference, or NULL. */
struct paxos_group *paxos_group_get(const struct net *net, u32 id)
{
	struct paxos_group *group;

	rcu_read_lock();
	group = xa_load(&paxos_net(net)->groups, id);
	if (group && !refcount_inc_not_zero(&group->refs))
		group = NULL;
	rcu_read_unlock();
	return group;
}

/*
 * What a group consists of. A grace period has passed since it left the table,
 * if it ever was there, so nobody looks at it under RCU only.
 */
static void group_free(struct paxos_group *group)
{
	unsigned int i;

	for (i = 0; i <= PAXOS_MEMBERS_MAX; i++)
		paxos_endpoint_free(rcu_dereference_raw(group->endpoints[i]));
	paxos_key_free(rcu_dereference_raw(group->key));
	free_percpu(group->stats);
	mempool_destroy(group->spare);
	bitmap_free(group->deliverable);
	kvfree(group->scratch);
	kvfree(group->entries);
	kvfree(group);
}

void paxos_group_put(struct paxos_group *group)
{
	if (refcount_dec_and_test(&group->refs))
		group_free(group);
}

void paxos_group_lock(struct paxos_group *group)
	__acquires(&group->lock)
{
	spin_lock_bh(&group->lock);
}

/* Lock, with memory of paxos_group_reserve() or NULL. */
void paxos_group_lock_with(struct paxos_group *group, void *reserve, u32 len)
	__acquires(&group->lock)
{
	paxos_group_lock(group);
	group->reserve = reserve;
	group->reserve_len = len;
}

/* Unlock, and free what the core made no use of. */
void paxos_group_unlock_with(struct paxos_group *group)
	__releases(&group->lock)
{
	void *reserve = group->reserve;
	u32 len = group->reserve_len;

	group->reserve = NULL;
	paxos_group_unlock(group);
	paxos_value_release(reserve, len);
}

/*
 * The timer is set anew only if it would come too late: a leader moves its
 * deadline with every Accept, and an early tick is harmless.
 */
static void arm(struct paxos_group *group)
{
	u64 wake = min(group->core.wake, group->watch);
	u64 now;

	lockdep_assert_held(&group->lock);
	if (likely(wake >= group->armed) || group->dead)
		return;
	group->armed = wake;
	now = paxos_now();
	wake = wake > now ? min_t(u64, wake - now, 60 * USEC_PER_SEC) : 0;
	mod_timer(&group->timer, jiffies + usecs_to_jiffies(wake));
}

/*
 * Run done() of the requests that have ended. One at a time does so for a
 * group: a done() that proposes again may end that in the same call, and finds
 * the loop already running instead of deepening the stack. After a while the
 * timer goes on, so that a group of one does not keep its CPU for ever; of a
 * dead group there are no more to come.
 */
static void run_ended(struct paxos_group *group)
{
	unsigned int budget = COMPLETIONS_MAX;
	struct paxos_request *request;

	spin_lock(&group->lock);
	if (group->completing) {
		spin_unlock(&group->lock);
		return;
	}
	group->completing = true;
	while (!list_empty(&group->ended) && (group->dead || budget--)) {
		request = list_first_entry(&group->ended, struct paxos_request,
					   node);
		list_del(&request->node);
		spin_unlock(&group->lock);
		if (request->handle)
			paxos_handle_done(request->handle, request);
		else
			request->done(request);
		spin_lock(&group->lock);
	}
	group->completing = false;
	if (!list_empty(&group->ended)) {
		group->armed = 0;
		mod_timer(&group->timer, jiffies);
	}
	spin_unlock(&group->lock);
}

/*
 * paxos_group_unlock - let go, then do what the calls into the core asked for
 *
 * The caller holds a reference, or is the receive path under RCU, or the
 * timer.
 */
void paxos_group_unlock(struct paxos_group *group)
	__releases(&group->lock)
{
	struct sk_buff *answer;
	struct sk_buff_head out;
	bool ended, notices;
	u32 portid;

	lockdep_assert_held(&group->lock);
	if (!list_empty(&group->handles))
		paxos_handles_watch(group);
	answer = paxos_persist_answer(group, &portid);
	arm(group);
	__skb_queue_head_init(&out);
	skb_queue_splice_init(&group->out, &out);
	ended = !list_empty(&group->ended);
	notices = !skb_queue_empty(&group->notices);

	rcu_read_lock();
	spin_unlock(&group->lock);
	if (!skb_queue_empty(&out))
		paxos_send_queued(group, &out);
	if (answer)
		paxos_persist_give(group, answer, portid);
	if (notices)
		paxos_notify_queued(group);
	if (ended)
		run_ended(group);
	rcu_read_unlock();
	local_bh_enable();
}

static void group_timer(struct timer_list *timer)
{
	struct paxos_group *group = from_timer(group, timer, timer);
	u64 now = paxos_now();

	paxos_group_lock(group);
	if (!group->dead) {
		group->armed = PAXOS_NEVER;
		paxos_core_tick(&group->core, now);
		if (group->watch <= now) {
			group->watch = PAXOS_NEVER;
			paxos_members_watch(group, now);
			paxos_persist_watch(group, now);
			paxos_probe_watch(group, now);
			paxos_divergence_watch(group, now);
			paxos_snapshot_watch(group, now);
		}
	}
	paxos_group_unlock(group);
}

static int group_new(struct net *net, struct paxos_group_config *config,
		     struct paxos_group **out)
{
	struct paxos_settings *settings = &config->settings;
	struct paxos_group *group;
	unsigned int i;
	int err = -ENOMEM;

	group = kvzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);
	if (!group)
		return -ENOMEM;
	group->net = net;
	group->id = config->id;
	group->instance = get_random_u64();
	memcpy(group->cluster, config->cluster, sizeof(group->cluster));
	spin_lock_init(&group->lock);
	group->armed = PAXOS_NEVER;
	group->watch = PAXOS_NEVER;
	INIT_WORK(&group->membership, paxos_membership_work);
	INIT_LIST_HEAD(&group->handles);
	INIT_LIST_HEAD(&group->consumers);
	INIT_LIST_HEAD(&group->ended);
	INIT_LIST_HEAD(&group->timed);
	__skb_queue_head_init(&group->out);
	skb_queue_head_init(&group->notices);
	timer_setup(&group->timer, group_timer, 0);
	refcount_set(&group->refs, 1);

	/* Owned by the group from here on; group_free() lets go of them. */
	RCU_INIT_POINTER(group->key, config->key);
	config->key = NULL;
	for (i = 0; i <= PAXOS_MEMBERS_MAX; i++) {
		RCU_INIT_POINTER(group->endpoints[i], config->endpoints[i]);
		config->endpoints[i] = NULL;
	}

	group->entries = kvcalloc(settings->log_size, sizeof(*group->entries),
				  GFP_KERNEL_ACCOUNT);
	group->scratch = kvzalloc(PAXOS_DATAGRAM_MAX, GFP_KERNEL_ACCOUNT);
	group->deliverable = bitmap_zalloc(settings->log_size,
					   GFP_KERNEL_ACCOUNT);
	group->stats = paxos_stats_new();
	if (!group->entries || !group->scratch || !group->deliverable ||
	    !group->stats)
		goto error;
	err = paxos_core_init(&group->core, &group_ops, settings,
			      &config->config, group->entries);
	if (err)
		goto error;
	*out = group;
	return 0;

error:
	group_free(group);
	return err;
}

/*
 * Forget what was restored into a group that was not started: an agent died
 * before START, and the next one begins from the first record.
 */
int paxos_group_renew(struct paxos_group *group)
{
	struct paxos_settings settings = group->core.settings;
	struct paxos_config config = group->core.first;

	lockdep_assert_held(&group->lock);
	paxos_core_destroy(&group->core);
	bitmap_zero(group->deliverable, settings.log_size);
	memset(&group->divergence, 0, sizeof(group->divergence));
	return paxos_core_init(&group->core, &group_ops, &settings, &config,
			       group->entries);
}

/*
 * paxos_group_add - make a group, bind its socket and put it in the table
 *
 * Takes over the key and the endpoints of @config, also where it fails.
 * -EEXIST, -ENOSPC, -ENOMEM, -ESHUTDOWN, or what binding the socket returned.
 */
int paxos_group_add(struct net *net, struct paxos_group_config *config,
		    struct netlink_ext_ack *extack)
{
	struct paxos_net *groups = paxos_net(net);
	struct paxos_group *group;
	int err;

	lockdep_assert_held(&groups->mutex);
	if (paxos_leaving()) {
		NL_SET_ERR_MSG(extack, "the module is being removed");
		return -ESHUTDOWN;
	}
	if (xa_load(&groups->groups, config->id)) {
		PAXOS_REFUSE_FMT(extack, "group %u exists in this namespace",
				 config->id);
		return -EEXIST;
	}
	if (groups->count >= PAXOS_NL_GROUPS_MAX) {
		PAXOS_REFUSE_FMT(extack,
				 "this namespace has %u groups, the limit",
				 PAXOS_NL_GROUPS_MAX);
		return -ENOSPC;
	}
	err = group_new(net, config, &group);
	if (err) {
		PAXOS_REFUSE_FMT(extack, "%s", err == -ENOMEM ?
				 "no memory for the group" :
				 "the core refuses this configuration");
		return err;
	}
	/* So that nothing can fail once datagrams arrive. */
	err = xa_reserve(&groups->groups, group->id, GFP_KERNEL);
	if (err) {
		NL_SET_ERR_MSG(extack, "no memory for the group");
		goto error;
	}
	err = paxos_socket_open(group, extack);
	if (err) {
		xa_release(&groups->groups, group->id);
		goto error;
	}
	xa_store(&groups->groups, group->id, group, GFP_KERNEL);
	paxos_group_lock(group);
	paxos_probe_watch(group, paxos_now());
	paxos_group_unlock(group);
	groups->count++;
	WRITE_ONCE(groups->generation, groups->generation + 1);
	return 0;

error:
	paxos_core_destroy(&group->core);
	group_free(group);
	return err;
}

/*
 * Deleting, first half: nobody finds the group any more, and who has found it
 * sees that it is dead.
 *
 * Who may still hold it: the receive path, and those who walk the table, under
 * RCU until a grace period has passed; the timer, until it is deleted; netlink
 * commands and handles of kernel subsystems by a reference each, for which
 * nothing is left but to let go. All of them take the lock and look at @dead
 * first. Proposals and reads end here, so none outlives its group.
 */
static void kill(struct paxos_net *groups, struct paxos_group *group)
{
	lockdep_assert_held(&groups->mutex);
	xa_erase(&groups->groups, group->id);
	groups->count--;
	WRITE_ONCE(groups->generation, groups->generation + 1);

	paxos_group_lock(group);
	paxos_persist_end(group);
	paxos_consumers_alone(group, -ESHUTDOWN);
	paxos_core_stop(&group->core, paxos_now());
	paxos_core_destroy(&group->core);
	WRITE_ONCE(group->dead, true);
	paxos_notify_plain(group, PAXOS_NL_EVENT_GROUP_DELETED);
	paxos_handles_kick(group);
	paxos_group_unlock(group);

	rcu_assign_pointer(group->sock, NULL);
	rcu_assign_sk_user_data(group->socket->sk, NULL);
}

/*
 * Second half, a grace period later: no datagram is on its way through, either
 * way. Routes are the namespace's, which a handle may outlive.
 */
static void reap(struct paxos_group *group)
{
	struct paxos_endpoint *endpoint;
	unsigned int i;

	kernel_sock_shutdown(group->socket, SHUT_RDWR);
	sock_release(group->socket);
	del_timer_sync(&group->timer);
	if (cancel_work_sync(&group->membership))
		paxos_group_put(group);
	rcu_read_lock();
	for (i = 0; i <= PAXOS_MEMBERS_MAX; i++) {
		endpoint = rcu_dereference(group->endpoints[i]);
		if (endpoint)
			dst_cache_reset_now(&endpoint->routes);
	}
	rcu_read_unlock();
	paxos_group_put(group);
}

/* -ENOENT: another caller was faster. */
int paxos_group_del(struct paxos_group *group)
{
	struct paxos_net *groups = paxos_net(group->net);

	mutex_lock(&groups->mutex);
	if (group->dead) {
		mutex_unlock(&groups->mutex);
		return -ENOENT;
	}
	kill(groups, group);
	mutex_unlock(&groups->mutex);
	synchronize_rcu();
	reap(group);
	return 0;
}

/* All groups of a namespace. A grace period must pass before the other half. */
void paxos_groups_kill(struct paxos_net *groups)
{
	struct paxos_group *group;
	unsigned long id;

	mutex_lock(&groups->mutex);
	xa_for_each(&groups->groups, id, group) {
		kill(groups, group);
		list_add(&group->node, &groups->doomed);
	}
	mutex_unlock(&groups->mutex);
}

void paxos_groups_reap(struct paxos_net *groups)
{
	struct paxos_group *group, *next;

	mutex_lock(&groups->mutex);
	list_for_each_entry_safe(group, next, &groups->doomed, node) {
		list_del(&group->node);
		reap(group);
	}
	mutex_unlock(&groups->mutex);
}
