/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_PATHS_H
#define _PAXOS_PATHS_H

/*
 * Who calls whom, and where.
 *
 *	a datagram		paxos_receive()			softirq, RCU
 *	a deadline		timer of group.c		softirq
 *	a netlink command	netlink.c and the like	process
 *	a kernel subsystem	api.c				any but hard irq
 *	     |
 *	paxos_group_lock()
 *	     paxos_core_*()
 *		ops: encode (send.c), end a request (request.c), note a
 *		chosen slot (apply.c, notify.c), ask for the disk (persist.c);
 *		all of it only queues, for the lock is held
 *	paxos_group_unlock()
 *	     what was queued happens here, softirqs off, no lock held:
 *	     datagrams to the IP output path (socket.c), notices and answers
 *	     to netlink sockets, done() of requests
 *
 * No thread and no work queue stands between an Accept and its Accepted; work
 * items tell consumers what was chosen (apply.c), stream their state out
 * (snapshot.c), and take the addresses of a new configuration (membership.c).
 *
 * Locks, outermost first: paxos_net.mutex; paxos_group.lock; the lock of
 * paxos_group.notices. Sending takes none of them but the last.
 */

#include <linux/jump_label_ratelimit.h>
#include <linux/rcupdate.h>
#include "compat.h"
#include "group.h"
#include <linux/paxos.h>

struct genl_info;
struct netlink_callback;
struct netlink_ext_ack;
struct paxos_stages;

/* main.c: process context */
struct paxos_net *paxos_net(const struct net *net);
bool paxos_leaving(void);

/* group.c: process context */
struct paxos_group *paxos_group_get(const struct net *net, u32 id);
void paxos_group_put(struct paxos_group *group);
/* group.c: any context but hard irq */
void paxos_group_lock(struct paxos_group *group)
	__acquires(&group->lock);
void paxos_group_unlock(struct paxos_group *group)
	__releases(&group->lock);
void paxos_group_lock_with(struct paxos_group *group, void *reserve, u32 len)
	__acquires(&group->lock);
void paxos_group_unlock_with(struct paxos_group *group)
	__releases(&group->lock);
/* group.c: process context, paxos_net.mutex held */
int paxos_group_add(struct net *net, struct paxos_group_config *config,
		    struct netlink_ext_ack *extack);
/* group.c: process context */
void *paxos_group_reserve(const struct paxos_group *group, u32 len);
int paxos_group_del(struct paxos_group *group);
void paxos_groups_kill(struct paxos_net *groups);
void paxos_groups_reap(struct paxos_net *groups);
/* group.c: any context */
void *paxos_value_memory(u32 len, gfp_t gfp);
void paxos_value_release(void *value, u32 len);
/* group.c: group locked; before START only */
int paxos_group_renew(struct paxos_group *group);

/* spare.c: process context */
int paxos_spare_make(struct paxos_group *group);
/* spare.c: group locked */
struct paxos_value *paxos_spare_alloc(struct paxos_group *group, u32 len);
void paxos_spare_free(struct paxos_group *group, struct paxos_value *value);

/* socket.c: process context */
struct paxos_endpoint *paxos_endpoint_new(void);
void paxos_endpoint_free(struct paxos_endpoint *endpoint);
bool paxos_endpoint_same(const struct paxos_endpoint *a,
			 const struct paxos_endpoint *b);
int paxos_socket_open(struct paxos_group *group,
		      struct netlink_ext_ack *extack);
/* socket.c: softirqs off, RCU */
void paxos_socket_transmit(struct paxos_group *group, struct sk_buff *skb,
			   u8 to);

/* receive.c: softirq, RCU */
int paxos_receive(struct sock *sk, struct sk_buff *skb);
void paxos_drop(struct paxos_group *group, struct paxos_stats __percpu *stats,
		unsigned int reason, unsigned int len);

/* send.c: group locked */
void paxos_send(struct paxos_core *core, const struct paxos_message *message);
/* send.c: softirqs off, RCU */
void paxos_send_queued(struct paxos_group *group, struct sk_buff_head *queue);

