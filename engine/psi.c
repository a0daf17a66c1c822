// SPDX-License-Identifier: Apache-2.0
//
// Pressure stall information for memory (spec 02 section 7.1): counts of tasks by CPU and group, the time that each
// state held, and what follows from it: totals, averages, triggers.
//
// psi->lock covers groups and triggers and is taken outside a CPU's lock, which covers its cells. Neither is held while
// anything else of the engine is called.

#include <pageyard/pressure.h>

#include "engine/mm.h"

enum {
	PSI_NONIDLE = YARD_PSI_STALLS,
	PSI_STATES,
};

enum { PSI_ANNOUNCED = 0x80, PSI_IN_MEMSTALL = 8, PSI_TOLD = YARD_PSI_RUNNABLE | YARD_PSI_ON_CPU | YARD_PSI_IOWAIT };
enum { FIXED_SHIFT = 11, FIXED_ONE = 1 << FIXED_SHIFT };
enum { NSEC_PER_USEC = 1000, NSEC_PER_SEC = 1000000000 };
#define WINDOW_MAX_US 10000000u
#define UNPRIVILEGED_US 2000000u

struct psi_cell { // one group on one CPU
	uint32_t iowait, memstall, running, memstall_running; // PSI-1
	uint32_t on_cpu_stalled; // 1: the task on the CPU is in memstall
	uint64_t since;		 // the states hold and are not charged since then
	uint64_t time[PSI_STATES], seen[PSI_STATES]; // charged; of that, aggregated
	uint64_t delta[PSI_STATES];		     // psi->lock: what an aggregation looks at
};

struct psi_cpu {
	_Alignas(CACHE_LINE) yard_spinlock lock;
	struct psi_cell cell[YARD_PSI_GROUPS];
};

struct psi_group {
	uint64_t total[YARD_PSI_STALLS];   // ns
	uint64_t sampled[YARD_PSI_STALLS]; // part of it that the averages know
	uint64_t avg[YARD_PSI_STALLS][YARD_PSI_AVERAGES]; // percent, 11-bit fixed point
	uint64_t updated_at, next_update;
};

struct psi_trigger {
	bool used, pending, fired;
	uint8_t group, stall;
	uint64_t threshold, window;
	uint64_t start, start_total, last_growth; // of the current window; growth in the one before
	uint64_t next_check, next_event;
};

struct psi {
	yard_spinlock lock;
	uint64_t period;
	struct psi_group group[YARD_PSI_GROUPS];
	struct psi_trigger trigger[YARD_PSI_TRIGGERS];
	struct psi_cpu cpu[];
};

size_t psi_size(unsigned nr_cpus)
{
	return sizeof(struct psi) + nr_cpus * sizeof(struct psi_cpu);
}

void setup_psi(struct yard *yard)
{
	struct psi *psi = yard->psi;
	uint64_t now = now_ns(yard);

	psi->period = mult_frac(NSEC_PER_SEC, 2 * (uint64_t)yard->hz + 1, yard->hz); // PSI-4: T
	for (unsigned i = 0; i < YARD_PSI_GROUPS; i++) {
		psi->group[i].updated_at = now;
		psi->group[i].next_update = now + psi->period;
	}
	for (unsigned cpu = 0; cpu < yard->nr_cpus; cpu++)
		for (unsigned i = 0; i < YARD_PSI_GROUPS; i++)
			psi->cpu[cpu].cell[i].since = now;
}

// ---- states of tasks (PSI-1) ----

static bool cell_in(const struct psi_cell *cell, unsigned state)
{
	switch (state) {
	case YARD_PSI_SOME: return cell->memstall;
	case YARD_PSI_FULL: return cell->memstall && (cell->running == cell->memstall_running || cell->on_cpu_stalled);
	default: return cell->iowait || cell->memstall || cell->running;
	}
}

static void charge(struct psi_cell *cell, uint64_t now)
{
	uint64_t passed = time_since(now, cell->since);

	if (!passed)
		return;
	for (unsigned state = 0; state < PSI_STATES; state++)
		if (cell_in(cell, state))
			cell->time[state] += passed;
	cell->since = now;
}

