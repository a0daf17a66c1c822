// SPDX-License-Identifier: Apache-2.0
//
// Decoding a trace.dat with libtracecmd, in a process of its own, into a pipe.

#ifdef HAVE_LIBTRACECMD

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trace-cmd.h>
#include <unistd.h>

#include "trace/dat.h"
#include "trace/internal.h"

enum {
	EVENT_IDS = 1 << 16, // common_type has 16 bits
	FLAG_NMI = 0x40,     // common_flags; libtraceevent names only some
	INTERRUPT_FLAGS = TRACE_FLAG_HARDIRQ | TRACE_FLAG_SOFTIRQ | FLAG_NMI,
	GFP_BITS = 64,
};

struct format {						  // how to read the events of one id
	const struct trace_spec *spec;			  // NULL: of no interest
	struct tep_format_field *field[TRACE_FIELDS_MAX]; // NULL: not in this file
	bool page[TRACE_FIELDS_MAX];			  // it holds the address of a descriptor
	uint32_t gfp[GFP_BITS];				  // our bits for each of the file's
};

struct stream { // the records of one cpu of one buffer
	struct tracecmd_input *buffer;
	struct tep_record *record; // the next one; NULL: no more
	int cpu;
	bool lost_told; // of this record
};

struct decoder {
	int pipe;
	struct tep_handle *tep;
	struct format *formats[EVENT_IDS];
	struct format other;
	struct stream *stream;
	size_t streams;
	uint64_t seq, ns, lost, offset;
	uint64_t records; // read so far, wanted or not
	struct trace_dat_message message;
	struct trace_event batch[TRACE_DAT_BATCH];
};

static void put(int pipe, const void *data, size_t bytes)
{
	const char *at = data;

	alarm(0); // a slow reader is no hang
	while (bytes) {
		ssize_t done = write(pipe, at, bytes);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			_exit(1); // nobody listens any more
		at += done;
		bytes -= (size_t)done;
	}
	alarm(TRACE_DAT_SILENCE);
}

static void put_message(struct decoder *decoder, enum trace_dat_kind kind, uint32_t count, const void *data,
			size_t bytes)
{
	const struct trace_dat_message message = {kind, count, decoder->offset, decoder->lost};

	put(decoder->pipe, &message, sizeof(message));
	put(decoder->pipe, data, bytes);
}

static void flush(struct decoder *decoder)
{
	if (decoder->message.count)
		put_message(decoder, TRACE_DAT_EVENTS, decoder->message.count, decoder->batch,
			    decoder->message.count * sizeof(decoder->batch[0]));
	decoder->message.count = 0;
}

__attribute__((format(printf, 2, 3))) static _Noreturn void give_up(struct decoder *decoder, const char *format, ...)
{
	char reason[256];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	flush(decoder);
	put_message(decoder, TRACE_DAT_ERROR, (uint32_t)strlen(reason), reason, strlen(reason));
	_exit(0);
}

static struct trace_event *next_slot(struct decoder *decoder)
{
	if (decoder->message.count == TRACE_DAT_BATCH)
		flush(decoder);
	return &decoder->batch[decoder->message.count];
}

// The list of flags in an event's print format, wherever it stands in the expression.
static const struct tep_print_flag_sym *find_flags(const struct tep_print_arg *arg)
{
	const struct tep_print_flag_sym *found;

	for (; arg; arg = arg->next) {
		if (arg->type == TEP_PRINT_FLAGS)
			return arg->flags.flags;
		if (arg->type != TEP_PRINT_OP)
			continue;
		found = find_flags(arg->op.left);
		if (!found)
			found = find_flags(arg->op.right);
		if (found)
			return found;
	}
	return NULL;
}

// Bits of request flags differ from kernel to kernel: learn this one's from the event's own text.
static void learn_gfp(struct format *format, const struct tep_event *event)
{
	const struct tep_print_flag_sym *flag = find_flags(event->print_fmt.args);

	if (!flag) // no text: take the bits as they are
		for (unsigned bit = 0; bit < 32; bit++)
			format->gfp[bit] = UINT32_C(1) << bit;
	for (; flag; flag = flag->next) {
		unsigned long long value = strtoull(flag->value, NULL, 0);
		uint32_t bits = 0;

		if (value && !(value & (value - 1)) && trace_gfp_word(flag->str, strlen(flag->str), &bits))
			format->gfp[__builtin_ctzll(value)] |= bits;
	}
}

