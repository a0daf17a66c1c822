// SPDX-License-Identifier: Apache-2.0
//
// Scenario and machine files: those that are shipped, what they become, and what is said about wrong ones.

#include "scenario_fixture.h"

static const char plain[] = "machine: box\n"
			    "duration: 10s\n"
			    "workload:\n"
			    "  - kind: kernel-build\n"
			    "    name: build\n"
			    "    jobs: 4\n";

// ---- what is shipped ----

// All have a line of text, name themselves, and say what they are in words.
static void shipped_scenarios_load(void **state)
{
	char path[DATA_PATH_MAX], *words;
	char **names;
	size_t size, nr = 0;

	(void)state;
	assert_int_equal(chdir(shipped), 0);
	names = data_names("scenarios", NULL);
	for (; names[nr]; nr++) {
		struct scenario *scenario = load(shipped_file("scenarios", names[nr], path), NULL, 0);
		FILE *file = open_memstream(&words, &size);

		if (!scenario)
			fail_msg("%s", messages);
		assert_string_equal(messages, "");
		assert_string_equal(scenario->name, names[nr]);
		assert_true(*scenario->text && scenario->nr_workloads && scenario->nr_policies);
		scenario_describe(scenario, file);
		fclose(file);
		assert_non_null(strstr(words, scenario->text));
		assert_non_null(strstr(words, scenario->machine.name));
		for (uint32_t i = 0; i < scenario->nr_workloads; i++)
			assert_non_null(strstr(words, scenario->workload[i].common.name));
		free(words);
		scenario_free(scenario);
	}
	assert_true(nr >= 10);
	data_names_free(names);
	assert_int_equal(chdir(folder), 0);
}

static void shipped_machines_load(void **state)
{
	char path[DATA_PATH_MAX];
	char **names;
	size_t nr = 0;

	(void)state;
	assert_int_equal(chdir(shipped), 0);
	names = data_names("machines", NULL);
	for (; names[nr]; nr++) {
		struct machine machine;

		assert_true(machine_load(shipped_file("machines", names[nr], path), &machine, stderr));
		assert_string_equal(machine.name, names[nr]);
		assert_true(*machine.text && machine_pages(&machine) && machine.nr_cpus);
		machine_release(&machine);
	}
	assert_true(nr >= 18);
	data_names_free(names);
	assert_int_equal(chdir(folder), 0);
}

static void load_machine(const char *name, struct machine *machine)
{
	char path[DATA_PATH_MAX];

	assert_int_equal(chdir(shipped), 0);
	assert_true(machine_load(shipped_file("machines", name, path), machine, stderr));
	assert_int_equal(chdir(folder), 0);
}

static struct yard_zone_state zone_of(const char *machine_name, unsigned zone)
{
	struct yard_zone_state state;
	struct machine machine;
	struct yard_policy policy;
	char error[256];

	load_machine(machine_name, &machine);
	assert_int_equal(yard_policy_parse("linux-7.3", &policy, error, sizeof(error)), YARD_OK);
	sim = simulation_create(&(struct simulation_config){.machine = &machine, .policy = &policy, .seed = 1}, error,
				sizeof(error));
	if (!sim)
		fail_msg("%s", error);
	assert_int_equal(yard_get_zone(sim->yard, zone, &state), YARD_OK);
	simulation_destroy(sim);
	machine_release(&machine);
	return state;
}

// The published zone and its watermarks, through spec 01 W1 to W3.
static void SC6_watermarks_are_the_published_ones(void **state)
{
	struct yard_zone_state zone = zone_of("thp-host", YARD_ZONE_NORMAL);

	(void)state;
	assert_int_equal(zone.managed, 431617);
	assert_int_equal(zone.wmark[0], 11164);
	assert_int_equal(zone.wmark[1], 13955);
	assert_int_equal(zone.wmark[2], 16746);
}

// As the record of GFP_ATOMIC failures shows it: min 44,344 kB in the one large zone, 3,840 pages of ZONE_DMA.
static void recorded_vm_has_its_watermark(void **state)
{
	(void)state;
	assert_int_equal(zone_of("vm-1g-1cpu", YARD_ZONE_DMA).managed, 3840);
	assert_int_equal(zone_of("vm-1g-1cpu", YARD_ZONE_DMA32).wmark[0], 44344 / 4);
}