static void count_in_cell(struct psi_cell *cell, unsigned state, int one)
{
	const uint32_t n = (uint32_t)one;

	if (state & YARD_PSI_IOWAIT)
		cell->iowait += n;
	if (state & YARD_PSI_RUNNABLE)
		cell->running += n;
	if (!(state & PSI_IN_MEMSTALL))
		return;
	cell->memstall += n;
	if (state & YARD_PSI_RUNNABLE)
		cell->memstall_running += n;
	if (state & YARD_PSI_ON_CPU)
		cell->on_cpu_stalled += n;
}

static void count_task(struct yard *yard, const struct yard_task *task, int one)
{
	struct psi_cpu *cpu = &yard->psi->cpu[task->psi_cpu];
	uint64_t now;

	if (!(task->psi_state & ~PSI_ANNOUNCED))
		return;
	yard_spin_lock(&cpu->lock);
	now = now_ns(yard); // under the lock: a cell's time does not go back
	charge(&cpu->cell[0], now);
	count_in_cell(&cpu->cell[0], task->psi_state, one);
	if (task->psi_group) {
		charge(&cpu->cell[task->psi_group], now);
		count_in_cell(&cpu->cell[task->psi_group], task->psi_state, one);
	}
	yard_spin_unlock(&cpu->lock);
}

static void set_state(struct yard *yard, struct yard_task *task, unsigned cpu, unsigned state)
{
	if (task->psi_state == state && task->psi_cpu == cpu)
		return;
	count_task(yard, task, -1);
	task->psi_state = (uint8_t)state;
	task->psi_cpu = (uint16_t)cpu;
	count_task(yard, task, 1);
}

int yard_psi_task(struct yard *yard, struct yard_task *task, unsigned cpu, unsigned state)
{
	if (cpu >= yard->nr_cpus)
		return YARD_ERANGE;
	if (state & ~(unsigned)PSI_TOLD)
		return YARD_EINVAL;
	if (state & YARD_PSI_ON_CPU)
		state |= YARD_PSI_RUNNABLE;
	set_state(yard, task, cpu, state | PSI_ANNOUNCED | (task->memstall ? PSI_IN_MEMSTALL : 0));
	return YARD_OK;
}

int yard_psi_set_group(struct yard *yard, struct yard_task *task, unsigned group)
{
	if (group >= YARD_PSI_GROUPS)
		return YARD_ERANGE;
	count_task(yard, task, -1);
	task->psi_group = (uint16_t)group;
	count_task(yard, task, 1);
	return YARD_OK;
}

void memstall_enter(struct yard *yard)
{
	struct yard_task *task = current_task(yard);

	if (!task || task->memstall++)
		return;
	if (task->psi_state & PSI_ANNOUNCED)
		set_state(yard, task, task->psi_cpu, task->psi_state | PSI_IN_MEMSTALL);
	else
		set_state(yard, task, this_cpu(yard), YARD_PSI_RUNNABLE | YARD_PSI_ON_CPU | PSI_IN_MEMSTALL);
}

void memstall_leave(struct yard *yard)
{
	struct yard_task *task = current_task(yard);

	if (!task || !task->memstall || --task->memstall)
		return;
	if (task->psi_state & PSI_ANNOUNCED)
		set_state(yard, task, task->psi_cpu, task->psi_state & ~(unsigned)PSI_IN_MEMSTALL);
	else
		set_state(yard, task, task->psi_cpu, 0);
}

void yard_memstall_enter(struct yard *yard)
{
	memstall_enter(yard);
}

void yard_memstall_leave(struct yard *yard)
{
	memstall_leave(yard);
}

// ---- aggregation (PSI-2); psi->lock held ----

// What each CPU's cell grew by since it was last looked at. Returns the sum of their busy jiffies, 1 at least.
static uint64_t take_deltas(struct yard *yard, unsigned group)
{
	uint64_t jiffies = 0;

	for (unsigned cpu = 0; cpu < yard->nr_cpus; cpu++) {
		struct psi_cell *cell = &yard->psi->cpu[cpu].cell[group];

		yard_spin_lock(&yard->psi->cpu[cpu].lock);
		charge(cell, now_ns(yard));
		for (unsigned state = 0; state < PSI_STATES; state++) {
			cell->delta[state] = cell->time[state] - cell->seen[state];
			cell->seen[state] = cell->time[state];
		}
		yard_spin_unlock(&yard->psi->cpu[cpu].lock);
		cell->delta[PSI_NONIDLE] = mult_frac(cell->delta[PSI_NONIDLE], yard->hz, NSEC_PER_SEC);
		jiffies += cell->delta[PSI_NONIDLE];
	}
	return jiffies ? jiffies : 1;
}

