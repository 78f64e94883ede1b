// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/paxos_kv_lock: a kernel subsystem that holds a lock, an open file. One
 * command is written to it, whose error is write()'s; what is read are words
 * and what they stand at, a line each, also while a command waits.
 *
 *	open GROUP TIMEOUT_MS		in the writer's network namespace
 *	close
 *	lock NAME TTL_MS TIMEOUT_MS	TIMEOUT_MS -1: for ever
 *	share NAME TTL_MS TIMEOUT_MS
 *	elect NAME VALUE TTL_MS TIMEOUT_MS
 *	elected NAME | known NAME	linearizable | serializable
 *	register NAME ID ADDRESS TTL_MS
 *	release
 *	push NAME ID VALUE | pop NAME TTL_MS | len NAME
 *	ack NAME [KEY]			KEY is put with it, unless it is there
 *
 * Times are nanoseconds since the boot, the same clock for all namespaces.
 */
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/nsproxy.h>
#include <linux/paxos_lock.h>
#include <linux/paxos_queue.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include "device.h"

#define WORD		32
#define WAIT_MS		30000

struct holder {
	struct mutex mutex;	/* one command at a time */
	struct paxos_kv *kv;
	struct paxos_lock lock;
	struct paxos_kv_page page;
	struct paxos_queue_claim claim;
	bool due;		/* to be released */
	bool over;		/* that was done */
	u64 token;
	u64 got;		/* when; 0: not yet */
	u64 lost;		/* how often, since it was wanted last */
	u64 lost_at;
	u64 lost_held;		/* and it said that it was held */
	u64 late;		/* after release */
	u64 items;
	u64 claimed;
};

static void lost(struct paxos_lock *lock)
{
	struct holder *holder = container_of(lock, struct holder, lock);

	WRITE_ONCE(holder->lost_at, ktime_get_boottime_ns());
	WRITE_ONCE(holder->lost, holder->lost + 1);
	if (paxos_lock_held(lock))
		WRITE_ONCE(holder->lost_held, holder->lost_held + 1);
	if (READ_ONCE(holder->over))
		WRITE_ONCE(holder->late, holder->late + 1);
}

/* -1: for ever, as a time-out */
static u32 number(const char *text)
{
	s64 n;

	return kstrtos64(text, 0, &n) ? 0 : n;
}

static int want(struct holder *holder, char words[5][WORD])
{
	struct paxos_lock *lock = &holder->lock;
	const char *word = words[0], *name = words[1];
	size_t len = strlen(name);

	if (!strcmp(word, "elect"))
		return paxos_elect(holder->kv, lock, name, len, words[2],
				   strlen(words[2]), number(words[3]),
				   number(words[4]));
	if (!strcmp(word, "register"))
		return paxos_service_register(holder->kv, lock, name, len,
					      words[2], strlen(words[2]),
					      words[3], strlen(words[3]),
					      number(words[4]));
	return paxos_lock_acquire(holder->kv, lock, name, len,
				  !strcmp(word, "share"), number(words[2]),
				  number(words[3]));
}

static int acquire(struct holder *holder, char words[5][WORD])
{
	int err;

	if (holder->due)
		return -EBUSY;
	holder->lost = 0;
	holder->lost_at = 0;
	holder->got = 0;
	holder->over = false;
	holder->lock.lost = lost;
	err = want(holder, words);
	if (err) {
		holder->over = true;
		return err;
	}
	holder->due = true;
	holder->token = holder->lock.token;
	WRITE_ONCE(holder->got, ktime_get_boottime_ns());
	return 0;
}

static int release(struct holder *holder)
{
	int err;

	if (!holder->due)
		return -EINVAL;
	err = paxos_lock_release(&holder->lock);
	WRITE_ONCE(holder->over, true);
	holder->due = false;
	return err;
}

static void holder_close(struct holder *holder)
{
	if (holder->due)
		release(holder);
	paxos_kv_close(holder->kv);
	holder->kv = NULL;
}

static int holder_open(struct holder *holder, u32 group, u32 timeout)
{
	struct net *net = get_net(current->nsproxy->net_ns);
	struct paxos_kv *kv = paxos_kv_open(net, group, timeout);

	put_net(net);
	if (IS_ERR(kv))
		return PTR_ERR(kv);
	holder->kv = kv;
	return 0;
}