// spec 05 H5, H6, H8: a few rows, and that the matrices of machines are symmetric.
static void topologies(void **state)
{
	static const char *const names[] = {"hahn-2x125", "4s-full",  "4s-ring", "8n-nps4",
					    "8n-naples",  "8s-power", "cxl-2s",	 "hbm"};
	struct machine machine;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		load_machine(names[i], &machine);
		for (uint32_t a = 0; a < machine.nr_nodes; a++)
			for (uint32_t b = 0; b < machine.nr_nodes; b++)
				assert_int_equal(machine.distance[a * machine.nr_nodes + b],
						 machine.distance[b * machine.nr_nodes + a]);
		machine_release(&machine);
	}
	load_machine("8n-naples", &machine);
	assert_int_equal(machine.nr_nodes, 8);
	assert_int_equal(machine.distance[0 * 8 + 6], 22);
	assert_int_equal(machine.distance[3 * 8 + 5], 22);
	machine_release(&machine);
	load_machine("cxl-1s", &machine);
	assert_true(machine.demotion);
	assert_int_equal(machine.node[1].cpus, 0);
	assert_int_equal(machine.node[1].tier, 1);
	assert_int_equal(machine.nr_cpus, 32);
	machine_release(&machine);
	load_machine("8n-nps4", &machine);
	assert_int_equal(machine.node_reclaim_distance, 32);
	machine_release(&machine);
}

// ---- what a file becomes ----

static struct machine *machine_of(const char *keys)
{
	static struct scenario *scenario; // of the last call
	char text[1024];

	scenario_free(scenario);
	scenario = NULL;
	if (!keys)
		return NULL;
	snprintf(text, sizeof(text), "machine: {base: box%s}\nduration: 1s\nworkload: [{kind: storm}]\n", keys);
	scenario = load_text(text);
	return &scenario->machine;
}

// 0 means the default in struct yard_config, so -1 stands for 0 there.
static void sysctls_as_the_engine_takes_them(void **state)
{
	struct machine *machine = machine_of("");

	(void)state;
	assert_int_equal(machine->min_free_kbytes, -1);
	assert_int_equal(machine->swappiness, 60);
	assert_int_equal(machine->compaction_proactiveness, 20);
	assert_int_equal(machine->watermark_boost_factor, 15000);
	assert_int_equal(machine->page_cluster, 3);
	assert_int_equal(machine->readahead_pages, 32);
	machine = machine_of(", sysctl: {swappiness: 0, compaction_proactiveness: 0, watermark_boost_factor: 0, "
			     "min_free_kbytes: 8000, zone_reclaim_mode: 7, page-cluster: 0}, readahead: 4MiB");
	assert_int_equal(machine->swappiness, -1);
	assert_int_equal(machine->compaction_proactiveness, -1);
	assert_int_equal(machine->watermark_boost_factor, 0);
	assert_int_equal(machine->min_free_kbytes, 8000);
	assert_int_equal(machine->zone_reclaim_mode, 7);
	assert_int_equal(machine->page_cluster, 0);
	assert_int_equal(machine->readahead_pages, 1024);
	machine_of(NULL);
}

static void costs_are_scaled(void **state)
{
	struct machine *machine = machine_of(", cpu_scale: 2.5, costs: {free: 40ns}");

	(void)state;
	assert_int_equal(machine->cost_ns[COST_ALLOC], cost_items[COST_ALLOC].ns * 5 / 2);
	assert_int_equal(machine->cost_ns[COST_FREE], 100);
	machine = machine_of("");
	for (unsigned i = 0; i < COSTS; i++)
		assert_int_equal(machine->cost_ns[i], cost_items[i].ns);
	machine_of(NULL);
}