static void aggregate(struct yard *yard, unsigned group)
{
	const uint64_t jiffies = take_deltas(yard, group);

	for (unsigned stall = 0; stall < YARD_PSI_STALLS; stall++) {
		uint64_t sum = 0, rest = 0;

		// Sum of delta * weight / jiffies, in parts that fit into 64 bits.
		for (unsigned cpu = 0; cpu < yard->nr_cpus; cpu++) {
			const struct psi_cell *cell = &yard->psi->cpu[cpu].cell[group];
			uint64_t weight = cell->delta[PSI_NONIDLE];

			sum += cell->delta[stall] / jiffies * weight;
			rest += cell->delta[stall] % jiffies * weight;
			sum += rest / jiffies;
			rest %= jiffies;
		}
		yard->psi->group[group].total[stall] += sum;
	}
}

// ---- averages (PSI-4); psi->lock held ----

static uint64_t fixed_power(uint64_t x, uint64_t n) // rounded to the nearest
{
	uint64_t result = FIXED_ONE;

	for (; n; n >>= 1) {
		if (n & 1)
			result = (result * x + FIXED_ONE / 2) >> FIXED_SHIFT;
		x = (x * x + FIXED_ONE / 2) >> FIXED_SHIFT;
	}
	return result;
}

static uint64_t fade(uint64_t average, uint64_t keep, uint64_t percent)
{
	uint64_t next = average * keep + percent * (FIXED_ONE - keep);

	if (percent >= average)
		next += FIXED_ONE - 1;
	return next / FIXED_ONE;
}

static void average_stall(struct psi_group *group, unsigned stall, uint64_t period, uint64_t missed)
{
	static const uint16_t keep[YARD_PSI_AVERAGES] = { 1677, 1981, 2034 };
	uint64_t sample = group->total[stall] - group->sampled[stall], percent;

	if (sample > period)
		sample = period;
	group->sampled[stall] += sample;
	percent = mult_frac(sample, 100, period) << FIXED_SHIFT;
	for (unsigned i = 0; i < YARD_PSI_AVERAGES; i++) {
		uint64_t *avg = &group->avg[stall][i];

		if (missed)
			*avg = fade(*avg, fixed_power(keep[i], missed), 0);
		*avg = fade(*avg, keep[i], percent);
	}
}

static void update_averages(const struct psi *psi, struct psi_group *group, uint64_t now)
{
	uint64_t missed, period;

	if (now < group->next_update)
		return;
	missed = (now - group->next_update) / psi->period;
	group->next_update += (missed + 1) * psi->period;
	period = now - group->updated_at - missed * psi->period;
	group->updated_at = now;
	for (unsigned stall = 0; stall < YARD_PSI_STALLS; stall++)
		average_stall(group, stall, period, missed);
}

int yard_psi_get(struct yard *yard, unsigned number, struct yard_psi *to)
{
	struct psi *psi = yard->psi;
	struct psi_group *group;

	if (number >= YARD_PSI_GROUPS)
		return YARD_ERANGE;
	group = &psi->group[number];
	yard_spin_lock(&psi->lock);
	aggregate(yard, number);
	update_averages(psi, group, now_ns(yard));
	for (unsigned stall = 0; stall < YARD_PSI_STALLS; stall++) {
		to->total_us[stall] = group->total[stall] / NSEC_PER_USEC;
		for (unsigned i = 0; i < YARD_PSI_AVERAGES; i++)
			to->avg[stall][i] = (uint32_t)(group->avg[stall][i] * 100 >> FIXED_SHIFT);
	}
	yard_spin_unlock(&psi->lock);
	return YARD_OK;
}

// ---- triggers (PSI-5); psi->lock held ----

