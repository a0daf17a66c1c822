// SPDX-License-Identifier: Apache-2.0

#include "sim/machine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <pageyard/yard.h>

#include "sim/machine_file.h"

enum { LOCAL_DISTANCE = 10 };

#define PAGES_MAX (UINT64_C(15) << 28) // 15 TiB
#define FIRST_RESERVED_PAGES ((UINT64_C(1) << 20) / 4096)

static const struct config_word as_machine[] = {{"machine", MACHINE_AUTO}, {0}};
static const struct config_word computed[] = {{"auto", MACHINE_AUTO}, {0}};
static const struct config_word kind_words[] = {
	{"dram", MEMORY_DRAM}, {"hbm", MEMORY_HBM}, {"cxl", MEMORY_CXL}, {"pmem", MEMORY_PMEM}, {0},
};
static const struct config_word built_words[] = {
	{"auto", ZONELIST_AUTO}, {"boot", ZONELIST_BOOT}, {"hotplug", ZONELIST_HOTPLUG}, {0},
};
static const struct config_word zones_words[] = {{"pc", 0}, {"one", 1}, {0}};
static const struct config_word enabled_words[] = {
	{"never", THP_NEVER}, {"madvise", THP_MADVISE}, {"always", THP_ALWAYS}, {0},
};
static const struct config_word defrag_words[] = {
	{"never", THP_DEFRAG_NEVER}, {"madvise", THP_DEFRAG_MADVISE}, {"defer", THP_DEFRAG_DEFER},
	{"defer+madvise", THP_DEFRAG_DEFER_MADVISE}, {"always", THP_DEFRAG_ALWAYS}, {0},
};

// ---- schema ----

#define NODE(member) CONFIG_AT(struct machine_node_file, member)

static const struct config_field node_fields[] = {
	CONFIG_PLACE_AT(struct machine_node_file, place),
	{"memory", CONFIG_PAGES, NODE(pages), .default_text = "machine", .max = PAGES_MAX, .words = as_machine,
	 .help = "with what is reserved"},
	{"reserved", CONFIG_PAGES, NODE(reserved), .default_text = "machine", .max = PAGES_MAX, .words = as_machine,
	 .help = "of it: what the kernel takes at boot"},
	{"movable", CONFIG_PAGES, NODE(movable), .default_text = "machine", .max = PAGES_MAX, .words = as_machine,
	 .help = "of it: ZONE_MOVABLE, at the end"},
	{"cpus", CONFIG_COUNT, NODE(cpus), .default_text = "machine", .max = YARD_CPUS_MAX, .words = as_machine,
	 .help = "may be 0"},
	{"tier", CONFIG_COUNT, NODE(tier), .default_text = "auto", .max = 63, .words = computed,
	 .help = "of memory, 0 the fastest; auto: by latency and bandwidth (spec 05 D1), 0 if another says its own"},
	{"socket", CONFIG_COUNT, NODE(socket), .default_text = "auto", .max = YARD_NODES_MAX - 1, .words = computed,
	 .help = "nodes of one share its links to the others; auto: its own"},
	{"kind", CONFIG_ENUM, NODE(kind), .default_text = "dram", .words = kind_words,
	 .help = "of memory; cxl and pmem join after boot (zonelist_built)"},
	{0},
};
static const struct config_schema node_schema = {"node", sizeof(struct machine_node_file), node_fields, NULL};
static const struct config_field node_element = {.type = CONFIG_SECTION, .size = sizeof(struct machine_node_file),
						 .schema = &node_schema};

static const struct config_field distance_element = {
	.type = CONFIG_COUNT, .size = 1, .min = LOCAL_DISTANCE, .max = 254};
static const struct config_field distance_row = {.type = CONFIG_LIST, .size = sizeof(CONFIG_LIST_OF(uint8_t)),
						 .element = &distance_element};

static const struct config_field latency_element = {.type = CONFIG_TIME, .size = 8, .min = 1, .max = 1000000};
static const struct config_field latency_row = {.type = CONFIG_LIST, .size = sizeof(struct machine_row),
						.element = &latency_element};