// spec 05 X37: presets, changed in part; the disk and swap share a device of one name.
static void devices_by_preset(void **state)
{
	struct machine *machine = machine_of("");

	(void)state;
	assert_int_equal(machine->nr_devices, 1);
	assert_int_equal(machine->disk_device, machine->swap_device);
	assert_int_equal(machine->device[0].read_ns, 10000);
	assert_int_equal(machine->device[0].write_bandwidth, UINT64_C(2200000000));
	machine = machine_of(", devices: [{name: slow, like: hdd, read: 4ms}], disk: slow, swap: {device: ramdisk}");
	assert_int_equal(machine->nr_devices, 2);
	assert_string_equal(machine->device[machine->disk_device].name, "slow");
	assert_int_equal(machine->device[machine->disk_device].read_ns, 4000000);
	assert_int_equal(machine->device[machine->disk_device].write_ns, 8000000);
	assert_int_equal(machine->device[machine->disk_device].servers, 1);
	assert_int_equal(machine->device[machine->swap_device].servers, 2); // a ramdisk has as many as CPUs
	machine = machine_of(", swap: {kind: none}");
	assert_int_equal(machine->swap_kind, SWAP_NONE);
	assert_int_equal(machine->swap_pages, 0);
	machine = machine_of(", swap: {kind: zram, zram_ratio: 3.37}");
	assert_int_equal(machine->swap_kind, SWAP_ZRAM);
	assert_int_equal(machine->swap_pages, 65536);
	assert_int_equal(machine->zram_ratio_thousandths, 3370);
	machine_of(NULL);
}

static void nodes_take_what_the_machine_says(void **state)
{
	struct machine *machine = machine_of(", nodes: [{}, {memory: 1GiB, reserved: 0, cpus: 0, movable: 512MiB}]");

	(void)state;
	assert_int_equal(machine->nr_nodes, 2);
	assert_int_equal(machine->nr_cpus, 2);
	assert_int_equal(machine->node[0].pages, 65536);
	assert_int_equal(machine->node[0].reserved_pages, 4096);
	assert_int_equal(machine->node[1].pages, 262144);
	assert_int_equal(machine->node[1].movable_pages, 131072);
	assert_int_equal(machine->distance[0], 10);
	assert_int_equal(machine->distance[1], 20);
	assert_int_equal(machine_pages(machine), 65536 - 4096 + 262144);
	machine_of(NULL);
}

static void defaults_and_keys_of_a_scenario(void **state)
{
	struct scenario *scenario = load_text(plain);
	const struct workload_common *common = &scenario->workload[0].common;

	(void)state;
	assert_string_equal(scenario->name, "s");
	assert_int_equal(scenario->duration_ns, 10 * NS_PER_S);
	assert_int_equal(scenario->iterations, 1);
	assert_false(scenario->until_done);
	assert_int_equal(scenario->nr_policies, 2);
	assert_string_equal(scenario->policy[1], "linux-7.3,defrag_mode=1"); // vanilla is 7.3 without it
	assert_string_equal(common->name, "build");
	assert_true(common->stop_ns == SIM_FOREVER && common->restart_ns == SIM_FOREVER);
	assert_true(common->cpu == -1 && common->node == -1 && common->nice == 0 && common->repeat == 1);
	scenario_free(scenario);
	scenario = load_text(
		"text: t\nmachine: box\nduration: 1min\nsettle: 2s\niterations: 3\nuntil_done: yes\nseed: 9\n"
		"policies: [vanilla]\nguards: [{kind: oomd, swap_free: 10%}, {kind: systemd-oomd, dry_run: on}]\n"
		"workload:\n"
		"  - {kind: storm, nice: -20, oom_score_adj: -999, cpu: 1, restart: 5s, repeat: endless,\n"
		"     start: 1s, stop: 2s, group: a}\n");
	common = &scenario->workload[0].common;
	assert_true(scenario->settle_ns == 2 * NS_PER_S && scenario->iterations == 3 && scenario->until_done);
	assert_int_equal(scenario->seed, 9);
	assert_int_equal(scenario->nr_guards, 2);
	assert_int_equal(scenario->guard[0].kind, GUARD_OOMD);
	assert_int_equal(scenario->guard[0].swap_free_below_ppm, 100000);
	assert_int_equal(scenario->guard[1].kind, GUARD_SYSTEMD_OOMD);
	assert_true(scenario->guard[1].dry_run);
	assert_int_equal(scenario->guard[1].swap_used_limit_ppm, 900000);
	assert_true(common->nice == -20 && common->oom_score_adj == -999 && common->cpu == 1 && common->repeat == 0);
	assert_int_equal(common->restart_ns, 5 * NS_PER_S);
	scenario_free(scenario);
}

