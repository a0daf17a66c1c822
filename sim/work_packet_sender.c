// SPDX-License-Identifier: Apache-2.0
//
// packet-sender: a process that sends small packets over the loopback while packet sockets, which nobody reads, each
// keep a clone of every packet as it is sent and as it is received. The clones' heads are allocated with GFP_ATOMIC and
// stay until the sockets are closed; the packet's data stays with them.

#include "sim/machine.h"
#include "sim/work_kernel.h"

struct packet_sender {
	struct workload_common common;
	uint64_t sockets, limit, truesize, clone_ns, cycle_ns, rest_ns;
	struct config_rate rate;
};

#define AT(member) CONFIG_AT(struct packet_sender, member)

static const struct config_field fields[] = {
	{"sockets", CONFIG_COUNT, AT(sockets), .default_text = "24", .min = 1, .max = 10000,
	 .help = "that see each packet twice"},
	{"limit", CONFIG_SIZE, AT(limit), .default_text = "64MiB", .min = 1, .help = "of a socket's receive queue"},
	{"truesize", CONFIG_SIZE, AT(truesize), .default_text = "896B", .min = 1, .help = "what a packet counts in it"},
	{"clone", CONFIG_TIME, AT(clone_ns), .default_text = "150ns",
	 .help = "CPU time of a clone's way to its socket besides memory, at cpu_scale: 1"},
	{"cycle", CONFIG_TIME, AT(cycle_ns), .default_text = "4s", .min = 1, .help = "until the sockets are closed"},
	{"rest", CONFIG_TIME, AT(rest_ns), .default_text = "200ms", .help = "after that"},
	{"rate", CONFIG_RATE, AT(rate), .default_text = "0/s", .help = "of packets; 0: one after the other"},
	{0},
};

enum { OBJECTS_PER_CHUNK = 65536, CLONES_PER_SOCKET = 2, FREES_PER_POINT = 64 };

struct chunk {
	struct chunk *next;
	uint32_t nr;
	bool data[OBJECTS_PER_CHUNK]; // a packet's data, else a head
	struct slab_object object[OBJECTS_PER_CHUNK];
};

struct sender {
	struct workload_instance *instance;
	const struct packet_sender *p;
	struct kernel_caches caches;
	struct chunk *first, *last; // chunks behind `last` are empty
	struct workload_pace pace;
};

static bool keep(struct simulation *sim, struct sim_task *task, struct sender *sender, struct slab_object object,
		 bool data)
{
	struct chunk *chunk = sender->last;

	if (!chunk || chunk->nr == OBJECTS_PER_CHUNK) {
		chunk = chunk ? chunk->next : sender->first;
		if (!chunk) {
			chunk = task_memory(sim, task, sizeof(*chunk));
			if (!chunk)
				return false;
			if (sender->last)
				sender->last->next = chunk;
			else
				sender->first = chunk;
		}
		sender->last = chunk;
	}
	chunk->data[chunk->nr] = data;
	chunk->object[chunk->nr++] = object;
	return true;
}

static void close_sockets(struct simulation *sim, struct sender *sender)
{
	for (struct chunk *chunk = sender->first; chunk; chunk = chunk->next) {
		for (uint32_t i = 0; i < chunk->nr; i++) {
			slab_free(sim, sender->caches.cache[chunk->data[i] ? KERNEL_PACKET_DATA : KERNEL_PACKET_HEAD],
				  chunk->object[i]);
			if (i % FREES_PER_POINT == 0)
				sim_point(sim);
		}
		chunk->nr = 0;
	}
	sender->last = NULL;
}

// On its way the packet passes all sockets twice. Dropped clones are counted.
static bool clone_packet(struct simulation *sim, struct sim_task *task, struct sender *sender)
{
	uint64_t clones = CLONES_PER_SOCKET * sender->p->sockets, made = 0;
	struct slab_object object;

	for (uint64_t i = 0; i < clones; i++) {
		sim->host->now_ns += sender->p->clone_ns * sim->machine->cpu_scale_thousandths / 1000;
		if (!slab_alloc(sim, sender->caches.cache[KERNEL_PACKET_HEAD], YARD_GFP_ATOMIC, &object))
			continue;
		if (!keep(sim, task, sender, object, false))
			return false;
		made++;
	}
	*workload_figure(sender->instance->workload, "copies", 1) += made;
	*workload_figure(sender->instance->workload, "copies failed", -1) += clones - made;
	return true;
}

static bool send_packet(struct simulation *sim, struct sim_task *task, struct sender *sender, bool queues_full)
{
	struct slab_object head, data;
	uint64_t start = sim_now(sim);
	bool fine;

	sim_charge(sim, COST_SYSCALL, 1);
	sim_charge(sim, COST_PACKET, 1);
	if (!slab_alloc(sim, sender->caches.cache[KERNEL_PACKET_HEAD], YARD_GFP_KERNEL, &head))
		return !workload_over(sender->instance, task);
	fine = slab_alloc(sim, sender->caches.cache[KERNEL_PACKET_DATA], YARD_GFP_KERNEL, &data);
	if (fine && !queues_full)
		fine = keep(sim, task, sender, data, true) && clone_packet(sim, task, sender);
	else if (fine)
		slab_free(sim, sender->caches.cache[KERNEL_PACKET_DATA], data);
	slab_free(sim, sender->caches.cache[KERNEL_PACKET_HEAD], head);
	++*workload_figure(sender->instance->workload, "packets", 1);
	workload_latency(sim, sender->instance->workload, "packet", sim_now(sim) - start);
	return (fine || !*sim->error) && workload_pace(sim, task, sender->instance, &sender->pace, sender->p->rate);
}

static void send_packets(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct sender sender = {argument, workload_parameters(argument), .first = NULL};
	const struct packet_sender *p = sender.p;
	uint64_t room = p->limit / p->truesize / CLONES_PER_SOCKET;
	bool on = kernel_caches(sim, &sender.caches);

	while (on) {
		uint64_t end = sim_now(sim) + p->cycle_ns;

		for (uint64_t sent = 0; on && sim_now(sim) < end; sent++)
			on = send_packet(sim, task, &sender, sent >= room);
		close_sockets(sim, &sender);
		++*workload_figure(sender.instance->workload, "cycles", 0);
		on = on && workload_pause(sim, task, sender.instance, p->rest_ns);
	}
}

WORKLOAD_KIND(kind_packet_sender, "packet-sender", "sends packets that many sockets clone and keep",
	      struct packet_sender, fields, send_packets);
