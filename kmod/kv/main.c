// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "kv.h"

static unsigned int net_id __read_mostly;
struct workqueue_struct *kv_queue;

struct kv_net *kv_net(const struct net *net)
{
	return net_generic(net, net_id);
}

static int __net_init net_init(struct net *net)
{
	mutex_init(&kv_net(net)->mutex);
	xa_init(&kv_net(net)->replicas);
	return 0;
}

/* Before the groups of paxos.ko, which was there first, go. */
static void __net_exit net_pre_exit(struct net *net)
{
	kv_replicas_close(kv_net(net));
}

static void __net_exit net_exit(struct net *net)
{
	xa_destroy(&kv_net(net)->replicas);
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.pre_exit = net_pre_exit,
	.exit = net_exit,
	.id = &net_id,
	.size = sizeof(struct kv_net),
};

static int __init kv_init(void)
{
	int err = -ENOMEM;

	kv_queue = alloc_workqueue("paxos_kv", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!kv_queue)
		return err;
	err = register_pernet_subsys(&net_ops);
	if (err)
		goto err_queue;
	err = genl_register_family(&paxos_kv_family);
	if (err)
		goto err_net;
	return 0;

err_net:
	unregister_pernet_subsys(&net_ops);
err_queue:
	destroy_workqueue(kv_queue);
	return err;
}

static void __exit kv_exit(void)
{
	genl_unregister_family(&paxos_kv_family);
	unregister_pernet_subsys(&net_ops);
	destroy_workqueue(kv_queue);
}

module_init(kv_init);
module_exit(kv_exit);

MODULE_DESCRIPTION("Paxos: a replicated store of keys");
MODULE_LICENSE("GPL");
MODULE_ALIAS_GENL_FAMILY(PAXOS_KV_GENL_NAME);
