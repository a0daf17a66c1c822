// SPDX-License-Identifier: Apache-2.0
//
// Names of request flags, migratetypes and zone types, as Linux prints them (spec 01 sections 1.2, 1.3, 2.1).

#include "pageyard/gfp.h"

struct gfp_name {
	uint32_t bits;
	const char *name;
};

// spec 01 section 2.1, "Trace printing": greedy in this order, composites first, then the single bits.
static const struct gfp_name gfp_names[] = {
	{YARD_GFP_TRANSHUGE, "GFP_TRANSHUGE"},
	{YARD_GFP_TRANSHUGE_LIGHT, "GFP_TRANSHUGE_LIGHT"},
	{YARD_GFP_HIGHUSER_MOVABLE, "GFP_HIGHUSER_MOVABLE"},
	{YARD_GFP_HIGHUSER, "GFP_HIGHUSER"},
	{YARD_GFP_USER, "GFP_USER"},
	{YARD_GFP_KERNEL_ACCOUNT, "GFP_KERNEL_ACCOUNT"},
	{YARD_GFP_KERNEL, "GFP_KERNEL"},
	{YARD_GFP_NOFS, "GFP_NOFS"},
	{YARD_GFP_ATOMIC, "GFP_ATOMIC"},
	{YARD_GFP_NOIO, "GFP_NOIO"},
	{YARD_GFP_NOWAIT, "GFP_NOWAIT"},
	{YARD_GFP_DMA, "GFP_DMA"},
	{YARD_GFP_DMA32, "GFP_DMA32"},
	{YARD_GFP_DIRECT_RECLAIM | YARD_GFP_KSWAPD_RECLAIM, "__GFP_RECLAIM"},

	{YARD_GFP_HIGHMEM, "__GFP_HIGHMEM"},
	{YARD_GFP_MOVABLE, "__GFP_MOVABLE"},
	{YARD_GFP_RECLAIMABLE, "__GFP_RECLAIMABLE"},
	{YARD_GFP_HIGH, "__GFP_HIGH"},
	{YARD_GFP_IO, "__GFP_IO"},
	{YARD_GFP_FS, "__GFP_FS"},
	{YARD_GFP_ZERO, "__GFP_ZERO"},
	{YARD_GFP_DIRECT_RECLAIM, "__GFP_DIRECT_RECLAIM"},
	{YARD_GFP_KSWAPD_RECLAIM, "__GFP_KSWAPD_RECLAIM"},
	{YARD_GFP_WRITE, "__GFP_WRITE"},
	{YARD_GFP_NOWARN, "__GFP_NOWARN"},
	{YARD_GFP_RETRY_MAYFAIL, "__GFP_RETRY_MAYFAIL"},
	{YARD_GFP_NOFAIL, "__GFP_NOFAIL"},
	{YARD_GFP_NORETRY, "__GFP_NORETRY"},
	{YARD_GFP_MEMALLOC, "__GFP_MEMALLOC"},
	{YARD_GFP_COMP, "__GFP_COMP"},
	{YARD_GFP_NOMEMALLOC, "__GFP_NOMEMALLOC"},
	{YARD_GFP_HARDWALL, "__GFP_HARDWALL"},
	{YARD_GFP_THISNODE, "__GFP_THISNODE"},
	{YARD_GFP_ACCOUNT, "__GFP_ACCOUNT"},
	{YARD_GFP_ZEROTAGS, "__GFP_ZEROTAGS"},
};

// Text that grows into the caller's buffer; `length` counts what did not fit as well.
struct gfp_text {
	char *text;
	size_t size, length;
};

static void gfp_text_add(struct gfp_text *to, const char *piece)
{
	for (; *piece; piece++, to->length++)
		if (to->length + 1 < to->size)
			to->text[to->length] = *piece;
}

static void gfp_text_add_name(struct gfp_text *to, const char *name)
{
	if (to->length)
		gfp_text_add(to, "|");
	gfp_text_add(to, name);
}

// Bits without a name differ by kernel version and configuration (spec 01 section 2.1): they are printed as a number.
static void gfp_text_add_hex(struct gfp_text *to, uint32_t value)
{
	char digits[2 + 8 + 1] = "0x";
	unsigned n = 2;

	for (int shift = 28; shift >= 0; shift -= 4)
		if (value >> shift)
			digits[n++] = "0123456789abcdef"[value >> shift & 15];
	digits[n] = '\0';
	gfp_text_add_name(to, digits);
}

size_t yard_gfp_print(uint32_t gfp, char *text, size_t size)
{
	struct gfp_text to = {.text = text, .size = size};
	uint32_t left = gfp;

	for (size_t i = 0; i < sizeof gfp_names / sizeof gfp_names[0]; i++) {
		if ((left & gfp_names[i].bits) != gfp_names[i].bits)
			continue;
		gfp_text_add_name(&to, gfp_names[i].name);
		left &= ~gfp_names[i].bits;
	}
	if (left)
		gfp_text_add_hex(&to, left);
	if (!gfp)
		gfp_text_add(&to, "none");
	if (size)
		text[to.length < size ? to.length : size - 1] = '\0';
	return to.length;
}

const char *yard_migratetype_name(unsigned migratetype) // spec 01 M6
{
	static const char *const names[YARD_MIGRATETYPES] = {
		[YARD_UNMOVABLE] = "Unmovable",	  [YARD_MOVABLE] = "Movable", [YARD_RECLAIMABLE] = "Reclaimable",
		[YARD_HIGHATOMIC] = "HighAtomic", [YARD_CMA] = "CMA",	      [YARD_ISOLATE] = "Isolate",
	};

	return migratetype < YARD_MIGRATETYPES ? names[migratetype] : "unknown";
}

const char *yard_zone_type_name(unsigned zone_type) // spec 01 M1
{
	static const char *const names[YARD_ZONE_TYPES] = {
		[YARD_ZONE_DMA] = "DMA",	 [YARD_ZONE_DMA32] = "DMA32",	[YARD_ZONE_NORMAL] = "Normal",
		[YARD_ZONE_MOVABLE] = "Movable", [YARD_ZONE_DEVICE] = "Device",
	};

	return zone_type < YARD_ZONE_TYPES ? names[zone_type] : "unknown";
}
