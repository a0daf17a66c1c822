// SPDX-License-Identifier: Apache-2.0
//
// Names of flags, migratetypes and zones against the tables of spec 01 sections 1.2, 1.3 and 2.1.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pageyard/gfp.h"

static void assert_prints(uint32_t gfp, const char *expected)
{
	char text[512];
	size_t length = yard_gfp_print(gfp, text, sizeof text);

	assert_string_equal(text, expected);
	assert_int_equal(length, strlen(expected));
}

// The values are those of the table of composites: a change of an enum constant shows here.
static void spec_01_2_1_composites_have_their_values_and_names(void **state)
{
	(void)state;
	assert_prints(0x820, "GFP_ATOMIC");
	assert_prints(0x2800, "GFP_NOWAIT");
	assert_prints(0xcc0, "GFP_KERNEL");
	assert_prints(0x400cc0, "GFP_KERNEL_ACCOUNT");
	assert_prints(0xc00, "GFP_NOIO");
	assert_prints(0xc40, "GFP_NOFS");
	assert_prints(0x100cc0, "GFP_USER");
	assert_prints(0x100cc2, "GFP_HIGHUSER");
	assert_prints(0x100cca, "GFP_HIGHUSER_MOVABLE");
	assert_prints(0x1c20ca, "GFP_TRANSHUGE_LIGHT");
	assert_prints(0x1c24ca, "GFP_TRANSHUGE");
	assert_int_equal(YARD_GFP_ATOMIC, 0x820);
	assert_int_equal(YARD_GFP_NOWAIT, 0x2800);
	assert_int_equal(YARD_GFP_KERNEL, 0xcc0);
	assert_int_equal(YARD_GFP_KERNEL_ACCOUNT, 0x400cc0);
	assert_int_equal(YARD_GFP_HIGHUSER_MOVABLE, 0x100cca);
	assert_int_equal(YARD_GFP_TRANSHUGE_LIGHT, 0x1c20ca);
	assert_int_equal(YARD_GFP_TRANSHUGE, 0x1c24ca);
}

static void spec_01_2_1_single_bits_have_their_values_and_names(void **state)
{
	static const char *const names[24] = {
		[0] = "GFP_DMA",
		[1] = "__GFP_HIGHMEM",
		[2] = "GFP_DMA32",
		[3] = "__GFP_MOVABLE",
		[4] = "__GFP_RECLAIMABLE",
		[5] = "__GFP_HIGH",
		[6] = "__GFP_IO",
		[7] = "__GFP_FS",
		[8] = "__GFP_ZERO",
		[9] = "0x200",
		[10] = "__GFP_DIRECT_RECLAIM",
		[11] = "__GFP_KSWAPD_RECLAIM",
		[12] = "__GFP_WRITE",
		[13] = "__GFP_NOWARN",
		[14] = "__GFP_RETRY_MAYFAIL",
		[15] = "__GFP_NOFAIL",
		[16] = "__GFP_NORETRY",
		[17] = "__GFP_MEMALLOC",
		[18] = "__GFP_COMP",
		[19] = "__GFP_NOMEMALLOC",
		[20] = "__GFP_HARDWALL",
		[21] = "__GFP_THISNODE",
		[22] = "__GFP_ACCOUNT",
		[23] = "__GFP_ZEROTAGS",
	};

	(void)state;
	for (unsigned bit = 0; bit < 24; bit++)
		assert_prints((uint32_t)1 << bit, names[bit]);
}

// A composite takes its bits away from those behind it; what is left follows in the order of the bits.
static void spec_01_2_1_printing_is_greedy(void **state)
{
	(void)state;
	assert_prints(0, "none");
	assert_prints(0xdc0, "GFP_KERNEL|__GFP_ZERO");
	assert_prints(0x440dc0, "GFP_KERNEL_ACCOUNT|__GFP_ZERO|__GFP_COMP");
	assert_prints(0x140cca, "GFP_HIGHUSER_MOVABLE|__GFP_COMP");
	assert_prints(0x152a20 | 0x1, "GFP_ATOMIC|GFP_DMA|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP|__GFP_HARDWALL|0x200");
	assert_prints(0xcc4, "GFP_KERNEL|GFP_DMA32");
	assert_prints(0x500cc0, "GFP_USER|__GFP_ACCOUNT");	 // USER stands before KERNEL_ACCOUNT
	assert_prints(0xc20, "GFP_ATOMIC|__GFP_DIRECT_RECLAIM"); // ATOMIC stands before NOIO
	assert_prints(0x2c00, "GFP_NOIO|__GFP_NOWARN");		 // NOIO stands before NOWAIT
	assert_prints(0x1c2cca, "GFP_TRANSHUGE|__GFP_KSWAPD_RECLAIM");
	assert_prints(0x80, "__GFP_FS");
}

// Bits that differ by configuration have no name of their own.
static void spec_01_2_1_unknown_bits_are_printed_as_a_number(void **state)
{
	(void)state;
	assert_prints(0x1000000, "0x1000000");
	assert_prints(0x1000cc0, "GFP_KERNEL|0x1000000");
	assert_prints(0x80000000u, "0x80000000");
	assert_prints(0xff000000u, "0xff000000");
}

// Any buffer size is terminated within its bounds and gets the beginning of the whole text.
static void gfp_print_cuts_what_does_not_fit(void **state)
{
	char whole[512], text[512];
	size_t length = yard_gfp_print(UINT32_MAX, whole, sizeof whole);

	(void)state;
	assert_true(length < sizeof whole);
	for (size_t size = 1; size <= length + 1; size++) {
		memset(text, 'x', sizeof text);
		assert_int_equal(yard_gfp_print(UINT32_MAX, text, size), length);
		assert_int_equal(strlen(text), size - 1);
		assert_memory_equal(text, whole, size - 1);
		assert_int_equal(text[size], 'x');
	}
	assert_int_equal(yard_gfp_print(UINT32_MAX, NULL, 0), length);
}

static void M6_migratetype_names(void **state)
{
	(void)state;
	assert_string_equal(yard_migratetype_name(0), "Unmovable");
	assert_string_equal(yard_migratetype_name(1), "Movable");
	assert_string_equal(yard_migratetype_name(2), "Reclaimable");
	assert_string_equal(yard_migratetype_name(3), "HighAtomic");
	assert_string_equal(yard_migratetype_name(4), "CMA");
	assert_string_equal(yard_migratetype_name(5), "Isolate");
	assert_string_equal(yard_migratetype_name(6), "unknown");
}

static void M1_zone_type_names(void **state)
{
	(void)state;
	assert_string_equal(yard_zone_type_name(0), "DMA");
	assert_string_equal(yard_zone_type_name(1), "DMA32");
	assert_string_equal(yard_zone_type_name(2), "Normal");
	assert_string_equal(yard_zone_type_name(3), "Movable");
	assert_string_equal(yard_zone_type_name(4), "Device");
	assert_string_equal(yard_zone_type_name(5), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spec_01_2_1_composites_have_their_values_and_names),
		cmocka_unit_test(spec_01_2_1_single_bits_have_their_values_and_names),
		cmocka_unit_test(spec_01_2_1_printing_is_greedy),
		cmocka_unit_test(spec_01_2_1_unknown_bits_are_printed_as_a_number),
		cmocka_unit_test(gfp_print_cuts_what_does_not_fit),
		cmocka_unit_test(M6_migratetype_names),
		cmocka_unit_test(M1_zone_type_names),
	};

	return cmocka_run_group_tests_name("gfp", tests, NULL, NULL);
}
