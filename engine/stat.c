// SPDX-License-Identifier: Apache-2.0
//
// Counters by the names of /proc/vmstat (spec 04 T-5, T-6).

#include "engine/mm.h"

const char *yard_node_stat_name(unsigned item)
{
	static const char *const names[YARD_NODE_STATS] = {
#define X(name, text) [YARD_NODE_##name] = text,
		YARD_NODE_STATS_TABLE(X)
#undef X
	};

	return item < YARD_NODE_STATS ? names[item] : "?";
}

const char *yard_vm_event_name(unsigned event)
{
	static const char *const names[YARD_VM_EVENTS] = {
#define X(name, text) [YARD_VM_##name] = text,
		YARD_VM_EVENTS_TABLE(X)
#undef X
	};

	return event < YARD_VM_EVENTS ? names[event] : "?";
}

int64_t yard_get_node_stat(const struct yard *yard, unsigned node, unsigned item)
{
	return node < yard->nr_nodes && item < YARD_NODE_STATS ? node_stat(yard, node, (enum yard_node_stat)item) : 0;
}

uint64_t yard_get_vm_event(const struct yard *yard, unsigned event)
{
	return event < YARD_VM_EVENTS ? vm_event(yard, (enum yard_vm_event)event) : 0;
}

uint32_t yard_kswapd_failures(const struct yard *yard, unsigned node)
{
	if (node >= yard->nr_nodes)
		return 0;
	return atomic_load_explicit(&yard->mm[node].kswapd.failures, memory_order_relaxed);
}

void yard_mod_node_stat(struct yard *yard, unsigned node, unsigned item, int64_t delta)
{
	if (node < yard->nr_nodes && item < YARD_NODE_STATS)
		mod_node_stat(yard, node, (enum yard_node_stat)item, delta);
}

void yard_count_vm_event(struct yard *yard, unsigned event, uint64_t nr)
{
	if (event < YARD_VM_EVENTS)
		count_vm_event(yard, (enum yard_vm_event)event, nr);
}