// Names are needed for --set, tables and streams of random numbers.
static void workloads_without_a_name_get_one(void **state)
{
	struct scenario *scenario =
		load_text("machine: box\nduration: 1s\nworkload:\n  - {kind: storm, name: stutter}\n"
			  "  - {kind: storm}\n  - {kind: stutter}\n  - {kind: storm}\n");

	(void)state;
	assert_string_equal(scenario->workload[0].common.name, "stutter");
	assert_string_equal(scenario->workload[1].common.name, "storm");
	assert_string_equal(scenario->workload[2].common.name, "stutter-2");
	assert_string_equal(scenario->workload[3].common.name, "storm-2");
	scenario_free(scenario);
}

static void assignments_change_scenario_and_machine(void **state)
{
	static const char *const sets[] = {"duration=3s", "machine.memory=512MiB", "workload.build.count=7",
					   "workload.0.nice=5", "machine.sysctl.swappiness=0"};
	struct scenario *scenario;

	(void)state;
	write_file("s.yaml", plain);
	scenario = load("./s.yaml", sets, COUNT(sets));
	assert_non_null(scenario);
	assert_int_equal(scenario->duration_ns, 3 * NS_PER_S);
	assert_int_equal(scenario->machine.node[0].pages, 131072);
	assert_int_equal(scenario->machine.swappiness, -1);
	assert_int_equal(scenario->workload[0].common.count, 7);
	assert_int_equal(scenario->workload[0].common.nice, 5);
	scenario_free(scenario);
}

// ---- fingerprints ----

static struct config_digest fingerprint(const char *text, const char *set)
{
	struct config_digest digest;
	struct scenario *scenario;

	write_file("s.yaml", text);
	scenario = load("./s.yaml", &set, set ? 1 : 0);
	if (!scenario)
		fail_msg("%s", messages);
	digest = scenario->fingerprint;
	scenario_free(scenario);
	return digest;
}

static bool same(struct config_digest a, struct config_digest b)
{
	return a.low == b.low && a.high == b.high;
}

static void fingerprint_is_that_of_the_meaning(void **state)
{
	struct config_digest digest = fingerprint(plain, NULL);

	(void)state;
	assert_true(digest.low && digest.high);
	assert_true(
		same(digest, fingerprint("# a comment\nduration: 10000ms\ntext: other words\nstory: more\nseed: 7\n"
					 "policies: [vanilla]\nworkload: [{jobs: 4, name: build, kind: kernel-build}]\n"
					 "machine: {base: box, text: another}\n",
					 NULL)));
	assert_true(same(digest, fingerprint(plain, "machine.sysctl.swappiness=60")));
	assert_false(same(digest, fingerprint(plain, "machine.sysctl.swappiness=61")));
	assert_false(same(digest, fingerprint(plain, "workload.build.jobs=5")));
	assert_false(same(digest, fingerprint(plain, "workload.build.name=b")));
	assert_false(same(digest, fingerprint(plain, "iterations=2")));
	assert_false(same(digest, fingerprint(plain, "machine.costs.alloc=36ns")));
}

// ---- wrong files ----

#define START "machine: box\nduration: 10s\n"