static bool is_system_wanted(const struct tep_event *event, const struct trace_spec *spec)
{
	if (spec->probe) // no tracepoint that happens to have such a name
		return tep_find_field((struct tep_event *)event, "__probe_ip")
		       || tep_find_field((struct tep_event *)event, "__probe_func");
	return !strcmp(event->system, "kmem") || !strcmp(event->system, "compaction")
	       || !strcmp(event->system, "vmscan");
}

// Looks up an event's fields, once.
static struct format *learn(struct decoder *decoder, int id)
{
	struct tep_event *event = tep_find_event(decoder->tep, id);
	const struct trace_spec *spec = event ? trace_spec_find(event->name, strlen(event->name)) : NULL;
	struct format *format;

	if (!spec || !is_system_wanted(event, spec))
		return &decoder->other;
	format = calloc(1, sizeof(*format));
	if (!format)
		give_up(decoder, "no memory for the format of %s", spec->name);
	format->spec = spec;
	for (unsigned i = 0; i < spec->nr; i++) {
		format->field[i] = tep_find_field(event, spec->field[i].key);
		if (!format->field[i] && spec->field[i].alias) {
			format->field[i] = tep_find_field(event, spec->field[i].alias);
			format->page[i] = spec->probe && spec->field[i].target == TRACE_TO_PFN;
		}
		if (!format->field[i] && spec->field[i].required)
			give_up(decoder, "this kernel's %s has no field %s", spec->name, spec->field[i].key);
	}
	learn_gfp(format, event);
	return format;
}

// A field's value with its sign. False: the record is too short for it.
static bool read_field(const struct tep_record *record, struct tep_format_field *field, struct trace_number *number)
{
	unsigned long long value;

	if (field->offset < 0 || field->size <= 0 || field->offset + field->size > record->size
	    || tep_read_number_field(field, record->data, &value))
		return false;
	if ((field->flags & TEP_FIELD_IS_SIGNED) && field->size < 8) {
		unsigned shift = 64 - 8 * (unsigned)field->size;

		value = (unsigned long long)((long long)(value << shift) >> shift);
	}
	number->negative = (field->flags & TEP_FIELD_IS_SIGNED) && (long long)value < 0;
	number->magnitude = number->negative ? 0 - value : value;
	return true;
}

static uint64_t map_gfp(const struct format *format, uint64_t bits)
{
	uint64_t mapped = 0;

	for (; bits; bits &= bits - 1)
		mapped |= format->gfp[__builtin_ctzll(bits)];
	return mapped;
}

// Fills the event's fields. False: a probe of something that is no page.
static bool fill(struct decoder *decoder, const struct format *format, const struct tep_record *record,
		 struct trace_event *event)
{
	for (unsigned i = 0; i < format->spec->nr; i++) {
		const struct trace_field *field = &format->spec->field[i];
		struct trace_number number;
		const char *wrong;
		bool plausible;

		if (!format->field[i])
			continue;
		if (!read_field(record, format->field[i], &number))
			give_up(decoder, "damaged: a record of %s has only %d bytes", format->spec->name, record->size);
		if (format->page[i]) {
			event->pfn = trace_page_to_pfn(number.magnitude, &plausible);
			if (!plausible)
				return false;
			continue;
		}
		if (field->target == TRACE_TO_GFP)
			number.magnitude = map_gfp(format, number.magnitude);
		wrong = trace_store(event, field, number);
		if (wrong)
			give_up(decoder, "%s: %s=%s%" PRIu64 " %s", format->spec->name, field->key,
				number.negative ? "-" : "", number.magnitude, wrong);
	}
	return true;
}

static void put_event(struct decoder *decoder, struct trace_event *event, const struct stream *stream)
{
	event->seq = ++decoder->seq;
	event->ns = decoder->ns;
	event->cpu = (uint16_t)stream->cpu;
	decoder->message.count++;
}

// Tells of the events that the kernel lost before this record.
static void put_lost(struct decoder *decoder, const struct stream *stream)
{
	long long missed = stream->record->missed_events; // negative: some, and nobody counted
	struct trace_event *event = next_slot(decoder);

	trace_clear(event, NULL);
	event->kind = TRACE_LOST;
	event->a = missed < 0 ? 0 : missed > INT32_MAX ? INT32_MAX : (int32_t)missed;
	decoder->lost += missed < 0 ? 1 : (uint64_t)missed;
	put_event(decoder, event, stream);
}