/* persist.c: group locked */
void paxos_persist_records(struct paxos_core *core);
struct sk_buff *paxos_persist_answer(struct paxos_group *group, u32 *portid);
void paxos_persist_watch(struct paxos_group *group, u64 now);
void paxos_persist_end(struct paxos_group *group);
u64 paxos_persist_oldest(const struct paxos_group *group);
/* persist.c: softirqs off */
void paxos_persist_give(struct paxos_group *group, struct sk_buff *skb,
			u32 portid);
/* persist.c: process context */
int paxos_nl_pull(struct sk_buff *skb, struct genl_info *info);

/* agent.c: group locked */
int paxos_agent_check(struct paxos_group *group, struct genl_info *info);
int paxos_agent_named(struct paxos_group *group, struct genl_info *info);
/* agent.c: process context */
int paxos_record_parse(struct nlattr *attr, struct paxos_record_view *record,
		       u32 without, struct netlink_ext_ack *extack);
int paxos_nl_attach(struct sk_buff *skb, struct genl_info *info);
int paxos_nl_restore(struct sk_buff *skb, struct genl_info *info);
int paxos_nl_learn(struct sk_buff *skb, struct genl_info *info);
int paxos_nl_start(struct sk_buff *skb, struct genl_info *info);

/* space.c: group locked */
int paxos_space_put(struct sk_buff *skb, const struct paxos_group *group);
/* space.c: process context */
int paxos_nl_checkpoint_get(struct sk_buff *skb, struct genl_info *info);
int paxos_nl_space_set(struct sk_buff *skb, struct genl_info *info);
int paxos_agent_init(void);
void paxos_agent_exit(void);

/* notify.c: group locked */
void paxos_notify_member(struct paxos_group *group, u8 event, u8 member);
void paxos_notify_agent(struct paxos_group *group, u8 event, u32 portid);
void paxos_notify_stalled(struct paxos_group *group, u32 stalled);
void paxos_notify_error(struct paxos_group *group, u32 portid, u32 seq,
			int err);
void paxos_notify_plain(struct paxos_group *group, u8 event);
void paxos_notify_epoch(struct paxos_group *group, u64 slot);
void paxos_notify_space(struct paxos_group *group);
void paxos_notify_diverged(struct paxos_group *group, u8 member);
void paxos_notify_halted(struct paxos_group *group);
void paxos_notify_missed(struct paxos_group *group);
void paxos_notify_chosen(struct paxos_group *group, u64 slot);
void paxos_event(struct paxos_core *core, enum paxos_event event, u64 slot,
		 u64 ballot);
/* notify.c: softirqs off */
void paxos_notify_queued(struct paxos_group *group);

/* members.c: group locked */
void paxos_member_heard(struct paxos_group *group, u8 id, u64 now);
void paxos_members_watch(struct paxos_group *group, u64 now);
u64 paxos_members_up(const struct paxos_group *group, u64 now);

/* divergence.c: group locked */
void paxos_divergence_watch(struct paxos_group *group, u64 now);
void paxos_divergence_heard(struct paxos_group *group, u8 id,
			    struct nlattr **part, u64 now);
int paxos_divergence_put(struct sk_buff *skb, const struct paxos_group *group);
int paxos_divergence_put_member(struct sk_buff *skb,
				const struct paxos_group *group, u8 id);

/* probe.c: group locked */
void paxos_probe_watch(struct paxos_group *group, u64 now);
/* probe.c: softirq, group locked */
enum paxos_drop paxos_probe_receive(struct paxos_group *group,
				    const struct paxos_message *message,
				    u64 now);

/* request.c: group locked */
int paxos_group_able(const struct paxos_group *group);
int paxos_request_propose(struct paxos_group *group,
			  struct paxos_request *request, const void *bytes,
			  u32 len, u32 timeout_ms);
int paxos_request_read(struct paxos_group *group,
		       struct paxos_request *request, u64 deadline);
bool paxos_request_cancel(struct paxos_group *group,
			  struct paxos_request *request);
void paxos_ended(struct paxos_core *core, void *cookie,
		 enum paxos_outcome outcome, u64 slot);
void paxos_read_ended(struct paxos_core *core, void *cookie,
		      enum paxos_outcome outcome, u64 slot);