/* @once: a key that is put along with it, unless it is there; or empty */
static int acknowledge(struct holder *holder, const char *name,
		       const char *once)
{
	const struct paxos_kv_item with[] = {
		{
			.section = PAXOS_KV_SECTION_IF,
			.target = PAXOS_KV_TARGET_VERSION,
			.what = PAXOS_KV_RELATION_EQUAL,
			.key_len = strlen(once),
			.key = once,
		}, {
			.section = PAXOS_KV_SECTION_THEN,
			.what = PAXOS_KV_OPERATION_PUT,
			.key_len = strlen(once),
			.key = once,
		},
	};

	return paxos_queue_ack(holder->kv, name, strlen(name), &holder->claim,
			       *once ? with : NULL,
			       *once ? ARRAY_SIZE(with) : 0, WAIT_MS);
}

static int command(struct holder *holder, char words[5][WORD])
{
	const char *word = words[0], *name = words[1];

	if (!strcmp(word, "open"))
		return holder->kv ? -EBUSY :
				    holder_open(holder, number(name),
						number(words[2]));
	if (!holder->kv)
		return -EBADF;
	if (!strcmp(word, "close")) {
		holder_close(holder);
		return 0;
	}
	if (!strcmp(word, "lock") || !strcmp(word, "share") ||
	    !strcmp(word, "elect") || !strcmp(word, "register"))
		return acquire(holder, words);
	if (!strcmp(word, "elected") || !strcmp(word, "known"))
		return paxos_elected(holder->kv, name, strlen(name),
				     !strcmp(word, "known"), &holder->page,
				     WAIT_MS);
	if (!strcmp(word, "release"))
		return release(holder);
	if (!strcmp(word, "push"))
		return paxos_queue_push(holder->kv, name, strlen(name),
					words[2], strlen(words[2]), words[3],
					strlen(words[3]), WAIT_MS);
	if (!strcmp(word, "pop"))
		return paxos_queue_pop(holder->kv, name, strlen(name),
				       number(words[2]), &holder->claim,
				       &holder->page, WAIT_MS);
	if (!strcmp(word, "len"))
		return paxos_queue_len(holder->kv, name, strlen(name),
				       &holder->items, &holder->claimed,
				       WAIT_MS);
	if (!strcmp(word, "ack"))
		return acknowledge(holder, name, words[2]);
	return -EINVAL;
}

static ssize_t holder_write(struct file *file, const char __user *from,
			    size_t size, loff_t *at)
{
	struct holder *holder = file->private_data;
	char text[5 * WORD], words[5][WORD] = { "", "", "", "", "" };
	int err;

	err = device_take(text, sizeof(text), from, size);
	if (err)
		return err;
	if (sscanf(text, "%31s %31s %31s %31s %31s", words[0], words[1],
		   words[2], words[3], words[4]) < 1)
		return -EINVAL;
	err = mutex_lock_killable(&holder->mutex);
	if (err)
		return err;
	err = command(holder, words);
	mutex_unlock(&holder->mutex);
	return err ?: size;
}

static ssize_t holder_read(struct file *file, char __user *to, size_t size,
			   loff_t *at)
{
	struct holder *holder = file->private_data;
	const struct paxos_kv_pair *pair = holder->page.bytes;
	static const struct paxos_kv_pair none = { .value = "" };
	char text[512];
	int n;

	if (!holder->page.count)
		pair = &none;
	n = scnprintf(text, sizeof(text),
		      "held %d\ntoken %llu\ngot %llu\nlost %llu\nlost-at %llu\nlost-held %llu\nlate %llu\nvalue %.*s\ncreate %llu\nclaim %llu\nitems %llu\nclaimed %llu\n",
		      paxos_lock_held(&holder->lock), holder->token,
		      READ_ONCE(holder->got), READ_ONCE(holder->lost),
		      READ_ONCE(holder->lost_at), READ_ONCE(holder->lost_held),
		      READ_ONCE(holder->late),
		      min_t(int, pair->value_len, WORD), pair->value,
		      pair->create, holder->claim.token, holder->items,
		      holder->claimed);
	return device_tell(to, size, at, text, n);
}

static int holder_file_open(struct inode *inode, struct file *file)
{
	struct holder *holder = kzalloc(sizeof(*holder), GFP_KERNEL);

	if (!holder)
		return -ENOMEM;
	holder->page.size = PAXOS_KV_PAGE_MIN;
	holder->page.bytes = kvzalloc(holder->page.size, GFP_KERNEL);
	if (!holder->page.bytes) {
		kfree(holder);
		return -ENOMEM;
	}
	mutex_init(&holder->mutex);
	file->private_data = holder;
	return 0;
}

static int holder_file_release(struct inode *inode, struct file *file)
{
	struct holder *holder = file->private_data;

	if (holder->kv)
		holder_close(holder);
	kvfree(holder->page.bytes);
	kfree(holder);
	return 0;
}

TEST_DEVICE("paxos_kv_lock", holder_file_open, holder_file_release, holder_read, holder_write);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A holder of locks of paxos_kv, to test them");