static const struct {
	const char *text, *message; // the first line of the report
} wrong[] = {
	{START "workload:\n  - kind: kernel-build\n    jobz: 4\n",
	 "./s.yaml:5:5: error: unknown key 'jobz' of task kind 'kernel-build'; did you mean 'jobs'?"},
	{START "workload:\n  - kind: memory-hog\n    limit: 64GX\n",
	 "./s.yaml:5:12: error: 'limit': unknown unit 'GX' in '64GX'; known: B, kB, KiB, MB, MiB, GB, GiB, TB, TiB, %"},
	{"machine: bax\nduration: 10s\nworkload: [{kind: storm}]\n",
	 "./s.yaml:1:10: error: unknown machine 'bax'; did you mean 'box'?"},
	{"machine: {base: box, memory: 1MiB}\nduration: 10s\nworkload: [{kind: storm}]\n",
	 "./s.yaml:1:30: error: a node has at least 4MiB of memory"},
	{"machine: {base: box, memory: 20TiB}\nduration: 10s\nworkload: [{kind: storm}]\n",
	 "./s.yaml:1:30: error: 'memory': '20TiB' is too large: at most 15TiB"},
	{"machine: {base: box, reserved: 256MiB}\nduration: 10s\nworkload: [{kind: storm}]\n",
	 "./s.yaml:1:32: error: nothing is left of the node's 65536 pages: 65536 are reserved, 0 movable"},
	{"machine: {base: box, disk: floppy}\nduration: 10s\nworkload: [{kind: storm}]\n",
	 "./s.yaml:1:28: error: no device 'floppy'; expected one of devices: or nvme-dc, sata-ssd, fast-nvme, ramdisk, "
	 "hdd, "
	 "virtio-disk"},
	{"machine: {base: box, swap: {size: 0}}\nduration: 10s\nworkload: [{kind: storm}]\n",
	 "./machines/box.yaml:7:14: error: swap has no size; expected size: with a size such as 8GiB"},
	{"machine: {base: box, nodes: [{}, {}], distance: [[10, 20]]}\nduration: 10s\nworkload: [{kind: storm}]\n",
	 "./s.yaml:1:49: error: 1 rows for 2 nodes"},
	{"machine: {base: box, nodes: [{}, {}], distance: [[10, 20], [20, 11]]}\nduration: 10s\nworkload: [{kind: "
	 "storm}]\n",
	 "./s.yaml:1:49: error: a node is at distance 10 from itself, not 11"},
	{"machine: {base: box, sysctl: {min_free_kbytes: 200000}}\nduration: 10s\nworkload: [{kind: storm}]\n",
	 "./s.yaml:1:30: error: min_free_kbytes is more than half of the memory (245760 kB)"},
	{"machine: {base: box, costs: {alloc: 5ms}}\nduration: 10s\nworkload: [{kind: storm}]\n",
	 "./s.yaml:1:37: error: 'alloc': '5ms' is too large: at most 900ns"},
	{START "policies: [vanila]\nworkload: [{kind: storm}]\n",
	 "./s.yaml:3:11: error: unknown policy 'vanila' at character 1; did you mean 'vanilla'? (see: pageyard "
	 "policies)"},
	{START "workload: [{kind: storm, cpu: 2}]\n", "./s.yaml:3:31: error: CPU 2 of a machine with 2 CPUs (0 to 1)"},
	{START "workload: [{kind: storm, node: 1}]\n",
	 "./s.yaml:3:32: error: node 1 of a machine with 1 node (0 to 0)"},
	{START "workload: [{kind: storm, mempolicy: \"bind:1\"}]\n",
	 "./s.yaml:3:38: error: nodes are written as 0, 0-3, 0,2 or all, and this machine has 0 to 0"},
	{START "workload: [{kind: storm, cpuset: \"0-1\"}]\n",
	 "./s.yaml:3:35: error: nodes are written as 0, 0-3, 0,2 or all, and this machine has 0 to 0"},
	{START "workload: [{kind: populate, memory: 1MiB, local_reclaim: {home: 0-1}}]\n",
	 "./s.yaml:3:58: error: home: nodes are written as 0, 0-3, 0,2 or all, and this machine has 0 to 0"},
	{START "workload: [{kind: node-reclaim, size: 1MiB, of_node: 1}]\n",
	 "./s.yaml:3:54: error: node 1 of a machine with 1 node (0 to 0)"},
	{START "workload: [{kind: migrate-pages, from: all, to: \"1\"}]\n",
	 "./s.yaml:3:50: error: nodes are written as 0, 0-3, 0,2 or all, and this machine has 0 to 0"},
	{START "workload: [{kind: populate, memory: 16MiB, mbind: \"bind:1\"}]\n",
	 "./s.yaml:3:52: error: nodes are written as 0, 0-3, 0,2 or all, and this machine has 0 to 0"},
	{START "workload: [{kind: populate, memory: 16MiB, maps: shared-file, mbind_flags: move}]\n",
	 "./s.yaml:3:50: error: mbind and hugepages are for anonymous memory"},
	{START "workload: [{kind: populate, memory: 16MiB, maps: read-only-file, hugepages: on}]\n",
	 "./s.yaml:3:50: error: mbind and hugepages are for anonymous memory"},
	{START "workload: [{kind: storm, start: 5s, stop: 5s}]\n",
	 "./s.yaml:3:43: error: it would stop before it starts"},
	{START "until_done: on\nworkload: [{kind: storm, background: on}]\n",
	 "./s.yaml:3:13: error: no workload could end it: all are first: or background:"},
	{START "guards: [{kind: earlyoom}]\nworkload: [{kind: storm}]\n",
	 "./s.yaml:3:17: error: unknown guard 'earlyoom' (one of: systemd-oomd, oomd)"},
	{"machine: box\nworkload: [{kind: storm}]\n",
	 "./s.yaml:1:1: error: missing key 'duration' of scenario; expected a time such as 500us"},
	{START "workload: []\n", "./s.yaml:3:11: error: 'workload': 0 elements; at least 1"},
};

