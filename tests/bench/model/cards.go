package main

// card is a GPU that a prediction is made for. tflops is the f32 peak without matrix units,
// gbs the memory's bandwidth, and schedulers how many groups of 32 lanes issue at a time. family
// is the compiler's in wgsl/cost.json whose shares count.
type card struct {
	name        string
	tflops, gbs float64
	schedulers  float64
	family      string
	start       string // the kernels that suit it (gpu.ParseKernels)
}

// The peaks are the makers'. Apple's compiler cannot be had; RDNA3's shares stand in for it.
var cards = []card{
	{"Apple M1 Pro (14 cores)", 4.64, 200, 56, "rdna3", "gpu,conv=early,linear=early,attention=pair"},
	{"Apple M3 Max (40 cores)", 14.1, 400, 160, "rdna3", "gpu,conv=early,linear=early,attention=pair"},
	{"NVIDIA RTX 3060", 12.7, 360, 112, "nvidia", "gpu,conv=early,linear=early,attention=pair"},
	{"NVIDIA RTX 4090", 82.6, 1008, 512, "nvidia", "gpu,conv=early,linear=early,attention=pair,groups=1024"},
	{"AMD RX 6700 XT", 13.2, 384, 80, "rdna2", "gpu,conv=early,linear=early,attention=pair"},
	{"Intel Iris Xe (96 EU)", 2.0, 68, 96, "tgl", "gpu,conv=rolled,linear=rolled,attention=tile"},
}

// shares are what a card reaches of its peak in the main loop, by kernel, variant and tile or
// head size. Those of NVIDIA come from an H100 over Vulkan (tests/MEASURED.md), except for rolled
// 4x8 and 4x4, attention 512, and heads of 160, which are estimates. Those of the others are read
// from wgsl/cost.json.
type shares map[string]float64

// unmeasured is the share of a kernel that a table does not have.
const unmeasured = 0.45

// measuredOnH100 are shares of 67 TFLOP/s, of the shapes that keep all of its schedulers busy.
var measuredOnH100 = shares{
	"direct 8x8": 0.55, "direct 4x8": 0.38, "direct 4x4": 0.31,
	"early 8x8": 0.57, "early 4x8": 0.39, "early 4x4": 0.29,
	"short 8x8": 0.71, "short 4x8": 0.54, "short 4x4": 0.40,
	"rolled 8x8": 0.44, "rolled 4x8": 0.35, "rolled 4x4": 0.28,
	"attention 40": 0.38, "attention 80": 0.25, "attention 160": 0.16, "attention 512": 0.023,
	"attention_pair 40": 0.46, "attention_pair 80": 0.30, "attention_pair 160": 0.22, "attention_pair 512": 0.1,
}
