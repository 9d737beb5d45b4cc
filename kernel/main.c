// SPDX-License-Identifier: GPL-2.0
/*
 * jvpn: a VPN whose session outlives its transport.
 *
 * Start reading at device.h (objects, locks, lifetimes), then tx.c and rx.c in
 * packet order; binding.c is where a session changes.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <net/genetlink.h>

#include "aead.h"
#include "device.h"
#include "genl.h"
#include "hold.h"
#include "power.h"
#include "session.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static int __init jvpn_init(void)
{
	int err = jvpn_aead_selftest();

	if (err) {
		pr_err("jvpn: ChaCha20-Poly1305 of this kernel %s, not loading\n",
		       err == -ENOMEM ? "cannot be tried" : "gives wrong results");
		return err;
	}
	err = jvpn_hold_start();
	if (err)
		return err;
	err = jvpn_power_init();
	if (err)
		goto err_hold;
	err = jvpn_genl_init();
	if (err)
		goto err_power;
	err = jvpn_device_init();
	if (err)
		goto err_genl;
	return 0;

err_genl:
	jvpn_genl_exit();
err_power:
	jvpn_power_exit();
err_hold:
	jvpn_hold_exit();
	return err;
}

/* Objects that were made and not freed: tests read this line. */
static void __exit jvpn_exit(void)
{
	/* Devices first: the ends of their sessions are events of the family. */
	jvpn_device_exit();
	jvpn_genl_exit();
	jvpn_power_exit();
	jvpn_hold_exit();
	pr_info("jvpn: unloaded, left over: %d sessions, %d bindings, %d sockets\n",
		atomic_read(&jvpn_sessions_alive), atomic_read(&jvpn_bindings_alive),
		atomic_read(&jvpn_sockets_alive));
}

module_init(jvpn_init);
module_exit(jvpn_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Jumping VPN: sessions that outlive their transports");
MODULE_ALIAS_RTNL_LINK("jvpn");
MODULE_ALIAS_GENL_FAMILY(JVPN_GENL_NAME);
