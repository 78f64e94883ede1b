// SPDX-License-Identifier: GPL-2.0
#include <linux/crc32.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <linux/paxos.h>

/*
 * A consumer for tests: it counts what it applies, and keeps a sum over all of
 * it in order, so that two which applied the same have the same. One in each
 * network namespace; /proc/net/paxos_counted shows it, and takes
 *	open GROUP [FIRST]	close
 *	pad BYTES	a snapshot has so many more, which depend on the sum
 *	slow MS		each apply() takes so long
 *	refuse ERRNO	snapshot_load() returns that, 0: it does not
 */

/* What a snapshot begins with. */
struct state {
	u64 count;
	u64 last;
	u64 sum;
	u64 pad;
};

struct counted {
	struct mutex mutex;	/* open and close */
	struct paxos_handle *handle;
	struct net *net;
	spinlock_t lock;	/* what follows */
	struct state state;
	u32 begun, ended, saved, loaded, failed;
	u32 slow, refuse;
	int stopped;
	bool saving;
	u64 beside;		/* apply() calls while one was saved */
	u64 at;			/* the last of those, ns */
	u64 gap;		/* the longest time between two of them */
	u64 held;		/* the longest snapshot_begin(), ns */
	bool faulty;		/* the rules of the callbacks were broken */
	bool inside;		/* a callback that is to be alone runs */
};

static unsigned int counted_id;

static void enter(struct counted *counted)
{
	spin_lock(&counted->lock);
	counted->faulty |= counted->inside;
	counted->inside = true;
	spin_unlock(&counted->lock);
}

static void leave(struct counted *counted)
{
	spin_lock(&counted->lock);
	counted->inside = false;
	spin_unlock(&counted->lock);
}

static void apply(void *context, u64 slot, const void *bytes, u32 len)
{
	struct counted *counted = context;
	struct state *state = &counted->state;
	u64 now;

	enter(counted);
	if (READ_ONCE(counted->slow))
		msleep(READ_ONCE(counted->slow));
	now = ktime_get_ns();
	spin_lock(&counted->lock);
	counted->faulty |= slot <= state->last;
	state->count++;
	state->last = slot;
	state->sum = state->sum * 1099511628211ULL + slot;
	state->sum ^= crc32_le(~0, bytes, len);
	if (counted->saving) {
		counted->beside++;
		if (counted->at)
			counted->gap = max(counted->gap, now - counted->at);
		counted->at = now;
	}
	spin_unlock(&counted->lock);
	leave(counted);
}

static void stop(void *context, int error)
{
	struct counted *counted = context;

	counted->stopped = error;
}

static int begin(void *context, u64 slot, void **view)
{
	struct counted *counted = context;
	u64 began = ktime_get_ns();
	struct state *copy = kmalloc(sizeof(*copy), GFP_KERNEL);

	if (!copy)
		return -ENOMEM;
	enter(counted);
	spin_lock(&counted->lock);
	*copy = counted->state;
	counted->faulty |= copy->last > slot;
	counted->begun++;
	counted->saving = true;
	counted->at = 0;
	counted->held = max(counted->held, ktime_get_ns() - began);
	spin_unlock(&counted->lock);
	leave(counted);
	*view = copy;
	return 0;
}

/* The pad's byte at @at: another in each state. */
static u8 pad_byte(const struct state *state, u64 at)
{
	return (state->sum >> at % 8 * 8) + at / 4096;
}

static int save(void *context, void *view, struct paxos_snapshot *snapshot)
{
	struct counted *counted = context;
	const struct state *state = view;
	u8 bytes[512];
	u64 at, i;
	int err;

	err = paxos_snapshot_write(snapshot, state, sizeof(*state));
	for (at = 0; !err && at < state->pad; at += i) {
		for (i = 0; i < sizeof(bytes) && at + i < state->pad; i++)
			bytes[i] = pad_byte(state, at + i);
		err = paxos_snapshot_write(snapshot, bytes, i);
		cond_resched();
	}
	if (!err)
		counted->saved++;
	return err;
}

static void end(void *context, void *view)
{
	struct counted *counted = context;

	enter(counted);
	spin_lock(&counted->lock);
	counted->ended++;
	counted->saving = false;
	spin_unlock(&counted->lock);
	leave(counted);
	kfree(view);
}

static int read_all(struct paxos_snapshot *snapshot, struct state *state)
{
	ssize_t n = paxos_snapshot_read(snapshot, state, sizeof(*state));
	u8 bytes[500];
	u64 at = 0;
	ssize_t i;

	if (n != sizeof(*state))
		return n < 0 ? n : -EBADMSG;
	while ((n = paxos_snapshot_read(snapshot, bytes, sizeof(bytes))) > 0) {
		for (i = 0; i < n; i++)
			if (bytes[i] != pad_byte(state, at + i))
				return -EBADMSG;
		at += n;
		cond_resched();
	}
	if (n)
		return n;
	return at == state->pad ? 0 : -EBADMSG;
}

