// SPDX-License-Identifier: Apache-2.0
//
// The switch for x86-64, System V. The floating-point control words are not saved: nothing here changes them. The
// object has no note of control-flow protection, so a program with it runs without shadow stacks, which these switches
// would break.

	.text

// void coroutine_switch(void **save, void *to): what the callee must preserve goes on the stack, in the order r15 r14
// r13 r12 rbx rbp and the return address from below. A jmp ends it: a ret would always be predicted wrongly, and cost
// 9 ns.
	.globl coroutine_switch
	.hidden coroutine_switch
	.type coroutine_switch, @function
	.balign 16
coroutine_switch:
	.cfi_startproc
	pushq %rbp
	.cfi_adjust_cfa_offset 8
	pushq %rbx
	.cfi_adjust_cfa_offset 8
	pushq %r12
	.cfi_adjust_cfa_offset 8
	pushq %r13
	.cfi_adjust_cfa_offset 8
	pushq %r14
	.cfi_adjust_cfa_offset 8
	pushq %r15
	.cfi_adjust_cfa_offset 8
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	.cfi_adjust_cfa_offset -8
	popq %r14
	.cfi_adjust_cfa_offset -8
	popq %r13
	.cfi_adjust_cfa_offset -8
	popq %r12
	.cfi_adjust_cfa_offset -8
	popq %rbx
	.cfi_adjust_cfa_offset -8
	popq %rbp
	.cfi_adjust_cfa_offset -8
	popq %rcx
	.cfi_adjust_cfa_offset -8
	.cfi_register %rip, %rcx
	jmp *%rcx
	.cfi_endproc
	.size coroutine_switch, . - coroutine_switch

// Where a new stack begins: calls r12 with r13. There is nothing above it, which debuggers must be told.
	.globl coroutine_boot
	.hidden coroutine_boot
	.type coroutine_boot, @function
	.balign 16
coroutine_boot:
	.cfi_startproc
	.cfi_undefined %rip
	movq %r13, %rdi
	callq *%r12
	ud2
	.cfi_endproc
	.size coroutine_boot, . - coroutine_boot

	.section .note.GNU-stack, "", @progbits