static const struct config_field bandwidth_element = {.type = CONFIG_BANDWIDTH, .size = 8, .min = 1000000};
static const struct config_field bandwidth_row = {.type = CONFIG_LIST, .size = sizeof(struct machine_row),
						  .element = &bandwidth_element};

static const struct config_field access_fields[] = {
	{"hit", CONFIG_TIME, CONFIG_AT(struct machine_access_file, hit_ns), .default_text = "17ns", .max = 10000,
	 .help = "an access that the CPU's caches have (spec 05 X34 c)"},
	{"misses", CONFIG_PERCENT, CONFIG_AT(struct machine_access_file, miss_ppm), .default_text = "45%",
	 .max = 1000000, .help = "share of accesses that go to memory (m)"},
	{0},
};
static const struct config_schema access_schema = {"access", sizeof(struct machine_access_file), access_fields, NULL};

#define SYSCTL(key, lowest, highest, initial, text)                                                                    \
	{#key, CONFIG_COUNT, CONFIG_AT(struct machine_sysctl_file, key), .default_text = initial, .min = lowest,       \
	 .max = highest, .help = text}

static const struct config_field sysctl_fields[] = {
	{"min_free_kbytes", CONFIG_COUNT, CONFIG_AT(struct machine_sysctl_file, min_free_kbytes),
	 .default_text = "auto", .min = 1, .max = 4 * PAGES_MAX, .words = computed,
	 .help = "counts where it is above the computed one (spec 01 W1, W2)"},
	SYSCTL(watermark_scale_factor, 1, 3000, "10", "distance of the watermarks, 1/10000 of a zone"),
	SYSCTL(watermark_boost_factor, 0, 1000000, "15000", "0: no boosts"),
	SYSCTL(swappiness, 0, 200, "60", ""),
	SYSCTL(compaction_proactiveness, 0, 100, "20", "0: none"),
	SYSCTL(zone_reclaim_mode, 0, 7, "0", "bits: 1 on, 2 write, 4 unmap"),
	SYSCTL(dirty_ratio, 1, 100, "20", "percent of dirtyable memory at which writers wait"),
	SYSCTL(dirty_background_ratio, 0, 100, "10", "... at which the flusher starts"),
	{"page-cluster", CONFIG_COUNT, CONFIG_AT(struct machine_sysctl_file, page_cluster), .default_text = "3",
	 .max = 8, .help = "swap readahead of 2^n pages"},
	{0},
};
static const struct config_schema sysctl_schema = {"sysctl", sizeof(struct machine_sysctl_file), sysctl_fields, NULL};

#define THP(member) CONFIG_AT(struct machine_thp_file, member)

static const struct config_field thp_fields[] = {
	{"enabled", CONFIG_ENUM, THP(enabled), .default_text = "madvise", .words = enabled_words,
	 .help = "which mappings get huge pages"},
	{"defrag", CONFIG_ENUM, THP(defrag), .default_text = "madvise", .words = defrag_words,
	 .help = "whose faults reclaim and compact for them"},
	{0},
};
static const struct config_schema thp_schema = {"thp", sizeof(struct machine_thp_file), thp_fields, NULL};

