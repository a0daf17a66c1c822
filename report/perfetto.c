// SPDX-License-Identifier: Apache-2.0
//
// The protobuf by hand: Trace { 1 packet }, TracePacket { 8 timestamp, 10 trusted_packet_sequence_id, 11 track_event,
// 60 track_descriptor }, TrackDescriptor { 1 uuid, 2 name, 5 parent_uuid, 8 counter }, TrackEvent { 9 type,
// 11 track_uuid, 23 name, 30 counter_value }. The packets name no clock: any but the default one would need a snapshot
// of the clocks, or the events are dropped. Lengths come first in this format, so the name, which may be of any length,
// is always the last field.

#include "report/perfetto.h"

#include <string.h>

enum packet_field { PACKET_TIME = 8, PACKET_SEQUENCE = 10, PACKET_EVENT = 11, PACKET_TRACK = 60 };
enum track_field { TRACK_ID = 1, TRACK_NAME = 2, TRACK_PARENT = 5, TRACK_COUNTER = 8 };
enum event_field { EVENT_TYPE = 9, EVENT_TRACK = 11, EVENT_NAME = 23, EVENT_VALUE = 30 };
enum event_type { SLICE_BEGIN = 1, SLICE_END, INSTANT, COUNTER };

enum {
	SEQUENCE = 1, // any number: one writer
	HEAD_MAX = 64,
};

struct head {
	size_t nr;
	uint8_t byte[HEAD_MAX]; // of at most five fields of 12 bytes
};

static void put_varint(struct head *head, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		head->byte[head->nr++] = (uint8_t)(value | 0x80);
	head->byte[head->nr++] = (uint8_t)value;
}

static void put_number(struct head *head, unsigned field, uint64_t value)
{
	put_varint(head, (uint64_t)field << 3);
	put_varint(head, value);
}

static void put_length(struct head *head, unsigned field, size_t length) // that many bytes follow
{
	put_varint(head, (uint64_t)field << 3 | 2);
	put_varint(head, length);
}

// A packet of one message, whose bytes are `message` and then the name. `packet` has the packet's other fields.
static void write_packet(struct perfetto *perfetto, struct head *packet, unsigned field, const struct head *message,
			 const char *name)
{
	size_t name_length = name ? strlen(name) : 0;
	struct head outer = {.nr = 0};

	put_number(packet, PACKET_SEQUENCE, SEQUENCE);
	put_length(packet, field, message->nr + name_length);
	put_length(&outer, 1, packet->nr + message->nr + name_length);
	fwrite(outer.byte, 1, outer.nr, perfetto->file);
	fwrite(packet->byte, 1, packet->nr, perfetto->file);
	fwrite(message->byte, 1, message->nr, perfetto->file);
	if (name_length)
		fwrite(name, 1, name_length, perfetto->file);
}

static uint64_t add_track(struct perfetto *perfetto, uint64_t parent, const char *name, bool counter)
{
	struct head packet = {.nr = 0}, track = {.nr = 0};

	put_number(&track, TRACK_ID, ++perfetto->tracks);
	if (parent)
		put_number(&track, TRACK_PARENT, parent);
	if (counter)
		put_length(&track, TRACK_COUNTER, 0);
	put_length(&track, TRACK_NAME, strlen(name));
	write_packet(perfetto, &packet, PACKET_TRACK, &track, name);
	return perfetto->tracks;
}

uint64_t perfetto_track(struct perfetto *perfetto, uint64_t parent, const char *name)
{
	return add_track(perfetto, parent, name, false);
}

uint64_t perfetto_counter_track(struct perfetto *perfetto, uint64_t parent, const char *name)
{
	return add_track(perfetto, parent, name, true);
}

static void add_event(struct perfetto *perfetto, enum event_type type, uint64_t time, uint64_t track, const char *name,
		      int64_t value)
{
	struct head packet = {.nr = 0}, event = {.nr = 0};

	put_number(&packet, PACKET_TIME, time);
	put_number(&event, EVENT_TYPE, type);
	put_number(&event, EVENT_TRACK, track);
	if (type == COUNTER)
		put_number(&event, EVENT_VALUE, (uint64_t)value);
	if (name)
		put_length(&event, EVENT_NAME, strlen(name));
	write_packet(perfetto, &packet, PACKET_EVENT, &event, name);
}

void perfetto_begin(struct perfetto *perfetto, uint64_t time, uint64_t track, const char *name)
{
	add_event(perfetto, SLICE_BEGIN, time, track, name, 0);
}

void perfetto_end(struct perfetto *perfetto, uint64_t time, uint64_t track)
{
	add_event(perfetto, SLICE_END, time, track, NULL, 0);
}

void perfetto_instant(struct perfetto *perfetto, uint64_t time, uint64_t track, const char *name)
{
	add_event(perfetto, INSTANT, time, track, name, 0);
}

void perfetto_value(struct perfetto *perfetto, uint64_t time, uint64_t track, int64_t value)
{
	add_event(perfetto, COUNTER, time, track, NULL, value);
}

bool perfetto_ok(struct perfetto *perfetto)
{
	return fflush(perfetto->file) == 0 && !ferror(perfetto->file);
}
