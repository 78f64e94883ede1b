// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "paths.h"

static unsigned int net_id __read_mostly;
static bool leaving;

struct paxos_net *paxos_net(const struct net *net)
{
	return net_generic(net, net_id);
}

/* The module is being removed: no more groups. */
bool paxos_leaving(void)
{
	return READ_ONCE(leaving);
}

static int __net_init net_init(struct net *net)
{
	struct paxos_net *groups = paxos_net(net);

	mutex_init(&groups->mutex);
	xa_init(&groups->groups);
	INIT_LIST_HEAD(&groups->doomed);
	groups->stats = paxos_stats_new();
	return groups->stats ? 0 : -ENOMEM;
}

static void __net_exit net_pre_exit(struct net *net)
{
	paxos_groups_kill(paxos_net(net));
}

static void __net_exit net_exit(struct net *net)
{
	struct paxos_net *groups = paxos_net(net);

	paxos_groups_reap(groups);
	xa_destroy(&groups->groups);
	free_percpu(groups->stats);
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.pre_exit = net_pre_exit,
	.exit = net_exit,
	.id = &net_id,
	.size = sizeof(struct paxos_net),
};

static int __init paxos_init(void)
{
	int err;

	err = paxos_membership_init();
	if (err)
		return err;
	err = paxos_snapshot_init();
	if (err)
		goto err_membership;
	err = register_pernet_subsys(&net_ops);
	if (err)
		goto err_snapshot;
	err = paxos_agent_init();
	if (err)
		goto err_net;
	err = paxos_netlink_init();
	if (err)
		goto err_agent;
	return 0;

err_agent:
	paxos_agent_exit();
err_net:
	unregister_pernet_subsys(&net_ops);
err_snapshot:
	paxos_snapshot_exit();
err_membership:
	paxos_membership_exit();
	return err;
}

/* Groups go while the family is there still: their agents are told. */
static void __exit paxos_exit(void)
{
	struct net *net;

	WRITE_ONCE(leaving, true);
	down_read(&net_rwsem);
	for_each_net(net)
		paxos_groups_kill(paxos_net(net));
	synchronize_rcu();
	for_each_net(net)
		paxos_groups_reap(paxos_net(net));
	up_read(&net_rwsem);

	paxos_netlink_exit();
	static_key_deferred_flush(&paxos_stages_timed);
	paxos_agent_exit();
	unregister_pernet_subsys(&net_ops);
	paxos_snapshot_exit();
	paxos_membership_exit();
	/* Keys and endpoints are freed by callbacks of this module. */
	rcu_barrier();
}

module_init(paxos_init);
module_exit(paxos_exit);

MODULE_DESCRIPTION("Paxos: groups of hosts that agree on a log");
MODULE_LICENSE("GPL");
MODULE_ALIAS_GENL_FAMILY(PAXOS_GENL_NAME);
