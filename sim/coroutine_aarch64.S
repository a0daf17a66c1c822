// SPDX-License-Identifier: Apache-2.0
//
// The switch for AArch64, AAPCS64. The floating-point control register is not saved: nothing here changes it.

	.text

// void coroutine_switch(void **save, void *to): x19 to x30 and the low halves of v8 to v15 go on the stack, from below.
	.globl coroutine_switch
	.hidden coroutine_switch
	.type coroutine_switch, %function
	.balign 16
coroutine_switch:
	.cfi_startproc
	sub sp, sp, #160
	.cfi_adjust_cfa_offset 160
	stp x19, x20, [sp]
	stp x21, x22, [sp, #16]
	stp x23, x24, [sp, #32]
	stp x25, x26, [sp, #48]
	stp x27, x28, [sp, #64]
	stp x29, x30, [sp, #80]
	.cfi_rel_offset x29, 80
	.cfi_rel_offset x30, 88
	stp d8, d9, [sp, #96]
	stp d10, d11, [sp, #112]
	stp d12, d13, [sp, #128]
	stp d14, d15, [sp, #144]
	mov x9, sp
	str x9, [x0]
	mov sp, x1
	ldp x19, x20, [sp]
	ldp x21, x22, [sp, #16]
	ldp x23, x24, [sp, #32]
	ldp x25, x26, [sp, #48]
	ldp x27, x28, [sp, #64]
	ldp x29, x30, [sp, #80]
	ldp d8, d9, [sp, #96]
	ldp d10, d11, [sp, #112]
	ldp d12, d13, [sp, #128]
	ldp d14, d15, [sp, #144]
	add sp, sp, #160
	.cfi_adjust_cfa_offset -160
	.cfi_restore x29
	.cfi_restore x30
	ret
	.cfi_endproc
	.size coroutine_switch, . - coroutine_switch

// Where a new stack begins: calls x19 with x20. There is nothing above it, which debuggers must be told.
	.globl coroutine_boot
	.hidden coroutine_boot
	.type coroutine_boot, %function
	.balign 16
coroutine_boot:
	.cfi_startproc
	.cfi_undefined x30
	mov x0, x20
	blr x19
	brk #1
	.cfi_endproc
	.size coroutine_boot, . - coroutine_boot

	.section .note.GNU-stack, "", %progbits
