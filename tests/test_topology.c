// SPDX-License-Identifier: Apache-2.0
//
// How far nodes are from each other, as machine files say it: latencies, bandwidths, sockets, tiers (spec 05 H1 to
// H12, T5, D1), the shipped machines, and what is said about wrong ones.

#include "scenario_fixture.h"

#include <pageyard/mempolicy.h>

#define MACHINE(keys) "machine: {memory: 64MiB, cpus: 1, " keys "}\nduration: 1s\nworkload: [{kind: storm}]\n"

static void load_shipped(const char *name, struct machine *machine)
{
	char path[DATA_PATH_MAX];

	assert_true(machine_load(shipped_file("machines", name, path), machine, stderr));
}

// Latency and bandwidth from a CPU of node 0, by distance class, as the specification has them.
static void H1_to_H11_figures_of_the_machines(void **state)
{
	static const struct {
		const char *name;
		unsigned node;
		uint64_t ns, gb;
	} figures[] = {
		{"hahn-2x125", 0, 80, 111}, {"hahn-2x125", 1, 135, 51}, {"2s-xeon", 1, 135, 51},
		{"4s-full", 0, 85, 100},    {"4s-full", 3, 140, 35},	{"4s-ring", 1, 105, 45},
		{"4s-ring", 2, 145, 30},    {"8n-nps4", 0, 95, 45},	{"8n-nps4", 3, 110, 45},
		{"8n-nps4", 4, 200, 80},    {"8n-32", 7, 200, 80},	{"8n-naples", 1, 140, 0},
		{"8n-naples", 6, 190, 0},   {"8n-naples", 7, 230, 0},	{"8s-power", 1, 150, 0},
		{"8s-power", 7, 300, 0},    {"cxl-1s", 0, 90, 250},	{"cxl-1s", 1, 250, 24},
		{"cxl-2s", 2, 250, 24},	    {"cxl-2s", 3, 330, 20},	{"tiny", 1, 135, 51},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(figures); i++) {
		struct machine machine;

		load_shipped(figures[i].name, &machine);
		assert_int_equal(machine_latency(&machine, 0, figures[i].node), figures[i].ns);
		assert_int_equal(machine_bandwidth(&machine, 0, figures[i].node), figures[i].gb * 1000000000);
		machine_release(&machine);
	}
}

// D1: 576 * 250/90 * 250/24 = 16666, tier 130, one below DRAM's 4; HBM is faster than DRAM.
static void D1_tiers_by_latency_and_bandwidth(void **state)
{
	struct machine machine;

	(void)state;
	load_shipped("cxl-1s", &machine);
	assert_int_equal(machine.node[0].tier, 0);
	assert_int_equal(machine.node[1].tier, 1);
	machine_release(&machine);
	load_shipped("cxl-2s", &machine);
	assert_int_equal(machine.node[1].tier, 0);
	assert_int_equal(machine.node[2].tier, 1);
	assert_int_equal(machine.node[3].tier, 1);
	assert_int_equal(machine_node_bandwidth(&machine, 3), 24000);
	machine_release(&machine);
	load_shipped("hbm", &machine);
	assert_int_equal(machine.node[0].tier, 1);
	assert_int_equal(machine.node[1].tier, 0);
	assert_int_equal(machine.node[2].tier, 2);
	machine_release(&machine);
	load_shipped("8n-nps4", &machine);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(machine.node[i].tier, 0);
	machine_release(&machine);
}

static struct machine *machine_of(const char *text)
{
	scenario_free(scenario);
	scenario = load_text(text);
	return &scenario->machine;
}

// No figures, or a tier that is said: D1 is not asked.
static void tiers_that_are_said(void **state)
{
	struct machine *machine;

	(void)state;
	machine = machine_of(MACHINE("nodes: [{}, {cpus: 0}]"));
	assert_int_equal(machine->node[1].tier, 0);
	assert_int_equal(machine_latency(machine, 0, 1), 80);
	assert_int_equal(machine_bandwidth(machine, 0, 1), 0);
	machine = machine_of(MACHINE("nodes: [{}, {cpus: 0, tier: 3}], latency: [[1us, 9us], [9us, 1us]],"
				     "bandwidth: [[9GB/s, 1GB/s], [1GB/s, 9GB/s]]"));
	assert_int_equal(machine->node[0].tier, 0);
	assert_int_equal(machine->node[1].tier, 3);
}

static void T5_when_zonelists_were_built(void **state)
{
	(void)state;
	assert_false(machine_of(MACHINE("nodes: [{}, {cpus: 0}]"))->zonelist_hotplug);
	assert_false(machine_of(MACHINE("nodes: [{}, {cpus: 0, kind: hbm}]"))->zonelist_hotplug);
	assert_true(machine_of(MACHINE("nodes: [{}, {cpus: 0, kind: cxl}]"))->zonelist_hotplug);
	assert_true(machine_of(MACHINE("nodes: [{}, {cpus: 0, kind: pmem}]"))->zonelist_hotplug);
	assert_false(machine_of(MACHINE("nodes: [{}, {cpus: 0, kind: cxl}], zonelist_built: boot"))->zonelist_hotplug);
	assert_true(machine_of(MACHINE("nodes: [{}, {cpus: 0}], zonelist_built: hotplug"))->zonelist_hotplug);
}

