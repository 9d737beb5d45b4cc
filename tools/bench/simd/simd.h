/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel's lib/crypto/x86/{chacha,poly1305}.h need and UML lacks.
 *
 * UML's empty kernel_fpu_begin() is enough: the host saves all vector registers
 * in its signal frame, and the benchmark kernel is not preemptible. UML takes
 * the processor's flags from the host, so that what it shows may be used.
 */
#ifndef BENCH_SIMD_H
#define BENCH_SIMD_H

#include <asm/cpufeature.h>
#include <asm/fpu/api.h>

#ifdef CONFIG_PREEMPTION
#error "vector registers are not kept across preemption in UML"
#endif

#define XFEATURE_MASK_SSE		0
#define XFEATURE_MASK_YMM		0
#define XFEATURE_MASK_AVX512		0
#define cpu_has_xfeatures(mask, name)	true

/* Vendor, family and model as asm/cpu_device_id.h packs them; 0 is Intel. */
#define X86_VENDOR_INTEL		0

static inline void bench_cpuid(u32 leaf, u32 *a, u32 *b)
{
	u32 c = 0, d;

	*a = leaf;
	asm volatile("cpuid" : "+a" (*a), "=b" (*b), "+c" (c), "=d" (d));
}

static inline u32 bench_cpu_vfm(void)
{
	u32 a, b, family, model, vendor;

	bench_cpuid(0, &a, &b);
	vendor = b == 0x756e6547 /* "Genu" */ ? X86_VENDOR_INTEL : 2;
	bench_cpuid(1, &a, &b);
	family = (a >> 8) & 0xf;
	model = (a >> 4) & 0xf;
	if (family == 6 || family == 15)
		model |= (a >> 12) & 0xf0;
	if (family == 15)
		family += (a >> 20) & 0xff;
	return vendor << 16 | family << 8 | model;
}

/* poly1305.h asks for boot_cpu_data.x86_vfm, which UML's boot_cpu_data lacks. */
#define x86_vfm cache_alignment * 0 + bench_cpu_vfm()

#endif
