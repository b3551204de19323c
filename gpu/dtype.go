package gpu

// DType is the type of a tensor's numbers in memory.
type DType uint8

const (
	Act DType = iota // F16 if the device has shader-f16, else F32; NewTensor resolves it
	F32              // latents, norm scales, biases, tables
	F16              // activations with shader-f16
	U32              // token ids, packed pixels
)

// Size is the number of bytes that one number takes.
func (t DType) Size() int {
	if t == F16 {
		return 2
	}
	return 4
}

func (t DType) String() string { return [...]string{"act", "f32", "f16", "u32"}[t] }

// WeightDType is the type of a matrix's or a convolution kernel's numbers in GPU memory.
type WeightDType uint8

const (
	WeightF16 WeightDType = iota // on both numeric paths
	WeightF32                    // only without shader-f16: for a small F32 checkpoint, so that nothing is rounded
)

// Size is the number of bytes that one number takes.
func (t WeightDType) Size() int {
	if t == WeightF32 {
		return 4
	}
	return 2
}
