// SPDX-License-Identifier: Apache-2.0
//
// Block devices (spec 05 X37): service time, servers, the pipe, jitter, sequential requests, the finite queue.

#include "memory_fixture.h"

enum { REQUESTS_ALL = 4096 };

static uint64_t ended[REQUESTS_ALL];
static unsigned nr_ended;

static void note_end(struct simulation *s, void *argument)
{
	(void)argument;
	ended[nr_ended++] = sim_now(s);
}

static struct device *device(void)
{
	return memory_device(sim, 0);
}

static void begin(void)
{
	nr_ended = 0;
	disk.jitter_ppm = 0;
	start();
}

static uint64_t submit_and_run(unsigned nr, bool write, uint64_t bytes) // until the last has ended
{
	uint64_t start_ns = sim_now(sim);

	for (unsigned i = 0; i < nr; i++)
		device_submit(sim, device(), write, (uint64_t)i * 1000000000, bytes, note_end, NULL);
	run_for(10 * NS_PER_S);
	assert_int_equal(nr_ended, nr);
	return ended[nr - 1] - start_ns;
}

static void X37_latency_is_service_and_transfer(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	begin();
	assert_int_equal(submit_and_run(1, false, 6500), 80000 + 1000);
	assert_int_equal(device_statistics(device())->reads, 1);
	assert_int_equal(device_statistics(device())->read_bytes, 6500);
	assert_int_equal(device_statistics(device())->busy_ns, 81000);
	nr_ended = 0;
	assert_int_equal(submit_and_run(1, true, 3500), 18000 + 1000);
	assert_int_equal(device_statistics(device())->writes, 1);
	assert_int_equal(device_statistics(device())->written_bytes, 3500);
}

static void X37_servers_limit_requests_a_second(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	disk.servers = 6;
	disk.read_ns = 10000;
	disk.read_bandwidth = 0; // without limit
	begin();
	assert_int_equal(submit_and_run(600, false, 4096), 600 / 6 * 10000);
	for (unsigned i = 0; i < 600; i++)
		assert_int_equal(ended[i], (i / 6 + 1) * 10000);
}

static void X37_the_pipe_limits_bytes_a_second(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	begin();
	// 650 requests of a million bytes at 6.5 GB/s
	assert_in_range(submit_and_run(650, false, 1000000), 100000000 - 650, 100000000 + 80000);
}

static void X37_jitter_varies_evenly_and_is_seeded(void **state)
{
	uint64_t first[200], sum = 0, least = UINT64_MAX, most = 0;

	(void)state;
	for (unsigned run = 0; run < 2; run++) {
		describe(64 * MIB, 1);
		disk.servers = 1;
		disk.jitter_ppm = 250000;
		disk.read_bandwidth = 0;
		nr_ended = 0;
		start();
		submit_and_run(200, false, 4096);
		for (unsigned i = 0; i < 200; i++) {
			uint64_t took = ended[i] - (i ? ended[i - 1] : 0);

			if (run)
				assert_int_equal(took, first[i]);
			first[i] = took;
			sum += took;
			least = took < least ? took : least;
			most = took > most ? took : most;
		}
		if (!run)
			stop(state);
	}
	assert_in_range(least, 60000, 62000);
	assert_in_range(most, 98000, 100000);
	assert_in_range(sum / 400, 78000, 82000);
}

static void X37_a_request_that_continues_the_last_one(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	disk.servers = 1;
	disk.read_ns = 8000000;
	disk.sequential_ns = 20000;
	disk.read_bandwidth = 0;
	begin();
	device_submit(sim, device(), false, 0, 4096, note_end, NULL);
	device_submit(sim, device(), false, 4096, 8192, note_end, NULL);
	device_submit(sim, device(), false, 12288, 4096, note_end, NULL);
	device_submit(sim, device(), false, 4096, 4096, note_end, NULL);
	run_for(NS_PER_S);
	assert_int_equal(ended[0], 8000000);
	assert_int_equal(ended[1], 8020000);
	assert_int_equal(ended[2], 8040000);
	assert_int_equal(ended[3], 16040000);
}

static uint64_t most_in_flight;

static void submit_many(void)
{
	for (unsigned i = 0; i < 1000; i++) {
		device_wait_for_room(sim, device());
		device_submit(sim, device(), true, 0, 4096, note_end, NULL);
		if (device_in_flight(device()) > most_in_flight)
			most_in_flight = device_in_flight(device());
	}
	assert_in_range(nr_ended, 1000 - 64, 1000 - 63);
}

static void the_queue_is_finite_and_a_task_sleeps(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	disk.servers = 1;
	most_in_flight = 0;
	begin();
	as_task(submit_many);
	run_for(NS_PER_S);
	assert_int_equal(nr_ended, 1000);
	assert_int_equal(most_in_flight, 64);
	assert_int_equal(device_in_flight(device()), 0);
}

static void transfer_once(void)
{
	uint64_t start_ns = sim_now(sim);

	device_transfer(sim, device(), false, 0, 6500);
	assert_in_range(sim_now(sim) - start_ns, 81000, 81000 + 20000);
}

static void a_transfer_sleeps_until_it_is_over(void **state)
{
	struct cpu_times times;

	(void)state;
	describe(64 * MIB, 1);
	begin();
	as_task(transfer_once);
	scheduler_cpu_times(sim, 0, &times);
	assert_true(times.idle >= 70000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(X37_latency_is_service_and_transfer, stop),
		cmocka_unit_test_teardown(X37_servers_limit_requests_a_second, stop),
		cmocka_unit_test_teardown(X37_the_pipe_limits_bytes_a_second, stop),
		cmocka_unit_test_teardown(X37_jitter_varies_evenly_and_is_seeded, stop),
		cmocka_unit_test_teardown(X37_a_request_that_continues_the_last_one, stop),
		cmocka_unit_test_teardown(the_queue_is_finite_and_a_task_sleeps, stop),
		cmocka_unit_test_teardown(a_transfer_sleeps_until_it_is_over, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