// Beyond ten times the range that a sweep covers a cost is more likely a slip than a machine.
static const struct config_field cost_fields[] = {
#define X(name, text, ns, low, high, dominates, grade, rule, what)                                                     \
	{text, CONFIG_TIME, offsetof(struct machine_costs_file, value[COST_##name]), sizeof(uint64_t),                 \
	 .default_text = #ns "ns", .max = 10 * (high), .help = what ": " #low " to " #high " ns (spec 05 " rule ")"},
	COSTS_TABLE(X)
#undef X
	{0},
};
static const struct config_schema costs_schema = {"costs", sizeof(struct machine_costs_file), cost_fields, NULL};

static const struct config_field device_element = {.type = CONFIG_SECTION, .size = sizeof(struct machine_device_file),
						   .schema = &machine_device_schema};

#define AT(member) CONFIG_AT(struct machine_file, member)

static const struct config_field machine_fields[] = {
	CONFIG_PLACE_AT(struct machine_file, place),
	{"name", CONFIG_STRING, AT(name), .default_text = "custom", .help = "as its file"},
	{"text", CONFIG_STRING, AT(text), .default_text = "", .help = "one line about it"},
	{"memory", CONFIG_PAGES, AT(pages), .max = PAGES_MAX, .help = "of each node, with what is reserved"},
	{"reserved", CONFIG_PAGES, AT(reserved), .default_text = "0", .max = PAGES_MAX,
	 .help = "of it: what the kernel takes at boot"},
	{"movable", CONFIG_PAGES, AT(movable), .default_text = "0", .max = PAGES_MAX, .help = "of it: ZONE_MOVABLE"},
	{"cpus", CONFIG_COUNT, AT(cpus), .max = YARD_CPUS_MAX, .help = "of each node"},
	{"nodes", CONFIG_LIST, AT(nodes), .default_text = "[]", .max = YARD_NODES_MAX, .element = &node_element,
	 .help = "more than one, or one that differs"},
	{"distance", CONFIG_LIST, AT(distance), .default_text = "[]", .max = YARD_NODES_MAX, .element = &distance_row,
	 .help = "rows as in numactl --hardware; without: 10 local, 20 remote"},
	{"latency", CONFIG_LIST, AT(latency), .default_text = "[]", .max = YARD_NODES_MAX,
	 .element = &latency_row, .help = "rows: from CPUs of a node to each node's idle memory; without: 80ns everywhere"},
	{"bandwidth", CONFIG_LIST, AT(bandwidth), .default_text = "[]", .max = YARD_NODES_MAX,
	 .element = &bandwidth_row, .help = "rows: of a node's own memory, and of its links to the others; without: no limits"},
	{"access", CONFIG_SECTION, AT(access), .schema = &access_schema,
	 .help = "what an access costs besides latency"},
	{"zonelist_built", CONFIG_ENUM, AT(zonelist_built), .default_text = "auto", .words = built_words,
	 .help = "before or after the CPUs were known (spec 05 T5); auto: hotplug with cxl or pmem"},
	{"zones", CONFIG_ENUM, AT(zones), .default_text = "pc", .words = zones_words,
	 .help = "pc: DMA, DMA32, NORMAL; one: all is NORMAL"},
	{"node_reclaim_distance", CONFIG_COUNT, AT(node_reclaim_distance), .default_text = "30", .min = LOCAL_DISTANCE,
	 .max = 255, .help = "farther nodes are not spared by zone_reclaim_mode"},
	{"demotion", CONFIG_BOOL, AT(demotion), .default_text = "off", .help = "numa/demotion_enabled"},
	{"numa_balancing", CONFIG_SECTION, AT(numa_balancing), .schema = &numa_balancing_schema,
	 .help = "pages follow the tasks that use them"},
	{"lru_gen", CONFIG_BOOL, AT(lru_gen), .default_text = "off",
	 .help = "the multi-gen LRU, for policies that do not say"},
	{"sysctl", CONFIG_SECTION, AT(sysctl), .schema = &sysctl_schema, .help = "vm.*"},
	{"thp", CONFIG_SECTION, AT(thp), .schema = &thp_schema, .help = "transparent huge pages"},
	{"readahead", CONFIG_PAGES, AT(readahead), .default_text = "128KiB", .max = 65536,
	 .help = "most that is read ahead of a sequential reader"},
	{"readahead_wakes_kswapd", CONFIG_BOOL, AT(readahead_wakes_kswapd), .default_text = "on",
	 .help = "when it does not get a large folio; off: a remedy of spec 04 O-11"},
	{"hz", CONFIG_COUNT, AT(hz), .default_text = "250", .min = 24, .max = 10000, .help = "ticks a second"},
	{"devices", CONFIG_LIST, AT(devices), .default_text = "[]", .max = 64, .element = &device_element,
	 .help = "that differ from the presets"},
	{"disk", CONFIG_STRING, AT(disk), .default_text = "nvme-dc", .help = "of files: a preset or one of devices:"},
	{"swap", CONFIG_SECTION, AT(swap), .schema = &machine_swap_schema, .help = "swap space"},
	{"cpu_scale", CONFIG_RATIO, AT(cpu_scale), .default_text = "1", .min = 10, .max = 1000000,
	 .help = "multiplies all costs: 2 is a CPU of half the speed"},
	{"scheduling_grain", CONFIG_TIME, AT(scheduling_grain_ns), .default_text = "0", .max = 10000000,
	 .help = "CPUs whose clocks differ by less need not take turns"},
	{"costs", CONFIG_SECTION, AT(costs), .schema = &costs_schema, .help = "of operations (spec 05 section 6)"},
	{0},
};

const struct config_schema machine_schema = {"machine", sizeof(struct machine_file), machine_fields, NULL};

// ---- building ----

static uint64_t said(uint64_t value, uint64_t otherwise)
{
	return value == MACHINE_AUTO ? otherwise : value;
}

// Node 0 has memory that the kernel can use for itself; another one may be movable as a whole, as memory that was
// added.
static bool check_node(struct config *config, const struct config_node *place, const struct machine_node *node,
		       bool first)
{
	uint64_t needed = node->reserved_pages + node->movable_pages + first;

	if (node->pages < 1024) {
		config_error(config, place, "memory", "a node has at least 4MiB of memory");
		return false;
	}
	if (needed > node->pages || node->reserved_pages == node->pages) {
		config_error(config, place, node->reserved_pages >= node->pages ? "reserved" : "movable",
			     "nothing is left of the node's %" PRIu64 " pages: %" PRIu64 " are reserved, %" PRIu64
			     " movable",
			     node->pages, node->reserved_pages, node->movable_pages);
		return false;
	}
	return true;
}

static bool build_nodes(struct config *config, const struct machine_file *file, struct machine *machine)
{
	const struct machine_node_file alike = {
		file->place,  MACHINE_AUTO, MACHINE_AUTO, MACHINE_AUTO,
		MACHINE_AUTO, MACHINE_AUTO, MACHINE_AUTO, MEMORY_DRAM,
	};
	uint64_t pages = 0, cpus = 0;
	bool fine = true;

	machine->nr_nodes = file->nodes.nr ? (uint32_t)file->nodes.nr : 1;
	machine->node = calloc(machine->nr_nodes, sizeof(*machine->node));
	if (!machine->node)
		return false;
	for (uint32_t i = 0; i < machine->nr_nodes; i++) {
		const struct machine_node_file *from = file->nodes.nr ? &file->nodes.item[i] : &alike;
		struct machine_node *node = &machine->node[i];

		node->pages = said(from->pages, file->pages);
		node->reserved_pages = said(from->reserved, file->reserved);
		node->movable_pages = said(from->movable, file->movable);
		node->cpus = (uint32_t)said(from->cpus, file->cpus);
		node->kind = (uint8_t)from->kind;
		pages += node->pages;
		cpus += node->cpus;
		fine &= check_node(config, from->place, node, i == 0);
	}
	if (pages > PAGES_MAX) {
		config_error(config, file->place, "memory",
			     "%" PRIu64 " GiB are too much; a machine has 15 TiB at most", pages >> 18);
		fine = false;
	}
	if (!cpus || cpus > YARD_CPUS_MAX) {
		config_error(config, file->place, "cpus", "%" PRIu64 " CPUs; a machine has 1 to %d", cpus,
			     YARD_CPUS_MAX);
		fine = false;
	}
	machine->nr_cpus = (uint32_t)cpus;
	return fine;
}

// Where 0 means the default in struct yard_config, -1 means 0.
static int32_t zero_as_minus_1(uint64_t value)
{
	return value ? (int32_t)value : -1;
}

static bool build_sysctl(struct config *config, const struct machine_file *file, struct machine *machine)
{
	const struct machine_sysctl_file *sysctl = &file->sysctl;

	machine->min_free_kbytes = sysctl->min_free_kbytes == MACHINE_AUTO ? -1 : (int64_t)sysctl->min_free_kbytes;
	machine->watermark_scale_factor = (uint32_t)sysctl->watermark_scale_factor;
	machine->watermark_boost_factor = (int32_t)sysctl->watermark_boost_factor;
	machine->swappiness = zero_as_minus_1(sysctl->swappiness);
	machine->compaction_proactiveness = zero_as_minus_1(sysctl->compaction_proactiveness);
	machine->zone_reclaim_mode = (uint32_t)sysctl->zone_reclaim_mode;
	machine->dirty_ratio = (uint32_t)sysctl->dirty_ratio;
	machine->dirty_background_ratio = (uint32_t)sysctl->dirty_background_ratio;
	machine->page_cluster = sysctl->page_cluster;
	if (sysctl->min_free_kbytes != MACHINE_AUTO && sysctl->min_free_kbytes / 4 >= machine_pages(machine) / 2) {
		config_error(config, file->place, "sysctl",
			     "min_free_kbytes is more than half of the memory (%" PRIu64 " kB)",
			     4 * machine_pages(machine));
		return false;
	}
	return true;
}

static void build_costs(const struct machine_file *file, struct machine *machine)
{
	machine->cpu_scale_thousandths = file->cpu_scale;
	for (unsigned i = 0; i < COSTS; i++)
		machine->cost_ns[i] = file->costs.value[i] * file->cpu_scale / 1000;
	machine->access_hit_ns = file->access.hit_ns * file->cpu_scale / 1000;
	machine->access_miss_ppm = file->access.miss_ppm;
}

bool machine_build(struct config *config, const struct machine_file *file, struct machine *machine)
{
	bool fine;

	*machine = (struct machine){0};
	machine->name = strdup(file->name);
	machine->text = strdup(file->text);
	if (!machine->name || !machine->text) {
		config_error(config, file->place, NULL, "out of memory");
		return false;
	}
	machine->one_zone = file->zones;
	machine->node_reclaim_distance = (uint32_t)file->node_reclaim_distance;
	machine->demotion = file->demotion;
	machine->numa_balancing = file->numa_balancing;
	machine->lru_gen = file->lru_gen;
	machine->thp_enabled = (enum thp_enabled)file->thp.enabled;
	machine->thp_defrag = (enum thp_defrag)file->thp.defrag;
	machine->readahead_pages = file->readahead;
	machine->readahead_wakes_kswapd = file->readahead_wakes_kswapd;
	machine->hz = (uint32_t)file->hz;
	machine->scheduling_grain_ns = file->scheduling_grain_ns;
	build_costs(file, machine);
	fine = build_nodes(config, file, machine) && machine_build_topology(config, file, machine);
	fine = build_sysctl(config, file, machine) && fine;
	return machine_build_devices(config, file, machine) && fine;
}

void machine_release(struct machine *machine)
{
	for (uint32_t i = 0; i < machine->nr_devices; i++)
		free(machine->device[i].name);
	free(machine->device);
	free(machine->distance);
	free(machine->latency_ns);
	free(machine->bandwidth);
	free(machine->node);
	free(machine->name);
	free(machine->text);
	*machine = (struct machine){0};
}

void machine_forget_text(struct machine_file *file)
{
	file->name = file->text = "";
}

uint64_t machine_pages(const struct machine *machine)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < machine->nr_nodes; i++)
		pages += machine->node[i].pages - machine->node[i].reserved_pages;
	return pages;
}

bool machine_check_node(const struct machine *machine, uint64_t node, char *reason, size_t size)
{
	if (node < machine->nr_nodes)
		return true;
	snprintf(reason, size, "node %" PRIu64 " of a machine with %" PRIu32 " node%s (0 to %" PRIu32 ")", node,
		 machine->nr_nodes, machine->nr_nodes == 1 ? "" : "s", machine->nr_nodes - 1);
	return false;
}