/* request.c: process context */
void paxos_refuse_unstarted(const struct paxos_group *group,
			    struct genl_info *info);
int paxos_nl_propose(struct sk_buff *skb, struct genl_info *info);
int paxos_nl_read(struct sk_buff *skb, struct genl_info *info);
int paxos_nl_reconfigure(struct sk_buff *skb, struct genl_info *info);

/* stage.c: process context */
struct paxos_stages *paxos_stages_new(struct paxos_request *request);
/* stage.c: any context but hard irq */
void paxos_stages_free(struct paxos_stages *stages);
int paxos_stages_put(struct sk_buff *skb, const struct paxos_stages *stages);
/* stage.c: group locked */
void paxos_stages_begin(struct paxos_group *group, struct paxos_stages *stages);
void paxos_stages_end(struct paxos_group *group, struct paxos_request *request);
void paxos_stages_see(struct paxos_group *group, enum paxos_event event,
		      u64 slot);
/* stage.c: whether any proposal is timed, in any group */
extern struct static_key_false_deferred paxos_stages_timed;

/* apply.c: group locked */
void paxos_deliver(struct paxos_core *core, u64 slot,
		   const struct paxos_value *value);
void paxos_handles_kick(struct paxos_group *group);
void paxos_handles_watch(struct paxos_group *group);
/* handle.c: group locked */
void paxos_handles_started(struct paxos_group *group);
/* api.c: softirqs off, no lock */
void paxos_handle_done(struct paxos_handle *handle,
		       struct paxos_request *request);

/* consumer.c: group locked */
void paxos_consumers_alone(struct paxos_group *group, int error);
bool paxos_consumers_load(struct paxos_group *group);
/* snapshot.c: group locked */
void paxos_snapshot_watch(struct paxos_group *group, u64 now);
/* snapshot.c, feed.c: process context */
int paxos_snapshot_init(void);
void paxos_snapshot_exit(void);
int paxos_nl_snapshot_begin(struct sk_buff *skb, struct genl_info *info);
int paxos_nl_snapshot_pull(struct sk_buff *skb, struct genl_info *info);
int paxos_nl_snapshot_end(struct sk_buff *skb, struct genl_info *info);
int paxos_nl_consumer_get(struct sk_buff *skb, struct genl_info *info);
int paxos_nl_consumer_feed(struct sk_buff *skb, struct genl_info *info);

/* netlink.c: process context */
extern struct genl_family paxos_family;
int paxos_netlink_init(void);
void paxos_netlink_exit(void);

/* netlink_attr.c: process context */
int paxos_attr_config(struct genl_info *info,
		      struct paxos_group_config *config);
void paxos_attr_config_free(struct paxos_group_config *config);
int paxos_nl_group_set(struct sk_buff *skb, struct genl_info *info);
int paxos_nl_peer_set(struct sk_buff *skb, struct genl_info *info);

int paxos_attr_endpoint(struct genl_info *info, struct nlattr *attr,
			struct nlattr **part, struct paxos_endpoint **out);

/* membership.c: process context */
int paxos_change_parse(struct genl_info *info, struct paxos_change *change);
void paxos_membership_work(struct work_struct *work);
int paxos_membership_init(void);
void paxos_membership_exit(void);
/* membership.c: group locked, RCU */
int paxos_change_make(struct paxos_group *group, struct genl_info *info,
		      struct paxos_change *change);
/* membership.c: group locked */
void paxos_membership_changed(struct paxos_group *group, u64 slot);

/* status.c: process context */
int paxos_nl_group_get(struct sk_buff *skb, struct genl_info *info);
int paxos_nl_group_start(struct netlink_callback *cb);
int paxos_nl_group_dump(struct sk_buff *skb, struct netlink_callback *cb);

/* dump.c: process context */
int paxos_nl_log_start(struct netlink_callback *cb);
int paxos_nl_log_dump(struct sk_buff *skb, struct netlink_callback *cb);
/* dump.c: group locked */
int paxos_chosen_put(struct sk_buff *skb, struct paxos_group *group, u64 slot);
size_t paxos_chosen_size(const struct paxos_group *group, u64 slot);

#endif