static uint64_t window_growth(struct psi_trigger *trigger, uint64_t now, uint64_t total)
{
	uint64_t elapsed = time_since(now, trigger->start), growth = total - trigger->start_total;

	if (elapsed <= trigger->window)
		return growth + mult_frac(trigger->last_growth, trigger->window - elapsed, trigger->window);
	trigger->start = now;
	trigger->start_total = total;
	trigger->last_growth = growth;
	return growth;
}

static void check_trigger(struct yard *yard, struct psi_trigger *trigger, uint64_t now)
{
	trigger->next_check = now + trigger->window / 10;
	if (!trigger->pending)
		trigger->pending = window_growth(trigger, now, yard->psi->group[trigger->group].total[trigger->stall])
				   >= trigger->threshold;
	if (!trigger->pending || now < trigger->next_event)
		return;
	trigger->pending = false;
	trigger->fired = true;
	trigger->next_event = now + trigger->window;
}

int yard_psi_trigger_add(struct yard *yard, unsigned group, enum yard_psi_stall stall, uint32_t threshold_us,
			 uint32_t window_us, bool privileged)
{
	struct psi *psi = yard->psi;
	int number = 0;

	if (group >= YARD_PSI_GROUPS)
		return YARD_ERANGE;
	if ((unsigned)stall >= YARD_PSI_STALLS || !window_us || window_us > WINDOW_MAX_US || !threshold_us
	    || threshold_us > window_us || (!privileged && window_us % UNPRIVILEGED_US))
		return YARD_EINVAL;
	yard_spin_lock(&psi->lock);
	while (number < YARD_PSI_TRIGGERS && psi->trigger[number].used)
		number++;
	if (number < YARD_PSI_TRIGGERS) {
		uint64_t now = now_ns(yard), window = (uint64_t)window_us * NSEC_PER_USEC;

		aggregate(yard, group);
		psi->trigger[number] = (struct psi_trigger){
			.used = true, .group = (uint8_t)group, .stall = (uint8_t)stall,
			.threshold = (uint64_t)threshold_us * NSEC_PER_USEC, .window = window,
			.start = now, .start_total = psi->group[group].total[stall], .next_check = now + window / 10,
		};
	} else {
		number = YARD_ENOMEM;
	}
	yard_spin_unlock(&psi->lock);
	return number;
}

void yard_psi_trigger_remove(struct yard *yard, int trigger)
{
	if (trigger < 0 || trigger >= YARD_PSI_TRIGGERS)
		return;
	yard_spin_lock(&yard->psi->lock);
	yard->psi->trigger[trigger].used = false;
	yard_spin_unlock(&yard->psi->lock);
}

bool yard_psi_trigger_poll(struct yard *yard, int number)
{
	struct psi_trigger *trigger;
	bool fired;

	if (number < 0 || number >= YARD_PSI_TRIGGERS)
		return false;
	trigger = &yard->psi->trigger[number];
	yard_spin_lock(&yard->psi->lock);
	fired = trigger->used && trigger->fired;
	trigger->fired = false;
	yard_spin_unlock(&yard->psi->lock);
	return fired;
}

// ---- the timer ----

static bool group_due(const struct psi *psi, unsigned group, uint64_t now)
{
	bool due = now >= psi->group[group].next_update;

	for (unsigned i = 0; i < YARD_PSI_TRIGGERS; i++)
		due |= psi->trigger[i].used && psi->trigger[i].group == group && now >= psi->trigger[i].next_check;
	return due;
}

uint64_t yard_psi_update(struct yard *yard)
{
	struct psi *psi = yard->psi;
	uint64_t now, next = UINT64_MAX;

	yard_spin_lock(&psi->lock);
	now = now_ns(yard);
	for (unsigned i = 0; i < YARD_PSI_GROUPS; i++) {
		if (group_due(psi, i, now))
			aggregate(yard, i);
		update_averages(psi, &psi->group[i], now);
		if (psi->group[i].next_update < next)
			next = psi->group[i].next_update;
	}
	for (unsigned i = 0; i < YARD_PSI_TRIGGERS; i++) {
		struct psi_trigger *trigger = &psi->trigger[i];

		if (!trigger->used)
			continue;
		if (now >= trigger->next_check)
			check_trigger(yard, trigger, now);
		if (trigger->next_check < next)
			next = trigger->next_check;
	}
	yard_spin_unlock(&psi->lock);
	return next - now;
}
