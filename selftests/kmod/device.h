/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PAXOS_TEST_DEVICE_H
#define _PAXOS_TEST_DEVICE_H

/*
 * A device of which each open file is a consumer in the kernel: one command is
 * written to it, whose error is write()'s; what is read are words and what they
 * stand at, a line each.
 */

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

/* What is written, as a string into @text. */
static inline int device_take(char *text, size_t room, const char __user *from,
			      size_t size)
{
	if (size >= room)
		return -EINVAL;
	if (copy_from_user(text, from, size))
		return -EFAULT;
	text[size] = 0;
	return 0;
}

/* The whole of @text each time that the first byte is asked for. */
static inline ssize_t device_tell(char __user *to, size_t size, loff_t *at,
				  const char *text, int length)
{
	if (size < length)
		return -EINVAL;
	*at = !*at;
	if (!*at)
		return 0;
	return copy_to_user(to, text, length) ? -EFAULT : length;
}

/* The module is this device and no more: root's. */
#define TEST_DEVICE(_name, _open, _release, _read, _write)		\
	static const struct file_operations device_files = {		\
		.owner = THIS_MODULE,					\
		.open = _open,						\
		.release = _release,					\
		.read = _read,						\
		.write = _write,					\
	};								\
	static struct miscdevice device = {				\
		.minor = MISC_DYNAMIC_MINOR,				\
		.name = _name,						\
		.fops = &device_files,					\
		.mode = 0600,						\
	};								\
	module_misc_device(device)

#endif