static void nodes_of_a_socket(void **state)
{
	struct machine *machine = machine_of(MACHINE("nodes: [{socket: 1}, {}, {socket: 1}]"));

	(void)state;
	assert_int_equal(machine->node[0].socket, 1);
	assert_int_equal(machine->node[2].socket, 1);
	assert_int_not_equal(machine->node[1].socket, 1);
}

static void wrong_ones_get_a_message_with_a_line(void **state)
{
	static const struct {
		const char *text, *message;
	} wrong[] = {
		{MACHINE("nodes: [{}, {}], latency: [[80ns, 90ns]]"), "1 rows for 2 nodes"},
		{MACHINE("nodes: [{}, {}], latency: [[80ns, 90ns], [80ns]]"), "row 1 has 1 values for 2 nodes"},
		{MACHINE("nodes: [{}, {}], latency: [[80ns, 0ns], [80ns, 80ns]]"), "s.yaml:1:"},
		{MACHINE("nodes: [{}, {}], latency: [[80ns, 90], [80ns, 80ns]]"), "s.yaml:1:"},
		{MACHINE("nodes: [{}, {}], bandwidth: [[1GB/s, 1GB/s, 1GB/s], [1GB/s, 1GB/s, 1GB/s]]"),
		 "row 0 has 3 values for 2 nodes"},
		{MACHINE("nodes: [{}, {}], bandwidth: [[1GB/s, 0], [1GB/s, 1GB/s]]"), "s.yaml:1:"},
		{MACHINE("nodes: [{}, {socket: 5}, {socket: 5}], bandwidth: [[9GB/s, 1GB/s, 2GB/s], [1GB/s, 9GB/s, "
			 "9GB/s],"
			 "[2GB/s, 9GB/s, 9GB/s]]"),
		 "their link has another bandwidth"},
		{MACHINE("nodes: [{}, {kind: clx}]"), "did you mean 'cxl'?"},
		{MACHINE("zonelist_built: hotplugged"), "did you mean 'hotplug'?"},
		{MACHINE("access: {misses: 150%}"), "150%"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		write_file("s.yaml", wrong[i].text);
		if (load("./s.yaml", NULL, 0))
			fail_msg("was taken: %s", wrong[i].text);
		if (!strstr(messages, wrong[i].message) || !strstr(messages, "s.yaml:1:"))
			fail_msg("no '%s' in: %s", wrong[i].message, messages);
	}
}

static struct simulation *boot_machine(const char *text)
{
	struct simulation *simulation;
	struct yard_policy policy;
	char error[256];

	machine_of(text);
	assert_int_equal(yard_policy_parse("linux-7.3", &policy, error, sizeof(error)), YARD_OK);
	simulation = simulation_create(&(struct simulation_config){.machine = &scenario->machine, .policy = &policy},
				       error, sizeof(error));
	if (!simulation)
		fail_msg("%s", error);
	return simulation;
}

// The specification's vector (300, 60): 26 and 5; without bandwidths all weights are 1.
static void M9_weights_of_interleaving_follow_bandwidth(void **state)
{
	struct simulation *simulation;

	(void)state;
	simulation = boot_machine(MACHINE("nodes: [{}, {cpus: 0}], bandwidth: [[300GB/s, 60GB/s], [60GB/s, 60GB/s]]"));
	assert_int_equal(yard_node_weight(simulation->yard, 0), 26);
	assert_int_equal(yard_node_weight(simulation->yard, 1), 5);
	simulation_destroy(simulation);
	simulation = boot_machine(MACHINE("nodes: [{}, {cpus: 0}]"));
	assert_int_equal(yard_node_weight(simulation->yard, 0), 1);
	assert_int_equal(yard_node_weight(simulation->yard, 1), 1);
	simulation_destroy(simulation);
}

// All of ZONE_MOVABLE, as memory that is added to a running machine; but the kernel needs some for itself.
static void a_node_may_be_movable_as_a_whole(void **state)
{
	struct simulation *simulation = boot_machine(MACHINE("zones: one, nodes: [{}, {movable: 64MiB}]"));
	struct yard_zone_state zone;

	(void)state;
	assert_int_equal(yard_get_zone(simulation->yard, YARD_ZONE_TYPES + YARD_ZONE_NORMAL, &zone), YARD_OK);
	assert_false(zone.populated);
	assert_int_equal(yard_get_zone(simulation->yard, YARD_ZONE_TYPES + YARD_ZONE_MOVABLE, &zone), YARD_OK);
	assert_int_equal(zone.managed, 64 << 8);
	simulation_destroy(simulation);
	write_file("s.yaml", MACHINE("nodes: [{movable: 64MiB}, {}]"));
	assert_null(load("./s.yaml", NULL, 0));
	assert_non_null(strstr(messages, "nothing is left of the node"));
}

static int leave(void **state)
{
	scenario_free(scenario);
	scenario = NULL;
	return leave_folder(state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave)
	const struct CMUnitTest tests[] = {
		TEST(H1_to_H11_figures_of_the_machines),
		TEST(D1_tiers_by_latency_and_bandwidth),
		TEST(tiers_that_are_said),
		TEST(T5_when_zonelists_were_built),
		TEST(nodes_of_a_socket),
		TEST(M9_weights_of_interleaving_follow_bandwidth),
		TEST(a_node_may_be_movable_as_a_whole),
		TEST(wrong_ones_get_a_message_with_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
