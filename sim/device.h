// SPDX-License-Identifier: Apache-2.0
//
// Block devices (spec 05 X37): k servers of a service time, one pipe of a bandwidth, seeded jitter. A request waits
// for a server, is served, and passes the pipe: latency = wait + service + bytes / bandwidth.

#pragma once

#include "sim/scheduler.h"

struct device_config { // of a machine file
	char *name;
	uint64_t read_ns, write_ns;		  // service time
	uint64_t read_bandwidth, write_bandwidth; // bytes a second
	uint64_t servers;			  // queue depth that still adds throughput
	uint64_t jitter_ppm;			  // service time varies evenly by up to this share
	uint64_t sequential_ns; // service time of a request that continues the last one (hdd); 0: as others
};

struct device;
typedef void device_done(struct simulation *sim, void *argument); // in interrupt context

// The config must live as long as the device. NULL: no host memory.
struct device *device_create(struct simulation *sim, const struct device_config *config, uint64_t index);
void device_destroy(struct device *device); // NULL is allowed; what is under way never ends
// Starts a request; done(argument) is called when it is over.
void device_submit(struct simulation *sim, struct device *device, bool write, uint64_t offset, uint64_t bytes,
		   device_done *done, void *argument);
// ... and sleeps until it is over.
void device_transfer(struct simulation *sim, struct device *device, bool write, uint64_t offset, uint64_t bytes);
// The request queue is finite: the running task sleeps while it is full. Not in an interrupt, which may exceed it.
void device_wait_for_room(struct simulation *sim, struct device *device);
uint64_t device_in_flight(const struct device *device);

struct device_statistics {
	uint64_t reads, writes, read_bytes, written_bytes;
	uint64_t busy_ns; // at least one request was under way; without the present stretch
};
const struct device_statistics *device_statistics(const struct device *device);
uint64_t device_busy_ns(const struct simulation *sim, const struct device *device); // ... with it
