// SPDX-License-Identifier: Apache-2.0
//
// A machine's disks and swap: presets (spec 05 X36, X37) and what a file changes about them.

#include <stdlib.h>
#include <string.h>

#include "sim/machine_file.h"

#define KB_PER_S UINT64_C(1000)
#define MB_PER_S (1000 * KB_PER_S)
#define US UINT64_C(1000)

// spec 05 X37; servers 0: as many as the machine has CPUs. What is marked [V] there is a guess there as well. sata-ssd:
// the table gives 3 servers for writes, which one number cannot say; its bandwidth bounds small writes instead, at
// 129,000 a second. virtio-disk: ours; a paravirtual disk whose host has the image in its page cache.
static const struct device_config presets[] = {
	{"nvme-dc", 80 * US, 18 * US, 6500 * MB_PER_S, 3500 * MB_PER_S, 74, 100000, 0},
	{"sata-ssd", 130 * US, 40 * US, 560 * MB_PER_S, 530 * MB_PER_S, 12, 100000, 0},
	{"fast-nvme", 10 * US, 12 * US, 2500 * MB_PER_S, 2200 * MB_PER_S, 6, 100000, 0},
	{"ramdisk", 2 * US, 2 * US, 20000 * MB_PER_S, 20000 * MB_PER_S, 0, 0, 0},
	{"hdd", 8000 * US, 8000 * US, 200 * MB_PER_S, 200 * MB_PER_S, 1, 250000, 100 * US},
	{"virtio-disk", 150 * US, 150 * US, 800 * MB_PER_S, 500 * MB_PER_S, 4, 200000, 0},
};

enum { PRESETS = sizeof(presets) / sizeof(*presets) };

static const struct config_word preset_words[] = {
	{"nvme-dc", 0}, {"sata-ssd", 1}, {"fast-nvme", 2}, {"ramdisk", 3}, {"hdd", 4}, {"virtio-disk", 5}, {0},
};
_Static_assert(sizeof(preset_words) / sizeof(*preset_words) == PRESETS + 1, "a word for each preset");

static const struct config_word as_preset[] = {{"preset", MACHINE_AUTO}, {0}};
static const struct config_word swap_words[] = {
	{"none", SWAP_NONE}, {"device", SWAP_DEVICE}, {"zram", SWAP_ZRAM}, {0},
};

#define TIME_MAX UINT64_C(10000000000)

#define DEVICE(key, type, member, least, most, text)                                                                   \
	{key, type, CONFIG_AT(struct machine_device_file, member), .default_text = "preset", .min = least,             \
	 .max = most, .words = as_preset, .help = text}

static const struct config_field device_fields[] = {
	{"name", CONFIG_NAME, CONFIG_AT(struct machine_device_file, name), .help = "what disk: and swap: call it"},
	{"like", CONFIG_ENUM, CONFIG_AT(struct machine_device_file, like), .default_text = "nvme-dc",
	 .words = preset_words, .help = "the preset for all that is not said (spec 05 X37)"},
	DEVICE("read", CONFIG_TIME, read_ns, 0, TIME_MAX, "service time of a read"),
	DEVICE("write", CONFIG_TIME, write_ns, 0, TIME_MAX, "service time of a write"),
	DEVICE("read_bandwidth", CONFIG_BANDWIDTH, read_bandwidth, MB_PER_S / 10, 0, "all reads together"),
	DEVICE("write_bandwidth", CONFIG_BANDWIDTH, write_bandwidth, MB_PER_S / 10, 0, "all writes together"),
	DEVICE("servers", CONFIG_COUNT, servers, 1, 65536, "requests that are served at the same time"),
	DEVICE("jitter", CONFIG_PERCENT, jitter_ppm, 0, 1000000, "service times vary evenly by up to this share"),
	DEVICE("sequential", CONFIG_TIME, sequential_ns, 0, TIME_MAX,
	       "service time of a request that continues the last one; 0: as others"),
	{0},
};

const struct config_schema machine_device_schema = {"device", sizeof(struct machine_device_file), device_fields, NULL};

#define SWAP(member) CONFIG_AT(struct machine_swap_file, member)

