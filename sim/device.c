// SPDX-License-Identifier: Apache-2.0
//
// Block devices (spec 05 X37). When a request will be over is known when it is submitted: nothing overtakes it.

#include "sim/device.h"

#include <stdlib.h>

enum {
	// Of a device's queue, more wait outside: as Linux's request queues for one SATA disk and for NVMe.
	REQUESTS_PER_SERVER = 16,
	REQUESTS_MIN = 64,
	REQUESTS_MAX = 1024,
	SERVERS_MAX = 4096,
	PPM = 1000000,
};

struct request {
	struct sim_timer timer;
	struct device *device;
	device_done *done;
	void *argument;
	struct request *next, *all_next;
};

struct device {
	const struct device_config *config;
	struct random_source random;
	uint64_t *server; // heap of the times at which they are free, the earliest first
	uint64_t servers, room_for;
	uint64_t pipe_free; // when the pipe has carried all that it was given
	uint64_t position;  // end of the last request
	uint64_t in_flight, busy_since;
	struct wait_queue room;
	struct request *free, *all;
	struct device_statistics statistics;
};

struct device *device_create(struct simulation *sim, const struct device_config *config, uint64_t index)
{
	struct device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	device->config = config;
	device->servers = config->servers ? config->servers : 1;
	device->servers = device->servers < SERVERS_MAX ? device->servers : SERVERS_MAX;
	device->room_for = device->servers * REQUESTS_PER_SERVER;
	device->room_for = device->room_for < REQUESTS_MIN ? REQUESTS_MIN : device->room_for;
	device->room_for = device->room_for > REQUESTS_MAX ? REQUESTS_MAX : device->room_for;
	device->position = UINT64_MAX;
	device->server = calloc(device->servers, sizeof(device->server[0]));
	if (!device->server) {
		free(device);
		return NULL;
	}
	random_fork(&device->random, &sim->random, "device", index);
	return device;
}

void device_destroy(struct device *device)
{
	if (!device)
		return;
	while (device->all) {
		struct request *next = device->all->all_next;

		free(device->all);
		device->all = next;
	}
	free(device->server);
	free(device);
}

uint64_t device_in_flight(const struct device *device)
{
	return device->in_flight;
}

const struct device_statistics *device_statistics(const struct device *device)
{
	return &device->statistics;
}

// The clocks of CPUs differ: this one may be behind that of whoever submitted.
static uint64_t busy_stretch(const struct simulation *sim, const struct device *device)
{
	return sim_now(sim) > device->busy_since ? sim_now(sim) - device->busy_since : 0;
}

uint64_t device_busy_ns(const struct simulation *sim, const struct device *device)
{
	return device->statistics.busy_ns + (device->in_flight ? busy_stretch(sim, device) : 0);
}

// ---- how long it takes ----

static uint64_t service_time(struct device *device, bool write, uint64_t offset)
{
	const struct device_config *config = device->config;
	uint64_t ns = write ? config->write_ns : config->read_ns, jitter;

	if (config->sequential_ns && offset == device->position)
		ns = config->sequential_ns;
	jitter = (uint64_t)((unsigned __int128)ns * config->jitter_ppm / PPM);
	return jitter ? random_between(&device->random, jitter < ns ? ns - jitter : 0, ns + jitter) : ns;
}

// The first server that is free takes it: the heap's top gets a later time.
static uint64_t serve(struct device *device, uint64_t now, uint64_t ns)
{
	uint64_t *server = device->server, end = (server[0] > now ? server[0] : now) + ns, place = 0;

	for (;;) {
		uint64_t child = 2 * place + 1;

		if (child + 1 < device->servers && server[child + 1] < server[child])
			child++;
		if (child >= device->servers || server[child] >= end)
			break;
		server[place] = server[child];
		place = child;
	}
	server[place] = end;
	return end;
}

// The pipe is never idle while it has something to carry; a request is through when it has been served and carried, and
// all that came before it is.
static uint64_t end_of_request(struct device *device, uint64_t now, bool write, uint64_t offset, uint64_t bytes)
{
	uint64_t bandwidth = write ? device->config->write_bandwidth : device->config->read_bandwidth;
	uint64_t carried = bandwidth ? (uint64_t)((unsigned __int128)bytes * NS_PER_S / bandwidth) : 0;
	uint64_t end = serve(device, now, service_time(device, write, offset)) + carried;

	device->pipe_free = (device->pipe_free > now ? device->pipe_free : now) + carried;
	device->position = offset + bytes;
	return end > device->pipe_free ? end : device->pipe_free;
}

// ---- requests ----

static void finish(struct simulation *sim, void *argument)
{
	struct request *request = argument;
	struct device *device = request->device;
	device_done *done = request->done;
	void *done_argument = request->argument;

	request->next = device->free;
	device->free = request;
	if (!--device->in_flight)
		device->statistics.busy_ns += busy_stretch(sim, device);
	wake_one(sim, &device->room);
	done(sim, done_argument);
}

static struct request *new_request(struct simulation *sim, struct device *device)
{
	struct request *request = device->free;

	if (request) {
		device->free = request->next;
		return request;
	}
	request = calloc(1, sizeof(*request));
	if (!request) {
		sim_fail(sim, "no memory for a request to a device");
		return NULL;
	}
	request->device = device;
	request->all_next = device->all;
	device->all = request;
	return request;
}

static void count(struct device *device, bool write, uint64_t bytes)
{
	if (write) {
		device->statistics.writes++;
		device->statistics.written_bytes += bytes;
	} else {
		device->statistics.reads++;
		device->statistics.read_bytes += bytes;
	}
}

void device_submit(struct simulation *sim, struct device *device, bool write, uint64_t offset, uint64_t bytes,
		   device_done *done, void *argument)
{
	struct request *request = new_request(sim, device);
	uint64_t now = sim_now(sim);

	if (!request)
		return;
	if (!device->in_flight++)
		device->busy_since = now;
	count(device, write, bytes);
	request->done = done;
	request->argument = argument;
	request->timer.cpu = (uint16_t)sim->host->cpu;
	timer_start(sim, &request->timer, end_of_request(device, now, write, offset, bytes), finish, request);
}

void device_wait_for_room(struct simulation *sim, struct device *device)
{
	while (task_current(sim) && device->in_flight >= device->room_for)
		task_wait(sim, &device->room, SIM_FOREVER, true);
}

struct transfer {
	bool over;
	struct wait_queue queue;
};

static void transferred(struct simulation *sim, void *argument)
{
	struct transfer *transfer = argument;

	transfer->over = true;
	wake_all(sim, &transfer->queue);
}

void device_transfer(struct simulation *sim, struct device *device, bool write, uint64_t offset, uint64_t bytes)
{
	struct transfer transfer = {.over = false};

	device_wait_for_room(sim, device);
	device_submit(sim, device, write, offset, bytes, transferred, &transfer);
	while (!transfer.over && task_current(sim))
		task_wait(sim, &transfer.queue, SIM_FOREVER, true);
}
