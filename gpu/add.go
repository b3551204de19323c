package gpu

// AddOptions are the options of Add.
type AddOptions struct {
	Label    string
	Lambda   *Tensor // F32 [steps, n]: λ; nil for 1
	LambdaAt int     // the column of Lambda that is read
	Mask     *Tensor // F32 [rows of a batch entry]: a weight for each pixel or token; nil for 1
}

// Add returns x + λ · mask · r. x and r are Act and have the same shape, except that r may
// have a batch of 1, which is added to every entry of x's batch.
func Add(p *Program, x, r *Tensor, o AddOptions) *Tensor {
	y := p.NewTensor(o.Label, Act, x.Shape...)
	batch := x.Shape[0]
	rows := x.Rows() / batch
	if r.Rows()/r.Shape[0] != rows || r.Channels() != x.Channels() || r.Shape[0] != batch && r.Shape[0] != 1 ||
		o.Lambda != nil && o.LambdaAt >= o.Lambda.Channels() || o.Mask != nil && o.Mask.Rows()*o.Mask.Channels() != rows {
		p.Fail("gpu: %s: %s cannot be added to %s", o.Label, r, x)
		return y
	}
	quads := x.Pitch() / 4
	count := x.Rows() * quads
	groups, stride := grid1D(p.Device, count, 64)
	lambdaRow := 0
	var step *Tensor
	if o.Lambda != nil {
		lambdaRow, step = o.Lambda.Pitch(), p.Step()
	}
	p.Dispatch(Dispatch{
		Kernel: "add", Label: o.Label,
		Consts: []Const{{"WEIGHTED", o.Lambda != nil}, {"MASKED", o.Mask != nil}},
		Params: []Param{{"count", count}, {"stride", stride}, {"r_count", r.Rows() * quads}, {"row_quads", quads}, {"rows", rows},
			{"lambda_row", lambdaRow}, {"lambda_at", o.LambdaAt}},
		Bind: []Binding{In("x", x), In("r", r), Out("y", y), In("lambda", o.Lambda).Optional(), In("step", step).Optional(),
			In("mask", o.Mask).Optional()},
		Groups: groups,
		Cost:   float64(8 * count),
	})
	return y
}
