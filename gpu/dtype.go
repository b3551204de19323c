package gpu

// DType is how the numbers of a tensor lie in memory.
type DType uint8

const (
	Act DType = iota // F16 where the device has shader-f16, else F32; resolved when a tensor is made
	F32              // latents, norm scales, biases, tables
	F16              // activations with shader-f16
	U32              // token ids, packed pixels
)

// Size is the bytes that one number takes.
func (t DType) Size() int {
	if t == F16 {
		return 2
	}
	return 4
}

func (t DType) String() string { return [...]string{"act", "f32", "f16", "u32"}[t] }

// WeightDType is how a matrix or a convolution kernel lies in GPU memory.
type WeightDType uint8

const (
	WeightF16 WeightDType = iota // two bytes a number, on both numeric paths
	WeightF32                    // four: for a small F32 checkpoint without shader-f16, so that nothing is rounded
)

// Size is the bytes that one number takes.
func (t WeightDType) Size() int {
	if t == WeightF32 {
		return 4
	}
	return 2
}
