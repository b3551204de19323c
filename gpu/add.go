package gpu

// AddOptions are the options of Add.
type AddOptions struct {
	Label    string
	Lambda   *Tensor // F32 [steps, n]: λ; nil for 1
	LambdaAt int     // the column of Lambda that is read
	Mask     *Tensor // F32 [rows of a batch entry]: a weight for each pixel or token; nil for 1
	First    int     // the first entry of x's batch that r is added to; those before it stay as they are
}

// Add returns x + λ · mask · r. x and r are Act and have the same channels. r has an entry for
// every entry of x's batch from o.First on, or one for all of them. An entry of r has as many
// rows as one of x, or one row that is added to all of them.
func Add(p *Program, x, r *Tensor, o AddOptions) *Tensor {
	y := p.NewTensor(o.Label, Act, x.Shape...)
	batch, entries := x.Shape[0], r.Shape[0]
	rows, rRows := x.Rows()/batch, r.Rows()/entries
	if rRows != rows && rRows != 1 || r.Channels() != x.Channels() || entries != batch-o.First && entries != 1 || o.First < 0 ||
		o.Lambda != nil && o.LambdaAt >= o.Lambda.Channels() || o.Mask != nil && o.Mask.Rows()*o.Mask.Channels() != rows {
		p.Fail("gpu: %s: %s cannot be added to %s", o.Label, r, x)
		return y
	}
	quads := x.Pitch() / 4
	count := x.Rows() * quads
	groups, stride := grid1D(p.Device, count, 64)
	rEntry, rRow := rRows*quads, quads
	if entries == 1 {
		rEntry = 0
	}
	if rRows == 1 {
		rRow = 0
	}
	lambdaRow := 0
	var step *Tensor
	if o.Lambda != nil {
		lambdaRow, step = o.Lambda.Pitch(), p.Step()
	}
	p.Dispatch(Dispatch{
		Kernel: "add", Label: o.Label,
		Consts: []Const{{"WEIGHTED", o.Lambda != nil}, {"MASKED", o.Mask != nil}},
		Params: []Param{{"count", count}, {"stride", stride}, {"row_quads", quads}, {"rows", rows}, {"first", o.First},
			{"r_entry", rEntry}, {"r_row", rRow}, {"lambda_row", lambdaRow}, {"lambda_at", o.LambdaAt}},
		Bind: []Binding{In("x", x), In("r", r), Out("y", y), In("lambda", o.Lambda).Optional(), In("step", step).Optional(),
			In("mask", o.Mask).Optional()},
		Groups: groups,
		Cost:   float64(8 * count),
	})
	return y
}
