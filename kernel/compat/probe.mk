# SPDX-License-Identifier: GPL-2.0
# Asks the headers of the kernel that is built against which form of an
# interface it has. Version numbers would be wrong on distributions that
# backport. Each answer is one JVPN_HAVE_ macro, used in kernel/compat.h only.

jvpn-has = $(shell grep -qsE '$(2)' $(srctree)/include/$(1) && echo -DJVPN_HAVE_$(3))

ccflags-y += $(call jvpn-has,crypto/chacha.h,^struct chacha_state,CHACHA_STATE)
ccflags-y += $(call jvpn-has,linux/hrtimer.h,void hrtimer_setup.struct,HRTIMER_SETUP)
ccflags-y += $(call jvpn-has,net/udp_tunnel.h,ipcb_flags,TUNNEL_FLAGS)
ccflags-y += $(call jvpn-has,net/ip_tunnels.h,IP_TUNNEL_RECURSION_LIMIT,TUNNEL_RECURSION)
ccflags-y += $(call jvpn-has,net/rtnetlink.h,^struct rtnl_newlink_params,NEWLINK_PARAMS)
ccflags-y += $(call jvpn-has,linux/net.h,sockaddr_unsized \*addr,SOCKADDR_UNSIZED)
ccflags-y += $(call jvpn-has,linux/netdevice.h,lltx:1,DEV_LLTX)
ccflags-y += $(call jvpn-has,linux/workqueue.h,WQ_PERCPU.*= 1,WQ_PERCPU)
ccflags-y += $(call jvpn-has,net/genetlink.h,genl_info_dump.struct,GENL_INFO_DUMP)

jvpn-has-file = $(if $(wildcard $(srctree)/include/$(1)),-DJVPN_HAVE_$(2))

ccflags-y += $(call jvpn-has-file,linux/unaligned.h,LINUX_UNALIGNED)
ccflags-y += $(call jvpn-has-file,crypto/utils.h,CRYPTO_UTILS)
ccflags-y += $(call jvpn-has-file,net/gso.h,NET_GSO)
