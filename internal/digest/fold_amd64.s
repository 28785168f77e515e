#include "textflag.h"

// LANE moves one lane on by 128 bytes and takes in the 16 bytes at offset off.
// X8 holds the two multipliers, first in its low half; T is scratch.
#define LANE(L, T, off) \
	MOVO      L, T         \
	PCLMULQDQ $0x11, X8, L \
	PCLMULQDQ $0x00, X8, T \
	PXOR      T, L         \
	MOVOU     off(SI), T   \
	PXOR      T, L

// func fold(lanes *[128]byte, p []byte, first, second uint64)
TEXT ·fold(SB), NOSPLIT, $0-48
	MOVQ       lanes+0(FP), DI
	MOVQ       p_base+8(FP), SI
	MOVQ       p_len+16(FP), CX
	MOVQ       first+32(FP), X8
	MOVQ       second+40(FP), X9
	PUNPCKLQDQ X9, X8

	SHRQ $7, CX
	JZ   done

	MOVOU 0x00(DI), X0
	MOVOU 0x10(DI), X1
	MOVOU 0x20(DI), X2
	MOVOU 0x30(DI), X3
	MOVOU 0x40(DI), X4
	MOVOU 0x50(DI), X5
	MOVOU 0x60(DI), X6
	MOVOU 0x70(DI), X7

step:
	LANE(X0, X10, 0x00)
	LANE(X1, X11, 0x10)
	LANE(X2, X12, 0x20)
	LANE(X3, X13, 0x30)
	LANE(X4, X10, 0x40)
	LANE(X5, X11, 0x50)
	LANE(X6, X12, 0x60)
	LANE(X7, X13, 0x70)
	ADDQ $128, SI
	DECQ CX
	JNZ  step

	MOVOU X0, 0x00(DI)
	MOVOU X1, 0x10(DI)
	MOVOU X2, 0x20(DI)
	MOVOU X3, 0x30(DI)
	MOVOU X4, 0x40(DI)
	MOVOU X5, 0x50(DI)
	MOVOU X6, 0x60(DI)
	MOVOU X7, 0x70(DI)

done:
	RET
