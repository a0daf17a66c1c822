// SPDX-License-Identifier: Apache-2.0
//
// A buddy allocator as textbooks have it, for comparison: one free list for each order, one lock, blocks merge as soon
// as they are freed. No zones, no types, no watermarks, no per-CPU lists, no checks of what is freed.

#pragma once

#include <stdint.h>

struct textbook;

struct textbook *textbook_create(uint32_t frames);
void textbook_destroy(struct textbook *buddy);
uint32_t textbook_alloc(struct textbook *buddy, unsigned order); // UINT32_MAX: none
void textbook_free(struct textbook *buddy, uint32_t pfn, unsigned order);
