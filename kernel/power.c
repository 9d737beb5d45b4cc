// SPDX-License-Identifier: GPL-2.0
#include "power.h"

#include <linux/notifier.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/suspend.h>

#include "device.h"
#include "notify.h"

/*
 * A machine that sleeps whenever nobody looks would do nothing but bind its
 * sessions again, and nobody copies its memory meanwhile.
 */
#define POWER_SLEEPS_ALWAYS						\
	(IS_ENABLED(CONFIG_PM_AUTOSLEEP) || IS_ENABLED(CONFIG_PM_USERSPACE_AUTOSLEEP))

static bool suspended;

bool jvpn_power_suspended(void)
{
	return READ_ONCE(suspended);
}

static void power_keys_wipe(void)
{
	jvpn_device_for_each(jvpn_device_forget_keys);
	/* A binding is wiped when it is freed, a grace period later. */
	rcu_barrier();
}

static void power_down(void)
{
	/* First: whoever takes a session's lock after the walk has seen it. */
	WRITE_ONCE(suspended, true);
	power_keys_wipe();
}

static void power_up(void)
{
	/* First: who hears of new keys has heard of this before. */
	jvpn_device_for_each(jvpn_notify_host);
	WRITE_ONCE(suspended, false);
}

static int power_event(struct notifier_block *nb, unsigned long action, void *data)
{
	switch (action) {
	case PM_SUSPEND_PREPARE:
		if (!POWER_SLEEPS_ALWAYS)
			power_down();
		break;
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		power_down();
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		if (jvpn_power_suspended())
			power_up();
		break;
	}
	return NOTIFY_DONE;
}

/* This machine goes on from a snapshot, perhaps not it alone. */
static int power_vmfork(struct notifier_block *nb, unsigned long action, void *data)
{
	power_keys_wipe();
	jvpn_device_for_each(jvpn_notify_host);
	return NOTIFY_DONE;
}

static struct notifier_block power_notifier = { .notifier_call = power_event };
static struct notifier_block power_vmfork_notifier = { .notifier_call = power_vmfork };

int jvpn_power_init(void)
{
	int err = register_pm_notifier(&power_notifier);

	if (err)
		return err;
	err = register_random_vmfork_notifier(&power_vmfork_notifier);
	if (err)
		unregister_pm_notifier(&power_notifier);
	return err;
}

void jvpn_power_exit(void)
{
	unregister_random_vmfork_notifier(&power_vmfork_notifier);
	unregister_pm_notifier(&power_notifier);
}