static void put_record(struct decoder *decoder, const struct stream *stream)
{
	struct tep_record *record = stream->record;
	struct trace_event *event;
	struct format *format;
	int id;

	decoder->records++;
	if (record->missed_events)
		put_lost(decoder, stream);
	if (record->size < 8 || !record->data)
		give_up(decoder, "damaged: a record of %d bytes", record->size);
	id = tep_data_type(decoder->tep, record);
	if (id < 0 || id >= EVENT_IDS)
		give_up(decoder, "damaged: a record of type %d", id);
	if (!decoder->formats[id])
		decoder->formats[id] = learn(decoder, id);
	format = decoder->formats[id];
	event = next_slot(decoder);
	trace_clear(event, format->spec);
	if (format->spec && !fill(decoder, format, record, event))
		return;
	event->pid = (uint32_t)tep_data_pid(decoder->tep, record);
	event->interrupt = tep_data_flags(decoder->tep, record) & INTERRUPT_FLAGS;
	put_event(decoder, event, stream);
}

static void advance(struct decoder *decoder, struct stream *stream)
{
	if (stream->record) {
		if (stream->record->offset > decoder->offset)
			decoder->offset = stream->record->offset;
		tracecmd_free_record(stream->record);
	}
	stream->record = tracecmd_read_data(stream->buffer, stream->cpu);
}

static void add_buffer(struct decoder *decoder, struct tracecmd_input *buffer)
{
	int cpus = tep_get_cpus(tracecmd_get_tep(buffer));

	if (cpus < 0 || cpus > TRACE_CPUS_MAX)
		give_up(decoder, "the file tells of %d cpus", cpus);
	decoder->stream = realloc(decoder->stream, (decoder->streams + (size_t)cpus + 1) * sizeof(*decoder->stream));
	if (!decoder->stream)
		give_up(decoder, "no memory for %d cpus", cpus);
	for (int cpu = 0; cpu < cpus; cpu++) {
		struct stream *stream = &decoder->stream[decoder->streams++];

		*stream = (struct stream){.buffer = buffer, .cpu = cpu};
		advance(decoder, stream);
	}
}

// All buffers of the file: the top one, and those of instances (trace-cmd record -B).
static void open_buffers(struct decoder *decoder, int fd)
{
	struct tracecmd_input *input, *buffer;

	tracecmd_set_loglevel(TEP_LOG_NONE);
	tep_set_loglevel(TEP_LOG_NONE);
	input = tracecmd_open_fd(fd, TRACECMD_FL_LOAD_NO_PLUGINS);
	if (!input)
		give_up(decoder, "libtracecmd cannot open the file: damaged, or packed in a way that it does not know");
	decoder->tep = tracecmd_get_tep(input);
	add_buffer(decoder, input);
	for (int i = 0; i < tracecmd_buffer_instances(input); i++) {
		buffer = tracecmd_buffer_instance_handle(input, i);
		if (!buffer)
			give_up(decoder, "libtracecmd cannot open buffer %d of the file", i);
		add_buffer(decoder, buffer);
	}
}

_Noreturn void trace_dat_decode(int fd, int pipe, uint64_t events)
{
	struct decoder *decoder = calloc(1, sizeof(*decoder));

	if (!decoder)
		_exit(1);
	decoder->pipe = pipe;
	alarm(TRACE_DAT_SILENCE);
	open_buffers(decoder, fd);
	for (;;) {
		struct stream *first = NULL;

		// Ties go to the lower cpu: streams are in the order of cpus, and only an earlier one takes over.
		for (size_t i = 0; i < decoder->streams; i++) {
			struct stream *stream = &decoder->stream[i];

			if (stream->record && (!first || stream->record->ts < first->record->ts))
				first = stream;
		}
		if (!first)
			break;
		if (first->record->ts < decoder->ns)
			give_up(decoder, "damaged: on cpu %d the time goes back from %" PRIu64 " to %llu ns",
				first->cpu, decoder->ns, first->record->ts);
		decoder->ns = first->record->ts;
		put_record(decoder, first);
		advance(decoder, first);
	}
	// libtracecmd ends a cpu's data silently at a place that it cannot read.
	if (decoder->records < events && decoder->lost == 0)
		give_up(decoder, "damaged: the recorder got %" PRIu64 " events, but only %" PRIu64 " can be read",
			events, decoder->records);
	flush(decoder);
	put_message(decoder, TRACE_DAT_END, 0, NULL, 0);
	_exit(0);
}

#endif

typedef int trace_dat_decode_is_optional; // a file that declares nothing is not C
