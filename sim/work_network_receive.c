// SPDX-License-Identifier: Apache-2.0
//
// network-receive: packets arrive in interrupts, which allocate a buffer and a head for each with GFP_ATOMIC; the
// buffers go when their reader has had time for them. The default mix of orders is the published one of a busy network
// host. Without any order only the heads are taken: small packets, whose data is in memory that the driver keeps.

#include "sim/work_kernel.h"

enum { ORDERS = 4 };

struct network_receive {
	struct workload_common common;
	struct config_rate rate;
	uint64_t batch, buffers, order_ppm[ORDERS];
	struct config_range life;
	bool heads, this_node;
};

#define AT(member) CONFIG_AT(struct network_receive, member)

static const struct config_field fields[] = {
	{"rate", CONFIG_RATE, AT(rate), .default_text = "10000/s", .min = 1, .help = "of packets"},
	{"batch", CONFIG_COUNT, AT(batch), .default_text = "16", .min = 1, .max = 4096,
	 .help = "packets of an interrupt"},
	{"life", CONFIG_TIME, AT(life), .range = true, .default_text = "1ms..20ms", .help = "of a packet's memory"},
	{"buffers", CONFIG_COUNT, AT(buffers), .default_text = "65536", .min = 1, .max = 10000000,
	 .help = "most that wait for their reader; further packets are dropped"},
	{"order0", CONFIG_PERCENT, AT(order_ppm[0]), .default_text = "13.5%", .help = "share of the buffers"},
	{"order1", CONFIG_PERCENT, AT(order_ppm[1]), .default_text = "1%", .help = "likewise"},
	{"order2", CONFIG_PERCENT, AT(order_ppm[2]), .default_text = "51.8%", .help = "likewise"},
	{"order3", CONFIG_PERCENT, AT(order_ppm[3]), .default_text = "33.7%", .help = "likewise"},
	{"heads", CONFIG_BOOL, AT(heads), .default_text = "on", .help = "each packet also takes a slab object"},
	{"this_node", CONFIG_BOOL, AT(this_node), .default_text = "off",
	 .help = "a buffer must lie on the node of the CPU (GFP_THISNODE)"},
	{0},
};

#define BUFFER_GFP (YARD_GFP_ATOMIC | YARD_GFP_COMP | YARD_GFP_NOWARN)

struct buffer {
	uint64_t until;
	struct slab_object head;
	uint32_t pfn;
	uint8_t order;
	bool has_head;
};

struct receiver {
	struct workload_instance *instance;
	const struct network_receive *p;
	struct sim_task *task;
	struct kernel_caches caches;
	struct sim_timer timer;
	uint64_t interval_ns, mix;
	struct buffer *buffer; // a ring of p->buffers
	uint64_t first, nr;
};

static void free_first(struct simulation *sim, struct receiver *receiver)
{
	struct buffer *buffer = &receiver->buffer[receiver->first];

	if (buffer->pfn != YARD_PFN_NONE)
		sim_free(sim, buffer->pfn, buffer->order);
	if (buffer->has_head)
		slab_free(sim, receiver->caches.cache[KERNEL_PACKET_HEAD], buffer->head);
	receiver->first = (receiver->first + 1) % receiver->p->buffers;
	receiver->nr--;
}

static unsigned draw_order(struct receiver *receiver)
{
	uint64_t at = random_below(&receiver->task->random, receiver->mix);
	unsigned order = 0;

	while (at >= receiver->p->order_ppm[order])
		at -= receiver->p->order_ppm[order++];
	return order;
}

static bool take_data(struct simulation *sim, struct receiver *receiver, struct buffer *buffer)
{
	buffer->pfn = YARD_PFN_NONE;
	if (!receiver->mix)
		return true;
	buffer->pfn = sim_alloc(sim, REQUEST_ATOMIC, BUFFER_GFP | (receiver->p->this_node ? YARD_GFP_THISNODE : 0),
				buffer->order, -1);
	return buffer->pfn != YARD_PFN_NONE;
}

static bool take_packet(struct simulation *sim, struct receiver *receiver)
{
	const struct network_receive *p = receiver->p;
	struct buffer *buffer = &receiver->buffer[(receiver->first + receiver->nr) % p->buffers];

	sim_charge(sim, COST_PACKET, 1);
	if (receiver->nr == p->buffers)
		return false;
	buffer->order = receiver->mix ? (uint8_t)draw_order(receiver) : 0;
	buffer->until = sim_now(sim) + workload_draw(receiver->task, p->life);
	if (!take_data(sim, receiver, buffer))
		return false;
	buffer->has_head = p->heads;
	if (p->heads && !slab_alloc(sim, receiver->caches.cache[KERNEL_PACKET_HEAD], YARD_GFP_ATOMIC, &buffer->head)) {
		if (buffer->pfn != YARD_PFN_NONE)
			sim_free(sim, buffer->pfn, buffer->order);
		return false;
	}
	receiver->nr++;
	return true;
}

static void interrupt(struct simulation *sim, void *argument)
{
	struct receiver *receiver = argument;
	struct workload *workload = receiver->instance->workload;

	while (receiver->nr && receiver->buffer[receiver->first].until <= sim_now(sim))
		free_first(sim, receiver);
	for (uint64_t i = 0; i < receiver->p->batch; i++) {
		bool taken = take_packet(sim, receiver);

		++*workload_figure(workload, "packets", 1);
		*workload_figure(workload, "dropped", -1) += !taken;
	}
	timer_start(sim, &receiver->timer, receiver->timer.event.time + receiver->interval_ns, interrupt, receiver);
}

static void receive(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct receiver *receiver = task_memory(sim, task, sizeof(*receiver));
	const struct network_receive *p;

	if (!receiver)
		return;
	receiver->instance = argument;
	receiver->p = p = workload_parameters(receiver->instance);
	receiver->task = task;
	receiver->buffer = task_memory(sim, task, p->buffers * sizeof(*receiver->buffer));
	receiver->interval_ns = p->rate.period_ns * p->batch / p->rate.events;
	for (unsigned order = 0; order < ORDERS; order++)
		receiver->mix += p->order_ppm[order];
	if (!receiver->buffer || (!receiver->mix && !p->heads) || !kernel_caches(sim, &receiver->caches))
		return;
	receiver->timer.cpu = task->cpu;
	timer_start(sim, &receiver->timer, sim_now(sim) + receiver->interval_ns, interrupt, receiver);
	while (workload_pause(sim, task, receiver->instance, NS_PER_S))
		;
	timer_cancel(sim, &receiver->timer);
	while (receiver->nr)
		free_first(sim, receiver);
}

WORKLOAD_KIND(kind_network_receive, "network-receive", "packets arrive: atomic allocations of orders 0 to 3",
	      struct network_receive, fields, receive);
