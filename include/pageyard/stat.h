// SPDX-License-Identifier: Apache-2.0
//
// Counters with the names of /proc/vmstat and the node's vmstat (spec 04 T-5, T-6; spec 02 EV-1; spec 03 M9).

#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct yard;

// X(enumerator, name): pages of a node.
#define YARD_NODE_STATS_TABLE(X)                                                                                      \
	X(INACTIVE_ANON, "nr_inactive_anon") X(ACTIVE_ANON, "nr_active_anon") X(INACTIVE_FILE, "nr_inactive_file")    \
	X(ACTIVE_FILE, "nr_active_file") X(UNEVICTABLE, "nr_unevictable")                                             \
	X(ISOLATED_ANON, "nr_isolated_anon") X(ISOLATED_FILE, "nr_isolated_file")                                     \
	X(WORKINGSET_REFAULT_ANON, "workingset_refault_anon") X(WORKINGSET_REFAULT_FILE, "workingset_refault_file")   \
	X(WORKINGSET_ACTIVATE_ANON, "workingset_activate_anon")                                                       \
	X(WORKINGSET_ACTIVATE_FILE, "workingset_activate_file")                                                       \
	X(WORKINGSET_RESTORE_ANON, "workingset_restore_anon") X(WORKINGSET_RESTORE_FILE, "workingset_restore_file")   \
	X(ANON_PAGES, "nr_anon_pages") X(FILE_MAPPED, "nr_mapped") X(FILE_PAGES, "nr_file_pages")                     \
	X(FILE_DIRTY, "nr_dirty") X(WRITEBACK, "nr_writeback") X(SHMEM, "nr_shmem")                                   \
	X(SLAB_RECLAIMABLE, "nr_slab_reclaimable") X(SLAB_UNRECLAIMABLE, "nr_slab_unreclaimable")                     \
	X(VMSCAN_WRITE, "nr_vmscan_write") X(VMSCAN_IMMEDIATE, "nr_vmscan_immediate_reclaim")                         \
	X(DIRTIED, "nr_dirtied") X(WRITTEN, "nr_written") X(THROTTLED_WRITTEN, "nr_throttled_written")                \
	X(SWAPCACHE, "nr_swapcached")                                                                                 \
	X(PGDEMOTE_KSWAPD, "pgdemote_kswapd") X(PGDEMOTE_DIRECT, "pgdemote_direct")                                   \
	X(PGDEMOTE_KHUGEPAGED, "pgdemote_khugepaged") X(PGDEMOTE_PROACTIVE, "pgdemote_proactive")                     \
	X(PGSTEAL_KSWAPD, "pgsteal_kswapd") X(PGSTEAL_DIRECT, "pgsteal_direct")                                       \
	X(PGSTEAL_KHUGEPAGED, "pgsteal_khugepaged") X(PGSTEAL_PROACTIVE, "pgsteal_proactive")                         \
	X(PGSCAN_KSWAPD, "pgscan_kswapd") X(PGSCAN_DIRECT, "pgscan_direct")                                           \
	X(PGSCAN_KHUGEPAGED, "pgscan_khugepaged") X(PGSCAN_PROACTIVE, "pgscan_proactive")                             \
	X(PGSTEAL_ANON, "pgsteal_anon") X(PGSTEAL_FILE, "pgsteal_file")                                               \
	X(PGSCAN_ANON, "pgscan_anon") X(PGSCAN_FILE, "pgscan_file")                                                   \
	X(PGROTATE_ANON, "pgrotate_anon") X(PGROTATE_FILE, "pgrotate_file") X(PGREFILL, "pgrefill")

