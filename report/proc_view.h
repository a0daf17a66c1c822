// SPDX-License-Identifier: Apache-2.0
//
// A yard as the files of /proc and /sys that show a kernel's memory, line by line in their formats, for tools that read
// those. Counters that a yard does not keep have no line.

#pragma once

#include <stdio.h>

#include <pageyard/yard.h>

void proc_vmstat(FILE *file, struct yard *yard);
void proc_node_vmstat(FILE *file, struct yard *yard, unsigned node); // /sys/devices/system/node/nodeN/vmstat
void proc_zoneinfo(FILE *file, struct yard *yard);
void proc_buddyinfo(FILE *file, struct yard *yard);
void proc_pagetypeinfo(FILE *file, struct yard *yard); // walks all lists: quiescent
void proc_unusable_index(FILE *file, struct yard *yard); // /sys/kernel/debug/extfrag/
void proc_extfrag_index(FILE *file, struct yard *yard);
void proc_pressure(FILE *file, struct yard *yard, unsigned group); // /proc/pressure/memory, or a container's