static void wrong_files_get_a_message_to_act_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct scenario *scenario;

		write_file("s.yaml", wrong[i].text);
		scenario = load("./s.yaml", NULL, 0);
		assert_null(scenario);
		messages[strcspn(messages, "\n")] = '\0';
		assert_string_equal(messages, wrong[i].message);
	}
}

// The start of a message that goes on with all kinds.
static void unknown_kind_gets_the_nearest_one(void **state)
{
	static const char start[] =
		"./s.yaml:3:19: error: unknown task kind 'kernel-buld'; did you mean 'kernel-build'? (one of: "
		"anonymous-churn, anonymous-hold, ";

	(void)state;
	write_file("s.yaml", START "workload: [{kind: kernel-buld}]\n");
	assert_null(load("./s.yaml", NULL, 0));
	assert_memory_equal(messages, start, strlen(start));
}

// Groups have pressure statistics of their own, of which there are seven.
static void groups_are_limited(void **state)
{
	char text[1024] = START "workload:\n";

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "  - {kind: storm, group: g%u}\n", i);
	write_file("s.yaml", text);
	assert_null(load("./s.yaml", NULL, 0));
	assert_memory_equal(messages, "./s.yaml:11:26: error: 'g7' is one group too many; there may be 7\n", 66);
}

// All errors of a file are told, those of the machine and of the workloads.
static void all_errors_are_told(void **state)
{
	(void)state;
	write_file("s.yaml", "machine: {base: box, memory: 1MiB}\nduration: 10s\npolicies: [vanila]\n"
			     "workload: [{kind: storm, start: 5s, stop: 2s}]\n");
	assert_null(load("./s.yaml", NULL, 0));
	assert_non_null(strstr(messages, "at least 4MiB"));
	assert_non_null(strstr(messages, "unknown policy 'vanila'"));
	assert_non_null(strstr(messages, "it would stop before it starts"));
}

static void wrong_assignments(void **state)
{
	static const char *const nowhere = "workload.built.jobs=5", *const nothing = "workload.build.jobs=many";

	(void)state;
	write_file("s.yaml", plain);
	assert_null(load("./s.yaml", &nowhere, 1));
	assert_non_null(strstr(messages, "--set workload.built.jobs=5"));
	assert_non_null(strstr(messages, "did you mean 'build'?"));
	assert_null(load("./s.yaml", &nothing, 1));
	assert_non_null(strstr(messages, "--set workload.build.jobs=many"));
	assert_non_null(strstr(messages, "'many' is not a whole number"));
}

static void scenarios_that_are_not_there(void **state)
{
	(void)state;
	assert_int_equal(chdir(shipped), 0);
	assert_null(load("vm-strom", NULL, 0));
	assert_non_null(strstr(messages, "error: there is no scenario 'vm-strom'; did you mean 'vm-storm'?\n"));
	assert_int_equal(chdir(folder), 0);
	assert_null(load("./no.yaml", NULL, 0));
	assert_string_equal(messages, "error: there is no file './no.yaml' that can be read\n");
}

// ---- variants ----