// X(enumerator, name): events of the whole yard. ALLOCSTALL and PGSKIP have one for each zone type (five in a row).
#define YARD_VM_EVENTS_TABLE(X)                                                                                       \
	X(PSWPIN, "pswpin") X(PSWPOUT, "pswpout")                                                                     \
	X(ALLOCSTALL_DMA, "allocstall_dma") X(ALLOCSTALL_DMA32, "allocstall_dma32")                                   \
	X(ALLOCSTALL_NORMAL, "allocstall_normal") X(ALLOCSTALL_MOVABLE, "allocstall_movable")                         \
	X(ALLOCSTALL_DEVICE, "allocstall_device")                                                                     \
	X(PGSKIP_DMA, "pgskip_dma") X(PGSKIP_DMA32, "pgskip_dma32") X(PGSKIP_NORMAL, "pgskip_normal")                 \
	X(PGSKIP_MOVABLE, "pgskip_movable") X(PGSKIP_DEVICE, "pgskip_device")                                         \
	X(PGACTIVATE, "pgactivate") X(PGDEACTIVATE, "pgdeactivate") X(PGLAZYFREE, "pglazyfree")                       \
	X(PGLAZYFREED, "pglazyfreed") X(PGROTATED, "pgrotated")                                                       \
	X(PGSCAN_DIRECT_THROTTLE, "pgscan_direct_throttle")                                                           \
	X(ZONE_RECLAIM_SUCCESS, "zone_reclaim_success") X(ZONE_RECLAIM_FAILED, "zone_reclaim_failed")                 \
	X(SLABS_SCANNED, "slabs_scanned") X(KSWAPD_LOW_WMARK_HIT_QUICKLY, "kswapd_low_wmark_hit_quickly")             \
	X(KSWAPD_HIGH_WMARK_HIT_QUICKLY, "kswapd_high_wmark_hit_quickly") X(PAGEOUTRUN, "pageoutrun")                 \
	X(DROP_SLAB, "drop_slab") X(OOM_KILL, "oom_kill")                                                             \
	X(PGMIGRATE_SUCCESS, "pgmigrate_success") X(PGMIGRATE_FAIL, "pgmigrate_fail")                                 \
	X(THP_MIGRATION_SUCCESS, "thp_migration_success") X(THP_MIGRATION_FAIL, "thp_migration_fail")                 \
	X(COMPACT_MIGRATE_SCANNED, "compact_migrate_scanned") X(COMPACT_FREE_SCANNED, "compact_free_scanned")         \
	X(COMPACT_ISOLATED, "compact_isolated") X(COMPACT_STALL, "compact_stall") X(COMPACT_FAIL, "compact_fail")     \
	X(COMPACT_SUCCESS, "compact_success") X(COMPACT_DAEMON_WAKE, "compact_daemon_wake")                           \
	X(COMPACT_DAEMON_MIGRATE_SCANNED, "compact_daemon_migrate_scanned")                                           \
	X(COMPACT_DAEMON_FREE_SCANNED, "compact_daemon_free_scanned")                                                 \
	X(UNEVICTABLE_PGS_CULLED, "unevictable_pgs_culled") X(UNEVICTABLE_PGS_RESCUED, "unevictable_pgs_rescued")     \
	X(UNEVICTABLE_PGS_MLOCKED, "unevictable_pgs_mlocked") X(UNEVICTABLE_PGS_MUNLOCKED, "unevictable_pgs_munlocked")

enum yard_node_stat {
#define X(name, text) YARD_NODE_##name,
	YARD_NODE_STATS_TABLE(X)
#undef X
	YARD_NODE_STATS
};

enum yard_vm_event {
#define X(name, text) YARD_VM_##name,
	YARD_VM_EVENTS_TABLE(X)
#undef X
	YARD_VM_EVENTS
};

const char *yard_node_stat_name(unsigned item); // as /proc/vmstat calls it
const char *yard_vm_event_name(unsigned event);
int64_t yard_get_node_stat(const struct yard *yard, unsigned node, unsigned item); // negative reads as 0
uint64_t yard_get_vm_event(const struct yard *yard, unsigned event);
// Balancing runs of a node's kswapd since one that freed something; 16: it is hopeless (spec 04 K-1).
uint32_t yard_kswapd_failures(const struct yard *yard, unsigned node);
// What the owner counts itself: slab pages, swap-ins... Not what the engine counts from yard_lru_*(): that would count
// twice.
void yard_mod_node_stat(struct yard *yard, unsigned node, unsigned item, int64_t delta);
void yard_count_vm_event(struct yard *yard, unsigned event, uint64_t nr);

#ifdef __cplusplus
}
#endif