static const struct config_field swap_fields[] = {
	CONFIG_PLACE_AT(struct machine_swap_file, place),
	{"kind", CONFIG_ENUM, SWAP(kind), .default_text = "none", .words = swap_words, .help = "what it is"},
	{"size", CONFIG_PAGES, SWAP(pages), .default_text = "0", .max = UINT32_MAX,
	 .help = "how much fits, unless kind: none"},
	{"device", CONFIG_STRING, SWAP(device), .default_text = "nvme-dc",
	 .help = "of kind: device: a preset or one of devices:"},
	{"zram_read", CONFIG_TIME, SWAP(zram_read_ns), .default_text = "1700ns", .max = TIME_MAX,
	 .help = "decompressing a page (spec 05 X36, lz4)"},
	{"zram_write", CONFIG_TIME, SWAP(zram_write_ns), .default_text = "4us", .max = TIME_MAX,
	 .help = "compressing a page"},
	{"zram_ratio", CONFIG_RATIO, SWAP(zram_ratio), .default_text = "2.63", .min = 1000, .max = 100000,
	 .help = "size of a page by what is left of it"},
	{0},
};

const struct config_schema machine_swap_schema = {"swap", sizeof(struct machine_swap_file), swap_fields, NULL};

// ---- building ----

static uint64_t said(uint64_t value, uint64_t otherwise)
{
	return value == MACHINE_AUTO ? otherwise : value;
}

// The machine's device from now on, with a name of its own. NULL: no memory.
static struct device_config *add_device(struct machine *machine, const struct device_config *config, const char *name)
{
	struct device_config *device = &machine->device[machine->nr_devices];

	*device = *config;
	if (!device->servers)
		device->servers = machine->nr_cpus;
	device->name = strdup(name);
	if (!device->name)
		return NULL;
	machine->nr_devices++;
	return device;
}

static bool add_described(const struct machine_device_file *file, struct machine *machine)
{
	struct device_config device = presets[file->like];

	device.read_ns = said(file->read_ns, device.read_ns);
	device.write_ns = said(file->write_ns, device.write_ns);
	device.read_bandwidth = said(file->read_bandwidth, device.read_bandwidth);
	device.write_bandwidth = said(file->write_bandwidth, device.write_bandwidth);
	device.servers = said(file->servers, device.servers);
	device.jitter_ppm = said(file->jitter_ppm, device.jitter_ppm);
	device.sequential_ns = said(file->sequential_ns, device.sequential_ns);
	return add_device(machine, &device, file->name);
}

// Of this name among the machine's devices, or a preset, which becomes one of them.
static bool find_device(struct config *config, const struct config_node *place, const char *key, const char *name,
			struct machine *machine, uint32_t *index)
{
	for (*index = 0; *index < machine->nr_devices; (*index)++)
		if (!strcmp(machine->device[*index].name, name))
			return true;
	for (size_t i = 0; i < PRESETS; i++)
		if (!strcmp(presets[i].name, name))
			return add_device(machine, &presets[i], name);
	config_error(
		config, place, key,
		"no device '%s'; expected one of devices: or nvme-dc, sata-ssd, fast-nvme, ramdisk, hdd, virtio-disk",
		name);
	return false;
}

static bool build_swap(struct config *config, const struct machine_swap_file *swap, struct machine *machine)
{
	machine->swap_kind = (enum swap_kind)swap->kind;
	machine->swap_pages = swap->kind == SWAP_NONE ? 0 : swap->pages;
	machine->zram_read_ns = swap->zram_read_ns;
	machine->zram_write_ns = swap->zram_write_ns;
	machine->zram_ratio_thousandths = swap->zram_ratio;
	if (swap->kind != SWAP_NONE && !swap->pages) {
		config_error(config, swap->place, "kind", "swap has no size; expected size: with a size such as 8GiB");
		return false;
	}
	if (swap->kind != SWAP_DEVICE && config_given_with(swap->place, "device", "kind")) {
		config_error(config, swap->place, "device",
			     "swap on no device has none; expected kind: device, or no device:");
		return false;
	}
	return swap->kind != SWAP_DEVICE
	       || find_device(config, swap->place, "device", swap->device, machine, &machine->swap_device);
}

bool machine_build_devices(struct config *config, const struct machine_file *file, struct machine *machine)
{
	machine->device = calloc(file->devices.nr + 2, sizeof(*machine->device)); // the disk and swap may add two
	if (!machine->device)
		return false;
	for (size_t i = 0; i < file->devices.nr; i++)
		if (!add_described(&file->devices.item[i], machine))
			return false;
	return find_device(config, file->place, "disk", file->disk, machine, &machine->disk_device)
	       && build_swap(config, &file->swap, machine);
}