static int load(void *context, u64 slot, struct paxos_snapshot *snapshot)
{
	struct counted *counted = context;
	struct state state;
	int err;

	if (READ_ONCE(counted->refuse))
		return -READ_ONCE(counted->refuse);
	enter(counted);
	err = read_all(snapshot, &state);
	if (!err && state.last > slot)
		err = -EBADMSG;
	spin_lock(&counted->lock);
	if (err) {
		counted->failed++;
	} else {
		counted->state = state;
		counted->loaded++;
	}
	spin_unlock(&counted->lock);
	leave(counted);
	return err;
}

static const struct paxos_handle_ops ops = {
	.name = "counted",
	.apply = apply,
	.stop = stop,
	.snapshot_begin = begin,
	.snapshot_save = save,
	.snapshot_end = end,
	.snapshot_load = load,
};

static void close_handle(struct counted *counted)
{
	mutex_lock(&counted->mutex);
	if (counted->handle)
		paxos_close(counted->handle);
	counted->handle = NULL;
	mutex_unlock(&counted->mutex);
}

static int open_handle(struct counted *counted, u32 group, u64 first)
{
	struct paxos_handle *handle;
	int err = -EBUSY;

	mutex_lock(&counted->mutex);
	if (counted->handle)
		goto out;
	memset(&counted->state, 0, offsetof(struct state, pad));
	counted->stopped = 0;
	counted->beside = 0;
	counted->gap = 0;
	counted->held = 0;
	counted->begun = 0;
	counted->ended = 0;
	counted->saved = 0;
	counted->loaded = 0;
	counted->failed = 0;
	handle = paxos_open(counted->net, group, first, &ops, counted, 0);
	err = PTR_ERR_OR_ZERO(handle);
	if (!err)
		counted->handle = handle;
out:
	mutex_unlock(&counted->mutex);
	return err;
}

static int show(struct seq_file *seq, void *unused)
{
	struct counted *counted = net_generic(seq_file_single_net(seq),
					      counted_id);

	spin_lock(&counted->lock);
	seq_printf(seq, "count %llu\nlast %llu\nsum %016llx\n",
		   counted->state.count, counted->state.last,
		   counted->state.sum);
	seq_printf(seq, "begun %u\nended %u\nsaved %u\nloaded %u\nfailed %u\n",
		   counted->begun, counted->ended, counted->saved,
		   counted->loaded, counted->failed);
	seq_printf(seq, "stopped %d\nbeside %llu\ngap_us %llu\nheld_us %llu\n",
		   counted->stopped, counted->beside, counted->gap / 1000,
		   counted->held / 1000);
	seq_printf(seq, "faulty %d\n", counted->faulty);
	spin_unlock(&counted->lock);
	return 0;
}

static int command(struct file *file, char *text, size_t size)
{
	struct net *net = seq_file_single_net(file->private_data);
	struct counted *counted = net_generic(net, counted_id);
	u64 first = 1, number;
	u32 group;

	if (sscanf(text, "open %u %llu", &group, &first) >= 1)
		return open_handle(counted, group, first);
	if (sscanf(text, "pad %llu", &number) == 1)
		counted->state.pad = number;
	else if (sscanf(text, "slow %llu", &number) == 1)
		counted->slow = number;
	else if (sscanf(text, "refuse %llu", &number) == 1)
		counted->refuse = number;
	else if (!strncmp(text, "close", 5))
		close_handle(counted);
	else
		return -EINVAL;
	return 0;
}

static int __net_init net_init(struct net *net)
{
	struct counted *counted = net_generic(net, counted_id);

	mutex_init(&counted->mutex);
	spin_lock_init(&counted->lock);
	counted->net = net;
	return proc_create_net_single_write("paxos_counted", 0644,
					    net->proc_net, show, command,
					    NULL) ? 0 : -ENOMEM;
}

/* paxos.ko ends the groups of a namespace; handles outlive that. */
static void __net_exit net_exit(struct net *net)
{
	remove_proc_entry("paxos_counted", net->proc_net);
	close_handle(net_generic(net, counted_id));
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.exit = net_exit,
	.id = &counted_id,
	.size = sizeof(struct counted),
};

static int __init counted_init(void)
{
	return register_pernet_subsys(&net_ops);
}

static void __exit counted_exit(void)
{
	unregister_pernet_subsys(&net_ops);
}

module_init(counted_init);
module_exit(counted_exit);

MODULE_DESCRIPTION("Paxos: a consumer with snapshots, for tests");
MODULE_LICENSE("GPL");
