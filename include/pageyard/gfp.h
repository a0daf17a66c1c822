// SPDX-License-Identifier: Apache-2.0
//
// Request flags, migratetypes and zone types: the words and the numbers of Linux 7.3 (spec 01 sections 1.2, 1.3, 2.1).

#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum yard_gfp { // spec 01 section 2.1
	YARD_GFP_DMA = 0x1,
	YARD_GFP_HIGHMEM = 0x2,
	YARD_GFP_DMA32 = 0x4,
	YARD_GFP_MOVABLE = 0x8,
	YARD_GFP_RECLAIMABLE = 0x10,
	YARD_GFP_HIGH = 0x20,
	YARD_GFP_IO = 0x40,
	YARD_GFP_FS = 0x80,
	YARD_GFP_ZERO = 0x100,
	YARD_GFP_DIRECT_RECLAIM = 0x400,
	YARD_GFP_KSWAPD_RECLAIM = 0x800,
	YARD_GFP_WRITE = 0x1000,
	YARD_GFP_NOWARN = 0x2000,
	YARD_GFP_RETRY_MAYFAIL = 0x4000,
	YARD_GFP_NOFAIL = 0x8000,
	YARD_GFP_NORETRY = 0x10000,
	YARD_GFP_MEMALLOC = 0x20000,
	YARD_GFP_COMP = 0x40000,
	YARD_GFP_NOMEMALLOC = 0x80000,
	YARD_GFP_HARDWALL = 0x100000,
	YARD_GFP_THISNODE = 0x200000,
	YARD_GFP_ACCOUNT = 0x400000,
	YARD_GFP_ZEROTAGS = 0x800000,

	// composites
	YARD_GFP_ATOMIC = YARD_GFP_HIGH | YARD_GFP_KSWAPD_RECLAIM,
	YARD_GFP_NOWAIT = YARD_GFP_KSWAPD_RECLAIM | YARD_GFP_NOWARN,
	YARD_GFP_NOIO = YARD_GFP_DIRECT_RECLAIM | YARD_GFP_KSWAPD_RECLAIM,
	YARD_GFP_NOFS = YARD_GFP_NOIO | YARD_GFP_IO,
	YARD_GFP_KERNEL = YARD_GFP_NOFS | YARD_GFP_FS,
	YARD_GFP_KERNEL_ACCOUNT = YARD_GFP_KERNEL | YARD_GFP_ACCOUNT,
	YARD_GFP_USER = YARD_GFP_KERNEL | YARD_GFP_HARDWALL,
	YARD_GFP_HIGHUSER = YARD_GFP_USER | YARD_GFP_HIGHMEM,
	YARD_GFP_HIGHUSER_MOVABLE = YARD_GFP_HIGHUSER | YARD_GFP_MOVABLE,
	YARD_GFP_TRANSHUGE_LIGHT = (YARD_GFP_HIGHUSER_MOVABLE | YARD_GFP_COMP | YARD_GFP_NOMEMALLOC | YARD_GFP_NOWARN)
				   & ~YARD_GFP_NOIO,
	YARD_GFP_TRANSHUGE = YARD_GFP_TRANSHUGE_LIGHT | YARD_GFP_DIRECT_RECLAIM,
};

enum yard_migratetype { // spec 01 M6
	YARD_UNMOVABLE,
	YARD_MOVABLE,
	YARD_RECLAIMABLE,
	YARD_PCPTYPES, // the number of types that per-CPU sets keep apart
	YARD_HIGHATOMIC = YARD_PCPTYPES,
	YARD_CMA,
	YARD_ISOLATE,
	YARD_MIGRATETYPES
};

enum yard_zone_type { // spec 01 M1
	YARD_ZONE_DMA,
	YARD_ZONE_DMA32,
	YARD_ZONE_NORMAL,
	YARD_ZONE_MOVABLE,
	YARD_ZONE_DEVICE,
	YARD_ZONE_TYPES
};

// "Unmovable", "Movable", ... as /proc/pagetypeinfo prints them; "DMA32", ... as /proc/zoneinfo does.
const char *yard_migratetype_name(unsigned migratetype);
const char *yard_zone_type_name(unsigned zone_type);

// Writes gfp as the kernel's trace printing does, e.g. "GFP_KERNEL|__GFP_ZERO" (spec 01 section 2.1: greedy over the
// composites, then single bits; "none" for 0). Always terminates; returns the length that was needed.
size_t yard_gfp_print(uint32_t gfp, char *text, size_t size);

#ifdef __cplusplus
}
#endif
