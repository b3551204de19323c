package gpu

// AveragePool averages x, Act [N, H, W, C], over windows of height × width pixels that do not
// overlap: torch's avg_pool2d with stride = kernel_size and ceil_mode. A window that reaches
// over the border is the average of the pixels inside. It returns [N, ⌈H/height⌉, ⌈W/width⌉, C].
func AveragePool(p *Program, x *Tensor, height, width int, label string) *Tensor {
	if len(x.Shape) != 4 || height < 1 || width < 1 {
		p.Fail("gpu: %s: windows of %d × %d pixels do not fit %s", label, height, width, x)
		return x
	}
	n, h, w := x.Shape[0], x.Shape[1], x.Shape[2]
	ho, wo := (h+height-1)/height, (w+width-1)/width
	y := p.NewTensor(label, Act, n, ho, wo, x.Channels())
	quads := x.Pitch() / 4
	groups, stride := grid1D(p.Device, n*ho*wo, 1)
	p.Dispatch(Dispatch{
		Kernel: "average_pool", Label: label,
		Params: []Param{{"windows", n * ho * wo}, {"stride", stride}, {"quads", quads}, {"h_in", h}, {"w_in", w}, {"h_out", ho}, {"w_out", wo},
			{"height", height}, {"width", width}},
		Bind:   []Binding{In("x", x), Out("y", y)},
		Groups: [3]int{groups[0], groups[1], (quads + 3) / 4},
		Cost:   float64(4 * x.Rows() * quads),
	})
	return y
}