static const char varied[] = "machine: box\n"
			     "duration: 10s\n"
			     "workload:\n"
			     "  - {kind: kernel-build, name: build, jobs: 4}\n"
			     "variants:\n"
			     "  - name: as-is\n"
			     "  - name: more\n"
			     "    text: twice as many\n"
			     "    set: {workload.build.jobs: 8, machine.sysctl.swappiness: 100}\n"
			     "  - {name: tiny, policy: linux-7.3, set: {machine: {base: box, memory: 64MiB, reserved: 4MiB}}}\n";

static struct scenario *load_variant(const char *variant, const char *set)
{
	struct scenario *scenario;
	FILE *file;

	free(messages);
	file = open_memstream(&messages, &messages_size);
	assert_non_null(file);
	scenario = scenario_load_variant("./s.yaml", variant, &set, set ? 1 : 0, file);
	assert_int_equal(fclose(file), 0);
	return scenario;
}

static uint64_t jobs_of(const struct scenario *scenario)
{
	const struct workload *workload = &scenario->workload[0];
	const struct config_field *field = workload->kind->config.schema->fields;
	uint64_t jobs;

	while (strcmp(field->name, "jobs") != 0)
		field++;
	memcpy(&jobs, (const char *)workload->parameters + field->offset, sizeof(jobs));
	return jobs;
}

// The changes are those of the chosen variant only; --set comes after them; the fingerprint is that of the result.
static void variants_change_what_their_paths_say(void **state)
{
	struct scenario *whole = load_text(varied), *as_is, *more, *tiny, *set, *again;

	(void)state;
	assert_int_equal(whole->nr_variants, 3);
	assert_null(whole->chosen);
	assert_int_equal(jobs_of(whole), 4);
	as_is = load_variant("as-is", NULL);
	more = load_variant("more", NULL);
	tiny = load_variant("tiny", NULL);
	set = load_variant("more", "workload.build.jobs=6");
	again = load_variant("as-is", "workload.build.jobs=8");
	assert_true(as_is && more && tiny && set && again);
	assert_int_equal(jobs_of(as_is), 4);
	assert_memory_equal(&as_is->fingerprint, &whole->fingerprint, sizeof(whole->fingerprint));
	assert_string_equal(more->chosen->text, "twice as many");
	assert_int_equal(jobs_of(more), 8);
	assert_int_equal(more->machine.swappiness, 100);
	assert_memory_not_equal(&more->fingerprint, &whole->fingerprint, sizeof(whole->fingerprint));
	assert_int_equal(tiny->machine.node[0].pages, 64 << 8);
	assert_string_equal(tiny->chosen->policy, "linux-7.3");
	assert_int_equal(jobs_of(set), 6);
	assert_int_equal(set->machine.swappiness, 100);
	assert_int_equal(jobs_of(again), 8);
	assert_memory_not_equal(&again->fingerprint, &more->fingerprint, sizeof(more->fingerprint));
	assert_null(load_variant("mor", NULL));
	assert_non_null(strstr(messages, "did you mean 'more'?"));
	scenario_free(whole);
	scenario_free(as_is);
	scenario_free(more);
	scenario_free(tiny);
	scenario_free(set);
	scenario_free(again);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)
	const struct CMUnitTest tests[] = {
		TEST(shipped_scenarios_load),
		TEST(shipped_machines_load),
		TEST(SC6_watermarks_are_the_published_ones),
		TEST(recorded_vm_has_its_watermark),
		TEST(topologies),
		TEST(sysctls_as_the_engine_takes_them),
		TEST(costs_are_scaled),
		TEST(devices_by_preset),
		TEST(nodes_take_what_the_machine_says),
		TEST(defaults_and_keys_of_a_scenario),
		TEST(workloads_without_a_name_get_one),
		TEST(assignments_change_scenario_and_machine),
		TEST(fingerprint_is_that_of_the_meaning),
		TEST(wrong_files_get_a_message_to_act_on),
		TEST(unknown_kind_gets_the_nearest_one),
		TEST(groups_are_limited),
		TEST(all_errors_are_told),
		TEST(wrong_assignments),
		TEST(scenarios_that_are_not_there),
		TEST(variants_change_what_their_paths_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
